/// A loss that reads a matrix [K, K] besides its row, and has no parameters of its own.
public struct ReferenceCorrection: Sendable {
  /// The kernel, such as `loss_forward_rows`.
  public let kernel: String
  /// The loss of a row and its gradient, from the matrix row by row.
  public let evaluate: @Sendable (_ row: ReferenceRow, _ matrix: [ReferenceNumber]) -> ReferenceLoss.Result

  /// All of them, by kernel.
  public static let table: [String: ReferenceCorrection] = Dictionary(
    uniqueKeysWithValues: [forward, backward].map { ($0.kernel, $0) })

  /// Forward correction with T, row = true class: L = −log q_y, q_y = Σ p_i · T_iy; dL/dz_k = p_k − p_k · T_ky / q_y.
  private static let forward = ReferenceCorrection(kernel: "loss_forward_rows") { row, matrix in
    let K = row.logits.count
    let possible = (0..<K).filter { matrix[$0 * K + row.label].value > 0 }
    let nearest = possible.map { row.logProbabilities[$0] }.max { $0.value < $1.value } ?? 0
    let shares = (0..<K).map { k in
      possible.contains(k)
        ? matrix[k * K + row.label] * (row.logProbabilities[k] - nearest).exponential : ReferenceNumber(0)
    }
    let sum = shares.sum
    return (-nearest - sum.logarithm, row.gradient { row.probabilities[$0] - shares[$0] / sum })
  }

  /// Backward correction with the inverse of T: L = −Σ t_k · log p_k with t its row y; dL/dz_k = Σ t_j · p_k − t_k.
  private static let backward = ReferenceCorrection(kernel: "loss_backward_rows") { row, matrix in
    let K = row.logits.count
    let target = matrix[row.label * K..<(row.label + 1) * K]
    let sum = Array(target).sum
    return (
      -zip(target, row.logProbabilities).map { $0 * $1 }.sum,
      row.gradient { sum * row.probabilities[$0] - target[row.label * K + $0] }
    )
  }
}
