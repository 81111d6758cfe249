import Detection
import FileFormats
import TestSupport
import Testing

@Suite("Training dynamics")
struct SampleDynamicsTests {
  @Test("give the areas under the margin of the aum package's worked example")
  func workedExample() {
    var dynamics = SampleDynamics(count: 8, outputs: 3, classes: 3, kind: .logits)
    var labels = [Int32](repeating: 0, count: 8)
    labels[7] = 1
    labels[3] = 2
    let isFinite = dynamics.add(
      logits: [1.5, 2.25, -0.5, 0, 3, 1], ids: [7, 3] as [Int32], labels: labels, counts: true)
    #expect(isFinite)
    #expect(dynamics.area(7) == 0.75 && dynamics.area(3) == -2)
    labels[3] = 0
    let isStillFinite = dynamics.add(
      logits: [0.5, 2, 2, 4, 3, 1], ids: [7, 3] as [Int32], labels: labels, counts: true)
    #expect(isStillFinite)
    #expect(dynamics.area(7) == 0.375 && dynamics.area(3) == -0.5)
    #expect(dynamics.area(0) == nil && dynamics.epochMargins[0].isNaN && dynamics.epochMargins[7] == 0)
  }

  @Test("count forgetting in every epoch, and margins only in those that count")
  func forgetting() {
    var dynamics = SampleDynamics(count: 2, outputs: 3, classes: 2, kind: .logits)
    let right: [Float] = [2, 1, 0], wrong: [Float] = [1, 2, 0]
    for (epoch, logits) in [right, wrong, right, wrong, wrong].enumerated() {
      dynamics.beginEpoch()
      let isFinite = dynamics.add(logits: logits, ids: [1] as [Int32], labels: [0, 0], counts: epoch > 0)
      #expect(isFinite)
    }
    #expect(dynamics.forgettings == [0, 2])
    #expect(dynamics.marginCount == [0, 4])
    #expect(dynamics.area(1) == -0.5)
  }

  @Test("refuse logits that are not finite, and stay as they were")
  func notFinite() {
    var dynamics = SampleDynamics(count: 2, outputs: 2, classes: 2, kind: .logits)
    let before = dynamics
    let isFinite = dynamics.add(logits: [1, .nan], ids: [0] as [Int32], labels: [0, 0], counts: true)
    #expect(!isFinite)
    #expect(dynamics.area(0) == before.area(0) && dynamics.marginCount == before.marginCount)
  }

  /// Sums of a few hundred terms in another order.
  private static let tolerance = 1e-12

  @Test(
    "are what the aum package and NumPy make of the same logits",
    .enabled(if: PythonOracle.has("numpy, torch, aum"), "\(PythonOracle.absence)"))
  func packages() throws {
    let N = 60, K = 5, steps = 12, scratch = ScratchFolder()
    let total = steps * N * (K + 1)
    let logits: [Float] = (0..<total).map { Float(($0 * 7919 + 13) % 1009) / 101 - 5 }
    let labels = (0..<N).map { Int32($0 % (K + 1)) }
    var dynamics = [MarginKind.logits, .softmax].map {
      SampleDynamics(count: N, outputs: K + 1, classes: K, kind: $0)
    }
    for step in 0..<steps {
      let rows = Array(logits[step * N * (K + 1)..<(step + 1) * N * (K + 1)])
      for index in 0..<2 {
        dynamics[index].beginEpoch()
        let isFinite = dynamics[index].add(logits: rows, ids: (0..<Int32(N)), labels: labels, counts: true)
        #expect(isFinite)
      }
    }
    try AtomicFile.write(NumPyArray(logits, shape: [steps, N, K + 1]).encoded(), to: scratch("logits.npy"))
    try AtomicFile.write(NumPyArray(labels).encoded(), to: scratch("labels.npy"))
    let script = """
      import sys, csv, numpy, torch
      from aum import AUMCalculator
      folder = sys.argv[1] + "/"
      logits, labels = numpy.load(folder + "logits.npy"), numpy.load(folder + "labels.npy").astype("int64")
      calculator = AUMCalculator(folder, compressed=True)
      for rows in logits:
          calculator.update(torch.tensor(rows), torch.tensor(labels), list(range(len(labels))))
      calculator.finalize()
      areas = numpy.zeros(len(labels))
      for row in csv.DictReader(open(folder + "aum_values.csv")):
          areas[int(row["sample_id"])] = float(row["aum"])
      z = logits.astype("float64")
      p = numpy.exp(z - z.max(-1, keepdims=True))
      p /= p.sum(-1, keepdims=True)
      rows = numpy.arange(len(labels))
      own = p[:, rows, labels]
      others = p.copy()
      others[:, rows, labels] = -1
      errors = p.copy()
      errors[:, rows, labels] -= 1
      right = p.argmax(-1) == labels
      numpy.save(folder + "expected.npy", numpy.stack([
          areas, (own - others.max(-1)).mean(0), -numpy.log(own).mean(0),
          numpy.sqrt((errors ** 2).sum(-1)).mean(0), p[:, :, 0].mean(0),
          (right[:-1] & ~right[1:]).sum(0)]))
      """
    let result = try PythonOracle.run(script, [scratch.path])
    try #require(result.code == 0, "\(result.output)")
    let expected = try #require(
      NumPyArray(decoding: FileBytes.read(scratch("expected.npy")), name: "expected.npy").doubles)
    for id in 0..<N {
      let ours = try [
        #require(dynamics[0].area(id)), #require(dynamics[1].area(id)), #require(dynamics[0].loss(id)),
        #require(dynamics[0].error(id)),
      ]
      for (row, value) in ours.enumerated() {
        #expect(abs(value - expected[row * N + id]) <= Self.tolerance * max(1, value.magnitude), "\(row), \(id)")
      }
      let first = try #require(dynamics[0].probabilities(id))[0]
      #expect(abs(first - expected[4 * N + id]) < 1e-6)
      #expect(Double(dynamics[0].forgettings[id]) == expected[5 * N + id])
    }
  }
}
