import Datasets
import Failures
import Losses
import Networks

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
  public var data = "shapes"
  public var dataRoot: String?
  public var imageSize: PixelSize?
  public var labels: String?
  public var cleanLabels: String?
  public var noise = "none"
  /// nil: the seed.
  public var noiseSeed: UInt64?
  public var limitTrain: Int?
  public var limitTest: Int?
  public var validation: String?
  public var onBadImage = DatasetOptions.BadImagePolicy.fail
  // Model, loss, method.
  public var model = "resnet32"
  public var initialWeights: String?
  public var loss = "ce"
  public var method = "plain"
  // Optimiser.
  public var epochs = 300
  public var maxSteps: Int?
  public var batchSize = 256
  public var learningRate = 0.1
  public var momentum = 0.9
  public var nesterov = true
  public var weightDecay = 1e-4
  public var schedule = Schedule.step
  public var milestones = [150, 225]
  public var gamma = 0.1
  /// 0: gradients are not clipped.
  public var clipNorm = 0.0
  // Input.
  /// nil: crop-flip for colour, none for grey.
  public var augment: AugmentationKind?
  public var shuffle = true
  public var dropLast = false
  // Device.
  public var device = "auto"
  public var precision = "fp32"
  public var threads: Int?
  // The rest.
  public var seed: UInt64 = 1
  public var aum = true
  public var checkpointEvery = CheckpointInterval.epochs(1)
  /// Seconds after which the run saves and stops; nil for no limit.
  public var maxTime: Double?

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
    guard method == "plain" else {
      throw Failure(
        .usage, "there is no method '\(method)'.", why: "the methods are: plain.", fix: "leave --method out.")
    }
    guard precision == "fp32" else {
      throw Failure(
        .usage, "--precision \(precision) is not available.", why: "this version computes in float32 only.",
        fix: "leave --precision out.")
    }
    guard milestones == milestones.sorted(), Set(milestones).count == milestones.count else {
      throw Failure(
        .usage, "--milestones \(milestones.map(String.init).joined(separator: ",")) do not rise.",
        why: "the learning rate falls at each of them, in order.", fix: "write them in rising order, as in 150,225.")
    }
  }
}
