import Detection
import FileFormats
import Statistics
import TestSupport
import Testing

@Suite("Confident learning")
struct ConfidentLearningTests {
  /// A case of noisy labels with probabilities as a mediocre network gives them.
  struct Case: Sendable, CustomTestStringConvertible {
    let name: String
    let N: Int, K: Int
    let noise: Double
    /// How much the network knows.
    let sharpness: Double
    /// A class that no sample carries.
    var missing: Int?

    var testDescription: String { name }

    func make() -> (labels: [Int], probabilities: [Double]) {
      let random = CounterRandom(seed: 77)
      var labels: [Int] = [], probabilities: [Double] = []
      for index in 0..<N {
        let i = UInt32(index), truth = random.integer(below: K, .noise, i, 0)
        var given = truth
        if random.uniform(.noise, i, 1) < noise { given = random.integer(below: K, .noise, i, 2) }
        if given == missing { given = (given + 1) % K }
        labels.append(given)
        let z = (0..<K).map { k in
          random.normal(.shuffle, i, UInt32(k)) + (k == truth ? sharpness : 0) + Double(k % 3) / 4
        }
        // A rational stand-in for exp, so that the rows are the same on every platform.
        let weights = z.map { value in value > 0 ? 1 + value + value * value : 1 / (1 - value + value * value) }
        let sum = weights.reduce(0, +)
        probabilities += weights.map { $0 / sum }
      }
      return (labels, probabilities)
    }
  }

  static let cases = [
    Case(name: "ten classes", N: 1500, K: 10, noise: 0.3, sharpness: 3),
    Case(name: "two classes", N: 301, K: 2, noise: 0.4, sharpness: 1),
    Case(name: "a hundred classes, few samples of each", N: 700, K: 100, noise: 0.2, sharpness: 6),
    Case(name: "a network that knows nothing", N: 400, K: 7, noise: 0.9, sharpness: 0),
    Case(name: "a class that nothing carries", N: 500, K: 6, noise: 0.2, sharpness: 4, missing: 2),
    Case(name: "right labels", N: 300, K: 4, noise: 0, sharpness: 9),
  ]

  @Test(
    "agrees with the cleanlab package, index for index",
    .enabled(if: PythonOracle.has("cleanlab"), "\(PythonOracle.absence)"), arguments: cases)
  func cleanlab(_ example: Case) throws {
    let (labels, probabilities) = example.make(), scratch = ScratchFolder(), K = example.K
    try AtomicFile.write(NumPyArray(labels.map { Int64($0) }).encoded(), to: scratch("labels.npy"))
    try AtomicFile.write(NumPyArray(probabilities, shape: [example.N, K]).encoded(), to: scratch("probs.npy"))
    let script = """
      import sys, warnings, numpy
      warnings.simplefilter("ignore")
      from cleanlab.count import compute_confident_joint, get_confident_thresholds
      from cleanlab.filter import find_label_issues
      from cleanlab.rank import get_label_quality_scores
      # The default sort orders equal numbers differently from processor to processor.
      argsort = numpy.argsort
      numpy.argsort = lambda *values, **options: argsort(*values, **({"kind": "stable"} | options))
      folder = sys.argv[1] + "/"
      labels, probs = numpy.load(folder + "labels.npy"), numpy.load(folder + "probs.npy")
      numpy.save(folder + "thresholds.npy", get_confident_thresholds(labels, probs))
      numpy.save(folder + "counts.npy", numpy.ascontiguousarray(compute_confident_joint(labels, probs, calibrate=False)))
      numpy.save(folder + "joint.npy", numpy.ascontiguousarray(compute_confident_joint(labels, probs)))
      for name in sys.argv[2].split(","):
          mask = find_label_issues(labels, probs, filter_by=name, n_jobs=1)
          numpy.save(folder + name + ".npy", mask)
      for name in sys.argv[3].split(","):
          numpy.save(folder + name + ".npy", get_label_quality_scores(labels, probs, method=name))
      """
    let result = try PythonOracle.run(
      script,
      [
        scratch.path, ConfidentLearning.Filter.allCases.map(\.rawValue).joined(separator: ","),
        ConfidentLearning.Quality.allCases.map(\.rawValue).joined(separator: ","),
      ])
    try #require(result.code == 0, "\(result.output)")
    func array(_ name: String) throws -> NumPyArray {
      try NumPyArray(decoding: FileBytes.read(scratch("\(name).npy")), name: name)
    }
    let ours = ConfidentLearning(labels: labels, probabilities: probabilities, classes: K)
    let thresholds = try #require(array("thresholds").doubles)
    #expect(zip(ours.thresholds, thresholds).allSatisfy { abs($0 - $1) < 1e-14 })
    #expect(try ours.confidentCounts == array("counts").integers)
    #expect(try ours.joint == array("joint").integers)
    for filter in ConfidentLearning.Filter.allCases {
      let theirs = try #require(array(filter.rawValue).integers).map { $0 == 1 }
      let flags = ours.issues(filter)
      let different = flags.indices.filter { flags[$0] != theirs[$0] }
      #expect(different.isEmpty, "\(filter.rawValue): \(flags.count { $0 }) flagged, cleanlab \(theirs.count { $0 })")
    }
    for quality in ConfidentLearning.Quality.allCases {
      let theirs = try #require(array(quality.rawValue).doubles), scores = ours.quality(quality)
      #expect(zip(scores, theirs).allSatisfy { abs($0 - $1) < 1e-14 }, "\(quality.rawValue)")
      // The order is what people act on.
      func order(_ values: [Double]) -> [Int] { values.indices.sorted { (values[$0], $0) < (values[$1], $1) } }
      if quality != .confidenceWeightedEntropy { #expect(order(scores) == order(theirs), "\(quality.rawValue)") }
    }
  }

  @Test("finds what was made wrong")
  func finds() {
    let example = Self.cases[0], (labels, probabilities) = example.make()
    let found = ConfidentLearning(labels: labels, probabilities: probabilities, classes: example.K)
    let flags = found.issues(.pruneByNoiseRate)
    // 27 % of 1,500 labels are wrong; right ones have at least a tenth of the probability mass above others.
    #expect((200..<600).contains(flags.count { $0 }))
    #expect(found.joint.reduce(0, +) == example.N)
  }
}
