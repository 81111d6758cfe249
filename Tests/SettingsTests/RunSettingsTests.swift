import Failures
import FileFormats
import Losses
import Networks
import Sessions
import Settings
import TestSupport
import Testing

@Suite struct `The settings of a run` {
  @Test func `have the paper's defaults`() {
    let settings = RunSettings(), optimizer = settings.optimizer
    #expect(settings.model.description == "resnet32" && settings.epochs == 300 && settings.batchSize == 256)
    #expect(optimizer.learningRate == 0.1 && optimizer.milestones == [150, 225] && optimizer.weightDecay == 1e-4)
    #expect(optimizer.momentum == 0.9 && optimizer.nesterov)
  }

  @Test func `survive config.toml`() throws {
    var settings = RunSettings()
    for (name, text) in [
      ("data", "some where"), ("noise", "symmetric:0.4"), ("loss", "sce:alpha=0.1,beta=1,A=-4"), ("lr", "0.025"),
      ("milestones", "3,5"), ("seed", "18446744073709551615"), ("aum", "off"), ("checkpoint-every", "15m"),
      ("max-time", "1h30m"), ("val", "0.1"), ("threads", "2"), ("augment", "flip"), ("image-size", "28x32"),
      ("fit", "pad"),
    ] { try settings.set(name, to: text) }
    let folder = ScratchFolder(), path = folder("config.toml")
    try AtomicFile.write(settings.configuration.text, to: path)
    var read = RunSettings()
    try read.apply(configurationAt: path)
    #expect(read == settings)
  }

  private static func read(_ text: String, over settings: RunSettings = RunSettings()) throws -> RunSettings {
    let folder = ScratchFolder(), path = folder("x.toml")
    try AtomicFile.write(text, to: path)
    var settings = settings
    do {
      try settings.apply(configurationAt: path)
    } catch let failure as Failure {
      #expect(failure.what.contains("'\(path)'"))
      throw Failure(failure.kind, failure.what.replacing(path, with: "x.toml"), why: failure.why, fix: failure.fix)
    }
    return settings
  }

  @Test func `stand in any section of a file or above all, with all their digits`() throws {
    let text = """
      seed = 18_446_744_073_709_551_615 # more than 63 bits
      lr = +2.5e-2
      [detect]
      epochs = 1_0
      [data]
      noise = 'symmetric:0.4'
      shuffle = false
      milestones = [ # two
        3,
        5,
      ]
      threads = "2"
      """
    for text in [text, "\u{FEFF}" + text.replacing("\n", with: "\r\n")] {
      let settings = try Self.read(text)
      #expect(settings.seed == .max && settings.optimizer.learningRate == 0.025 && settings.epochs == 10)
      #expect(settings.noise.description == "symmetric:0.4" && !settings.shuffle)
      #expect(settings.optimizer.milestones == [3, 5])
      #expect(settings.threads == 2)
    }
    #expect(try Self.read("") == RunSettings() && Self.read("[data]\n[run]\n") == RunSettings())
  }

  @Test func `come after the recipe of their file, wherever it stands`() throws {
    for text in ["epochs = 7\n[run]\nrecipe = 'gce-cifar10'", "recipe = 'gce-cifar10'\n[data]\nepochs = 7"] {
      let settings = try Self.read(text)
      #expect(try settings.epochs == 7 && settings.loss == Loss("gce:q=0.7") && settings.recipe == "gce-cifar10")
    }
  }

  private static let mistakes: [(String, Failure.Kind, String)] = [
    ("[data]\n\n[optimizer]\nlr = 1", .usage, "in 'x.toml', line 3, column 1: there is no section 'optimizer'."),
    ("[nothing]", .usage, "in 'x.toml', line 1, column 1: there is no section 'nothing'."),
    ("[data]\n  learning-rate = 1", .usage, "in 'x.toml', line 2, column 3: there is no setting 'learning-rate'."),
    ("lr = 1\nepochs =  0", .usage, "in 'x.toml', line 2, column 11: --epochs 0 is out of range."),
    ("epochs = 3.0", .usage, "in 'x.toml', line 1, column 10: --epochs 3.0 is out of range."),
    ("lr = 1e999", .usage, "in 'x.toml', line 1, column 6: --lr 1e999 is out of range."),
    ("milestones = [[1]]", .usage, "in 'x.toml', line 1, column 14: 'milestones' has an unsupported type."),
    ("lr = []", .usage, "in 'x.toml', line 1, column 6: 'lr' is a list."),
    ("lr = \"\"", .usage, "in 'x.toml', line 1, column 6: --lr '' is not a number."),
    ("[run]\nrecipe = 'nosuch'", .usage, "in 'x.toml', line 2, column 10: there is no recipe 'nosuch'."),
    ("recipe = 'gce-cifar10'\n[run]\nrecipe = 'gce-cifar10'", .usage, "'x.toml' names two recipes, in lines 1 and 3."),
    ("[data]\nrecipe = 'a'\n[run]\n\nrecipe = 'b'", .usage, "'x.toml' names two recipes, in lines 2 and 5."),
    ("[data]\nlr = 1\n[optimiser]\nlr = 2", .badInput, "'x.toml' sets 'lr' twice, in lines 2 and 4."),
    ("[data]\nlr = 1\nlr = 2", .badInput, "'x.toml' is not valid: line 3, column 1."),
    ("lr = inf", .badInput, "'x.toml' is not valid: line 1, column 6."),
  ]

  @Test(arguments: mistakes)
  func `refuse a file's mistakes, with their place`(text: String, kind: Failure.Kind, what: String) {
    let failure = #expect(throws: Failure.self) { try Self.read(text) }
    #expect(failure?.kind == kind && failure?.what.hasPrefix(what) == true, "\(failure?.what ?? "")")
  }

  @Test(arguments: [
    ("epochs", "0"), ("batch-size", "0"), ("batch-size", "many"), ("lr", "-1"), ("momentum", "1"), ("seed", "-1"),
    ("schedule", "linear"), ("milestones", "a"), ("milestones", ","), ("milestones", ""), ("milestones", "1,,2"),
    ("aum", "maybe"), ("checkpoint-every", "0ep"), ("max-time", "soon"),
    ("val", "2.5"), ("augment", "rotate"), ("nosuch", "1"),
  ])
  func `refuse values out of range`(name: String, text: String) {
    var settings = RunSettings()
    #expect { try settings.set(name, to: text) } throws: { ($0 as? Failure)?.kind == .usage }
  }

  /// torch.optim.lr_scheduler.MultiStepLR and CosineAnnealingLR, stepped once per epoch.
  @Test func `schedule the learning rate as PyTorch does`() {
    let step = (0..<6).map { Schedule.step.rate(1, epoch: $0, epochs: 6, milestones: [2, 4], gamma: 0.1) }
    #expect(zip(step, [1, 1, 0.1, 0.1, 0.01, 0.01]).allSatisfy { abs($0 - $1) < 1e-15 })
    let cosine = (0..<4).map { Schedule.cosine.rate(1, epoch: $0, epochs: 4, milestones: [], gamma: 0.1) }
    #expect(zip(cosine, [1, 0.853553390593274, 0.5, 0.146446609406726]).allSatisfy { abs($0 - $1) < 1e-12 })
    #expect(Schedule.constant.rate(0.3, epoch: 9, epochs: 10, milestones: [1], gamma: 0.1) == 0.3)
  }

  @Test func `that a recipe has made are taken back by none, and stay so in config.toml`() throws {
    var settings = RunSettings()
    try settings.set("recipe", to: "memorise-cifar10")
    #expect(settings.limitTrain != nil)
    for name in ["limit-train", "limit-test", "val", "max-steps", "exclude", "labels", "init"] {
      try settings.set(name, to: "none")
    }
    #expect(settings.limitTrain == nil && settings.limitTest == nil && settings.maxSteps == nil)
    let scratch = ScratchFolder()
    try AtomicFile.write(settings.configuration.text, to: scratch("config.toml"))
    var read = RunSettings()
    try read.apply(configurationAt: scratch("config.toml"))
    #expect(read == settings)
  }

  @Test func `take one recipe, not a mixture of two`() throws {
    var settings = RunSettings()
    try settings.set("recipe", to: "memorise-cifar10")
    try settings.set("recipe", to: "memorise-cifar10")
    #expect { try settings.set("recipe", to: "gce-cifar10") } throws: { ($0 as? Failure)?.kind == .usage }
  }
}
