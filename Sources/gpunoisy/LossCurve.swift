import ComputeReference
import Failures
import Glibc
import Losses

/// A loss, and the weight of its gradient, as functions of p_y, the other classes being equally likely.
///
/// The weight is what the gradient of cross entropy, p_k − [k = y], is multiplied with. Parameters have the values that
/// they have in the end.
struct LossCurve {
  /// Classes of the rows.
  static let classes = 10

  private let reference: ReferenceLoss
  private let parameters: [ReferenceNumber]

  /// nil for a loss that depends on more than a row.
  init?(_ loss: Loss) throws(Failure) {
    guard loss.function.inputs == .row else { return nil }
    reference = try ReferenceLoss.formula(of: loss.function)
    parameters = loss.kernelParameters(epoch: loss.lastChange).map { ReferenceNumber($0) }
  }

  /// Loss and weight where class `label` is given and has probability `p`.
  func point(_ p: Double, label: Int) -> (loss: Double, weight: Double) {
    var logits = [Double](repeating: 0, count: Self.classes)
    logits[label] = log(p * Double(Self.classes - 1) / (1 - p))
    let result = reference.evaluate(ReferenceRow(logits: .init(logits), label: label), parameters)
    return (result.loss.value, -result.dlogits[label].value / (1 - p))
  }
}
