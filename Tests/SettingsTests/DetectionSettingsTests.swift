import Detection
import FileFormats
import Networks
import Sessions
import Settings
import TestSupport
import Testing

@Suite("The learning rate of a detection")
struct DetectionRateTests {
  private let pass = DetectionStage(name: "pass1", kind: .pass(thresholds: [1]), seed: 1)
  private let fold = DetectionStage(name: "fold1", kind: .fold(heldOut: [1]), seed: 1)

  @Test("stays in passes, and falls at half and at three quarters of the epochs in folds")
  func followsTheNetwork() {
    let optimizer = RunSettings(for: .detect).optimizer
    let passes = optimizer.learningRate(of: pass, epochs: 40), folds = optimizer.learningRate(of: fold, epochs: 40)
    #expect((0..<40).allSatisfy { passes($0) == 0.1 })
    #expect((0..<20).allSatisfy { folds($0) == 0.1 })
    #expect((20..<30).allSatisfy { abs(folds($0) - 0.01) < 1e-15 })
    #expect((30..<40).allSatisfy { abs(folds($0) - 0.001) < 1e-15 })
  }

  @Test("is the schedule's that was asked for")
  func asked() throws {
    var settings = RunSettings(for: .detect)
    func rate(_ epoch: Int) -> Double { settings.optimizer.learningRate(of: fold, epochs: 40)(epoch) }
    try settings.set("detector", to: "cl")
    try settings.set("schedule", to: "constant")
    #expect((0..<40).allSatisfy { rate($0) == 0.1 })
    try settings.set("schedule", to: "cosine")
    #expect(abs(rate(20) - 0.05) < 1e-12)
    try settings.validate()
    try settings.set("detector", to: "aum")
    #expect(throws: (any Error).self) { try settings.validate() }
  }

  @Test("is its own where a recipe has another, and so are epochs and batch size")
  func recipe() throws {
    var settings = RunSettings(for: .detect)
    try settings.set("recipe", to: "apl-cifar10")
    #expect(settings.epochs == 150 && settings.batchSize == 64 && settings.optimizer.schedule == nil)
    #expect(try settings.model == Network("cnn8") && settings.recipe == "apl-cifar10")
    try settings.validate()
  }
}

@Suite("Settings that a job does not read")
struct UnreadSettingsTests {
  @Test("are passed over in a file, and named unless they are defaults")
  func passedOver() throws {
    let unread = RunSettings.settings(of: .train).filter { !$0.jobs.contains(.detect) }.map(\.name)
    #expect(
      unread == [
        "trusted", "val", "val-noise", "init", "freeze", "transition", "class-weights", "method", "teacher",
        "max-steps",
        "patience",
        "pretrained-rate", "normalize", "batch-norm", "aum",
      ])
    let scratch = ScratchFolder()
    var draft = SettingsDraft(for: .detect)
    try AtomicFile.write(RunSettings().configuration.text, to: scratch("defaults.toml"))
    #expect(try draft.apply(fileAt: scratch("defaults.toml")) == [])
    var training = RunSettings()
    for (name, text) in [
      ("val", "0.1"), ("val-noise", "on"), ("init", "w.safetensors"), ("transition", "true"), ("method", "marvel"),
      ("max-steps", "3"), ("aum", "off"), ("patience", "4"), ("class-weights", "balanced"), ("normalize", "network"),
      ("freeze", "on"), ("pretrained-rate", "0.2"), ("batch-norm", "running"), ("trusted", "1000"),
      ("teacher", "here/run"),
    ] { try training.set(name, to: text) }
    try AtomicFile.write(training.configuration.text, to: scratch("all.toml"))
    let before = draft.settings
    #expect(try draft.apply(fileAt: scratch("all.toml")) == unread)
    #expect(draft.settings == before)
    // The other way round.
    var other = SettingsDraft(for: .train)
    try AtomicFile.write("passes = 3\nfolds = 4\nlr = 0.5\n", to: scratch("detect.toml"))
    #expect(try other.apply(fileAt: scratch("detect.toml")) == ["passes"])
    #expect(other.settings.optimizer.learningRate == 0.5)
    try AtomicFile.write("passes = 0\n", to: scratch("wrong.toml"))
    #expect(throws: (any Error).self) { try other.apply(fileAt: scratch("wrong.toml")) }
  }

  @Test("that a recipe makes are left out")
  func recipe() throws {
    var settings = RunSettings(for: .detect)
    try settings.set("recipe", to: "aum-cifar10")
    #expect(settings.validation == nil && settings.data == "cifar10")
    #expect(
      try Recipe(named: "aum-cifar10").lines(inForce: settings).contains { $0.hasSuffix("not read by detect") })
  }

  @Test(
    "are refused on the command line",
    arguments: [
      ("cl", "passes"), ("cl", "percentile"), ("cl", "margin"), ("aum", "folds"), ("aum", "cl-filter"),
      ("aum", "milestones"), ("aum", "gamma"), ("aum", "retrain-epochs"), ("aum", "val"), ("cl", "milestones"),
    ])
  func refused(detector: String, name: String) throws {
    var settings = RunSettings(for: .detect)
    try settings.set("detector", to: detector)
    #expect(throws: (any Error).self) { try settings.refuseUnread([name]) }
    try settings.set("detector", to: "aum+cl")
    if ["passes", "percentile", "margin", "folds", "cl-filter"].contains(name) { try settings.refuseUnread([name]) }
    try settings.refuseUnread(["gamma", "lr", "seed"])
  }
}

@Suite("The settings of a detection")
struct DetectionConfigurationTests {
  @Test("have the defaults of the paper's code")
  func defaults() {
    let settings = RunSettings(for: .detect).detection
    #expect(settings.choice == nil && settings.detector == .aum && settings.split == .train && !settings.trusts)
    #expect(settings.passes == 2 && settings.thresholdSamples == nil && settings.percentile == 99)
    #expect(settings.combine == .intersection && settings.margin == .logits && !settings.keepMargins)
    #expect(settings.folds == 4 && settings.filter == .pruneByNoiseRate && settings.quality == .selfConfidence)
    #expect(settings.report && settings.retrain == nil && settings.retrainEpochs == 300)
  }

  @Test("are the same again from its config.toml, with a recipe, too", arguments: [nil, "aum-cifar10", "apl-cifar10"])
  func roundTrip(recipe: String?) throws {
    var settings = RunSettings(for: .detect)
    if let recipe { try settings.set("recipe", to: recipe) }
    let scratch = ScratchFolder()
    try AtomicFile.write(settings.configuration.text, to: scratch("config.toml"))
    // As a resumed run reads it, which does not know what the file is for.
    let read = try SettingsDraft(ofFileAt: scratch("config.toml")).settings
    #expect(read == settings)
    try read.validate()
  }
}
