import FileFormats

/// What one epoch came to: the one value that metrics.csv, the progress output and `--json` share.
///
/// Accuracies are fractions in 0…1; what was not measured is nil.
public struct EpochReport: Sendable, Equatable {
  /// What the test samples of one class came to.
  public struct ClassScore: Sendable, Equatable {
    /// The share of the class that is predicted right; nil for a class without samples.
    public var accuracy: Double?
    /// The mean probability of the class on its own samples; nil for a class without samples.
    public var confidence: Double?

    /// A score; nil where there was nothing to measure.
    public init(accuracy: Double?, confidence: Double?) {
      self.accuracy = accuracy
      self.confidence = confidence
    }
  }

  /// A number of one epoch that only some training methods know.
  public struct Figure: Sendable, Equatable {
    /// The name of its column in metrics.csv; none of the other columns has it.
    public var name: String
    /// The number; nil where it was not measured.
    public var value: Double?

    /// A figure of this name.
    public init(_ name: String, _ value: Double?) { (self.name, self.value) = (name, value) }
  }

  /// Epochs done, this one included: the first is 1.
  public var epoch: Int
  /// Epochs that the run will have.
  public var epochs: Int
  /// Steps done since the run began.
  public var step: Int
  /// The learning rate of the epoch's last step.
  public var learningRate: Double
  /// The mean loss over the epoch's training batches, before each step's update.
  public var trainLoss: Double
  /// The share of training samples that were predicted as given, before each step's update.
  public var trainAccuracy: Double
  /// The mean loss over the test samples.
  public var testLoss: Double?
  /// The share of test samples that are predicted right.
  public var testAccuracy: Double?
  /// Wall time of the epoch's training steps in this process, evaluation not included.
  public var seconds: Double
  /// Training images per second of training time.
  public var imagesPerSecond: Double
  /// The share of correctly labelled training samples that are predicted as given.
  public var cleanAccuracy: Double?
  /// The share of wrongly labelled training samples that are predicted as given: memorised mistakes.
  public var wrongAccuracy: Double?
  /// Loss and accuracy over what was held out besides the test set.
  public var validationLoss: Double?, validationAccuracy: Double?
  /// One score per class, in the order of the classes; empty if not measured.
  public var perClass: [ClassScore]
  /// What the training method counts besides, in the order of its columns.
  public var figures: [Figure]

  /// A report; what is left out was not measured.
  public init(
    epoch: Int, epochs: Int, step: Int, learningRate: Double, trainLoss: Double, trainAccuracy: Double,
    testLoss: Double? = nil, testAccuracy: Double? = nil, seconds: Double, imagesPerSecond: Double,
    cleanAccuracy: Double? = nil, wrongAccuracy: Double? = nil, validationLoss: Double? = nil,
    validationAccuracy: Double? = nil, perClass: [ClassScore] = [], figures: [Figure] = []
  ) {
    self.epoch = epoch
    self.epochs = epochs
    self.step = step
    self.learningRate = learningRate
    self.trainLoss = trainLoss
    self.trainAccuracy = trainAccuracy
    self.testLoss = testLoss
    self.testAccuracy = testAccuracy
    self.seconds = seconds
    self.imagesPerSecond = imagesPerSecond
    self.cleanAccuracy = cleanAccuracy
    self.wrongAccuracy = wrongAccuracy
    self.validationLoss = validationLoss
    self.validationAccuracy = validationAccuracy
    self.perClass = perClass
    self.figures = figures
  }
}

extension EpochReport {
  /// The columns of metrics.csv that every run has.
  public static let columns = [
    "epoch", "step", "lr", "train_loss", "train_acc", "test_loss", "test_acc", "seconds", "images_per_second",
  ]
  /// The columns of metrics.csv that a run has when the clean labels are known.
  public static let cleanColumns = ["clean_acc", "noisy_acc"]
  /// The columns of metrics.csv that a run has when a part was held out besides a test set.
  public static let validationColumns = ["val_loss", "val_acc"]
  /// The columns of per_class.csv.
  public static let classColumns = ["epoch", "class", "accuracy", "confidence"]

  /// The names that no figure may have: columns of metrics.csv, and members of `json`.
  static let takenNames = Set(columns + cleanColumns + validationColumns + ["epochs", "per_class"])

  /// The row of metrics.csv, the figures last; what was not measured or is not a number is an empty cell.
  public func cells(withCleanColumns: Bool, withValidationColumns: Bool = false) -> [String] {
    var cells = [
      "\(epoch)", "\(step)", Self.cell(learningRate), Self.cell(trainLoss), Self.cell(trainAccuracy),
      Self.cell(testLoss), Self.cell(testAccuracy), Self.cell(Self.thousandths(seconds)),
      Self.cell(Self.thousandths(imagesPerSecond)),
    ]
    if withCleanColumns { cells += [Self.cell(cleanAccuracy), Self.cell(wrongAccuracy)] }
    if withValidationColumns { cells += [Self.cell(validationLoss), Self.cell(validationAccuracy)] }
    return cells + figures.map { Self.cell($0.value) }
  }

  /// The rows of per_class.csv, one per class.
  public var classCells: [[String]] {
    perClass.enumerated().map { ["\(epoch)", "\($0)", Self.cell($1.accuracy), Self.cell($1.confidence)] }
  }

  /// The report as an object with the names of metrics.csv.
  public var json: JSONValue {
    var members = [
      JSONMember("epoch", JSONValue(epoch)), JSONMember("epochs", JSONValue(epochs)),
      JSONMember("step", JSONValue(step)), JSONMember("lr", JSONValue(learningRate)),
      JSONMember("train_loss", JSONValue(trainLoss)), JSONMember("train_acc", JSONValue(trainAccuracy)),
      JSONMember("test_loss", JSONValue(testLoss)), JSONMember("test_acc", JSONValue(testAccuracy)),
      JSONMember("seconds", JSONValue(Self.thousandths(seconds))),
      JSONMember("images_per_second", JSONValue(Self.thousandths(imagesPerSecond))),
    ]
    if cleanAccuracy != nil || wrongAccuracy != nil {
      members += [
        JSONMember("clean_acc", JSONValue(cleanAccuracy)), JSONMember("noisy_acc", JSONValue(wrongAccuracy)),
      ]
    }
    if validationAccuracy != nil {
      members += [
        JSONMember("val_loss", JSONValue(validationLoss)), JSONMember("val_acc", JSONValue(validationAccuracy)),
      ]
    }
    members += figures.map { JSONMember($0.name, JSONValue($0.value)) }
    if !perClass.isEmpty {
      members.append(
        JSONMember(
          "per_class",
          .array(perClass.map { ["accuracy": JSONValue($0.accuracy), "confidence": JSONValue($0.confidence)] })))
    }
    return .object(members)
  }

  static func cell(_ value: Double?) -> String {
    guard let value, !value.isNaN else { return "" }
    return NumberFormatting.shortest(value)
  }

  /// Times are measured, so digits beyond a millisecond say nothing.
  private static func thousandths(_ value: Double) -> Double { (value * 1000).rounded() / 1000 }
}
