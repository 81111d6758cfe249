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
  /// The scale, with the values that parameters have in the end; nil for a loss of more than a row.
  static func value(of loss: Loss) throws -> Double? {
    let untrained = 1 / Double(LossCurve.classes)
    guard let curve = try LossCurve(loss) else { return nil }
    // Where all are equally likely the first class is predicted, so that the last is another.
    let weights = [untrained, 0.5].map { curve.point($0, label: LossCurve.classes - 1).weight }
    // Logits that are divided by their norm have none before training.
    return weights.filter { $0 > 0 && $0 < 1e6 }.max()
  }

  /// The scale with two digits.
  static func text(_ scale: Double) -> String {
    let step = pow(10, log10(scale).rounded(.down) - 1)
    return NumberFormatting.shortest(Float((scale / step).rounded() * step))
  }
}
