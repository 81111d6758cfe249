import Datasets
import Failures
import FileFormats
import Losses
import Networks
import Settings
import TestSupport
import Testing

@Suite struct `Recipes` {
  @Test(arguments: Recipe.catalogue.map(\.name))
  func `set what they say, and nothing that is out of range`(name: String) throws {
    let recipe = try Recipe(named: name)
    var settings = RunSettings()
    // Other than every recipe's, so that a value which is not set shows.
    (settings.epochs, settings.batchSize, settings.dropLast, settings.augment) = (1, 2, true, .flip)
    (settings.optimizer.learningRate, settings.optimizer.weightDecay) = (3, 0.5)
    (settings.optimizer.momentum, settings.optimizer.clipNorm, settings.optimizer.nesterov) = (0.25, 77, true)
    settings.model = try Network("resnet110")
    try recipe.apply(to: &settings)
    // Which runs teach is no protocol's to say.
    if settings.method.entry.needsTeachers { settings.teachers = ["run"] }
    try settings.validate()
    var again = RunSettings()
    try recipe.apply(to: &again)
    again.teachers = settings.teachers
    // These are read with a schedule of steps only.
    if settings.optimizer.schedule != .step {
      (settings.optimizer.milestones, settings.optimizer.gamma) = (again.optimizer.milestones, again.optimizer.gamma)
    }
    #expect(settings == again && settings.recipe == name)
    let words = name.split(separator: "-").map(String.init)
    #expect(["mnist", "cifar10", "cifar100"].contains(settings.data) && words.contains(settings.data))
    let isPlain = settings.data == "mnist" || name == "memorise-cifar10"
    #expect(settings.augment == (isPlain ? RunSettings.AugmentationKind.none : .cropFlip))
    // Milestones beyond the end would never come.
    if settings.optimizer.schedule == .step {
      let milestones = settings.optimizer.milestones
      #expect(!milestones.isEmpty && milestones.allSatisfy { $0 < settings.epochs })
    }
    #expect(Set(recipe.values.map(\.name)).count == recipe.values.count)
    #expect(recipe.values.allSatisfy { RunSettings.setting(named: $0.name)?.role == .experiment })
    #expect(!recipe.source.isEmpty && !recipe.note.isEmpty)
  }

  @Test(arguments: Recipe.catalogue.map(\.name))
  func `tell every value with its source, and noises and losses that there are`(name: String) throws {
    let recipe = try Recipe(named: name), lines = try recipe.lines()
    for value in recipe.values {
      #expect(!value.source.isEmpty && lines.contains("  \(value.name) = \(value.text)  (\(value.source))"))
    }
    var settings = RunSettings()
    try recipe.apply(to: &settings)
    #expect(try recipe.lines(inForce: settings) == lines)
    if settings.method.entry.needsTeachers { settings.teachers = ["run"] }
    for noise in recipe.noise.split(separator: "; ") {
      let rated = noise.split(separator: ":R", omittingEmptySubsequences: false).joined(separator: ":0.4")
      #expect(throws: Never.self) { try NoiseCatalogue.parse(rated) }
    }
    for loss in recipe.losses where loss != "backward" {
      settings.transition = nil
      settings.loss = try Loss(loss)
      #expect(throws: Never.self) { try settings.validate() }
    }
  }

  @Test func `AUM's is what train does by itself, and others have the published values`() throws {
    func settings(_ name: String) throws -> RunSettings {
      var settings = RunSettings()
      try Recipe(named: name).apply(to: &settings)
      return settings
    }
    var defaults = RunSettings()
    (defaults.data, defaults.validation, defaults.augment) = ("cifar10", .count(5000), .cropFlip)
    defaults.recipe = "aum-cifar10"
    #expect(try settings("aum-cifar10") == defaults)
    let sce = try settings("sce-cifar10")
    #expect(try sce.loss == Loss("sce:alpha=0.1,beta=1,A=-6") && sce.model == Network("cnn8") && sce.epochs == 120)
    #expect(sce.optimizer.learningRate == 0.01 && sce.optimizer.milestones == [40, 80] && !sce.optimizer.nesterov)
    #expect(sce.optimizer.weightDecay == 1e-4)
    for (name, rest) in [("sce-cifar100", 0.02), ("apl-mnist", 1e-2), ("alf-cifar100", 1e-5), ("anl-cifar10", 0)] {
      #expect(try settings(name).optimizer.weightDecay == rest)
    }
    // In the code of SCE and its port, log 0 is ln 1e-4; in the paper on CIFAR-10, -6.
    for name in ["sce-mnist", "sce-cifar100", "sce-repro-cifar10", "sce-repro-cifar100", "apl-cifar10"] {
      #expect(try settings(name).loss.description.contains("A=-9.2103"), "\(name)")
    }
    let apl = try settings("apl-cifar100"), peer = try settings("peer-cifar10")
    #expect(apl.optimizer.schedule == .cosine && apl.optimizer.clipNorm == 5 && apl.optimizer.learningRate == 0.1)
    #expect(apl.epochs == 200 && peer.dropLast && peer.validation == .count(10_000))
    #expect(peer.optimizer.milestones.count == 7 && peer.optimizer.learningRate == 0.1)
    #expect(try settings("cores2-cifar10").optimizer.momentum == 0)
    #expect(try settings("forward-cifar10").transition == .exact)
    #expect(try settings("memorise-cifar10").limitTrain == 5000)
  }

  @Test func `point out what was replaced, and refuse unknown names`() throws {
    let recipe = try Recipe(named: "gce-cifar10")
    var settings = RunSettings()
    try recipe.apply(to: &settings)
    settings.epochs = 3
    try settings.set("val", to: "none")
    let lines = try recipe.lines(inForce: settings).filter { $0.hasSuffix("replaced by what was given") }
    #expect(
      lines == [
        "  epochs = 120  (paper)  replaced by what was given", "  val = 0.1  (paper)  replaced by what was given",
      ])
    #expect { try Recipe(named: "nosuch") } throws: { ($0 as? Failure)?.kind == .usage }
  }

  @Test func `survive config.toml, with what was taken back, and may stand in a file of one's own`() throws {
    var settings = RunSettings()
    for (name, text) in [
      ("recipe", "forward-cifar10"), ("loss", "ce"), ("transition", "none"), ("val", "none"), ("lr", "0.5"),
    ] { try settings.set(name, to: text) }
    #expect(settings.transition == nil && settings.validation == nil && settings.epochs == 120)
    let folder = ScratchFolder(), path = folder("config.toml")
    try AtomicFile.write(settings.configuration.text, to: path)
    var read = RunSettings()
    try read.apply(configurationAt: path)
    #expect(read == settings)

    // Whatever the order, the recipe comes first.
    let name = "recipe = \"gce-cifar10\"\n"
    for text in ["epochs = 7\n\(name)", "[optimiser]\nepochs = 7\n[run]\n\(name)"] {
      try AtomicFile.write(text, to: path)
      var own = RunSettings()
      try own.apply(configurationAt: path)
      #expect(try own.epochs == 7 && own.loss == Loss("gce:q=0.7") && own.recipe == "gce-cifar10")
    }
    try AtomicFile.write("recipe = \"nosuch\"\n", to: path)
    var own = RunSettings()
    #expect { try own.apply(configurationAt: path) } throws: { ($0 as? Failure)?.kind == .usage }
  }
}
