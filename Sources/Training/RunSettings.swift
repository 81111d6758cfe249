import Compute
import Datasets
import Detection
import Failures
import Losses
import Methods
import Networks
import Sessions

/// Every setting of a run: what the command line, a configuration file and a resumed run all fill in.
///
/// The defaults are the paper's: ResNet-32, 300 epochs, batch 256, SGD with Nesterov momentum 0.9, learning rate 0.1
/// divided by 10 at epochs 150 and 225, weight decay 1e-4 (Pleiss et al., NeurIPS 2020).
public struct RunSettings: Sendable, Equatable {
  /// When checkpoints are written.
  public enum CheckpointInterval: Sendable, Equatable {
    case epochs(Int)
    case steps(Int)
    case seconds(Double)
  }

  // Data.
  /// A path or a name.
  public var data = "shapes"
  /// Where names are looked for; nil for `$GPUNOISY_DATA`.
  public var dataRoot: String?
  /// The size that pictures are brought to; nil for the most common.
  public var imageSize: PixelSize?
  /// A file of training labels in place of the data's own.
  public var labels: String?
  /// A file of true labels, for scoring only.
  public var cleanLabels: String?
  /// A table of samples that are not to be trained on.
  public var exclude: String?
  /// What becomes of them.
  public var excludeBy = Exclusion.drop
  /// The suspicion above which samples of that table are left out; nil for a table without suspicions.
  public var excludeAbove: Double?
  /// Label noise, as `NoiseCatalogue` reads it.
  public var noise = "none"
  /// nil: the seed.
  public var noiseSeed: UInt64?
  /// What becomes of the pictures themselves.
  public var pixels = PixelScramble.none
  /// Train on the first N samples.
  public var limitTrain: Int?
  /// Test on the first N samples.
  public var limitTest: Int?
  /// What to hold out, as `HeldOutPart` reads it.
  public var validation: String?
  /// Whether label noise is in the held-out part, too.
  public var validationNoise = false
  /// What to do with pictures that cannot be read.
  public var onBadImage = DatasetOptions.BadImagePolicy.fail
  // Model, loss, method.
  /// The network, as `Network` reads it.
  public var model = "resnet32"
  /// A safetensors file to start from.
  public var initialWeights: String?
  /// The loss, as `Loss` reads it.
  public var loss = "ce"
  /// Where the transition matrix of a loss that corrects labels comes from, as `TransitionSource` reads it.
  public var transition: String?
  /// The training method, as `MethodChoice` reads it.
  public var method = "plain"
  // Optimiser.
  /// Passes over the data.
  public var epochs = 300
  /// Steps after which to stop; nil for no limit.
  public var maxSteps: Int?
  /// Images per step.
  public var batchSize = 256
  /// How weights move.
  public var optimizer = Optimizer.sgd
  /// The learning rate of the first epoch.
  public var learningRate = 0.1
  /// Momentum of SGD, 0 ..< 1.
  public var momentum = 0.9
  /// Whether momentum is Nesterov's.
  public var nesterov = true
  /// Adam's decays of the means of gradients and of their squares, 0 ..< 1.
  public var firstDecay = 0.9, secondDecay = 0.999
  /// Weight decay on every parameter.
  public var weightDecay = 1e-4
  /// Factor of the sum of absolute values of all parameters that is added to the loss.
  public var l1 = 0.0
  /// How the learning rate changes; nil (`auto`): by steps, but in a detection as each of its networks needs it.
  public var schedule: Schedule? = .step
  /// Epochs at which `step` multiplies the rate by gamma.
  public var milestones = [150, 225]
  /// The factor at each milestone.
  public var gamma = 0.1
  /// 0: gradients are not clipped.
  public var clipNorm = 0.0
  // Input.
  /// nil: crop-flip for colour, none for grey.
  public var augment: AugmentationKind?
  /// Whether each epoch has an order of its own.
  public var shuffle = true
  /// Whether a smaller last batch is left out.
  public var dropLast = false
  // Device.
  /// `auto`, `cpu`, an index, or part of a name.
  public var device = "auto"
  /// `fp32`.
  public var precision = "fp32"
  /// What `precision` names; float32 for a name that `validate` would refuse.
  public var numberPrecision: Precision { Precision(rawValue: precision) ?? .fp32 }
  /// Threads of the built-in CPU path; nil for one per processor.
  public var threads: Int?
  // The rest.
  /// The name of the recipe whose values these settings began with; nil for none.
  public var recipe: String?
  /// Seed of weights, order, crops and noise.
  public var seed: UInt64 = 1
  /// Whether margins are recorded.
  public var aum = true
  /// When checkpoints are written.
  public var checkpointEvery = CheckpointInterval.epochs(1)
  /// Seconds after which the run saves and stops; nil for no limit.
  public var maxTime: Double?
  /// What `detect` needs besides; nil for a training run.
  public var detection: DetectionSettings?

  /// The defaults.
  public init() {}

  /// The kinds of augmentation by name.
  public enum AugmentationKind: String, Sendable, CaseIterable {
    case cropFlip = "crop-flip"
    case flip
    case none
  }

  /// The augmentation in force: unless one was asked for, crop-flip for colour and none for grey.
  public func augmentation(channels: Int) -> AugmentationKind { augment ?? (channels == 1 ? .none : .cropFlip) }

  /// Checks what can be checked without data: names, and settings that contradict each other.
  ///
  /// - Throws: `.usage`, `.configuration`.
  public func validate() throws {
    _ = try Network(model)
    _ = try Loss(loss)
    _ = try NoiseCatalogue.parse(noise)
    guard try exclude == nil || excludeBy == .drop || !Loss(loss).dependsOnBatch else {
      throw Failure(
        .configuration, "--exclude-by weight-zero does not go with --loss \(loss).",
        why: "its gradient is that of other samples, too.", fix: "use --exclude-by drop.")
    }
    let transition = try transition.map { try TransitionSource(parsing: $0) }
    switch (try Loss(loss).correction, transition) {
    case (nil, nil): break
    case (.some, .some(.anchors(let first))) where first >= epochs:
      throw Failure(
        .configuration, "--transition anchors:\(first) leaves no epoch for \(loss).",
        why: "there are \(epochs) epochs, and the matrix is estimated after \(first) of cross entropy.",
        fix: "use more --epochs, or anchors after fewer.")
    case (.some, .some): break
    case (.some, nil):
      throw Failure(
        .configuration, "--loss \(loss) needs a transition matrix.", why: "it corrects labels by their noise.",
        fix: "give --transition with true, anchors:40 or a file.")
    case (nil, .some):
      throw Failure(
        .configuration, "--transition does not go with --loss \(loss).", why: "only forward and backward read it.",
        fix: "use --loss forward, or leave --transition out.")
    }
    try validateMethod()
    guard Precision(rawValue: precision) != nil else {
      throw Failure(
        .usage, "there is no precision '\(precision)'.", why: "there are fp32, tf32 and mixed.",
        fix: "use --precision fp32, tf32 or mixed.")
    }
    guard milestones == milestones.sorted(), Set(milestones).count == milestones.count else {
      throw Failure(
        .usage, "--milestones \(milestones.map(String.init).joined(separator: ",")) do not rise.",
        why: "the learning rate falls at each of them, in order.", fix: "write them in rising order, as in 150,225.")
    }
  }

  /// Checks that method, loss and the other settings go together.
  private func validateMethod() throws {
    let choice = try MethodChoice(method), entry = choice.entry
    try entry.check(Loss(loss))
    guard !entry.weighsSamples || exclude == nil || excludeBy == .drop else {
      throw Failure(
        .configuration, "--exclude-by weight-zero does not go with --method \(entry.name).",
        why: "the method weighs the samples itself.", fix: "use --exclude-by drop.")
    }
    guard entry.networks == 1 || initialWeights == nil else {
      throw Failure(
        .configuration, "--init does not go with --method \(entry.name).",
        why: "its \(entry.networks) networks must differ in their first weights.", fix: "leave --init out.")
    }
  }
}
