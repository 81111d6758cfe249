/// How near numbers come to what they should be, measured against the largest of those.
///
///     let comparison = Comparison("output", actual, expected, tolerance: 1e-6)
///     #expect(comparison.passes, "\(comparison)")
public struct Comparison: CustomStringConvertible, Sendable {
  /// The largest difference, as a part of the largest expected size; infinite where counts differ or a number is
  /// not one.
  public private(set) var error = 0.0
  /// Says what is compared, for messages.
  public let name: String
  private let tolerance: Double
  private var worst = ""

  /// Compares two lists of numbers.
  ///
  /// - Parameters:
  ///   - scale: what differences are measured against, at least; 0 for nothing but the expected numbers.
  public init(
    _ name: String, _ actual: [Double], _ expected: [Double], tolerance: Double, scale: Double = 0
  ) {
    self.name = name
    self.tolerance = tolerance
    guard actual.count == expected.count else {
      error = .infinity
      worst = "\(actual.count) numbers instead of \(expected.count)"
      return
    }
    let size = expected.reduce(scale) { max($0, abs($1)) }
    for (index, (a, e)) in zip(actual, expected).enumerated() where a != e {
      let difference = (a - e).isFinite ? abs(a - e) / size : .infinity
      if difference > error {
        error = difference
        worst = "[\(index)] is \(a) instead of \(e)"
      }
    }
  }

  /// Compares floats with what they should be.
  public init(_ name: String, _ actual: [Float], _ expected: [Double], tolerance: Double, scale: Double = 0) {
    self.init(name, actual.map(Double.init), expected, tolerance: tolerance, scale: scale)
  }

  /// Whether all numbers are near enough.
  public var passes: Bool { error <= tolerance }

  /// The largest difference and where it is.
  public var description: String { "\(name)\(worst): \(error) of \(tolerance)" }
}
