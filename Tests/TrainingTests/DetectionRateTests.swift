import Detection
import FileFormats
import Sessions
import TestSupport
import Testing
import Training

@Suite("The learning rate of a detection")
struct DetectionRateTests {
  private let pass = DetectionStage(name: "pass1", kind: .pass(thresholds: [1]), seed: 1)
  private let fold = DetectionStage(name: "fold1", kind: .fold(heldOut: [1]), seed: 1)

  @Test("stays in passes, and falls at half and at three quarters of the epochs in folds")
  func followsTheNetwork() {
    var settings = RunSettings.detectionDefaults
    (settings.epochs, settings.learningRate, settings.gamma) = (40, 0.1, 0.1)
    let passes = settings.learningRate(of: pass), folds = settings.learningRate(of: fold)
    #expect((0..<40).allSatisfy { passes($0) == 0.1 })
    #expect((0..<20).allSatisfy { folds($0) == 0.1 })
    #expect((20..<30).allSatisfy { abs(folds($0) - 0.01) < 1e-15 })
    #expect((30..<40).allSatisfy { abs(folds($0) - 0.001) < 1e-15 })
  }

  @Test("is the schedule's that was asked for")
  func asked() throws {
    var settings = RunSettings.detectionDefaults
    settings.epochs = 40
    try settings.set("detector", to: "cl")
    try settings.set("schedule", to: "constant")
    #expect((0..<40).allSatisfy { settings.learningRate(of: fold)($0) == 0.1 })
    try settings.set("schedule", to: "cosine")
    #expect(abs(settings.learningRate(of: fold)(20) - 0.05) < 1e-12)
    try settings.validateDetection()
    try settings.set("detector", to: "aum")
    #expect(throws: (any Error).self) { try settings.validateDetection() }
  }

  @Test("is its own where a recipe has another, and so are epochs and batch size")
  func recipe() throws {
    var settings = RunSettings.detectionDefaults
    try settings.set("recipe", to: "apl-cifar10")
    #expect(settings.epochs == 150 && settings.batchSize == 64 && settings.schedule == nil)
    #expect(settings.model == "cnn8" && settings.recipe == "apl-cifar10")
    _ = settings.forgetUnread()
    try settings.validateDetection()
  }
}

@Suite("Settings that a job does not read")
struct UnreadSettingsTests {
  @Test("are set back for a detection, and told by name")
  func forgotten() throws {
    // Whoever adds a setting for train alone adds it to `RunSettings.forgetUnread`, too.
    let unread = RunSettings.keys.filter { $0.jobs == [.train] }.map(\.name)
    #expect(unread == ["val", "val-noise", "init", "transition", "method", "max-steps", "aum"])
    var settings = RunSettings.detectionDefaults
    for (name, text) in [
      ("val", "0.1"), ("val-noise", "on"), ("init", "w.safetensors"), ("transition", "true"), ("method", "marvel"),
      ("max-steps", "3"), ("aum", "off"),
    ] { try settings.set(name, to: text) }
    #expect(settings.forgetUnread() == unread)
    #expect(settings == .detectionDefaults)
    #expect(RunSettings.keys.allSatisfy { !$0.jobs.isEmpty })
  }

  @Test("with a recipe are told only where the recipe sets them")
  func recipe() throws {
    var settings = RunSettings.detectionDefaults
    try settings.set("recipe", to: "aum-cifar10")
    // It holds 5,000 images out, and says nothing of transitions.
    #expect(settings.forgetUnread() == ["val"])
  }

  @Test(
    "are refused on the command line",
    arguments: [
      ("cl", "passes"), ("cl", "percentile"), ("cl", "margin"), ("aum", "folds"), ("aum", "cl-filter"),
      ("aum", "milestones"), ("aum", "gamma"), ("aum", "retrain-epochs"), ("aum", "val"), ("cl", "milestones"),
    ])
  func refused(detector: String, name: String) throws {
    var settings = RunSettings.detectionDefaults
    try settings.set("detector", to: detector)
    #expect(throws: (any Error).self) { try settings.refuseUnread([name]) }
    try settings.set("detector", to: "aum+cl")
    if ["passes", "percentile", "margin", "folds", "cl-filter"].contains(name) { try settings.refuseUnread([name]) }
    try settings.refuseUnread(["gamma", "lr", "seed"])
  }
}

@Suite("The settings of a detection")
struct DetectionConfigurationTests {
  @Test("are the same again from its config.toml, with a recipe, too", arguments: [nil, "aum-cifar10", "apl-cifar10"])
  func roundTrip(recipe: String?) throws {
    var settings = RunSettings.detectionDefaults
    if let recipe { try settings.set("recipe", to: recipe) }
    settings.forgetUnread()
    let scratch = ScratchFolder()
    try AtomicFile.write(settings.configuration.text, to: scratch("config.toml"))
    // As a resumed run reads it, which does not know what the file is for.
    var read = RunSettings()
    try read.apply(configurationAt: scratch("config.toml"))
    read.forgetUnread()
    #expect(read == settings)
    try read.validateDetection()
  }
}
