import Failures
import Statistics

/// Asymmetric noise: classes turn into one similar class each with chance R, by the published maps.
///
/// - MNIST: 7→1, 2→7, 3→8, 5↔6 (about R / 2 of all labels).
/// - CIFAR-10: truck→automobile, bird→airplane, deer→horse, cat↔dog (R / 2 of all labels).
/// - CIFAR-100: each class to the next in its group of five, the last to the first (R of all labels). The groups of
///   the published code are five consecutive ids, which are alphabetical and not the superclasses that the papers speak
///   of; `map=superclass` takes the true superclasses.
///
/// Maps apply to the labels as given, all at once: some published code moves labels one after another, so that a part
/// of the cats that became dogs turns back.
///
/// - Source: Patrini et al., CVPR 2017, section 5, and the code that follows it (PLC, ELR, APL).
struct AsymmetricNoise: NoiseModel {
  static let entry = NoiseEntry(
    name: "asymmetric", grammar: "asymmetric:R[,map=consecutive|superclass]",
    summary: "With chance R a similar class, by the published maps of MNIST, CIFAR-10 and CIFAR-100.",
    source: "Patrini et al., CVPR 2017")

  /// Which groups of five the classes of CIFAR-100 form.
  enum Grouping: String, Sendable {
    case consecutive, superclass
  }

  let rate: Double
  /// nil when not given; means consecutive ids.
  let grouping: Grouping?

  init(arguments: NoiseArguments) throws {
    let words = arguments.words
    guard let first = words.first, words.count <= 2 else {
      throw arguments.wrong("a rate and at most one map are needed")
    }
    rate = try arguments.rate(first)
    guard words.count == 2 else {
      grouping = nil
      return
    }
    guard words[1].hasPrefix("map="), let grouping = Grouping(rawValue: String(words[1].dropFirst(4))) else {
      throw arguments.wrong("'\(words[1])' is not map=consecutive or map=superclass")
    }
    self.grouping = grouping
  }

  var text: String { "asymmetric:\(rate)" + (grouping.map { ",map=\($0.rawValue)" } ?? "") }

  func transition(for dataset: Dataset) throws -> TransitionMatrix {
    if grouping != nil, dataset.kind != .cifar100 {
      throw Failure(
        .usage, "the noise '\(text)' does not fit '\(dataset.name)'.", why: "only CIFAR-100 has more than one map.",
        fix: "write asymmetric:\(rate).")
    }
    switch dataset.kind {
    case .mnist: return TransitionMatrix(moving: [0, 1, 7, 8, 4, 6, 5, 1, 8, 9], rate: rate)
    case .cifar10: return TransitionMatrix(moving: [0, 1, 0, 5, 7, 3, 6, 7, 8, 1], rate: rate)
    case .cifar100: return TransitionMatrix(moving: Self.cifar100Map(grouping ?? .consecutive), rate: rate)
    case .shapes, .fashionMNIST, .other:
      throw Failure(
        .usage, "the noise '\(text)' does not fit '\(dataset.name)'.",
        why: "published maps exist for MNIST, CIFAR-10 and CIFAR-100.", fix: "use pairflip:\(rate), or matrix:FILE.")
    }
  }

  /// The class that each fine class of CIFAR-100 turns into.
  static func cifar100Map(_ grouping: Grouping) -> [Int] {
    let groups: [[Int]] =
      switch grouping {
      case .consecutive: (0..<20).map { group in (0..<5).map { 5 * group + $0 } }
      case .superclass: (0..<20).map { group in (0..<100).filter { KnownClasses.cifar100Superclasses[$0] == group } }
      }
    var targets = [Int](repeating: 0, count: 100)
    for group in groups {
      for (position, label) in group.enumerated() { targets[label] = group[(position + 1) % group.count] }
    }
    return targets
  }
}
