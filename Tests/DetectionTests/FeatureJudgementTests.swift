import Datasets
import Detection
import FileFormats
import Statistics
import TestSupport
import Testing

/// What the design's reference in Python (NumPy and SciPy, its minima made exact by Newton's steps) made of three sets of
/// real features: 180 photographs with 96 features of a pretrained network, 110 with 150, which is the other form of the
/// regression, and 240 with 80 features of patches.
struct FrozenFeatures: Sendable, CustomTestStringConvertible {
  let name: String, classes: Int

  static let all = [("photos", 2), ("wide", 4), ("patches", 2)].map { FrozenFeatures(name: $0, classes: $1) }

  var testDescription: String { name }

  var file: SafetensorsFile {
    get throws {
      let folder = String((#filePath as String).dropLast("FeatureJudgementTests.swift".count)) + "Frozen/"
      return try .read(folder + "features-\(name).safetensors")
    }
  }

  var labels: [Int] { get throws { try file["labels"]?.integers?.map { Int($0) } ?? [] } }

  var table: FeatureTable {
    get throws {
      let tensor = try #require(try file["features"]), values = try #require(tensor.floats)
      let table = FeatureTable(values, width: tensor.shape[1], takesRoots: name == "patches")
      return try #require(table)
    }
  }
}

@Suite("Labels judged by features")
struct FeatureJudgementTests {
  @Test("left-out outputs, chances and verdicts are those of the reference", arguments: FrozenFeatures.all)
  func reference(_ frozen: FrozenFeatures) throws {
    let file = try frozen.file, labels = try frozen.labels
    let found = FeatureJudgement(
      try frozen.table, labels: labels, classes: frozen.classes, countsMost: frozen.name != "patches")
    let outputs = try #require(file["outputs"]?.doubles), chances = try #require(file["chances"]?.doubles)
    #expect(outputs.count == labels.count * frozen.classes)
    #expect(zip(found.outputs.values, outputs).allSatisfy { abs($0 - $1) < 1e-6 })
    #expect(zip(found.chances, chances).allSatisfy { abs($0 - $1) < 1e-6 })
    #expect(found.verdict.rawValue == file.metadata["verdict"])
    // e, most, R², sureness, gain, λ, how many are listed, agreement.
    let numbers = try #require(file["numbers"]?.doubles)
    let own = [found.share, found.most, found.explained, found.sureness, found.gain]
    #expect(zip(own, numbers).allSatisfy { abs($0 - $1) < 1e-5 * max(1, abs($1)) }, "\(own) \(numbers)")
    #expect(found.isListed.count { $0 } == Int(numbers[6]))
    #expect(abs(found.agreement - numbers[7]) < 1e-12)
  }

  @Test("a left-out output is that of the regression on all others", arguments: FrozenFeatures.all)
  func leftOut(_ frozen: FrozenFeatures) throws {
    let Z = try frozen.table.scaled, labels = try frozen.labels, K = frozen.classes
    let ridge = RidgeRegression(try frozen.table, labels: labels, classes: K)
    for i in [0, 57, labels.count - 1] {
      let direct = try Self.output(of: [i], in: Z, labels, K, ridge.decay)
      for k in 0..<K { #expect(abs(direct[0, k] - ridge.outputs[i, k]) < 1e-9) }
    }
  }

  @Test("samples of a group are left out together", arguments: FrozenFeatures.all)
  func groups(_ frozen: FrozenFeatures) throws {
    let Z = try frozen.table.scaled, labels = try frozen.labels, K = frozen.classes
    let groups = [[3, 40, 41], [9], [70, 12]]
    let ridge = RidgeRegression(try frozen.table, labels: labels, classes: K, groups: groups)
    for group in groups {
      let direct = try Self.output(of: group, in: Z, labels, K, ridge.decay)
      for (row, i) in group.enumerated() {
        for k in 0..<K { #expect(abs(direct[row, k] - ridge.outputs[i, k]) < 1e-4) }
      }
    }
  }

  /// The outputs at some samples of the regression on all others, by solving it anew.
  ///
  /// The intercept is not penalised, but the columns of Z stay centred by all samples, as in the closed form: with the
  /// intercept as one more column, whose penalty is 0, that makes no difference.
  private static func output(
    of out: [Int], in Z: Matrix, _ labels: [Int], _ K: Int, _ decay: Double
  ) throws -> Matrix {
    let kept = (0..<Z.rows).filter { !out.contains($0) }, D = Z.columns + 1
    func row(_ i: Int) -> [Double] { Array(Z.row(i)) + [1] }
    let rows = Matrix(kept.flatMap(row), rows: kept.count, columns: D).transposed
    var A = rows.timesOwnTranspose
    for d in 0..<D - 1 { A[d, d] += decay }
    let inverse = try #require(CholeskyFactor(A)).inverseColumns
    let Y = Matrix(
      (0..<K).flatMap { k in kept.map { labels[$0] == k ? 1.0 : 0 } }, rows: K, columns: kept.count)
    let weights = inverse.timesTransposed(inverse).timesTransposed(Y.timesTransposed(rows)).transposed
    return Matrix(out.flatMap(row), rows: out.count, columns: D).timesTransposed(weights)
  }

  @Test("roots, deviations and columns that do not vary")
  func scaling() throws {
    let table = try #require(FeatureTable([1, 5, -4, 9, 5, 4, 1, 5, 0, 9, 5, 0], width: 3, takesRoots: true))
    // 1, 3, 1, 3 and -2, 2, 0, 0; the column of fives is left out.
    #expect(table.scaled.columns == 2)
    let root = 2.0.squareRoot(), deviation = 2.0.squareRoot()
    let wanted = [-1, -2 / deviation, 1, 2 / deviation, -1, 0, 1, 0].map { $0 / root }
    #expect(zip(table.scaled.values, wanted).allSatisfy { abs($0 - $1) < 1e-12 })
    #expect(FeatureTable([2, 2, 2], width: 1, takesRoots: false) == nil)
  }

  @Test("κ is the share of given labels in the low tail, over that of made-up ones")
  func mostWrong() {
    // Two classes, ten samples of margin 1 and one whose margin is −1, all certain: made-up margins are −1 and 1.
    let outputs = Matrix((0..<11).flatMap { $0 == 10 ? [0.0, 1] : [1, 0] }, rows: 11, columns: 2)
    let labels = [Int](repeating: 0, count: 11)
    let even = Matrix([Double](repeating: 0.5, count: 22), rows: 11, columns: 2)
    // At t = −1: G = 1/11, H = 10/11; κ = 0.1, and 0.1 / 1.1 after the correction.
    #expect(abs(MadeUpLabels.mostWrong(outputs, labels: labels, weights: even) - 0.1 / 1.1) < 1e-12)
  }

  @Test("a file of findings gives back what was found, and another set's is refused")
  func file() throws {
    let frozen = FrozenFeatures.all[0], tensor = try #require(try frozen.file["features"])
    let labels = try frozen.labels.map { Int32($0) }, own = try #require(tensor.floats)
    func set(_ labels: [Int32]) -> [Int32] { labels + [2, 2, -1] }
    let features = own + [Float](repeating: 0.5, count: 3 * tensor.shape[1])
    let data = DetectionSamples.set(labels: set(labels))
    let found = FeatureFindings(
      features, width: tensor.shape[1], of: Array(0..<183), in: data, classCount: 3, source: .lite0, seconds: 1.5)
    #expect(found.tooSmall == [2] && found.classes == [0, 1] && found.ids == Array(0..<180))
    let file = try SafetensorsFile(parsing: found.file.encoded(), path: "features.safetensors")
    let read = try FeatureFindings(file, of: data, classCount: 3)
    #expect(read.ids == found.ids && read.seconds == 1.5 && read.source == .lite0 && read.tooSmall == [2])
    let before = try #require(found.judgement), after = try #require(read.judgement)
    #expect(after.chances == before.chances && after.outputs == before.outputs && after.shown == before.shown)
    #expect(after.isListed == before.isListed && after.suggestions == before.suggestions)
    #expect(after.verdict == before.verdict && after.expectedRight == before.expectedRight)
    #expect(throws: (any Error).self) {
      try FeatureFindings(file, of: DetectionSamples.set(labels: set(labels.dropLast() + [2])), classCount: 3)
    }
  }
}

/// Sets of samples without images that matter.
enum DetectionSamples {
  static func set(labels: [Int32]) -> LabelledSet {
    LabelledSet(
      images: ImageSet(
        count: labels.count, height: 1, width: 1, channels: 1, pixels: [UInt8](repeating: 0, count: labels.count)),
      labels: labels, paths: [])
  }
}
