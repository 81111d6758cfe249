import Compute
import Detection

/// How weights move: the optimiser with its numbers, and how its learning rate changes from epoch to epoch.
///
/// The defaults are the paper's: SGD with Nesterov momentum 0.9, weight decay 1e-4, and a learning rate of 0.1 that is
/// divided by 10 at epochs 150 and 225 (Pleiss et al., NeurIPS 2020).
public struct Optimizer: Sendable, Equatable {
  /// Which optimiser: `--optimizer`.
  public enum Kind: String, Sendable, CaseIterable {
    /// Stochastic gradient descent with (Nesterov) momentum.
    case sgd
    /// Adam (Kingma and Ba, 2015), with weight decay in the gradient.
    case adam
  }

  /// Which optimiser.
  public var kind = Kind.sgd
  /// The learning rate of the first epoch.
  public var learningRate = 0.1
  /// The factor of the learning rate for all layers but the last: 1, or less where these are pretrained.
  public var pretrainedRate = 1.0
  /// Momentum of SGD, 0 ..< 1.
  public var momentum = 0.9
  /// Whether momentum is Nesterov's.
  public var nesterov = true
  /// Adam's decays of the means of gradients and of their squares, 0 ..< 1.
  public var firstDecay = 0.9, secondDecay = 0.999
  /// Weight decay on every parameter.
  public var weightDecay = 1e-4
  /// Weight of the L1 penalty, the sum of absolute values of all parameters.
  public var l1 = 0.0
  /// How the learning rate changes; nil (`auto`): by steps, but in a detection as each of its networks needs it.
  public var schedule: Schedule? = .step
  /// Epochs at which `step` multiplies the rate by gamma.
  public var milestones = [150, 225]
  /// The factor at each milestone.
  public var gamma = 0.1
  /// Epochs over which the learning rate rises in equal steps; see `LearningRate.warmup`.
  public var warmup = 0
  /// The largest norm of the gradient; 0: gradients are not clipped.
  public var clipNorm = 0.0

  /// The defaults.
  public init() {}

  /// The learning rate of the epochs of a training run.
  public func learningRate(epochs: Int) -> LearningRate {
    var rate = LearningRate(learningRate, schedule ?? .step, milestones: milestones, gamma: gamma, epochs: epochs)
    rate.warmup = warmup
    return rate
  }

  /// The learning rate of one of a detection's networks.
  ///
  /// Passes keep it, or margins would lose their meaning. Folds, and a method that selects samples, are to predict
  /// well: unless a schedule was asked for, the rate is multiplied by gamma at half and at three quarters of the epochs, as
  /// it is in the paper's 300.
  public func learningRate(of stage: DetectionStage, epochs: Int) -> LearningRate {
    var rate = learningRate(epochs: epochs)
    guard schedule == nil else { return rate }
    rate.schedule = stage.isPass ? .constant : .step
    rate.milestones = [epochs / 2, epochs * 3 / 4]
    return rate
  }

  /// What a device launches.
  var kernel: FlatKernel { kind == .adam ? .adam : .sgd }

  /// Writes its numbers, but for the learning rate, where the kernel reads them.
  func write(into state: inout StepState) {
    state.momentum = Float(kind == .adam ? firstDecay : momentum)
    state.secondDecay = Float(secondDecay)
    state.nesterov = nesterov
    state.weightDecay = Float(weightDecay)
    state.slowedRate = Float(pretrainedRate)
    state.l1 = Float(l1)
    state.clipNorm = Float(clipNorm)
  }
}
