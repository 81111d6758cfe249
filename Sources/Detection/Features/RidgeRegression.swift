import Statistics

/// What a ridge regression on one-hot labels predicts for every sample when it has not seen that sample's label.
///
/// With features Z [N, D] (`FeatureTable`), one-hot labels Y [N, K] and their column means m:
///
///     A = (Zᵀ Z + λ I)⁻¹,  fit = m + Z A Zᵀ (Y − m),  H = Z A Zᵀ + 1/N,  o_i = Y_i − (Y_i − fit_i) / (1 − H_ii).
///
/// The last is exactly the output at sample i of the regression on the others; the intercept is not penalised. Of samples
/// that belong together (a burst, copies), all are left out at once: o_B = Y_B − (I − H_BB)⁻¹ (Y_B − fit_B). λ is the one
/// of six whose outputs are nearest to the labels. Nothing is random.
///
/// - Source: Hoerl, Kennard, "Ridge regression", 1970; Allen, "The relationship between variable selection and data
///   augmentation and a method for prediction", 1974.
public struct RidgeRegression: Sendable {
  /// The outputs o [N, K].
  public let outputs: Matrix
  /// λ.
  public let decay: Double
  /// R² = 1 − Σ (o − Y)² / (Σ (Y − m)² · (N / (N − 1))²): 0 where the outputs are no nearer than the shares of the classes.
  public let explained: Double

  /// The λ that are tried.
  public static let decays: [Double] = [0.1, 0.31622776601683794, 1, 3.1622776601683795, 10, 31.622776601683793]

  /// Fits labels [N], each 0..<classes.
  ///
  /// - Parameter groups: samples that are left out together, by index; those in none are left out alone.
  public init(_ features: FeatureTable, labels: [Int], classes: Int, groups: [[Int]] = []) {
    let Z = features.scaled, N = Z.rows
    precondition(labels.count == N && N > 1, "\(labels.count) labels for \(N) rows")
    var means = [Double](repeating: 0, count: classes)
    for label in labels { means[label] += 1 / Double(N) }
    var centred = Matrix(rows: N, columns: classes)
    for i in 0..<N { for k in 0..<classes { centred[i, k] = (labels[i] == k ? 1 : 0) - means[k] } }
    // With more features than samples, the same numbers follow from Z Zᵀ.
    let isDual = N <= Z.columns, products = isDual ? Z.timesOwnTranspose : Z.transposed.timesOwnTranspose
    let mean = 1 / Double(N), targets = centred.transposed
    var best: (outputs: Matrix, error: Double, decay: Double)?
    for decay in Self.decays {
      var shifted = products
      for i in 0..<shifted.rows { shifted[i, i] += decay }
      guard let factor = CholeskyFactor(shifted) else { continue }
      // The rows u_i: H = U Uᵀ + 1/N, or I − λ U Uᵀ + 1/N with Z Zᵀ.
      let U = isDual ? factor.inverseColumns : factor.solved(Z)
      let fit = U.timesTransposed(targets.timesTransposed(U.transposed))
      /// (I − H)_ij and (Y − fit)_i.
      func left(_ i: Int, _ j: Int) -> Double {
        let product = U.product(i, j)
        return (isDual ? decay * product : (i == j ? 1 : 0) - product) - mean
      }
      func residual(_ i: Int, _ k: Int) -> Double { isDual ? decay * fit[i, k] : centred[i, k] - fit[i, k] }
      var outputs = Matrix(rows: N, columns: classes)
      func set(_ i: Int, _ k: Int, leftOut residual: Double) {
        outputs[i, k] = (labels[i] == k ? 1 : 0) - residual
      }
      for i in 0..<N {
        let share = max(left(i, i), Self.leastShare)
        for k in 0..<classes { set(i, k, leftOut: residual(i, k) / share) }
      }
      for group in groups where group.count > 1 {
        guard let solved = Self.solve(group, classes, left, residual) else { continue }
        for (row, i) in group.enumerated() { for k in 0..<classes { set(i, k, leftOut: solved[row, k]) } }
      }
      var error = 0.0
      for i in 0..<N {
        for k in 0..<classes {
          let distance = outputs[i, k] - (labels[i] == k ? 1 : 0)
          error += distance * distance
        }
      }
      if error < best?.error ?? .infinity { best = (outputs, error, decay) }
    }
    guard let best else { preconditionFailure("Z Zᵀ + λ I is positive definite") }
    (outputs, decay) = (best.outputs, best.decay)
    let spread = centred.values.reduce(0) { $0 + $1 * $1 }, correction = Double(N) / Double(N - 1)
    explained = spread > 0 ? 1 - best.error / (spread * correction * correction) : 0
  }

  /// 1 − H_ii is at least this: a sample that alone decides its own output says nothing of it.
  private static let leastShare = 1e-6

  /// (I − H_BB)⁻¹ (Y_B − fit_B) [group, K]; nil where the rest cannot be told from the group.
  private static func solve(
    _ group: [Int], _ classes: Int, _ left: (Int, Int) -> Double, _ residual: (Int, Int) -> Double
  ) -> Matrix? {
    var system = Matrix(rows: group.count, columns: group.count)
    for (row, i) in group.enumerated() {
      for (column, j) in group.prefix(row + 1).enumerated() { system[row, column] = left(i, j) }
      system[row, row] += leastShare
    }
    guard let factor = CholeskyFactor(system) else { return nil }
    var rights = Matrix(rows: classes, columns: group.count)
    for (row, i) in group.enumerated() { for k in 0..<classes { rights[k, row] = residual(i, k) } }
    // A⁻¹ b = L⁻ᵀ (L⁻¹ b): the rows of L⁻¹ are the columns of what `inverseColumns` has in its rows.
    return factor.inverseColumns.timesTransposed(factor.solved(rights))
  }
}
