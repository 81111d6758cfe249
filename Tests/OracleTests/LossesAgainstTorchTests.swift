import Compute
import ComputeReference
import FileFormats
import Losses
import Statistics
import TestSupport
import Testing
import Training

@Suite(
  "Losses against their authors' code",
  .enabled(if: PythonOracle.has("torch, safetensors, numpy"), "\(PythonOracle.absence)"))
struct LossesAgainstTorchTests {
  /// The oracle's answers come as float32.
  private static let tolerance = 1e-6

  /// What losses.py knows, as the command line writes it.
  private static let names = [
    "ce", "lsr", "mae", "rce:A=-9.210340371976182", "sce:cifar10", "sce:cifar100", "gce", "gce:k=0.5", "agce", "aul",
    "ael", "focal:gamma=2", "focal:detached=1", "polysoft:lambda=3", "taylor:t=6", "esoftmax", "esoftmax:m=1e6", "nce",
    "nfl:detached=1", "ngce", "nnce", "nce+rce:cifar100", "nfl+rce:cifar10", "nce+nnce:cifar10", "nce+agce:cifar10",
    "nce+aul:cifar100",
    "bootsoft", "boothard", "cores2", "cores2:sieve=1", "bitempered", "ce+sr:cifar10", "ce+sr:cifar100",
    "nce+rce+sr:normal=0,rho=1", "peer", "forward", "backward", "dmi",
  ]

  /// Those of them that have their authors' clamps.
  private static let clamped = ["esoftmax:m=1e6", "nnce", "cores2", "cores2:sieve=1", "peer"]

  /// Rows that stay inside of the clamps of that code, which are not ours; K = 2 has several bounds that meet.
  @Test(arguments: [(64, 10), (300, 100), (16, 3)])
  func `agree with autograd in values and gradients`(B: Int, K: Int) throws {
    try expectAgreement(Self.names, B: B, K: K, deviation: 1.5)
  }

  @Test(arguments: [10, 100])
  func `agree where probabilities go below 1e-8, if they have their authors' clamps`(K: Int) throws {
    try expectAgreement(Self.clamped, B: 200, K: K, deviation: 15)
  }

  private func expectAgreement(_ names: [String], B: Int, K: Int, deviation: Double) throws {
    let folder = ScratchFolder(), random = CounterRandom(seed: 11)
    let logits = (0..<B * K).map { Float(deviation * random.normal(.initialization, 1, UInt32($0))) }
    // All classes occur, some of them right.
    let labels = (0..<B).map { Int32($0 % K) }
    var transition = TransitionMatrix(identity: K)
    for k in 0..<K { (transition[k, k], transition[k, (k + 1) % K]) = (0.7, 0.3) }
    var request = SafetensorsFile(metadata: ["losses": names.joined(separator: "\n")])
    request["logits"] = .init(logits, shape: [B, K])
    request["labels"] = .init(labels, shape: [B])
    request["transition"] = .init(transition.values.map { Float($0) }, shape: [K, K])
    try request.write(to: folder("request"))
    try Oracle.run(script: "losses.py", folder("request"), folder("result"))
    let answers = try SafetensorsFile.read(folder("result"))

    let rows = (0..<B).map { b in
      ReferenceRow(logits: logits[b * K..<(b + 1) * K].map { ReferenceNumber($0) }, label: Int(labels[b]))
    }
    let inverse = try TransitionSource.inverse(of: transition)
    for (index, name) in names.enumerated() {
      let loss = try Loss(name), function = loss.function
      let parameters = loss.kernelParameters().map { ReferenceNumber($0) }
      var results: [ReferenceLoss.Result]
      switch function.inputs {
      case .row:
        let formula = try ReferenceLoss.formula(of: function)
        results = rows.map { formula.evaluate($0, parameters) }
      case .transition:
        let correction = try #require(ReferenceCorrection.table[function.kernel])
        let matrix = (loss.correction == .inverse ? inverse : transition.values).map { ReferenceNumber($0) }
        results = rows.map { correction.evaluate($0, matrix) }
      case .determinant:
        // The oracle spreads the batch's loss over its rows.
        results = ReferenceDeterminant.evaluate(rows, parameters).map {
          ($0.loss / ReferenceNumber(Double(B)), $0.dlogits)
        }
      }
      let losses = Comparison(
        "loss", results.map(\.loss.value), try answers.floats("loss.\(index)", shape: [B]).map(Double.init),
        tolerance: Self.tolerance, scale: 1e-2)
      #expect(losses.passes, "\(name), \(K) classes: \(losses)")
      let gradients = Comparison(
        "gradient", results.flatMap { $0.dlogits.map(\.value) },
        try answers.floats("gradient.\(index)", shape: [B, K]).map(Double.init), tolerance: Self.tolerance, scale: 1e-3)
      #expect(gradients.passes, "\(name), \(K) classes: \(gradients)")
    }
  }
}
