import Failures
import Glibc

/// How the learning rate changes from epoch to epoch.
public enum Schedule: String, Sendable, CaseIterable {
  /// Multiplied by gamma at each milestone, as `torch.optim.lr_scheduler.MultiStepLR`.
  case step
  /// Falls along half a cosine to zero at the last epoch's end, as `CosineAnnealingLR`.
  case cosine
  /// Stays as it is.
  case constant

  /// The learning rate of epoch `epoch` (from 0) of `epochs`.
  public func rate(
    _ base: Double, epoch: Int, epochs: Int, milestones: [Int], gamma: Double
  ) -> Double {
    switch self {
    case .step: base * pow(gamma, Double(milestones.filter { epoch >= $0 }.count))
    case .cosine: base * 0.5 * (1 + cos(Double.pi * Double(epoch) / Double(max(epochs, 1))))
    case .constant: base
    }
  }
}
