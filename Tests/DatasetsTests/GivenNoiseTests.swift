import Datasets
import FileFormats
import Statistics
import TestSupport
import Testing

@Suite("Noise by given probabilities")
struct GivenNoiseTests {
  private let scratch = ScratchFolder()

  private func corrupted(_ text: String, _ data: Dataset, seed: UInt64 = 1) throws -> (
    dataset: Dataset, report: NoiseReport
  ) {
    try data.corrupted(by: NoiseCatalogue.parse(text), seed: seed)
  }

  private func write(_ rows: [[Double]], _ name: String = "p.npy") throws -> String {
    try FileBytes.write(
      NumPyArray(rows.flatMap { $0 }, shape: [rows.count, rows.first?.count ?? 0]).encoded(), to: scratch(name))
    return scratch(name)
  }

  /// One sample of each of three classes, so that a row of the expected matrix is that sample's chances.
  private let three = labelled([0, 1, 2], classNames: ["a", "b", "c"])

  @Test("polynomial margins by hand, for the three types")
  func margins() throws {
    // Margins ½, 0 (the lower class first) and 1.
    let path = try write([[0.7, 0.2, 0.1], [0.4, 0.4, 0.2], [0, 0, 1]])
    for (type, factor, chances) in [
      // max(½ + ½ Δ², ½) / F.
      (1, 1.25, [0.5, 0.4, 0.8]),
      // Δ³ / F.
      (2, 1.0, [0.125, 0, 1]),
      // (Δ³ + Δ² + Δ) / 3 / F.
      (3, 0.5, [2 * 0.875 / 3, 0, 1]),
    ] as [(Int, Double, [Double])] {
      let (_, report) = try corrupted("pmd:\(path),type=\(type),factor=\(factor)", three)
      let first = [0, 0, 2], second = [1, 1, 0]
      for row in 0..<3 {
        #expect(abs(report.requested[row, first[row]] - chances[row]) < 1e-12, "type \(type), row \(row)")
        #expect(abs(report.requested[row, second[row]] - (1 - chances[row])) < 1e-12, "type \(type), row \(row)")
      }
    }
  }

  @Test("published factors are the defaults, by data set and rate")
  func factors() throws {
    let cifar10 = labelled((0..<10).map { $0 }, kind: .cifar10, classNames: KnownClasses.cifar10)
    // Margins of 1, for which every type keeps 1 / factor.
    let path = try write((0..<10).map { k in (0..<10).map { $0 == k ? 1 : 0 } })
    for (options, factor) in [
      ("", 1.43), (",type=2", 1.32), (",type=3,rate=0.35", 1.35), (",rate=0.7", 3.4), (",type=2,rate=0.70", 3.1),
      (",type=3,rate=0.7", 3.2),
    ] {
      let report = try corrupted("pmd:\(path)\(options)", cifar10).report
      #expect(abs(report.requested[4, 4] - 1 / factor) < 1e-12 && abs(report.expectedRate - (1 - 1 / factor)) < 1e-12)
    }
    #expect(failureKind { try corrupted("pmd:\(write([[1, 0, 0], [0, 1, 0], [0, 0, 1]]))", three) } == .usage)
  }

  @Test("labels are drawn by those chances, whatever the given label")
  func draws() throws {
    let data = labelled((0..<20_000).map { Int32($0 % 2) }, classNames: ["a", "b", "c"])
    let path = try write([[Double]](repeating: [0.1, 0.7, 0.2], count: 20_000))
    let (noisy, report) = try corrupted("pmd:\(path),factor=1.25", data)
    // Margin ½: class 1 with chance ½, else class 2.
    for row in 0..<2 {
      for (k, chance) in [0, 0.5, 0.5].enumerated() {
        #expect(abs(report.realised[row, k] - chance) <= 6 * (chance * (1 - chance) / 10_000).squareRoot())
      }
    }
    #expect(try corrupted("pmd:\(path),factor=1.25", data).dataset.train == noisy.train)
    let (mixed, chain) = try corrupted("pmd:\(path),factor=1.25+symmetric:0.3", data)
    #expect(mixed.train.trueLabels == data.train.labels && abs(chain.requested[0, 0] - 0.15) < 1e-12)
  }

  @Test("the most probable other classes, exactly floor(R N) of them, and no draws")
  func seal() throws {
    let data = labelled([0, 0, 1, 2, 2], classNames: ["a", "b", "c"])
    // Candidates 1 (0.3), 2 (0.6, more than the label's), 0 (0.4), 1 (0.25), 0 (0.4).
    let path = try write([[0.6, 0.3, 0.1], [0.3, 0.1, 0.6], [0.4, 0.5, 0.1], [0.15, 0.25, 0.6], [0.4, 0.1, 0.5]])
    for (rate, labels) in [
      (0.1, [0, 0, 1, 2, 2]), (0.2, [0, 2, 1, 2, 2]), (0.4, [0, 2, 0, 2, 2]), (0.6, [0, 2, 0, 2, 0]),
      (0.8, [1, 2, 0, 2, 0]), (1, [1, 2, 0, 1, 0]),
    ] as [(Double, [Int32])] {
      let (noisy, report) = try corrupted("seal:\(rate),\(path)", data)
      #expect(noisy.train.labels == labels && report.seed == nil && report.changedCount == Int(rate * 5))
      #expect(try corrupted("seal:\(rate),\(path)", data, seed: 2).dataset.train.labels == labels)
    }
  }

  @Test("files cover the whole training set; held-out samples and unreadable images need no probabilities")
  func limits() throws {
    let path = try write([[1, 0, 0], [.nan, .nan, .nan], [0.3, 0.3, 0.4]])
    var data = labelled([0, 1, 2], classNames: ["a", "b", "c"])
    data.train.labels[1] = LabelledSet.noLabel
    #expect(try corrupted("seal:1,\(path)", data).dataset.train.labels == [1, -1, 0])
    #expect(try corrupted("seal:1,\(path)", data.limited(train: 1)).dataset.train.labels == [1])
    #expect(try corrupted("pmd:\(path),factor=1", data.limited(train: 1)).report.sampleCount == 1)
  }

  @Test("in the folder of a run, columns are its classes and rows its samples")
  func besideRun() throws {
    let path = try write([[0.1, 0.7, 0.2], [0.3, 0.1, 0.6], [0.5, 0.4, 0.1]])
    var data = three
    func beside(_ classes: [String], samples: String? = nil) -> Dataset {
      let samples = samples ?? three.sampleFingerprint()
      data.origin = { _ in ListOrigin(run: "r", trainCount: 3, samples: samples, classNames: classes) }
      return data
    }
    let (plain, report) = try corrupted("seal:1,\(path)", three)
    #expect(report.notes == ["--noise \(path): 3 samples by number alone, since it names no files for them"])
    #expect(try corrupted("seal:1,\(path)", beside(["a", "b", "c"])).dataset.train.labels == plain.train.labels)
    // Columns b, c, a: rows (a, b, c) are 0.2, 0.1, 0.7 and 0.6, 0.3, 0.1 and 0.1, 0.5, 0.4.
    #expect(try corrupted("seal:1,\(path)", beside(["b", "c", "a"])).dataset.train.labels == [2, 0, 1])
    #expect(failureKind { try corrupted("seal:1,\(path)", beside(["b", "c", "d"])) } == .badInput)
    #expect(failureKind { try corrupted("seal:1,\(path)", beside(["a", "b"])) } == .badInput)
    let other = beside(["a", "b", "c"], samples: "0123456789abcdef")
    #expect(failureKind { try corrupted("pmd:\(path),factor=1", other) } == .badInput)
  }

  @Test("what is no table of probabilities of this data set is refused")
  func refusals() throws {
    for rows in [
      [[1, 0, 0]], [[1, 0], [1, 0], [1, 0]], [[1, 0, 0], [0.5, 0, 0], [1, 0, 0]],
      [[3, -1, -1], [1, 0, 0], [1, 0, 0]],
      [[1, 0, 0], [.nan, 0, 0], [1, 0, 0]],
    ] {
      let path = try write(rows)
      #expect(failureKind { try corrupted("seal:0.5,\(path)", three) } == .badInput, "\(rows)")
      #expect(failureKind { try corrupted("pmd:\(path),factor=1", three) } == .badInput, "\(rows)")
    }
    try FileBytes.write(Array("1 0 0".utf8), to: scratch("text"))
    #expect(failureKind { try corrupted("seal:0.5,\(scratch("text"))", three) } == .badInput)
    #expect(failureKind { try corrupted("seal:0.5,\(scratch("none"))", three) } == .missingInput)
  }
}
