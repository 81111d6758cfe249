import ComputeCPU
import Datasets
import FileFormats
import Networks
import Reports
import TestSupport
import Testing
import Training

@Suite("Features of a checkpoint's last layer")
struct FeaturesTests {
  private let scratch = ScratchFolder()

  @Test("become its logits by the weights of that layer, and its probabilities are those shown")
  func linearLayer() throws {
    var settings = RunSettings()
    (settings.model, settings.noise, settings.limitTrain, settings.limitTest) = try (
      Network("resnet20"), Noise("symmetric:0.3"), 300, 10
    )
    (settings.batchSize, settings.epochs, settings.optimizer.learningRate) = (50, 1, 0.05)
    let data = try RunData(settings), device = try CPUDevice()
    let folder = try RunFolder.create(at: scratch("run"))
    let trainer = try Trainer(settings, data: data, on: device)
    let record = RunRecord(command: "train", version: "test", arguments: [], device: "cpu", seeds: [:])
    trainer.write(into: RunJournal(folder: folder, record: record))
    #expect(try trainer.run() == .finished)

    let file = try SafetensorsFile.read(folder.lastCheckpoint)
    let weight = try file.doubles("fc.weight", shape: [10, 64]), bias = try file.doubles("fc.bias", shape: [10])
    let evaluator = try Evaluator(checkpoint: folder.lastCheckpoint, on: device)
    let part = data.dataset.train
    let (features, width) = try evaluator.features(part)
    #expect(width == 64 && features.count == 300 * 64)
    var logits: [Double] = []
    for sample in 0..<300 {
      for label in 0..<10 {
        logits.append(
          (0..<64).reduce(bias[label]) { $0 + weight[label * 64 + $1] * Double(features[sample * 64 + $1]) })
      }
    }
    let comparison = Comparison("logits", try evaluator.logits(part), logits, tolerance: 1e-5)
    #expect(comparison.passes, "\(comparison)")
    #expect((logits.max() ?? 0) - (logits.min() ?? 0) > 0.5)

    let samples = try RunComparison.samples(checkpoint: folder.lastCheckpoint, data: data.dataset, on: device)
    #expect(samples.given.count == 300 && samples.given == part.labels.map { Int($0) })
    #expect(samples.truth == part.trueLabels.map { $0.map { Int($0) } } && samples.truth != samples.given)
    guard case .principalComponents(let shares) = samples.projection else {
      Issue.record("\(samples.projection)")
      return
    }
    #expect(shares.count == 2 && shares[0] >= shares[1] && shares[1] > 0)
    let near = try RunComparison.samples(
      checkpoint: folder.lastCheckpoint, data: data.dataset, projection: .tsne, on: device)
    #expect(near.projection == .neighbours(perplexity: 30) && near.confidence == samples.confidence)
    #expect(near.points.count == 300 && near.points.allSatisfy { $0.x.isFinite && $0.y.isFinite })
    // The mean probability of given labels is what evaluation itself finds.
    let results = try evaluator.plans(for: part)[0].run(on: device)
    for (ours, theirs) in zip(samples.confidence, results.confidences) { #expect(abs(ours - Double(theirs)) < 1e-5) }
  }
}
