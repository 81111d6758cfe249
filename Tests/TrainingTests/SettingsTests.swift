import Failures
import FileFormats
import TestSupport
import Testing
import Training

@Suite struct `The settings of a run` {
  @Test func `have the paper's defaults`() {
    let settings = RunSettings()
    #expect(settings.model == "resnet32" && settings.epochs == 300 && settings.batchSize == 256)
    #expect(settings.learningRate == 0.1 && settings.milestones == [150, 225] && settings.weightDecay == 1e-4)
    #expect(settings.momentum == 0.9 && settings.nesterov)
  }

  @Test func `survive config.toml`() throws {
    var settings = RunSettings()
    for (name, text) in [
      ("data", "some where"), ("noise", "symmetric:0.4"), ("loss", "sce:alpha=0.1,beta=1,A=-4"), ("lr", "0.025"),
      ("milestones", "3,5"), ("seed", "18446744073709551615"), ("aum", "off"), ("checkpoint-every", "15m"),
      ("max-time", "1h30m"), ("val", "0.1"), ("threads", "2"), ("augment", "flip"), ("image-size", "28x32"),
    ] { try settings.set(name, to: text) }
    let folder = ScratchFolder(), path = folder("config.toml")
    try AtomicFile.write(settings.configuration.text, to: path)
    var read = RunSettings()
    try read.apply(configurationAt: path)
    #expect(read == settings)
  }

  @Test(arguments: [
    ("epochs", "0"), ("batch-size", "0"), ("batch-size", "many"), ("lr", "-1"), ("momentum", "1"), ("seed", "-1"),
    ("schedule", "linear"), ("milestones", "a"), ("aum", "maybe"), ("checkpoint-every", "0ep"), ("max-time", "soon"),
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
}
