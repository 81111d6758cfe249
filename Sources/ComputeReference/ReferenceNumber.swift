#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// A double-precision number that knows how far a single-precision evaluation of the same formula may be off.
///
/// `roundings` is the first-order sum of the sizes of everything that a Float evaluation rounds on the way here, each
/// carried along by the derivatives of what follows (running error analysis). A correct Float kernel is off by a few
/// times `roundings` · 2^-24, whatever the shapes and sizes of its numbers; a wrong one by far more. Since the bound
/// comes with the number, no operation needs a tolerance of its own.
///
/// - Source: Wilkinson, "Rounding Errors in Algebraic Processes", 1963; Higham, "Accuracy and Stability of Numerical
///   Algorithms", 2nd edition, § 3.3.
public struct ReferenceNumber: Sendable {
  /// The number itself.
  public private(set) var value: Double
  /// The size of what a Float evaluation rounds; 0 for numbers that are given or copied, and therefore exact.
  public private(set) var roundings: Double

  /// A number that is known exactly.
  public init(_ value: Double) { self.init(value, roundings: 0) }

  /// A number that is known exactly.
  public init(_ value: Float) { self.init(Double(value), roundings: 0) }

  init(_ value: Double, roundings: Double) {
    self.value = value
    self.roundings = roundings
  }

  /// The same value, as if it were given: for numbers whose own rounding does not matter to a result.
  public var asExact: ReferenceNumber { ReferenceNumber(value) }

  /// Adds one term of a long sum.
  ///
  /// Every term counts with its size, so that the order of the terms does not matter.
  public mutating func add(_ term: ReferenceNumber) {
    value += term.value
    roundings += term.roundings + abs(term.value)
  }

  /// A smooth function of this number, with its value and its derivative here.
  func mapped(to result: Double, slope: Double) -> ReferenceNumber {
    // 0 · ∞ is 0 here: an exact zero stays exact under a square root.
    ReferenceNumber(result, roundings: (roundings == 0 ? 0 : abs(slope) * roundings) + abs(result))
  }
}

extension ReferenceNumber: ExpressibleByFloatLiteral, ExpressibleByIntegerLiteral {
  /// A constant.
  public init(floatLiteral value: Double) { self.init(value) }

  /// A constant.
  public init(integerLiteral value: Int) { self.init(Double(value)) }
}

extension ReferenceNumber {
  /// Sum of two numbers.
  public static func + (a: Self, b: Self) -> Self {
    Self(a.value + b.value, roundings: a.roundings + b.roundings + abs(a.value + b.value))
  }

  /// Difference of two numbers.
  public static func - (a: Self, b: Self) -> Self { a + (-b) }

  /// The number with the other sign; not rounded.
  public static prefix func - (a: Self) -> Self { Self(-a.value, roundings: a.roundings) }

  /// Product of two numbers.
  public static func * (a: Self, b: Self) -> Self {
    let product = a.value * b.value
    return Self(product, roundings: abs(a.value) * b.roundings + abs(b.value) * a.roundings + abs(product))
  }

  /// Quotient of two numbers.
  public static func / (a: Self, b: Self) -> Self {
    let quotient = a.value / b.value
    return Self(
      quotient, roundings: (a.roundings + abs(quotient) * b.roundings) / abs(b.value) + abs(quotient))
  }

  /// max(0, x); not rounded.
  public var rectified: Self { value > 0 ? self : Self(0, roundings: roundings) }

  /// min(limit, x); not rounded.
  public func limited(to limit: Float) -> Self {
    value < Double(limit) ? self : Self(Double(limit), roundings: roundings)
  }

  /// e^x.
  public var exponential: Self { mapped(to: exp(value), slope: exp(value)) }

  /// e^x - 1, with all its digits near 0.
  public var exponentialMinusOne: Self { mapped(to: expm1(value), slope: exp(value)) }

  /// Natural logarithm.
  public var logarithm: Self { mapped(to: log(value), slope: 1 / value) }

  /// log(1 + x), with all its digits near 0.
  public var logarithmOfOnePlus: Self { mapped(to: log1p(value), slope: 1 / (1 + value)) }

  /// x^exponent for x of 0 or more and a positive exponent.
  public func power(_ exponent: Self) -> Self { value == 0 ? 0 : (exponent * logarithm).exponential }

  /// Square root.
  public var squareRoot: Self { mapped(to: value.squareRoot(), slope: 0.5 / value.squareRoot()) }
}

extension Sequence<ReferenceNumber> {
  /// The sum of all numbers, 0 for none.
  public var sum: ReferenceNumber { reduce(into: 0) { $0.add($1) } }
}

extension Array<ReferenceNumber> {
  /// Numbers that are known exactly.
  public init(_ values: some Sequence<Double>) { self = values.map { ReferenceNumber($0) } }

  /// The plain values.
  public var values: [Double] { map(\.value) }

  /// `count` zeros.
  static func zeros(_ count: Int) -> [ReferenceNumber] { [ReferenceNumber](repeating: 0, count: count) }
}
