import ComputeCPU
import Datasets
import FileFormats
import Networks
import Reports
import TestSupport
import Testing
import Training

@Suite(
  "A checkpoint", .enabled(if: PythonOracle.has("torch, safetensors, numpy"), "\(PythonOracle.absence)"))
struct CheckpointInTorchTests {
  /// Wide networks see fewer images, so that the test stays short.
  @Test(
    "gives in PyTorch the logits that it gives here",
    arguments: [
      ("resnet20", 600, 64), ("resnet20:shortcut=stride", 600, 64), ("resnet18", 64, 8), ("preact-resnet18", 64, 8),
      ("cnn8", 128, 16), ("cnn4", 600, 64), ("cnn9", 64, 8), ("mlp", 600, 64), ("resnet50", 64, 8),
      ("efficientnet-lite0", 64, 16),
    ])
  func logits(model: String, samples: Int, batchSize: Int) throws {
    let scratch = ScratchFolder()
    var settings = RunSettings()
    (settings.model, settings.noise, settings.limitTrain, settings.limitTest) = try (
      Network(model), Noise("symmetric:0.2"), samples, 70
    )
    (settings.batchSize, settings.epochs, settings.optimizer.learningRate) = (batchSize, 2, 0.05)
    let data = try RunData(settings), device = try CPUDevice()
    let folder = try RunFolder.create(at: scratch("run"))
    let trainer = try Trainer(settings, data: data, on: device)
    let record = RunRecord(
      command: "train", version: "test", arguments: [], device: device.name, driver: device.driver, seeds: [:],
      data: .init(
        name: "shapes", layout: "shapes", trainCount: samples, testCount: 70, classCount: 10, fingerprint: ""))
    trainer.write(into: RunJournal(folder: folder, record: record))
    #expect(try trainer.run() == .finished)

    let test = try #require(data.evaluation)
    let ours = try Evaluator(checkpoint: folder.lastCheckpoint, on: device).logits(test)
    var request = SafetensorsFile(metadata: ["model": model, "classes": "10"])
    let images = test.images
    request["pixels"] = .init(images.pixels, shape: [images.count, images.height, images.width, images.channels])
    try request.write(to: scratch("request"))
    try Oracle.run("logits", scratch("request"), folder.lastCheckpoint, scratch("result"))
    let theirs = try SafetensorsFile.read(scratch("result")).doubles("logits", shape: [images.count, 10])
    let comparison = Comparison("logits", ours, theirs, tolerance: 1e-5)
    #expect(comparison.passes, "\(comparison)")
    // Logits of one size for all images would agree whatever the weights are.
    #expect((theirs.max() ?? 0) - (theirs.min() ?? 0) > 1)
  }
}
