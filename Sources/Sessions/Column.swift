import Compute
import Failures

/// A column of the per-sample table that a training method adds: one number, or a row of them, for each sample id.
///
/// It lies on the device, moved by row kernels, and belongs to the state that a checkpoint keeps, as `state.NAME`.
public struct Column: Sendable, Hashable {
  /// What a column holds, and what every element begins with.
  public enum Start: Sendable, Hashable {
    case float(Float)
    case integer(Int32)
  }

  /// The name, unique among the columns of a network.
  public let name: String
  /// What every element begins with.
  public let start: Start
  /// Numbers for each sample.
  public let width: Int
  /// What an element can become; nil for every finite number.
  public let range: ClosedRange<Double>?

  /// A column [N], or [N, width].
  public init(_ name: String, start: Start, width: Int = 1, range: ClosedRange<Double>? = nil) {
    (self.name, self.start, self.width, self.range) = (name, start, width, range)
  }

  /// Where it lies.
  public var store: Store { .column(name) }

  /// The range of probabilities and of averages of them, whose last digits are lost to rounding.
  public static let probabilities = 0...1.001

  /// Whether training can lead to these elements: each is in the range, or what it began with.
  public func allows(_ elements: ColumnValues.Elements) -> Bool {
    switch (elements, start) {
    case (.floats(let values), .float(let start)):
      values.allSatisfy { value in
        value == start || value.isNaN && start.isNaN || value.isFinite && range?.contains(Double(value)) ?? true
      }
    case (.integers(let values), .integer(let start)):
      values.allSatisfy { $0 == start || range?.contains(Double($0)) ?? true }
    default: false
    }
  }
}

/// The content of a column: what a checkpoint keeps.
public struct ColumnValues: Sendable, Equatable {
  /// The elements by their type, [N] or [N, width].
  public enum Elements: Sendable, Equatable {
    case floats([Float])
    case integers([Int32])
  }

  /// The column's name.
  public var name: String
  /// Numbers for each sample.
  public var width: Int
  /// The elements.
  public var elements: Elements

  /// The content of a column.
  public init(name: String, width: Int, elements: Elements) {
    (self.name, self.width, self.elements) = (name, width, elements)
  }
}

extension TrainingSession {
  /// Gives columns what they begin with.
  static func fill(_ columns: [Column], count N: Int, in stores: [Store: D.Buffer], on device: D) throws {
    for column in columns {
      let count = max(N * column.width, 1)
      switch column.start {
      case .float(let start) where start != 0:
        try device.write([Float](repeating: start, count: count), to: stores[column.store]!)
      case .integer(let start) where start != 0:
        try device.write([Int32](repeating: start, count: count), to: stores[column.store]!)
      case .float, .integer: break
      }
    }
  }

  private func column(_ name: String) -> (Column, D.Buffer) {
    guard let column = settings.columns.first(where: { $0.name == name }), let buffer = stores[column.store] else {
      preconditionFailure("the session has no column '\(name)'")
    }
    return (column, buffer)
  }

  /// The floats of a column, [N] or [N, width].
  ///
  /// Waits.
  public func floats(_ name: String) throws -> [Float] {
    let (column, buffer) = column(name)
    return try device.read(Float.self, count: sampleCount * column.width, from: buffer)
  }

  /// The integers of a column, [N] or [N, width].
  ///
  /// Waits.
  public func integers(_ name: String) throws -> [Int32] {
    let (column, buffer) = column(name)
    return try device.read(Int32.self, count: sampleCount * column.width, from: buffer)
  }

  /// Sets every element of a column of floats.
  public func fill(_ name: String, with value: Float) throws {
    let (column, buffer) = column(name)
    try device.write([Float](repeating: value, count: sampleCount * column.width), to: buffer)
  }

  /// The content of every column.
  ///
  /// Waits.
  func readColumns() throws -> [ColumnValues] {
    try settings.columns.map { column in
      let elements: ColumnValues.Elements
      switch column.start {
      case .float: elements = .floats(try floats(column.name))
      case .integer: elements = .integers(try integers(column.name))
      }
      return ColumnValues(name: column.name, width: column.width, elements: elements)
    }
  }

  func write(_ columns: [ColumnValues]) throws {
    precondition(columns.map(\.name) == settings.columns.map(\.name), "the columns are not this session's")
    for values in columns {
      let (_, buffer) = column(values.name)
      switch values.elements {
      case .floats(let floats): try device.write(floats, to: buffer)
      case .integers(let integers): try device.write(integers, to: buffer)
      }
    }
  }

  /// Margins from the columns that every session has: their sums in double precision, and how many there are.
  ///
  /// Waits.
  public func marginSums() throws -> (sums: [Double], counts: [Int32]) {
    func floats(_ store: Store) throws -> [Float] {
      try device.read(Float.self, count: sampleCount, from: stores[store]!)
    }
    let sums = zip(try floats(.marginSum), try floats(.marginLost)).map { Double($0) - Double($1) }
    return (sums, try device.read(Int32.self, count: sampleCount, from: stores[.marginCount]!))
  }
}
