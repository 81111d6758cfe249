import ComputeReference
import FileFormats
import Glibc
import Losses

/// How large a loss's gradient is against that of cross entropy.
///
/// What the gradient of cross entropy is multiplied with, for ten classes: the larger of its values before training, where
/// all classes are equally likely and another than the label is predicted, and half way, where the label has probability
/// 1/2 and the others share the rest. A learning rate that suits cross entropy, divided by this, suits the loss about as
/// well.
enum LossScale {
  /// The classes of the rows that are looked at.
  private static let classes = 10

  /// The scale, with the values that parameters have in the end; nil for a loss of more than a row.
  static func value(of loss: Loss) throws -> Double? {
    guard loss.function.inputs == .row else { return nil }
    let reference = try ReferenceLoss.formula(of: loss.function)
    let parameters = loss.kernelParameters(epoch: loss.lastChange).map { ReferenceNumber($0) }
    let weights = [1 / Double(classes), 0.5].map { p -> Double in
      var logits = [Double](repeating: 0, count: classes)
      let label = classes - 1
      logits[label] = log(p * Double(classes - 1) / (1 - p))
      let result = reference.evaluate(ReferenceRow(logits: .init(logits), label: label), parameters)
      return -result.dlogits[label].value / (1 - p)
    }
    // Logits that are divided by their norm have none before training.
    return weights.filter { $0 > 0 && $0 < 1e6 }.max()
  }

  /// The scale with two digits.
  static func text(_ scale: Double) -> String {
    let step = pow(10, log10(scale).rounded(.down) - 1)
    return NumberText.shortest(Float((scale / step).rounded() * step))
  }
}
