import Failures

/// An array as NumPy's `.npy` files hold it: a shape and little-endian bytes in C order.
///
/// Format versions 1.0 to 3.0 are read, and 1.0 is written. Arrays of Python objects are refused, since reading them
/// would mean to run a pickle.
public struct NumPyArray: Sendable, Equatable {
  /// The type of one element.
  public enum Element: Sendable, Equatable {
    case bool
    /// A signed integer of 1, 2, 4 or 8 bytes.
    case signed(Int)
    /// An unsigned integer of 1, 2, 4 or 8 bytes.
    case unsigned(Int)
    /// A floating-point number of 2, 4 or 8 bytes.
    case float(Int)
    /// Text of so many UTF-32 scalars, filled up with zeros.
    case text(Int)

    /// The size of one element in bytes.
    public var size: Int {
      switch self {
      case .bool: 1
      case .signed(let size), .unsigned(let size), .float(let size): size
      case .text(let length): 4 * length
      }
    }

    /// NumPy's name for it, such as `<f4`.
    public var descriptor: String {
      switch self {
      case .bool: "|b1"
      case .signed(let size): (size == 1 ? "|i" : "<i") + String(size)
      case .unsigned(let size): (size == 1 ? "|u" : "<u") + String(size)
      case .float(let size): "<f\(size)"
      case .text(let length): "<U\(length)"
      }
    }
  }

  /// The type of the elements.
  public let element: Element
  /// The number of elements along each axis; no axis means one element.
  public let shape: [Int]
  /// The elements, little-endian, the last axis fastest.
  public let bytes: [UInt8]

  /// An array with these bytes; their number must be the shape's.
  public init(_ element: Element, shape: [Int], bytes: [UInt8]) {
    precondition(shape.reduce(1, *) * element.size == bytes.count, "\(shape) of \(element) with \(bytes.count) bytes")
    (self.element, self.shape, self.bytes) = (element, shape, bytes)
  }

  /// An array of integers of their own width.
  public init<Value: FixedWidthInteger>(_ values: [Value], shape: [Int]? = nil) {
    let size = MemoryLayout<Value>.size
    self.init(
      Value.isSigned ? .signed(size) : .unsigned(size), shape: shape ?? [values.count],
      bytes: Self.littleEndianBytes(values.map(\.littleEndian)))
  }

  /// An array of 32-bit floating-point numbers.
  public init(_ values: [Float], shape: [Int]? = nil) {
    self.init(
      .float(4), shape: shape ?? [values.count], bytes: Self.littleEndianBytes(values.map(\.bitPattern.littleEndian)))
  }

  /// An array of 64-bit floating-point numbers.
  public init(_ values: [Double], shape: [Int]? = nil) {
    self.init(
      .float(8), shape: shape ?? [values.count], bytes: Self.littleEndianBytes(values.map(\.bitPattern.littleEndian)))
  }

  /// A row of texts.
  public init(_ values: [String]) {
    let length = max(1, values.map(\.unicodeScalars.count).max() ?? 1)
    var scalars: [UInt32] = []
    for value in values {
      scalars += value.unicodeScalars.map { $0.value.littleEndian }
      scalars += [UInt32](repeating: 0, count: length - value.unicodeScalars.count)
    }
    self.init(.text(length), shape: [values.count], bytes: Self.littleEndianBytes(scalars))
  }

  /// The number of elements.
  public var count: Int { shape.reduce(1, *) }

  /// The elements as integers, or nil when they are not integers or too large.
  public var integers: [Int]? {
    switch element {
    case .bool: bytes.map { $0 == 0 ? 0 : 1 }
    case .signed(1): bytes.map { Int(Int8(bitPattern: $0)) }
    case .signed(2): words(UInt16.self).map { Int(Int16(bitPattern: $0)) }
    case .signed(4): words(UInt32.self).map { Int(Int32(bitPattern: $0)) }
    case .signed: words(UInt64.self).map { Int(Int64(bitPattern: $0)) }
    case .unsigned(1): bytes.map { Int($0) }
    case .unsigned(2): words(UInt16.self).map { Int($0) }
    case .unsigned(4): words(UInt32.self).map { Int($0) }
    case .unsigned: Self.allOrNil(words(UInt64.self).map { Int(exactly: $0) })
    case .float, .text: nil
    }
  }

  /// The elements as floating-point numbers, or nil when they are text; integers are converted.
  public var doubles: [Double]? {
    switch element {
    case .float(2): words(UInt16.self).map { Self.half($0) }
    case .float(4): words(UInt32.self).map { Double(Float(bitPattern: $0)) }
    case .float: words(UInt64.self).map { Double(bitPattern: $0) }
    case .text: nil
    default: integers?.map { Double($0) }
    }
  }

  /// One element as a floating-point number; NaN for text.
  public func double(at index: Int) -> Double {
    func word<Word: FixedWidthInteger>(_: Word.Type) -> Word {
      bytes.withUnsafeBytes {
        Word(littleEndian: $0.loadUnaligned(fromByteOffset: index * MemoryLayout<Word>.size, as: Word.self))
      }
    }
    switch element {
    case .bool: return bytes[index] == 0 ? 0 : 1
    case .signed(1): return Double(Int8(bitPattern: bytes[index]))
    case .signed(2): return Double(Int16(bitPattern: word(UInt16.self)))
    case .signed(4): return Double(Int32(bitPattern: word(UInt32.self)))
    case .signed: return Double(Int64(bitPattern: word(UInt64.self)))
    case .unsigned(1): return Double(bytes[index])
    case .unsigned(2): return Double(word(UInt16.self))
    case .unsigned(4): return Double(word(UInt32.self))
    case .unsigned: return Double(word(UInt64.self))
    case .float(2): return Self.half(word(UInt16.self))
    case .float(4): return Double(Float(bitPattern: word(UInt32.self)))
    case .float: return Double(bitPattern: word(UInt64.self))
    case .text: return .nan
    }
  }

  /// The elements as texts, or nil when they are something else or no valid Unicode.
  public var texts: [String]? {
    guard case .text(let length) = element else { return nil }
    let all = words(UInt32.self)
    return Self.allOrNil(
      (0..<count).map { index in
        var text = String.UnicodeScalarView()
        for value in all[index * length..<(index + 1) * length].reversed().drop(while: { $0 == 0 }).reversed() {
          guard let scalar = Unicode.Scalar(value) else { return nil }
          text.append(scalar)
        }
        return String(text)
      })
  }

  private static func allOrNil<Value>(_ values: [Value?]) -> [Value]? {
    let found = values.compactMap { $0 }
    return found.count == values.count ? found : nil
  }

  private static func littleEndianBytes<Word>(_ words: [Word]) -> [UInt8] {
    words.withUnsafeBytes { [UInt8]($0) }
  }

  private func words<Word: FixedWidthInteger>(_: Word.Type) -> [Word] {
    bytes.withUnsafeBytes { buffer in
      (0..<buffer.count / MemoryLayout<Word>.size).map {
        Word(littleEndian: buffer.loadUnaligned(fromByteOffset: $0 * MemoryLayout<Word>.size, as: Word.self))
      }
    }
  }

  /// A 16-bit floating-point number from its bits (IEEE 754 binary16).
  private static func half(_ bits: UInt16) -> Double {
    let sign: Double = bits & 0x8000 == 0 ? 1 : -1
    let exponent = Int(bits >> 10 & 0x1F)
    let fraction = Double(bits & 0x3FF)
    switch exponent {
    case 0: return sign * fraction * 0x1p-24
    case 31: return fraction == 0 ? sign * .infinity : .nan
    default: return sign * Double(sign: .plus, exponent: exponent - 25, significand: 1024 + fraction)
    }
  }
}
