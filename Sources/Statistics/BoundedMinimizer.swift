/// Finds where a smooth function of a few hundred variables is least, within bounds of every variable.
///
/// The limited-memory quasi-Newton method of Broyden, Fletcher, Goldfarb and Shanno, of the variables that no bound
/// holds; steps are cut off at the bounds, and halved until they descend enough (Armijo's rule).
///
/// - Source: Nocedal, Wright, "Numerical optimization", 2nd edition, algorithms 7.4 and 3.1; Bertsekas, "Projected Newton
///   methods for optimization problems with simple constraints", 1982.
public struct BoundedMinimizer: Sendable {
  /// The bounds of every variable.
  public var bounds: [ClosedRange<Double>]
  /// The most iterations.
  public var mostIterations = 500
  /// Done when no variable's gradient is larger, but for those that a bound holds.
  public var tolerance = 1e-8

  /// Pairs of steps and changes of the gradient that are remembered.
  private static let memory = 12

  /// A search within these bounds.
  public init(bounds: [ClosedRange<Double>]) { self.bounds = bounds }

  /// A place, and the function's value there.
  public struct Minimum: Sendable { public let place: [Double], value: Double }

  /// Descends from `start`.
  ///
  /// - Parameter function: the value and the gradient at a place.
  public func minimum(from start: [Double], of function: ([Double]) -> (value: Double, gradient: [Double])) -> Minimum {
    precondition(start.count == bounds.count, "\(start.count) variables and \(bounds.count) bounds")
    var place = clamped(start), now = function(place)
    var pairs: [(step: [Double], change: [Double], product: Double)] = []
    for _ in 0..<mostIterations {
      let held = place.indices.map { i in
        place[i] <= bounds[i].lowerBound && now.gradient[i] > 0
          || place[i] >= bounds[i].upperBound && now.gradient[i] < 0
      }
      let gradient = zip(now.gradient, held).map { $1 ? 0 : $0 }
      guard gradient.contains(where: { abs($0) > tolerance }) else { break }
      var direction = Self.direction(gradient, pairs, held)
      if dot(direction, gradient) >= 0 {
        pairs = []
        direction = gradient.map { -$0 }
      }
      // Without a memory the gradient's length says nothing of how far to go.
      var length = pairs.isEmpty ? min(1, 1 / norm(gradient)) : 1.0
      var next: (place: [Double], result: (value: Double, gradient: [Double]))?
      for _ in 0..<40 {
        let tried = clamped(zip(place, direction).map { $0 + length * $1 }), result = function(tried)
        let descent = dot(zip(tried, place).map { $0 - $1 }, gradient)
        if result.value.isFinite, result.value <= now.value + 1e-4 * descent, descent < 0 {
          next = (tried, result)
          break
        }
        length /= 2
      }
      guard let next else {
        // As near as rounding allows, unless the memory led astray.
        if pairs.isEmpty { break }
        pairs = []
        continue
      }
      let step = zip(next.place, place).map { $0 - $1 }
      let change = zip(next.result.gradient, now.gradient).map { $0 - $1 }
      let product = dot(step, change)
      if product > 1e-14 * norm(step) * norm(change) { pairs.append((step, change, product)) }
      if pairs.count > Self.memory { pairs.removeFirst() }
      (place, now) = (next.place, next.result)
    }
    return Minimum(place: place, value: now.value)
  }

  private func clamped(_ place: [Double]) -> [Double] {
    zip(place, bounds).map { min(max($0, $1.lowerBound), $1.upperBound) }
  }

  /// −H · gradient by the two loops over what is remembered, of the variables that are free.
  private static func direction(
    _ gradient: [Double], _ pairs: [(step: [Double], change: [Double], product: Double)], _ held: [Bool]
  ) -> [Double] {
    var result = gradient, shares: [Double] = []
    for pair in pairs.reversed() {
      let share = dot(pair.step, result) / pair.product
      shares.append(share)
      for i in result.indices { result[i] -= share * pair.change[i] }
    }
    if let last = pairs.last {
      let scale = last.product / dot(last.change, last.change)
      for i in result.indices { result[i] *= scale }
    }
    for (pair, share) in zip(pairs, shares.reversed()) {
      let other = dot(pair.change, result) / pair.product
      for i in result.indices { result[i] += (share - other) * pair.step[i] }
    }
    return zip(result, held).map { $1 ? 0 : -$0 }
  }
}

private func dot(_ a: [Double], _ b: [Double]) -> Double {
  var sum = 0.0
  for i in a.indices { sum += a[i] * b[i] }
  return sum
}

private func norm(_ a: [Double]) -> Double { dot(a, a).squareRoot() }
