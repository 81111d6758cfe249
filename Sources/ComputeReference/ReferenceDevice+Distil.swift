import CLayout
import Compute

/// The formula of Kernels/shared/rows_distil.cl.
extension ReferenceDevice {
  static var distilFormulas: [String: RowFormula] {
    ["rows_distil": RowFormula(distil, ["numbers", "sample_loss"])]
  }

  private static func distil(_ bound: RowBinding) {
    let K = bound.integer("K"), B = ReferenceNumber(Double(bound.count))
    let parameters = bound.buffer("numbers").numbers(at: NUMBER_METHOD, count: 2)
    let losses = bound.buffer("sample_loss"), dlogits = bound.buffer("dlogits")
    for (b, sample) in bound.samples.enumerated() {
      let (loss, gradient) = ReferenceMath.distillation(
        bound.buffer("logits").numbers(at: b * K, count: K), from: bound.buffer("other").numbers(at: b * K, count: K),
        weight: parameters[0], temperature: parameters[1])
      losses.write(losses.number(at: sample) + loss, at: sample)
      let before = dlogits.numbers(at: b * K, count: K)
      dlogits.write(zip(before, gradient).map { $0 + $1 / B }, at: b * K)
    }
  }
}

extension ReferenceMath {
  /// What a network learns from the logits of another, in a row: weight · T² · KL(t ‖ q) with t = softmax(other / T), which
  /// counts as a constant, and q = softmax(z / T); the gradient is weight · T · (q − t).
  public static func distillation(
    _ z: [ReferenceNumber], from other: [ReferenceNumber], weight: ReferenceNumber, temperature T: ReferenceNumber
  ) -> ReferenceLoss.Result {
    let sharpness = 1 / T
    let t = ReferenceRow(logits: other.map { sharpness * $0 }, label: 0)
    let q = ReferenceRow(logits: z.map { sharpness * $0 }, label: 0)
    let divergence = z.indices.map { k in
      t.probabilities[k] * (t.logProbabilities[k] - q.logProbabilities[k])
    }.sum
    return (
      weight * T * T * divergence, zip(q.probabilities, t.probabilities).map { weight * T * ($0 - $1) }
    )
  }
}
