import Dispatch
import Statistics

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// How likely each given label is wrong, by a likelihood that knows of wrong labels.
///
/// A image shows class c with q = softmax(t · o + b) of its left-out outputs o. A image of class c gets the label g
/// with T(c, c) = 1 − e_c and T(c, g) = e_c · C(c, g), where C says what images of c are taken for: the mean q of those
/// that seem to be c, without c itself, plus 0.02. t, b and e make
///
///     Σ_i log Σ_c q_ic T(c, g_i) − 0.001 |b|² − Σ_c (l_c − l̄)² / (2 σ²) − ((l̄ + 2) / 3)² / 2,   l_c = logit(2 e_c)
///
/// largest. Then the label of i is wrong with chance 1 − q_ig (1 − e_g) / Σ_c q_ic T(c, g_i).
///
/// Of a sample that somebody has looked at, the class y that it shows is known, beside the label g that it was given: its
/// term is log q_iy T(y, g), and its chance is 0. What is looked at is chosen by outputs and labels, so that the likelihood
/// need not know how: the rates are those of all labels, and what is known to be wrong is evidence for the rest. (With
/// log q_iy alone, the rates would be those of the labels that are left, of which the clearest were taken away: on
/// photographs half of the wrong labels were then no longer seen.)
public struct LabelErrorModel: Sendable {
  /// The chance that each label is wrong [N].
  public let chances: [Double]
  /// The share of each class's images whose label is wrong [K].
  public let rates: [Double]
  /// What each image shows [N, K].
  public let shown: Matrix
  /// Twice the gain in log-likelihood over "no label is wrong".
  public let gain: Double
  /// (mean largest q − 1/K) / (1 − 1/K): 0 where nothing can be told, 1 where every image is clear.
  public let sureness: Double

  /// T [K, K].
  private let transitions: Matrix

  /// The mean chance of the labels that are in question: the share of them that are wrong.
  public let share: Double

  /// Bounds of log(t · deviation of o), b and l, within which wrong labels and clear images make sense.
  static let sharpness = -3.0...6.0, biases = -8.0...8.0, logits = -9.0...4.0
  /// The penalty of b².
  static let biasPenalty = 1e-3
  /// What is added to every C(c, g), so that no label is impossible.
  private static let floor = 0.02

  /// Fits the model to left-out outputs [N, K] and the labels [N] that were given.
  ///
  /// - Parameters:
  ///   - calibration: `Calibration` of the same outputs and labels.
  ///   - spread: σ, how far classes may differ in their share of wrong labels.
  ///   - labels: the labels [N]; of samples that somebody has looked at, the right ones.
  ///   - given: of these, by index, the labels that they were given.
  public init(
    _ outputs: Matrix, labels: [Int], calibration: Calibration, spread: Double, given: [Int: Int] = [:]
  ) {
    let K = outputs.columns, mistaken = Self.mistaken(calibration.probabilities)
    let evaluation = LikelihoodSums(outputs: outputs, labels: labels, scale: calibration.scale, given: given)
    var minimizer = BoundedMinimizer(
      bounds: [Self.sharpness] + Array(repeating: Self.biases, count: K) + Array(repeating: Self.logits, count: K))
    minimizer.tolerance = evaluation.tolerance
    let minima = [0.01, 0.1].map { start in
      let logit = Self.logit(2 * start)
      return minimizer.minimum(from: calibration.place + Array(repeating: logit, count: K)) { place in
        let logits = place[(K + 1)...], rates = logits.map(Self.rate)
        let T = Self.transitions(rates, mistaken)
        var (value, gradient, byTransition) = evaluation.sums(place, transitions: T)
        for k in 0..<K {
          value += Self.biasPenalty * place[1 + k] * place[1 + k]
          gradient[1 + k] += 2 * Self.biasPenalty * place[1 + k]
        }
        let mean = logits.reduce(0, +) / Double(K)
        value += 0.5 * ((mean + 2) / 3) * ((mean + 2) / 3)
        for c in 0..<K {
          let distance = place[K + 1 + c] - mean
          value += 0.5 * distance * distance / (spread * spread)
          var slope = -byTransition[c, c]
          for g in 0..<K where g != c { slope += byTransition[c, g] * mistaken[c, g] }
          let e = rates[c]
          gradient.append(
            slope * e * (1 - 2 * e) + distance / (spread * spread) + (mean + 2) / (9 * Double(K)))
        }
        return (value, gradient)
      }
    }
    let best = minima[1].value < minima[0].value ? minima[1] : minima[0]
    rates = best.place[(K + 1)...].map(Self.rate)
    transitions = Self.transitions(rates, mistaken)
    shown = evaluation.probabilities(best.place)
    sureness = Calibration.sureness(shown)
    // Without the labels that are known to be wrong, which there would be none of if no label were.
    var chances: [Double] = [], logLikelihood = 0.0, without = 0.0
    for (i, y) in labels.enumerated() {
      guard let g = given[i] else {
        let p = Self.probability(of: y, shown.row(i), transitions)
        logLikelihood += log(p)
        chances.append(1 - shown[i, y] * (1 - rates[y]) / p)
        continue
      }
      chances.append(0)
      if g == y {
        logLikelihood += log(shown[i, y] * (1 - rates[y]) + LikelihoodSums.least)
      } else {
        without += log(calibration.probabilities[i, y] + LikelihoodSums.least)
      }
    }
    self.chances = chances
    share = chances.reduce(0, +) / Double(max(labels.count - given.count, 1))
    gain = 2 * (logLikelihood - (calibration.logLikelihood - without))
  }

  /// The chance that the label `g` would be wrong for sample i, had it been given.
  public func chance(_ i: Int, of g: Int) -> Double {
    1 - shown[i, g] * (1 - rates[g]) / Self.probability(of: g, shown.row(i), transitions)
  }

  private static func probability(of g: Int, _ q: ArraySlice<Double>, _ T: Matrix) -> Double {
    var sum = 1e-12, c = 0
    for value in q {
      sum += value * T[c, g]
      c += 1
    }
    return sum
  }

  /// e = 1 / (1 + exp(−l)) / 2, below one half: a class is what most of its labels say.
  private static func rate(_ logit: Double) -> Double { 0.5 / (1 + exp(-logit)) }
  private static func logit(_ p: Double) -> Double { log(p / (1 - p)) }

  private static func transitions(_ rates: [Double], _ mistaken: Matrix) -> Matrix {
    var T = mistaken
    for c in rates.indices {
      for g in rates.indices { T[c, g] *= rates[c] }
      T[c, c] = 1 - rates[c]
    }
    return T
  }

  /// C [K, K], rows of sum 1 with a diagonal of 0.
  private static func mistaken(_ q: Matrix) -> Matrix {
    let K = q.columns
    var C = Matrix(rows: K, columns: K), counts = [Int](repeating: 0, count: K)
    for i in 0..<q.rows {
      let row = q.row(i), top = ConfidentLearning.top(row)
      counts[top] += 1
      for (k, value) in row.enumerated() { C[top, k] += value }
    }
    for c in 0..<K {
      var sum = 0.0
      for k in 0..<K {
        C[c, k] = c == k ? 0 : (counts[c] > 0 ? C[c, k] / Double(counts[c]) : 1 / Double(K)) + floor
        sum += C[c, k]
      }
      for k in 0..<K { C[c, k] /= sum }
    }
    return C
  }
}

/// q = softmax(t · o + b) with the least log loss of the given labels: what the outputs say if no label is wrong.
public struct Calibration: Sendable {
  /// q [N, K].
  public let probabilities: Matrix
  /// Σ log q of the given label.
  public let logLikelihood: Double
  /// log(t · scale), then b.
  let place: [Double]
  /// The deviation of all outputs.
  let scale: Double

  /// Fits t and b to left-out outputs [N, K] and labels [N].
  public init(_ outputs: Matrix, labels: [Int]) {
    let K = outputs.columns, count = Double(outputs.values.count)
    let mean = outputs.values.reduce(0, +) / count
    scale = (outputs.values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / count).squareRoot() + 1e-9
    let evaluation = LikelihoodSums(outputs: outputs, labels: labels, scale: scale)
    var minimizer = BoundedMinimizer(
      bounds: [LabelErrorModel.sharpness] + Array(repeating: LabelErrorModel.biases, count: K))
    minimizer.tolerance = evaluation.tolerance
    let start = [log(2.0)] + Array(repeating: 0, count: K)
    place =
      minimizer.minimum(from: start) { place in
        var (value, gradient, _) = evaluation.sums(place, transitions: nil)
        for k in 1...K {
          value += LabelErrorModel.biasPenalty * place[k] * place[k]
          gradient[k] += 2 * LabelErrorModel.biasPenalty * place[k]
        }
        return (value, gradient)
      }.place
    probabilities = evaluation.probabilities(place)
    logLikelihood = -evaluation.sums(place, transitions: nil).value
  }

  /// (mean largest q − 1/K) / (1 − 1/K).
  static func sureness(_ q: Matrix) -> Double {
    var sum = 0.0
    for i in 0..<q.rows { sum += q.row(i).max() ?? 0 }
    let chance = 1 / Double(q.columns)
    return (sum / Double(q.rows) - chance) / (1 - chance)
  }
}

/// The negative log-likelihood of given labels and its derivatives, summed over samples on all processors.
struct LikelihoodSums: Sendable {
  let outputs: Matrix, labels: [Int], scale: Double
  /// The labels that samples were given whose right label is known, by index; what `labels` has of them is right.
  var given: [Int: Int] = [:]

  /// Samples that a thread takes at a time; fixed, so that sums keep their order.
  private static let block = 1024
  /// Added to probabilities before their logarithm.
  static let least = 1e-9

  /// A sum over N samples is flat where its gradient is as much smaller than N.
  var tolerance: Double { 1e-8 * Double(labels.count) }

  /// − Σ log Σ_c q_ic T(c, g_i), with log q_iy T(y, g_i) where y is known, its gradient by log(t · scale) and b, and its
  /// derivatives by T [K, K].
  ///
  /// - Parameter transitions: T; nil where no label is wrong.
  func sums(_ place: [Double], transitions T: Matrix?) -> (value: Double, gradient: [Double], byTransition: Matrix) {
    let N = outputs.rows, K = outputs.columns, t = exp(place[0]) / scale
    let blocks = (N + Self.block - 1) / Self.block
    // Value, gradient, derivatives by T, for each block.
    let width = 1 + (K + 1) + (T == nil ? 0 : K * K)
    var partial = Matrix(rows: blocks, columns: width)
    // By the given label, so that a sample's numbers lie side by side.
    let columns = T?.transposed.values
    partial.values.withUnsafeMutableBufferPointer { buffer in
      nonisolated(unsafe) let sums = buffer.baseAddress!
      DispatchQueue.concurrentPerform(iterations: blocks) { block in
        let sum = sums + block * width
        withUnsafeTemporaryAllocation(of: Double.self, capacity: 2 * K) { scratch in
          let q = scratch.baseAddress!, share = q + K
          outputs.values.withUnsafeBufferPointer { outputs in
            for i in block * Self.block..<min(N, (block + 1) * Self.block) {
              let o = outputs.baseAddress! + i * K, y = labels[i]
              softmax(o, t, place, K, q)
              // What the image shows is known, or may be any class.
              let known = given.isEmpty ? nil : given[i], g = known ?? y
              let isAny = columns != nil && known == nil
              var p = Self.least
              for c in 0..<K {
                share[c] = isAny || c == y ? columns.map { q[c] * $0[g * K + c] } ?? q[c] : 0
                p += share[c]
              }
              sum[0] -= log(p)
              var byScale = 0.0
              let inverse = 1 / p, whole = (p - Self.least) * inverse
              for c in 0..<K {
                let slope = q[c] * whole - share[c] * inverse
                byScale += slope * o[c]
                sum[2 + c] += slope
              }
              sum[1] += byScale * t
              guard columns != nil else { continue }
              for c in 0..<K where isAny || c == y { sum[2 + K + g * K + c] -= q[c] * inverse }
            }
          }
        }
      }
    }
    var total = [Double](repeating: 0, count: width)
    for block in 0..<blocks { for column in 0..<width { total[column] += partial[block, column] } }
    return (
      total[0], Array(total[1..<K + 2]),
      T == nil ? Matrix(rows: 0, columns: 0) : Matrix(Array(total[(K + 2)...]), rows: K, columns: K).transposed
    )
  }

  /// q [N, K].
  func probabilities(_ place: [Double]) -> Matrix {
    let K = outputs.columns, t = exp(place[0]) / scale
    var result = Matrix(rows: outputs.rows, columns: K)
    result.values.withUnsafeMutableBufferPointer { q in
      outputs.values.withUnsafeBufferPointer { o in
        for i in 0..<outputs.rows { softmax(o.baseAddress! + i * K, t, place, K, q.baseAddress! + i * K) }
      }
    }
    return result
  }

  /// softmax(t · o + b) of one row.
  private func softmax(
    _ o: UnsafePointer<Double>, _ t: Double, _ place: [Double], _ K: Int, _ q: UnsafeMutablePointer<Double>
  ) {
    var top = -Double.infinity, sum = 0.0
    for k in 0..<K {
      q[k] = t * o[k] + place[1 + k]
      top = max(top, q[k])
    }
    for k in 0..<K {
      q[k] = exp(q[k] - top)
      sum += q[k]
    }
    for k in 0..<K { q[k] /= sum }
  }
}
