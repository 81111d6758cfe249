import Statistics

/// The determinant loss of a batch: L = −log(|det U| + guard).
///
/// Row y of U [K, K] is the sum of p over the samples with the label y; for a class without samples it is that of the
/// identity; a singular U without a guard counts as 1.
/// dL/dz_k = p_k · (G_k − Σ p_j · G_j), G_k = −|det U| / (|det U| + guard) · U⁻¹[k][y].
public enum ReferenceDeterminant {
  /// The kernel that computes it.
  public static let kernel = "loss_dmi_rows"
  /// Parameters to check the kernel with: guard, and whether the loss is still cross entropy.
  public static let exampleParameters: [Float] = [1e-3, 0]

  /// A pivot up to this makes a matrix singular.
  private static let least = 1e-15

  /// The loss of a batch, which is that of every sample, and the gradient of each row.
  public static func evaluate(_ rows: [ReferenceRow], _ parameters: [ReferenceNumber]) -> [ReferenceLoss.Result] {
    if parameters[1].value > 0 {
      let share = 1 / ReferenceNumber(Double(rows.count))
      return rows.map { row in (-row.logProbability, row.gradient { share * row.probabilities[$0] }) }
    }
    guard let K = rows.first?.logits.count else { return [] }
    var U = [ReferenceNumber].zeros(K * K)
    for row in rows { for k in 0..<K { U[row.label * K + k].add(row.probabilities[k]) } }
    let present = Set(rows.map(\.label))
    for k in 0..<K where !present.contains(k) { U[k * K + k] = 1 }
    let guardNumber = parameters[0]
    let isGuarded = guardNumber.value > 0
    guard let (logarithm, inverse) = inverted(U, K) else {
      return rows.map { _ in (isGuarded ? -guardNumber.logarithm : 0, .zeros(K)) }
    }
    let lowest = isGuarded ? guardNumber.logarithm : logarithm, isAbove = !isGuarded || logarithm.value > lowest.value
    let distance = isAbove ? logarithm - lowest : lowest - logarithm
    let ratio = isGuarded ? (-distance).exponential : 0
    let loss = -((isAbove ? logarithm : lowest) + ratio.logarithmOfOnePlus)
    let factor = (isAbove ? 1 : ratio) / (1 + ratio)
    return rows.map { row in
      let column = (0..<K).map { inverse[$0 * K + row.label] }
      let mean = zip(row.probabilities, column).map { $0 * $1 }.sum
      return (loss, row.gradient { factor * row.probabilities[$0] * (mean - column[$0]) })
    }
  }

  /// log |det| and the inverse of a matrix [K, K]; nil if it is singular.
  ///
  /// Computed without rounding. The roundings are what errors in the matrix (its own, and those that elimination is
  /// backward stable to) do to both: d log |det U| = tr(U⁻¹ dU), dU⁻¹ = −U⁻¹ dU U⁻¹.
  private static func inverted(
    _ matrix: [ReferenceNumber], _ K: Int
  ) -> (logarithm: ReferenceNumber, inverse: [ReferenceNumber])? {
    guard let exact = MatrixInverse(of: matrix.values, size: K, minimum: least) else { return nil }
    let (inverse, logarithm) = (exact.values, exact.logDeterminant)
    let largest = matrix.map { abs($0.value) }.max() ?? 0
    let errors = matrix.map { $0.roundings + Double(K) * largest }
    func product(_ a: (Int, Int) -> Double, _ b: (Int, Int) -> Double) -> [Double] {
      (0..<K * K).map { index in (0..<K).reduce(0) { $0 + a(index / K, $1) * b($1, index % K) } }
    }
    let half = product({ abs(inverse[$0 * K + $1]) }, { errors[$0 * K + $1] })
    let whole = product({ half[$0 * K + $1] }, { abs(inverse[$0 * K + $1]) })
    let trace = (0..<K).reduce(0) { $0 + half[$1 * K + $1] }
    return (
      ReferenceNumber(logarithm, roundings: trace + abs(logarithm)),
      zip(inverse, whole).map { ReferenceNumber($0, roundings: $1 + abs($0)) }
    )
  }
}
