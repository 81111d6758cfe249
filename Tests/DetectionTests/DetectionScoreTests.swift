import Detection
import FileFormats
import Statistics
import TestSupport
import Testing

@Suite("Scores of a detector")
struct DetectionScoreTests {
  @Test("of a small example, by hand")
  func byHand() {
    let score = DetectionScore(
      isWrong: [true, false, true, false], isFlagged: [true, true, false, false], suspicion: [4, 3, 2, 1])
    #expect(score.precision == 0.5 && score.recall == 0.5 && score.f1 == 0.5)
    #expect(score.areaUnderROC == 0.75)
    // Precision 1 at the first wrong label, 2/3 at the second.
    let expected = (1 + 2.0 / 3) / 2
    #expect(score.averagePrecision == expected)
  }

  @Test("are nil where they mean nothing")
  func undefined() {
    let clean = DetectionScore(isWrong: [false, false], isFlagged: [false, false], suspicion: [1, 2])
    #expect(clean.precision == nil && clean.recall == nil && clean.f1 == nil)
    #expect(clean.areaUnderROC == nil && clean.averagePrecision == nil)
  }

  @Test("are scikit-learn's and SciPy's", .enabled(if: PythonOracle.has("sklearn, scipy"), "\(PythonOracle.absence)"))
  func packages() throws {
    let random = CounterRandom(seed: 3), N = 400, scratch = ScratchFolder()
    let isWrong = (0..<UInt32(N)).map { random.uniform(.noise, $0, 0) < 0.3 }
    // Few levels, so that many are equal.
    let suspicion = isWrong.enumerated().map { index, isWrong in
      Double(random.integer(below: 25, .noise, UInt32(index), 1)) + (isWrong ? 6 : 0)
    }
    let flags = suspicion.map { $0 > 18 }
    for (name, values) in [
      ("wrong", isWrong.map { $0 ? 1.0 : 0 }), ("flags", flags.map { $0 ? 1.0 : 0 }), ("suspicion", suspicion),
    ] {
      try AtomicFile.write(NumPyArray(values).encoded(), to: scratch("\(name).npy"))
    }
    let script = """
      import sys, numpy
      from sklearn import metrics
      from scipy.stats import spearmanr
      folder = sys.argv[1] + "/"
      wrong, flags, suspicion = (numpy.load(folder + name + ".npy") for name in ("wrong", "flags", "suspicion"))
      numpy.save(folder + "expected.npy", numpy.array([
          metrics.precision_score(wrong, flags), metrics.recall_score(wrong, flags), metrics.f1_score(wrong, flags),
          metrics.roc_auc_score(wrong, suspicion), metrics.average_precision_score(wrong, suspicion),
          spearmanr(wrong, suspicion).statistic]))
      """
    let result = try PythonOracle.run(script, [scratch.path])
    try #require(result.code == 0, "\(result.output)")
    let expected = try #require(
      NumPyArray(decoding: FileBytes.read(scratch("expected.npy")), name: "expected.npy").doubles)
    let score = DetectionScore(isWrong: isWrong, isFlagged: flags, suspicion: suspicion)
    let ours = [
      score.precision, score.recall, score.f1, score.areaUnderROC, score.averagePrecision,
      Ranking.correlation(isWrong.map { $0 ? 1 : 0 }, suspicion),
    ]
    for (value, theirs) in zip(ours, expected) { #expect(abs(try #require(value) - theirs) < 1e-12) }
  }
}
