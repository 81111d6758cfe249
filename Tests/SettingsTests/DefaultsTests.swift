import Datasets
import Failures
import Networks
import Sessions
import Settings
import TestSupport
import Testing

@Suite("Defaults that follow the data")
struct DefaultsTests {
  private func draft(
    _ job: JobKind, _ count: Int, hasTest: Bool = true, data: String = "photos", _ given: [(String, String)] = []
  ) throws -> SettingsDraft {
    // One pixel: what counts is the number of images.
    let images = ImageSet(
      count: count, height: 1, width: 1, channels: 1, pixels: [UInt8](repeating: 0, count: count))
    let labels = (0..<count).map { Int32($0 % 2) }
    let set = LabelledSet(images: images, labels: labels)
    var draft = SettingsDraft(for: job)
    try draft.set("data", to: data, from: .commandLine)
    for (name, text) in given { try draft.set(name, to: text, from: .commandLine) }
    draft.followSettings()
    draft.follow(
      DataFacts(
        Dataset(name: "x", classNames: ["a", "b"], train: set, test: hasTest ? set : nil, source: "x"),
        limit: draft.settings.limitTrain))
    return draft
  }

  @Test(
    "of training see 48,000 images in 10 to 80 epochs of batches of 32, below 20,000",
    arguments: [
      (30, 80, 32, 0.02, [40, 60]), (600, 80, 32, 0.02, [40, 60]), (601, 80, 32, 0.02, [40, 60]),
      (1_080, 45, 32, 0.02, [22, 33]), (1_999, 25, 32, 0.02, [12, 18]), (2_000, 24, 32, 0.05, [12, 18]),
      (4_801, 10, 32, 0.05, [5, 7]), (19_999, 10, 32, 0.05, [5, 7]), (20_000, 300, 256, 0.1, [150, 225]),
    ])
  func training(count: Int, epochs: Int, batch: Int, rate: Double, milestones: [Int]) throws {
    let draft = try draft(.train, count), settings = draft.settings
    #expect(settings.epochs == epochs && settings.batchSize == batch)
    #expect(settings.optimizer.learningRate == rate && settings.optimizer.milestones == milestones)
    #expect(try settings.model == Network("resnet32"), "the network stays")
    let origin = draft.origin(of: "epochs")
    #expect(origin == (count < 20_000 ? .rule("\(count) training images") : .standard))
  }

  @Test(
    "of margins see 36,000 images in 6 to 60 epochs of resnet20, below 10,000",
    arguments: [(600, 60, 0.02), (1_200, 30, 0.02), (3_000, 12, 0.05), (9_999, 6, 0.05)])
  func detection(count: Int, epochs: Int, rate: Double) throws {
    let settings = try draft(.detect, count, [("detector", "aum")]).settings
    #expect(try settings.model == Network("resnet20"))
    #expect(settings.epochs == epochs && settings.batchSize == 32 && settings.optimizer.learningRate == rate)
    // Of two classes: N / 2 would be half of the set.
    let thresholds = settings.detection.thresholdSamples
    #expect(thresholds == min(max(count / 15, 40), 100))
    let few = try draft(.detect, 60, [("detector", "aum")]).settings
    #expect(few.detection.thresholdSamples == nil, "N / 2 is 30")
    let large = try draft(.detect, 10_000, [("detector", "aum")]).settings
    let folds = try draft(.detect, count, [("detector", "cl")]).settings
    for other in [large, folds] {
      #expect(other.epochs == 150 && other.batchSize == 64 && other.optimizer.learningRate == 0.1)
    }
    #expect(large.detection.retrainEpochs == 10 && settings.validation == nil)
  }

  @Test func `leave alone what was given, recipes, and data sets by name`() throws {
    let given = try draft(
      .train, 600, [("epochs", "9"), ("batch-size", "256"), ("lr", "0.1"), ("milestones", "2,3"), ("val", "none")])
    #expect(given.settings.epochs == 9 && given.settings.batchSize == 256)
    #expect(given.settings.optimizer.learningRate == 0.1 && given.settings.optimizer.milestones == [2, 3])
    let recipe = try draft(.train, 600, hasTest: false, [("recipe", "sce-mnist"), ("data", "photos")])
    var plain = RunSettings()
    try plain.set("recipe", to: "sce-mnist")
    #expect(recipe.settings.epochs == plain.epochs && recipe.settings.batchSize == plain.batchSize)
    #expect(recipe.settings.optimizer == plain.optimizer && recipe.settings.validation == plain.validation)
    let named = try draft(.train, 600, hasTest: false, data: "mnist").settings
    #expect(named.epochs == 300 && named.batchSize == 256 && named.validation == nil)
    // Adam's rate is not SGD's.
    #expect(try draft(.train, 600, [("optimizer", "adam")]).settings.optimizer.learningRate == 0.1)
    #expect(try draft(.train, 30_000, [("limit-train", "600")]).settings.epochs == 80)
  }

  @Test func `put milestones at half and three quarters of any number of epochs`() throws {
    for (epochs, milestones) in [("60", [30, 45]), ("300", [150, 225]), ("3", [1, 2]), ("2", [1]), ("1", [])] {
      for count in [600, 50_000] {
        #expect(try draft(.train, count, [("epochs", epochs)]).settings.optimizer.milestones == milestones)
      }
    }
    #expect(try draft(.train, 600, [("milestones", "none")]).settings.optimizer.milestones == [])
  }

  @Test func `hold out a tenth where there is no test set`() throws {
    let held = try draft(.train, 600, hasTest: false)
    #expect(held.settings.validation == .fraction(0.1))
    #expect(held.origin(of: "val") == .rule("the data, which has no test set"))
    #expect(try draft(.train, 30_000, hasTest: false).settings.validation == .fraction(0.1))
    #expect(try draft(.train, 600).settings.validation == nil)
    #expect(try draft(.train, 19, hasTest: false).settings.validation == nil)
    #expect(try draft(.train, 600, hasTest: false, [("val", "none")]).settings.validation == nil)
    #expect(try draft(.train, 600, hasTest: false, [("val", "50")]).settings.validation == .count(50))
  }

  @Test func `of training again follow the data, but for a rate that the detection was given`() throws {
    func again(_ given: [(String, String)], count: Int = 600) throws -> RunSettings {
      let detection = try draft(.detect, count, hasTest: false, given)
      let images = ImageSet(count: count, height: 1, width: 1, channels: 1, pixels: [UInt8](repeating: 0, count: count))
      let set = LabelledSet(images: images, labels: (0..<count).map { Int32($0 % 2) })
      let facts = DataFacts(Dataset(name: "x", classNames: ["a", "b"], train: set, test: nil, source: "x"))
      return SettingsDraft(
        retraining: detection.settings, without: "label_issues.csv", by: .drop, data: facts
      ).settings
    }
    let usual = try again([])
    #expect(usual.job == .train && usual.epochs == 80 && usual.batchSize == 32 && usual.validation == nil)
    #expect(usual.optimizer.learningRate == 0.02 && usual.optimizer.milestones == [40, 60])
    #expect(try usual.model == Network("resnet32"), "features have no network")
    #expect(try again([("detector", "aum")]).model == Network("resnet20"), "the detection's")
    #expect(try again([("lr", "0.3")]).optimizer.learningRate == 0.3)
    #expect(try again([("retrain-epochs", "4")]).optimizer.milestones == [2, 3])
    // Between the two limits margins have the paper's rate, and training does not.
    #expect(try again([], count: 15_000).optimizer.learningRate == 0.05)
    let large = try again([], count: 20_000)
    #expect(large.epochs == 300 && large.batchSize == 256 && large.optimizer.learningRate == 0.1)
  }

  @Test func `balanced class weights are scikit-learn's`() {
    // compute_class_weight("balanced", classes=[0, 1, 2], y=[0, 0, 0, 1, 2, 2]) = [2/3, 2, 1].
    let images = ImageSet(count: 7, height: 1, width: 1, channels: 1, pixels: [UInt8](repeating: 0, count: 7))
    let set = LabelledSet(images: images, labels: [0, 0, 0, 1, 2, 2, LabelledSet.noLabel])
    let expected: [Float] = [2.0 / 3, 2.0 / 3, 2.0 / 3, 2, 1, 1, 0], balanced = ClassWeights.balanced
    #expect(balanced.weights(of: set, classes: 3) == expected)
    // A class without samples has no part.
    #expect(balanced.weights(of: set, classes: 4) == expected)
    #expect(ClassWeights.none.weights(of: set, classes: 3) == nil)
  }

  @Test func `warm-up rises in equal steps to the schedule`() {
    var optimizer = Optimizer()
    (optimizer.learningRate, optimizer.warmup, optimizer.milestones) = (0.4, 3, [4])
    let rate = optimizer.learningRate(epochs: 6)
    let rates = (0..<6).map { rate($0) }, expected = [0.1, 0.2, 0.3, 0.4, 0.04, 0.04]
    #expect(zip(rates, expected).allSatisfy { abs($0 - $1) < 1e-12 }, "\(rates)")
  }

  @Test(
    "refuse class weights where samples have none",
    arguments: [[("loss", "dmi")], [("method", "co-teaching")]])
  func conflicts(given: [(String, String)]) throws {
    var settings = RunSettings()
    for (name, text) in given + [("class-weights", "balanced")] { try settings.set(name, to: text) }
    let failure = #expect(throws: Failure.self) { try settings.validate() }
    #expect(failure?.kind == .configuration && failure?.what.hasPrefix("--class-weights balanced cannot") == true)
  }
}
