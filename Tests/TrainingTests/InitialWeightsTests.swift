import ComputeCPU
import Failures
import FileFormats
import Networks
import TestSupport
import Testing
import Training

@Suite struct `The weights of another network` {
  private let scratch = ScratchFolder()

  private func trainer(_ model: String = "resnet20") throws -> Trainer<CPUDevice> {
    var settings = RunSettings()
    (settings.model, settings.limitTrain, settings.limitTest, settings.batchSize) = (try Network(model), 16, 10, 8)
    return try Trainer(settings, data: RunData(settings), on: CPUDevice(threads: 1))
  }

  /// Every parameter of a network, each number its index, with a last layer of `outputs` times `inputs`.
  private func file(of trainer: Trainer<CPUDevice>, outputs: Int, inputs: Int) throws -> String {
    var file = SafetensorsFile()
    for entry in trainer.session.parameters.entries {
      var shape = entry.shape
      if entry.name == "fc.weight" { shape = [outputs, inputs] }
      if entry.name == "fc.bias" { shape = [outputs] }
      file[entry.name] = .init((0..<shape.reduce(1, *)).map { Float($0) }, shape: shape)
    }
    try file.write(to: scratch("weights"))
    return scratch("weights")
  }

  @Test func `are taken whole where they fit`() throws {
    let trainer = try trainer()
    #expect(try trainer.initialize(from: file(of: trainer, outputs: 10, inputs: 64)).random.isEmpty)
    let state = try trainer.session.readState()
    #expect(state.parameters.allSatisfy { $0.values == (0..<$0.values.count).map { Float($0) } })
  }

  @Test func `are taken up to a last layer for other classes`() throws {
    let trainer = try trainer(), before = try trainer.session.readState().parameters
    let path = try file(of: trainer, outputs: 1000, inputs: 64)
    #expect(try trainer.initialize(from: path).random == ["fc.weight", "fc.bias"])
    let after = try trainer.session.readState().parameters
    #expect(after.dropLast(2).allSatisfy { $0.values == (0..<$0.values.count).map { Float($0) } })
    #expect(after.suffix(2).map(\.values) == before.suffix(2).map(\.values))
  }

  @Test func `are taken without a last layer`() throws {
    let trainer = try trainer(), before = try trainer.session.readState().parameters
    var file = try SafetensorsFile.read(file(of: trainer, outputs: 10, inputs: 64))
    (file["fc.weight"], file["fc.bias"]) = (nil, nil)
    try file.write(to: scratch("headless"))
    #expect(try trainer.initialize(from: scratch("headless")).random == ["fc.weight", "fc.bias"])
    let after = try trainer.session.readState().parameters
    #expect(after.dropLast(2).allSatisfy { $0.values == (0..<$0.values.count).map { Float($0) } })
    #expect(after.suffix(2).map(\.values) == before.suffix(2).map(\.values))
  }

  @Test(arguments: [(10, 63), (1000, 63)])
  func `are refused where the last layer does not fit`(outputs: Int, inputs: Int) throws {
    let trainer = try trainer(), path = try file(of: trainer, outputs: outputs, inputs: inputs)
    #expect { try trainer.initialize(from: path) } throws: { ($0 as? Failure)?.kind == .badInput }
  }
}
