import Failures
import FileFormats
import Statistics

/// What features say of the labels of a set: an order of suspicion, how many labels are wrong, and whether that can be
/// told at all.
public struct FeatureJudgement: Sendable {
  /// What can be said.
  public let verdict: DetectionVerdict
  /// The chance that each label is wrong [N]: the higher, the more suspicious.
  public let chances: [Double]
  /// Samples that are listed [N].
  public let isListed: [Bool]
  /// Samples whose label somebody has looked at [N]: it is taken as right, and never listed.
  public let isTrusted: [Bool]
  /// The class that each image is taken for most, the given one apart [N].
  public let suggestions: [Int]
  /// Left-out outputs [N, K].
  public let outputs: Matrix
  /// What each image shows [N, K]: probabilities.
  public let shown: Matrix
  /// The share of wrong labels by the model, and the most that there can be, of those that nobody has looked at.
  public let share: Double, most: Double
  /// How much of the labels the outputs explain (R²), how sure the classes are (0…1), twice the gain in log-likelihood
  /// by wrong labels, and its bar.
  public let explained: Double, sureness: Double, gain: Double, bar: Double
  /// The share of images that are taken for the class of their label, left out; and that of the largest class.
  public let agreement: Double, guessing: Double
  /// The expected share of listed labels that are wrong; nil where none is listed.
  public let expectedRight: Double?
  /// The expected share of wrong labels that are listed, by made-up ones; nil where none is listed.
  public let expectedFound: Double?
  /// Whether the number of wrong labels is `most`, not `share`.
  public let countsMost: Bool

  /// Rules of the verdict.
  private static let leastExplained = 0.10, roughExplained = 0.3, sureBar = 0.85, clearBar = 0.75
  private static let mostOfNone = 0.03, samplesOfNone = 200, shareOfFew = 0.01

  /// Judges labels [N], each 0..<classes, by features.
  ///
  /// - Parameters:
  ///   - groups: samples that are left out together, by index.
  ///   - given: the labels that samples were given whose right label is known, by index; `labels` has the right one.
  ///   - countsMost: whether the list is as long as the most labels that may be wrong: for features that tell classes well.
  public init(
    _ features: FeatureTable, labels: [Int], classes: Int, groups: [[Int]] = [], given: [Int: Int] = [:],
    countsMost: Bool
  ) {
    let N = labels.count, K = classes
    var isTrusted = [Bool](repeating: false, count: N)
    for i in given.keys { isTrusted[i] = true }
    let wrong = given.count { $1 != labels[$0] }, questioned = labels.indices.filter { !isTrusted[$0] }
    let ridge = RidgeRegression(features, labels: labels, classes: classes, groups: groups)
    let calibration = Calibration(ridge.outputs, labels: labels)
    // Sure features show classes whose labels are wrong more often; weak ones would take difficult classes for such.
    let first = LabelErrorModel(ridge.outputs, labels: labels, calibration: calibration, spread: 1, given: given)
    let sureness = first.sureness
    let model =
      sureness < Self.sureBar
      ? LabelErrorModel(ridge.outputs, labels: labels, calibration: calibration, spread: 0.1, given: given) : first
    outputs = ridge.outputs
    (chances, shown, share, gain) = (model.chances, model.shown, model.share, model.gain)
    (explained, self.sureness, self.countsMost) = (ridge.explained, sureness, countsMost)
    // Of all labels as they were given; those that are known to be wrong are no longer in question.
    let original = labels.indices.map { given[$0] ?? labels[$0] }
    let mostOfAll = MadeUpLabels.mostWrong(ridge.outputs, labels: original, weights: calibration.probabilities)
    most = max(
      model.share,
      given.isEmpty
        ? mostOfAll : (mostOfAll * Double(N) - Double(wrong)) / Double(max(questioned.count, 1)))
    bar = sureness >= Self.clearBar ? 4 : 6 + 0.01 * Double(N) * (1 - ridge.explained)
    let listed: Int
    if explained < Self.leastExplained {
      (verdict, listed) = (.notLearnt, 0)
    } else if gain < bar, wrong == 0 {
      let isClean = explained >= Self.roughExplained && most <= Self.mostOfNone && N >= Self.samplesOfNone
      (verdict, listed) = (isClean ? .none : .cannotTell, 0)
    } else if share < Self.shareOfFew || explained < Self.roughExplained && sureness < Self.sureBar {
      verdict = share < Self.shareOfFew ? .few : .rough
      listed = chances.count { $0 > 0.5 }
    } else {
      (verdict, listed) = (
        .list, Int((Double(questioned.count) * (countsMost ? most : share)).rounded(.toNearestOrEven))
      )
    }
    let order = Self.order(chances).filter { !isTrusted[$0] }
    var isListed = [Bool](repeating: false, count: N)
    for i in order.prefix(listed) { isListed[i] = true }
    (self.isListed, self.isTrusted) = (isListed, isTrusted)
    var suggestions: [Int] = [], agreeing = 0, sizes = [Int](repeating: 0, count: K)
    for (i, g) in labels.enumerated() {
      var best = g == 0 ? 1 : 0
      for k in 0..<K where k != g && outputs[i, k] > outputs[i, best] { best = k }
      suggestions.append(best)
      if ConfidentLearning.top(outputs.row(i)) == g { agreeing += 1 }
      sizes[g] += 1
    }
    self.suggestions = suggestions
    agreement = Double(agreeing) / Double(N)
    guessing = Double(sizes.max() ?? 0) / Double(N)
    guard listed > 0, let last = order.prefix(listed).last else {
      (expectedRight, expectedFound) = (nil, nil)
      return
    }
    expectedRight = order.prefix(listed).reduce(0) { $0 + model.chances[$1] } / Double(listed)
    let made = MadeUpLabels.random(labels, classes: K)
    let found = questioned.count { model.chance($0, of: made[$0]) >= model.chances[last] }
    expectedFound = min(1, Double(found) / Double(questioned.count) / (1 - model.share / Double(K - 1)))
  }

  /// Indices from the most suspicious on; equal ones in their own order.
  public static func order(_ chances: [Double]) -> [Int] {
    chances.indices.sorted { (chances[$1], $0) < (chances[$0], $1) }
  }

  /// How many labels nobody has looked at.
  public var questioned: Int { isTrusted.count { !$0 } }

  /// How many labels are wrong, about: of a list by features that tell classes well, the most that there can be.
  public var estimate: Int {
    Int((Double(questioned) * (verdict == .list && countsMost ? most : share)).rounded())
  }
}

extension FeatureJudgement {
  /// The numbers that describe the whole set, in the order of their tensor.
  private var numbers: [Double] {
    [
      share, most, explained, sureness, gain, bar, agreement, guessing, expectedRight ?? -1, expectedFound ?? -1,
      countsMost ? 1 : 0,
    ]
  }

  /// Puts the judgement into a file of tensors.
  func store(in file: inout SafetensorsFile) {
    let N = chances.count, K = outputs.columns
    file.metadata["verdict"] = verdict.rawValue
    file["chances"] = .init(chances, shape: [N])
    file["outputs"] = .init(outputs.values, shape: [N, K])
    file["shown"] = .init(shown.values, shape: [N, K])
    file["listed"] = .init(isListed.map { $0 ? UInt8(1) : 0 }, shape: [N])
    if isTrusted.contains(true) { file["trusted"] = .init(isTrusted.map { $0 ? UInt8(1) : 0 }, shape: [N]) }
    file["suggestions"] = .init(suggestions.map { Int32($0) }, shape: [N])
    file["numbers"] = .init(numbers, shape: [numbers.count])
  }

  /// Reads what `store` wrote; nil where nothing was judged.
  ///
  /// - Throws: `.badInput` for tensors that are missing or of other shapes, and for values that no judgement has.
  init?(fromFile file: SafetensorsFile, samples N: Int, classes K: Int) throws {
    guard let text = file.metadata["verdict"] else { return nil }
    func damaged() -> Failure {
      Failure(
        .badInput, "'\(file.path)' is damaged.", why: "it holds values that no judgement has.",
        fix: "restore the file from a copy, or repeat the detection.")
    }
    guard let verdict = DetectionVerdict(rawValue: text) else { throw damaged() }
    self.verdict = verdict
    chances = try file.doubles("chances", shape: [N])
    outputs = Matrix(try file.doubles("outputs", shape: [N, K]), rows: N, columns: K)
    shown = Matrix(try file.doubles("shown", shape: [N, K]), rows: N, columns: K)
    isListed = try file.bytes("listed", shape: [N]).map { $0 != 0 }
    isTrusted =
      file["trusted"] == nil
      ? .init(repeating: false, count: N) : try file.bytes("trusted", shape: [N]).map { $0 != 0 }
    suggestions = try file.integers("suggestions", shape: [N]).map { Int($0) }
    let numbers = try file.doubles("numbers", shape: [11])
    (share, most, explained, sureness, gain, bar) = (
      numbers[0], numbers[1], numbers[2], numbers[3], numbers[4], numbers[5]
    )
    (agreement, guessing, countsMost) = (numbers[6], numbers[7], numbers[10] != 0)
    expectedRight = numbers[8] < 0 ? nil : numbers[8]
    expectedFound = numbers[9] < 0 ? nil : numbers[9]
    guard chances.allSatisfy({ $0 <= 1 && $0.isFinite }), shown.values.allSatisfy({ (0...1.001).contains($0) }),
      outputs.values.allSatisfy(\.isFinite), suggestions.allSatisfy((0..<K).contains),
      numbers.allSatisfy(\.isFinite),
      [share, most, expectedRight ?? 0, expectedFound ?? 0, agreement, guessing].allSatisfy((0...1.001).contains)
    else { throw damaged() }
  }
}
