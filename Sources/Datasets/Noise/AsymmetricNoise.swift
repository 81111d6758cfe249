import Failures
import Statistics

/// Asymmetric noise: classes turn into one similar class each with chance R, by the published maps.
///
/// - MNIST: 7→1, 2→7, 3→8, 5↔6 (about R / 2 of all labels).
/// - CIFAR-10: truck→automobile, bird→airplane, deer→horse, cat↔dog (R / 2 of all labels). `map=one-way` leaves dogs
///   alone (0.4 R of all labels).
/// - CIFAR-100: each class to the next in its group of five, the last to the first (R of all labels). The groups of
///   the published code are five consecutive ids, which are alphabetical and not the superclasses that the papers speak
///   of; `map=superclass` takes the true superclasses. `map=swap` exchanges two random classes of each group of
///   consecutive ids and leaves three alone (0.4 R of all labels); `map=superclass-swap` those of true superclasses.
///
/// Maps apply to the labels as given, all at once; `SequentialNoise` is what some published code does instead.
///
/// - Source: Patrini et al., CVPR 2017, section 5, and the code that follows it (PLC, ELR); one-way as in NARL and
///   L_DMI; swap as in the code of SCE, ICCV 2019.
struct AsymmetricNoise: RateNoise {
  static let entry = NoiseEntry(
    name: "asymmetric",
    grammar: "asymmetric:R[,map=one-way|consecutive|superclass|swap|superclass-swap][,exact[=class]]",
    summary: "With probability R a similar class, by the published maps of MNIST, CIFAR-10 and CIFAR-100.",
    source: "Patrini et al., CVPR 2017; one-way: Shu et al. (NARL); swap: Wang et al. (SCE), ICCV 2019",
    brief: "on CIFAR-10 and MNIST only half of the classes change, about R / 2 of all labels.",
    trap: """
      MNIST: 7->1 2->7 3->8 5<->6. CIFAR-10: truck->automobile bird->airplane deer->horse cat<->dog (9->1 2->0 4->7 \
      3<->5). On CIFAR-10 only five classes change: R / 2 of all labels, 20 % at R = 0.4; map=one-way (NARL, L_DMI; \
      dogs stay dogs) 0.4 R, 16 %. PLC draws; exact=class is ELR and SCE; exact is DivideMix, NAL and SELC, which \
      choose R N of all ten classes, so again R / 2 change; CMW-Net is map=one-way,exact. On MNIST, too, only \
      classes with a partner change, so about R / 2 of all labels do. On CIFAR-100 the code of nearly all papers groups \
      consecutive ids, which are alphabetical: 'bear' and 'beaver', not similar animals. map=consecutive (the default) \
      reproduces their numbers, map=superclass does what they describe. For APL and its successors see \
      asymmetric-sequential.
      """)

  /// Which class turns into which.
  enum Map: String, Sendable, CaseIterable {
    case oneWay = "one-way"
    case consecutive, superclass, swap
    case superclassSwap = "superclass-swap"
  }

  let rate: Double
  let count: NoiseCount
  /// nil when not given: all pairs of CIFAR-10, and consecutive ids of CIFAR-100.
  let map: Map?

  init(arguments: NoiseArguments) throws {
    rate = try arguments.rate()
    let options = try arguments.options(["map", "exact"])
    count = try NoiseCount(arguments, options)
    map = try options["map"].map { name in
      guard let map = Map(rawValue: name) else {
        throw arguments.wrong("the maps are \(Map.allCases.map(\.rawValue).joined(separator: ", "))")
      }
      return map
    }
  }

  var text: String { "asymmetric:\(rate)" + (map.map { ",map=\($0.rawValue)" } ?? "") + count.text }

  func chosenRows(for dataset: Dataset, draws: NoiseDraws) throws -> TransitionMatrix {
    switch (dataset.kind, map) {
    case (.mnist, nil): TransitionMatrix(moving: [0, 1, 7, 8, 4, 6, 5, 1, 8, 9])
    case (.cifar10, nil): TransitionMatrix(moving: [0, 1, 0, 5, 7, 3, 6, 7, 8, 1])
    case (.cifar10, .oneWay): TransitionMatrix(moving: [0, 1, 0, 5, 7, 5, 6, 7, 8, 1])
    case (.cifar100, nil), (.cifar100, .consecutive): TransitionMatrix(moving: Self.turning(Self.consecutive))
    case (.cifar100, .superclass): TransitionMatrix(moving: Self.turning(Self.superclasses))
    case (.cifar100, .swap): TransitionMatrix(moving: Self.swapping(Self.consecutive, draws))
    case (.cifar100, .superclassSwap): TransitionMatrix(moving: Self.swapping(Self.superclasses, draws))
    case (.mnist, _), (.cifar10, _), (.cifar100, _):
      throw Failure(
        .usage, "the noise '\(text)' does not fit '\(dataset.name)'.",
        why: "one-way is a map for CIFAR-10, the others are for CIFAR-100, and MNIST has only one.",
        fix: "write asymmetric:\(rate)\(count.text).")
    case (.shapes, _), (.fashionMNIST, _), (.other, _):
      throw Failure(
        .usage, "the noise '\(text)' does not fit '\(dataset.name)'.",
        why: "published maps exist for MNIST, CIFAR-10 and CIFAR-100.", fix: "use pairflip:\(rate), or matrix:FILE.")
    }
  }

  /// Five consecutive ids of CIFAR-100 in each group.
  static let consecutive = (0..<20).map { group in (0..<5).map { 5 * group + $0 } }

  /// The five classes of each true superclass of CIFAR-100.
  static let superclasses = (0..<20).map { group in
    (0..<100).filter { KnownClasses.cifar100Superclasses[$0] == group }
  }

  /// Each class to the next of its group, the last to the first.
  private static func turning(_ groups: [[Int]]) -> [Int] {
    var targets = Array(0..<groups.joined().count)
    for group in groups {
      for (place, label) in group.enumerated() { targets[label] = group[(place + 1) % group.count] }
    }
    return targets
  }

  /// Two random classes of each group change places.
  private static func swapping(_ groups: [[Int]], _ draws: NoiseDraws) -> [Int] {
    var targets = Array(0..<groups.joined().count)
    for (index, group) in groups.enumerated() {
      let order = draws.permutation(of: group.count, .matrix, index)
      targets.swapAt(group[order[0]], group[order[1]])
    }
    return targets
  }
}

/// Asymmetric noise of CIFAR-10 as some published code makes it: class after class, on labels already changed.
///
/// Trucks, birds, cats, dogs and deer in turn: exactly floor(R n) of the n samples that carry the label by then change.
/// The cats that became dogs are among the dogs when those change, so a share R of them turns back:
/// cat→dog R (1 − R), and R / 2 − R² / 10 of all labels wrong instead of R / 2.
///
/// - Source: the code of APL (Ma et al., ICML 2020), ALFs (Zhou et al., ICML 2021), SR (Zhou et al., ICCV 2021),
///   SCELoss-Reproduce and JAL.
struct SequentialNoise: NoiseModel {
  static let entry = NoiseEntry(
    name: "asymmetric-sequential", grammar: "asymmetric-sequential:R",
    summary: "CIFAR-10's map class by class, applied to labels already changed, with exact counts.",
    source: """
      code of Ma et al. (APL), ICML 2020; Zhou et al. (ALFs), ICML 2021; Zhou et al. (SR), ICCV 2021; \
      SCELoss-Reproduce; JAL
      """,
    brief: "some cats that became dogs turn back: 18.4 % wrong at R = 0.4, not 20 %.",
    trap: """
      A share R of the cats that became dogs turns back: 4.9, 9.6, 14.1 and 18.4 % of all labels are wrong at R = 0.1 \
      to 0.4, where asymmetric has 5, 10, 15 and 20 %. On MNIST and CIFAR-100 APL, ALFs and SR use asymmetric:R.
      """)

  let rate: Double

  init(arguments: NoiseArguments) throws {
    rate = try arguments.rate()
    _ = try arguments.options([])
  }

  var text: String { "asymmetric-sequential:\(rate)" }

  func labels(for dataset: Dataset, draws: NoiseDraws) throws -> NoisyLabels {
    guard dataset.kind == .cifar10 else {
      throw Failure(
        .usage, "the noise '\(text)' does not fit '\(dataset.name)'.", why: "it follows the class order of CIFAR-10.",
        fix: "use asymmetric:\(rate), or pairflip:\(rate).")
    }
    var labels = dataset.train.labels, expected = TransitionMatrix(identity: 10)
    for (step, (source, target)) in [(9, 1), (2, 0), (3, 5), (5, 3), (4, 7)].enumerated() {
      let pool = labels.indices.filter { labels[$0] == Int32(source) }
      for id in draws.chosen(Int(rate * Double(pool.count)), of: pool, .step, step) { labels[id] = Int32(target) }
      var move = Array(0..<10)
      move[source] = target
      expected = expected.followed(by: TransitionMatrix(moving: move).mixed(rate: rate))
    }
    return NoisyLabels(labels: labels, expected: expected)
  }
}
