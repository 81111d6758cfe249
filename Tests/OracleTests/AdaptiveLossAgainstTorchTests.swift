import Compute
import ComputeCPU
import ComputeOpenCL
import Datasets
import FileFormats
import Losses
import Methods
import Networks
import OpenCLTestSupport
import Sessions
import TestSupport
import Testing
import Training

@Suite(
  "Losses that are learned", .serialized,
  .enabled(if: PythonOracle.has("torch, safetensors, numpy"), "\(PythonOracle.absence)"))
struct AdaptiveLossAgainstTorchTests {
  private static let model = "mlp:width=256,dropout=0", samples = 128, trusted = 32, batch = 32, every = 2, rate = 0.02

  /// A loss, what is learned of it, and how fast: so that it moves by some hundredths.
  struct Case: Sendable, CustomTestStringConvertible {
    let loss: String, learn: String, rate: Double

    init(_ loss: String, _ learn: String, rate: Double) { (self.loss, self.learn, self.rate) = (loss, learn, rate) }

    var testDescription: String { "\(learn) of \(loss)" }
  }

  private static let cases = [
    Case("gce:q=0.7,k=0", "q", rate: 2), Case("gce:q=0.1,k=0", "q", rate: 1),
    Case("sce:alpha=0.1,beta=1,A=-4", "alpha+beta", rate: 0.5), Case("polysoft:lambda=5,d=2.5", "d", rate: 20),
    Case("polysoft:lambda=5,d=2.5", "lambda+d", rate: 20), Case("bitempered:t1=0.8,t2=1.2", "t1+t2", rate: 1),
    Case("nce+agce:alpha=1,beta=4,a=6,q=1.5", "q", rate: 5),
  ]

  private struct Torch {
    let initial: SafetensorsFile, slopes: [Double], differences: [Double], values: [Double]

    init(_ one: Case, _ data: LabelledSet) throws {
      let scratch = ScratchFolder()
      let request = OracleData.request(
        data,
        [
          "model": model, "loss": one.loss, "learn": one.learn, "rate": "\(one.rate)", "classes": "10",
          "batch-size": "\(batch)", "lr": "\(AdaptiveLossAgainstTorchTests.rate)", "every": "\(every)",
          "trusted": "\(trusted)",
        ])
      try request.write(to: scratch("request"))
      try Oracle.run(script: "adaptive.py", scratch("request"), scratch("initial"), scratch("result"))
      initial = try SafetensorsFile.read(scratch("initial"))
      let result = try SafetensorsFile.read(scratch("result"))
      let shape = [2, one.learn.split(separator: "+").count]
      slopes = try result.doubles("slopes", shape: shape)
      differences = try result.doubles("differences", shape: shape)
      values = try result.doubles("values", shape: shape)
    }
  }

  /// The learned parameters before, and after each of the steps in which they move.
  private func train<D: Device>(
    _ one: Case, on device: D, _ data: LabelledSet, from initial: SafetensorsFile
  ) throws -> [[Double]] {
    var session = try TrainingSession<D>.Settings(
      network: Network(Self.model), loss: Loss(one.loss), batchSize: Self.batch,
      augmentation: Augmentation(crop: 0, flip: false))
    session.shuffles = false
    var left = data
    let last = (Self.samples - Self.trusted..<Self.samples).map { Int32($0) }
    for id in last { left.labels[Int(id)] = LabelledSet.noLabel }
    let labels = last.map { data.labels[Int($0)] }
    let method = try MethodChoice("adaptive-loss:learn=\(one.learn),every=\(Self.every),rate=\(one.rate)").make(
      MethodSetup(
        session: session, train: DeviceData(left, on: device), test: nil, heldOut: nil, classes: 10, weights: nil,
        normalization: Normalization(of: left.images, ids: left.labelledIDs), transition: nil, recordsMargins: false,
        stage: Stage("train", epochs: 1, rate: LearningRate(Self.rate, .constant, epochs: 1)),
        trusted: TrustedSamples(ids: last, labels: labels, given: labels)))
    let member = method.members[0]
    try member.writeWeights(
      parameters: Checkpoint.tensors(member.parameters.entries.map { ($0.name, $0.shape) }, in: initial), running: nil)
    let sizes = try method.begin(EpochStart(epoch: 0, step: 0, learningRate: Self.rate))
    #expect(sizes == [Self.batch, Self.batch, Self.batch])
    func values() throws -> [Double] {
      try method.finish(EpochEnd(epoch: 0, ids: member.ids(ofFirst: 3))).figures.map { $0 ?? .nan }
    }
    var path = [try values()]
    for step in sizes.indices {
      try method.step(step)
      if step % Self.every == 0 { path.append(try values()) }
    }
    return path
  }

  @Test("move as derivatives of second order say", arguments: cases)
  func agree(one: Case) throws {
    let data = try OracleData.samples(Self.samples), torch = try Torch(one, data)
    func check<D: Device>(on device: D) throws {
      let path = try train(one, on: device, data, from: torch.initial), count = path[0].count
      for (turn, (before, after)) in zip(path, path[1...]).enumerated() {
        for index in 0..<count {
          let slope = (before[index] - after[index]) / one.rate, place = turn * count + index
          let exact = torch.slopes[place], near = torch.differences[place], size = abs(exact)
          let title = "\(index) of turn \(turn) on \(device.name): \(slope), differences \(near), exact \(exact)"
          // Float32 against float64, and differences against derivatives, which kinks of ReLU keep apart.
          #expect(abs(slope - near) <= 0.02 * size, "slope \(title)")
          #expect(abs(slope - exact) <= 0.03 * size, "slope \(title)")
          let value = torch.values[place], moved = abs(torch.values[index] - path[0][index])
          #expect(abs(after[index] - value) <= 0.03 * moved, "value \(after[index]), \(value) after \(title)")
        }
      }
    }
    #expect(torch.slopes.allSatisfy { abs($0) > 1e-5 }, "\(torch.slopes)")
    try check(on: CPUDevice())
    guard let info = FirstDevice.supported else { return print("SKIPPED: there is no OpenCL device") }
    for style in OpenCLDevice.Style.allCases { try check(on: OpenCLDevice(info, style: style)) }
  }
}
