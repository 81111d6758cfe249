import ComputeReference
import FileFormats
import Glibc
import Losses

/// How large a loss's gradient is before anything is learned, against that of cross entropy.
///
/// What the gradient of cross entropy for the label's logit is multiplied with where ten classes are equally likely and
/// another than the label is predicted. A learning rate that suits cross entropy, divided by this, moves the first weights
/// as far.
enum LossScale {
  /// The classes of the row that is looked at.
  static let classes = 10

  /// The scale, with the values that parameters have in the end; nil for a loss of more than a row, and where logits are
  /// divided by their norm, which is 0 here.
  static func value(of loss: Loss) throws -> Double? {
    guard loss.function.inputs == .row else { return nil }
    let reference = try ReferenceLoss.formula(of: loss.function)
    let row = ReferenceRow(logits: .init([Double](repeating: 0, count: classes)), label: classes - 1)
    let parameters = loss.kernelParameters(epoch: loss.lastChange).map { ReferenceNumber($0) }
    let gradient = reference.evaluate(row, parameters).dlogits[row.label].value
    let scale = -gradient * Double(classes) / Double(classes - 1)
    return scale.isFinite && scale > 0 && scale < 1e6 ? scale : nil
  }

  /// The scale with two digits.
  static func text(_ scale: Double) -> String {
    let step = pow(10, log10(scale).rounded(.down) - 1)
    return NumberText.shortest(Float((scale / step).rounded() * step))
  }
}
