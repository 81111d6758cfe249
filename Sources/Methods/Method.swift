import Compute
import Datasets
import FileFormats
import Sessions

/// A procedure that decides whom to believe: which networks learn from what, and what is decided between epochs.
///
/// The loop (`Training.Trainer`) owns schedules, pace, the search for numbers that are not finite, signals, checkpoints,
/// evaluation and files. The method owns networks, columns of the per-sample table, streams and decisions; it sees
/// neither paths nor the text of settings. Between `begin(_:)` and `finish(_:)` nothing waits for the device, but where
/// what the next step does is decided by what the device has computed (`AdaptiveLoss`).
public protocol Method<D>: AnyObject {
  associatedtype D: Device

  /// The networks in training, in the stage that was begun; the first is the one that is evaluated and kept, unless
  /// `answer` says otherwise.
  var members: [TrainingSession<D>] { get }
  /// What is evaluated, and predicts from a checkpoint.
  var answer: Answer { get }
  /// The views of the images that the networks see, in their order.
  var views: ImageViews { get }
  /// The stages, which are trained one after the other; most methods have one.
  var stages: [Stage] { get }
  /// Columns that it adds to metrics.csv.
  var figures: [Figure] { get }
  /// The most steps that an epoch can have.
  var stepLimit: Int { get }
  /// The first epoch whose pace tells how long the rest takes.
  var firstEvenEpoch: Int { get }

  /// Prepares the networks of a stage; does nothing if they are those that are prepared.
  func begin(stage: Int) throws
  /// Decides, and uploads what the epoch's steps read.
  ///
  /// - Returns: images of each step.
  func begin(_ epoch: EpochStart) throws -> [Int]
  /// Enqueues a step of the epoch.
  func step(_ step: Int) throws
  /// Waits, and tells whether what the networks put out in a step, the last one run, is finite.
  func isFinite(afterStep step: Int) throws -> Bool
  /// Reads what the epoch left.
  func finish(_ epoch: EpochEnd) throws -> EpochOutcome

  /// How suspicious each sample's label is [N], higher is worse; nil for a method that does not judge samples, and not
  /// a number for a sample that it has not seen.
  func suspicion() throws -> [Double]?
  /// What the stage under way found, once all its epochs are done: it is kept in a file of its own.
  func result() throws -> SafetensorsFile?
  /// Takes up what `result` gave for a stage that is done.
  func restore(stage: Int, from file: SafetensorsFile) throws
  /// Adds to a checkpoint what decisions rest on and no column holds.
  func store(in file: inout SafetensorsFile) throws
  /// Reads what `store` added.
  func restore(from file: SafetensorsFile) throws
}

extension Method {
  /// Its own weights.
  public var answer: Answer { .first }
  /// Images as they are.
  public var views: ImageViews { .whole }
  /// No columns of its own.
  public var figures: [Figure] { [] }
  /// Whole batches, and the rest.
  public var stepLimit: Int { members[0].batchSizes.count }
  /// All epochs take the same time.
  public var firstEvenEpoch: Int { 0 }
  /// Of all networks.
  public func isFinite(afterStep step: Int) throws -> Bool {
    try members.allSatisfy { try $0.isFinite(afterStep: step) }
  }
  /// One stage: nothing to do.
  public func begin(stage: Int) throws {}
  /// Steps of the first network alone.
  public func step(_ step: Int) throws { try members[0].run(step: step) }
  /// Nothing of its own.
  public func finish(_ epoch: EpochEnd) throws -> EpochOutcome { EpochOutcome() }
  /// Does not judge samples.
  public func suspicion() throws -> [Double]? { nil }
  /// Nothing to keep.
  public func result() throws -> SafetensorsFile? { nil }
  /// Nothing is kept.
  public func restore(stage: Int, from file: SafetensorsFile) throws {}
  /// Nothing but columns.
  public func store(in file: inout SafetensorsFile) throws {}
  /// Nothing but columns.
  public func restore(from file: SafetensorsFile) throws {}
}

/// What of a method's networks is evaluated.
public enum Answer: String, Sendable, CaseIterable {
  /// The first network's own weights.
  case first
  /// Their moving average, with running statistics of its own.
  case average
  /// All networks: the mean of their logits, whose largest is that of their sum.
  case sum

  /// What stands before the names of the first of these weights in a checkpoint.
  public var prefix: String { self == .average ? "average." : "" }
}

extension Method {
  /// The test set's results of what answers; nil where there is no test set.
  ///
  /// Waits.
  public func evaluate() throws -> EvaluationPlans<D>.Results? {
    answer == .sum ? try TrainingSession.evaluate(meanOf: members) : try members[0].evaluate()
  }

  /// The same for what was held out besides a test set.
  ///
  /// Waits.
  public func validate() throws -> EvaluationPlans<D>.Results? {
    answer == .sum ? try TrainingSession.validate(meanOf: members) : try members[0].validate()
  }
}

/// A stretch of training with networks of its own.
public struct Stage: Sendable, Equatable {
  /// When networks are evaluated on the test set.
  public enum Evaluation: Sendable { case everyEpoch, lastEpoch, never }

  /// The name by which files know it.
  public let name: String
  /// Passes over the data.
  public let epochs: Int
  /// The learning rate of each epoch.
  public let rate: LearningRate
  /// When networks are evaluated on the test set.
  public let evaluation: Evaluation

  /// A stage of `epochs` epochs.
  public init(_ name: String, epochs: Int, rate: LearningRate, evaluation: Evaluation = .everyEpoch) {
    (self.name, self.epochs, self.rate, self.evaluation) = (name, epochs, rate, evaluation)
  }
}

/// What an epoch begins with.
public struct EpochStart: Sendable {
  /// From 0.
  public let epoch: Int
  /// The step to begin with: above 0 where a run is resumed within the epoch.
  public let step: Int
  /// That of the schedule.
  public let learningRate: Double

  /// An epoch at a step.
  public init(epoch: Int, step: Int, learningRate: Double) {
    (self.epoch, self.step, self.learningRate) = (epoch, step, learningRate)
  }
}

/// What an epoch ends with.
public struct EpochEnd: Sendable {
  /// From 0.
  public let epoch: Int
  /// Ids of the samples of the epoch's steps.
  public let ids: ArraySlice<Int32>
  /// The accuracy on what was held out; nil where nothing was.
  public let heldOutAccuracy: Double?
  /// The accuracy of what answers on the test set; nil where it was not measured.
  public let testAccuracy: Double?
  /// The accuracy of each network on the test set, where all answer together; empty where it was not measured.
  public let testAccuracies: [Double?]

  /// An epoch, its samples, and how good the networks are after it.
  public init(
    epoch: Int, ids: ArraySlice<Int32>, heldOutAccuracy: Double? = nil, testAccuracy: Double? = nil,
    testAccuracies: [Double?] = []
  ) {
    (self.epoch, self.ids) = (epoch, ids)
    (self.heldOutAccuracy, self.testAccuracy, self.testAccuracies) = (heldOutAccuracy, testAccuracy, testAccuracies)
  }
}

/// What a method says of an epoch.
public struct EpochOutcome: Sendable {
  /// The values of the method's figures, in their order; nil for one that was not measured.
  public var figures: [Double?]
  /// The samples over which loss and accuracy in training are taken; nil for all that have a weight.
  public var scored: [Int32]?
  /// The accuracy in training, where predictions are not of the data's classes; nil where they are.
  public var accuracy: Double?

  /// An outcome.
  public init(figures: [Double?] = [], scored: [Int32]? = nil, accuracy: Double? = nil) {
    (self.figures, self.scored, self.accuracy) = (figures, scored, accuracy)
  }
}

/// A column that a method adds to metrics.csv, and a curve of the page.
public struct Figure: Sendable, Equatable {
  /// The column's name, such as `label_precision`.
  public let name: String
  /// What it tells.
  public let summary: String

  /// A figure.
  public init(_ name: String, _ summary: String) { (self.name, self.summary) = (name, summary) }
}
