import Datasets
import FileFormats
import Losses
import Settings
import TestSupport
import Testing

@Suite struct `A draft of settings` {
  @Test func `takes a default, then the job, a recipe, a file and an option, and knows which`() throws {
    let folder = ScratchFolder(), path = folder("mine.toml")
    try AtomicFile.write("lr = 0.5\n[optimiser]\ngamma = 0.25\nmomentum = 0.8\n", to: path)
    var draft = SettingsDraft(for: .detect)
    // A default, and the job's.
    #expect(draft.settings.optimizer.clipNorm == 0 && draft.settings.epochs == 150)
    try draft.set("recipe", to: "apl-cifar10", from: .commandLine)
    try draft.apply(fileAt: path)
    try draft.set("momentum", to: "0.7", from: .commandLine)
    let optimizer = draft.settings.optimizer
    // The recipe has 5, 0.01, 0.9, and 120 epochs, which detect keeps from it.
    #expect(optimizer.clipNorm == 5 && optimizer.learningRate == 0.5 && optimizer.momentum == 0.7)
    #expect(optimizer.gamma == 0.25 && draft.settings.epochs == 150)
    #expect(draft.origin(of: "epochs") == .standard && draft.origin(of: "momentum") == .commandLine)
    #expect(draft.origin(of: "clip-norm") == .recipe("apl-cifar10", source: "paper and code"))
    #expect(draft.origin(of: "lr") == .file(path, line: 1) && draft.origin(of: "gamma") == .file(path, line: 3))
    #expect(draft.origins["lr"] == "\(path):1" && draft.origins["epochs"] == nil)
    #expect(draft.origins["clip-norm"] == "recipe apl-cifar10: paper and code")
  }

  @Test func `prints every value of its job with its origin, in columns, and unset ones as none`() throws {
    var draft = SettingsDraft(for: .train)
    try draft.set("lr", to: "0.25", from: .commandLine)
    let lines = draft.configuration.text.split(separator: "\n").map(String.init)
    #expect(lines.contains("lr = 0.25                       # command line"))
    #expect(lines.contains("epochs = 300                    # default: fewer for small sets of your own"))
    #expect(lines.contains("limit-train = \"none\"            # default"))
    #expect(lines.contains("noise-seed = \"none\"             # default: the seed"))
    #expect(lines.contains("augment = \"auto\"                # default: crop-flip for colour, none for grey"))
    #expect(!lines.contains { $0.hasPrefix("passes") })
    #expect(lines.count { $0.contains(" = ") } == RunSettings.settings(of: .train).count)
    // A run's own config.toml has the same values without origins.
    #expect(!draft.settings.configuration.text.contains("command line"))
    #expect(
      draft.settings.configuration
        == FlatTOML(comments: draft.configuration.comments, sections: draft.configuration.sections))
  }

  @Test(arguments: [JobKind.train, .detect])
  func `is a fixed point of what it prints`(job: JobKind) throws {
    let folder = ScratchFolder(), path = folder("x.toml")
    var draft = SettingsDraft(for: job)
    try draft.set("recipe", to: "peer-cifar10", from: .commandLine)
    try draft.set("loss", to: "sce:cifar10", from: .commandLine)
    try AtomicFile.write(draft.configuration.text, to: path)
    var again = SettingsDraft(for: job)
    #expect(try again.apply(fileAt: path) == [])
    #expect(again.settings == draft.settings)
    let first = again.configuration.text
    try AtomicFile.write(first, to: path)
    var third = SettingsDraft(for: job)
    try third.apply(fileAt: path)
    #expect(third.configuration.text == first)
  }

  @Test func `fills what is unset from the data, and leaves alone what was given`() throws {
    func filled(_ given: [(String, String)], channels: Int) throws -> SettingsDraft {
      let images = ImageSet(
        count: 4, height: 2, width: 2, channels: channels, pixels: [UInt8](repeating: 0, count: 16 * channels))
      let dataset = Dataset(
        name: "x", classNames: ["a", "b"], train: LabelledSet(images: images, labels: [0, 1, 0, 1]), test: nil,
        source: "x")
      var draft = SettingsDraft(for: .train)
      for (name, text) in given { try draft.set(name, to: text, from: .commandLine) }
      draft.follow(DataFacts(dataset))
      draft.follow(device: "cpu")
      return draft
    }
    let colour = try filled([("seed", "7")], channels: 3), grey = try filled([], channels: 1)
    #expect(colour.settings.augment == .cropFlip && grey.settings.augment == RunSettings.AugmentationKind.none)
    #expect(colour.settings.noiseSeed == 7 && colour.origin(of: "noise-seed") == .rule("the seed"))
    #expect(colour.origins["augment"] == "follows 3 channels" && grey.origins["augment"] == "follows 1 channel")
    #expect(colour.settings.device == "cpu")
    let given = try filled([("augment", "flip"), ("noise-seed", "9"), ("device", "0")], channels: 3)
    #expect(given.settings.augment == .flip && given.settings.noiseSeed == 9 && given.settings.device == "0")
    #expect(given.origin(of: "augment") == .commandLine)
  }

  /// What 0.1.0 wrote: unset settings are left out.
  @Test func `reads sizes as width x height, in runs of the first schema as height x width`() throws {
    let folder = ScratchFolder(), path = folder("config.toml")
    try AtomicFile.write("image-size = \"32x48\"\n", to: path)
    let new = try SettingsDraft(ofFileAt: path).settings
    #expect(new.imageSize == PixelSize(width: 32, height: 48) && !new.datasetOptions.followsFirstSchema)
    try AtomicFile.write("{\"schema\": \"gpunoisy.run/2\"}", to: folder("run.json"))
    #expect(try SettingsDraft(ofFileAt: path).settings == new)
    try AtomicFile.write("{\"schema\": \"gpunoisy.run/1\"}", to: folder("run.json"))
    let old = try SettingsDraft(ofFileAt: path).settings
    #expect(old.imageSize == PixelSize(width: 48, height: 32) && old.fit == .stretch)
    #expect(old.datasetOptions.followsFirstSchema)
    // A new run with these settings has a file of its own, in the order of today.
    var draft = SettingsDraft(for: .train)
    try draft.apply(fileAt: path)
    #expect(draft.settings.imageSize == old.imageSize && draft.settings.fit == .stretch)
    #expect(!draft.settings.followsFirstSchema)
  }

  @Test func `reads the config.toml of earlier versions`() throws {
    let folder = ScratchFolder(), path = folder("config.toml")
    let old = """
      # Every setting of this run. To repeat it: gpunoisy detect --config FILE

      [data]
      data = "shapes"
      exclude-by = "drop"
      noise = "symmetric:0.2"
      noise-seed = 1
      limit-train = 200

      [optimiser]
      epochs = 3
      schedule = "auto"
      milestones = [150, 225]

      [input]
      augment = "crop-flip"

      [detect]
      detector = "aum"
      percentile = 99.0
      keep-margins = false
      """
    try AtomicFile.write(old, to: path)
    let settings = try SettingsDraft(ofFileAt: path).settings
    #expect(settings.job == .detect && settings.epochs == 3 && settings.optimizer.schedule == nil)
    #expect(settings.batchSize == 64 && settings.validation == nil && settings.detection.retrain == nil)
    try AtomicFile.write(String(old.split(separator: "[detect]")[0]).replacing("auto", with: "step"), to: path)
    let training = try SettingsDraft(ofFileAt: path).settings
    #expect(training.job == .train && training.batchSize == 256 && training.limitTrain == 200)
  }
}
