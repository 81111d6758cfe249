import Compute
import Datasets
import Detection
import FileFormats
import Images
import Losses
import Methods
import Networks
import Sessions

/// Every setting of a job: what the command line, a configuration file and a resumed run all fill in.
///
/// The defaults of training are the paper's: ResNet-32, 300 epochs, batch 256, SGD with Nesterov momentum 0.9, learning
/// rate 0.1 divided by 10 at epochs 150 and 225, weight decay 1e-4 (Pleiss et al., NeurIPS 2020). What each is called
/// outside, and what it takes, is in `table`.
public struct RunSettings: Sendable, Equatable {
  /// What the settings are for.
  public let job: JobKind

  // Data.
  /// A path or a name.
  public var data = "shapes"
  /// Where names are looked for; nil for `$GPUNOISY_DATA`.
  public var dataRoot: String?
  /// The size that images are brought to; nil for what `ImageSizing` chooses.
  public var imageSize: PixelSize?
  /// How images of another shape are brought to it.
  public var fit = ImageFit.crop
  /// Whether the settings are those of a run that an earlier version began, whose images must not change: see
  /// `DatasetOptions.followsFirstSchema`.
  public var followsFirstSchema = false
  /// A file of training labels in place of the data's own.
  public var labels: String?
  /// A file of true labels, for scoring only.
  public var cleanLabels: String?
  /// Samples whose labels are known to be right, and which are not trained on.
  public var trusted: TrustedSource?
  /// Samples that are not to be trained on.
  public var exclude: ExclusionSource?
  /// What becomes of them.
  public var excludeBy = Exclusion.drop
  /// The suspicion above which samples of that table are left out; nil for a table without suspicions.
  public var excludeAbove: Double?
  /// Label noise.
  public var noise = Noise.none
  /// nil: the seed.
  public var noiseSeed: UInt64?
  /// What becomes of the images themselves.
  public var pixels = PixelScramble.none
  /// Train on the first N samples.
  public var limitTrain: Int?
  /// Test on the first N samples.
  public var limitTest: Int?
  /// What to hold out.
  public var validation: HeldOutPart?
  /// Whether label noise is in the held-out part, too.
  public var validationNoise = false
  /// What to do with images that cannot be read.
  public var onBadImage = DatasetOptions.BadImagePolicy.fail
  // Model, loss, method.
  /// The network.
  public var model = try! Network("resnet32")
  /// Weights to start from: a file, or the name of known weights.
  public var initialWeights: String?
  /// Whether the last layer alone is trained, on features that are computed once.
  public var freezes = false
  /// The loss.
  public var loss = try! Loss("ce")
  /// Where the transition matrix of a loss that corrects labels comes from.
  public var transition: TransitionSource?
  /// How much the classes count in the loss.
  public var classWeights = ClassWeights.none
  /// The training method.
  public var method = try! MethodChoice("plain")
  /// What selects samples for a detector that judges by such a method; nil for the method with its defaults.
  public var selectionMethod: MethodChoice?
  /// Trained networks to learn from: run folders or checkpoints.
  public var teachers: RunList = []
  // Optimiser.
  /// Passes over the data.
  public var epochs = 300
  /// Steps after which to stop; nil for no limit.
  public var maxSteps: Int?
  /// Epochs without a better result on what was held out after which training ends; nil for no such end.
  public var patience: Int?
  /// Images per step.
  public var batchSize = 256
  /// How weights move.
  public var optimizer = Optimizer()
  // Input.
  /// nil: crop-flip for colour, none for grey.
  public var augment: AugmentationKind?
  /// What inputs are normalised by.
  public var normalize = InputNormalization.images
  /// What batch norm normalises by in training.
  public var batchNorm = BatchNormStatistics.batch
  /// Whether each epoch has an order of its own.
  public var shuffle = true
  /// Whether a smaller last batch is left out.
  public var dropLast = false
  // Device.
  /// `auto`, `cpu`, an index, or part of a name.
  public var device = "auto"
  /// What is computed with.
  public var precision = Precision.fp32
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
  /// The time after which the run saves and stops; nil for no limit.
  public var maxTime: TimeSpan?
  /// What `detect` needs besides; other jobs do not read it.
  public var detection = DetectionSettings()

  /// A job's defaults.
  ///
  /// Those of `detect` differ from those of `train`: 150 epochs at a constant rate, which is the stretch before the first
  /// drop of the paper's 300 epochs, and batches of 64, since small batches memorise less.
  public init(for job: JobKind = .train) {
    self.job = job
    switch job {
    case .detect: (epochs, batchSize, optimizer.schedule) = (150, 64, nil)
    // Bad images are listed by the one, and labels are all that the other looks at.
    case .info, .noise: onBadImage = .skip
    case .train, .eval, .predict, .report, .convert, .shapes, .features: break
    }
  }

  /// The same settings for another job, which reads those that both jobs have.
  public func with(job: JobKind) -> RunSettings {
    var other = RunSettings(for: job)
    for setting in Self.table where setting.jobs.isSuperset(of: [self.job, job]) { setting.copy(self, &other) }
    return other
  }

  /// The kinds of augmentation by name.
  public enum AugmentationKind: String, Sendable, CaseIterable {
    case cropFlip = "crop-flip"
    case crop
    case flip
    case none
  }

  /// What batch norm normalises by in training.
  public enum BatchNormStatistics: String, Sendable, CaseIterable {
    /// Mean and deviation of the batch, which move the running ones.
    case batch
    /// The running ones, which stay as they are: those of pretrained weights.
    case running
  }

  /// Whether the job trains networks: a detection by features alone does not.
  public var trainsNetworks: Bool { job != .detect || detection.trainsNetworks }

  /// The augmentation in force: unless one was asked for, crop-flip for colour and none for grey.
  public func augmentation(channels: Int) -> AugmentationKind { augment ?? (channels == 1 ? .none : .cropFlip) }

  /// The seed of the noise: unless one was asked for, the seed.
  public var effectiveNoiseSeed: UInt64 { noiseSeed ?? seed }

  /// How the data set is opened.
  public var datasetOptions: DatasetOptions {
    var options = DatasetOptions(
      dataRoot: dataRoot, imageSize: imageSize, fit: fit, side: model.entry.imageSide, onBadImage: onBadImage,
      seed: seed, threads: threads ?? Processors.available)
    options.followsFirstSchema = followsFirstSchema
    options.takesUnlabelled = job == .train && method.findsClasses
    return options
  }
}
