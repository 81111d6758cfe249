import Failures
import Statistics

/// Hierarchical noise of CIFAR-100: with chance R one of the four other classes of the true superclass.
///
/// - Source: Shu et al. (Meta-Weight-Net), NeurIPS 2019, and its code.
struct HierarchicalNoise: RateNoise {
  static let entry = NoiseEntry(
    name: "hierarchical", grammar: "hierarchical:R[,exact[=class]]",
    summary: "CIFAR-100: with probability R one of the four other classes of the true superclass.",
    source: "Shu et al. (Meta-Weight-Net), NeurIPS 2019, code",
    brief: "the true superclasses, unlike asymmetric's groups of consecutive ids.",
    trap: "The true superclasses, unlike the groups of consecutive ids of asymmetric.")

  let rate: Double
  let count: NoiseCount

  init(arguments: NoiseArguments) throws {
    rate = try arguments.rate()
    count = try NoiseCount(arguments, arguments.options(["exact"]))
  }

  var text: String { "hierarchical:\(rate)" + count.text }

  func chosenRows(for dataset: Dataset, draws: NoiseDraws) throws -> TransitionMatrix {
    guard dataset.kind == .cifar100 else {
      throw Failure(
        .usage, "the noise '\(text)' does not fit '\(dataset.name)'.", why: "only CIFAR-100 has superclasses.",
        fix: "use symmetric:\(rate), or matrix:FILE.")
    }
    return TransitionMatrix(
      equally: (0..<100).map { label in
        AsymmetricNoise.superclasses[KnownClasses.cifar100Superclasses[label]].filter { $0 != label }
      })
  }
}

/// Meta-Weight-Net's `flip`: each class turns into one random other class with chance R.
///
/// The random classes are those of the published code, by NumPy's generator with seed 1 unless `seed` says otherwise.
///
/// - Source: Shu et al., NeurIPS 2019, `flip_labels_C`.
struct FlipNoise: RateNoise {
  static let entry = NoiseEntry(
    name: "flip", grammar: "flip:R[,seed=1][,exact[=class]]",
    summary: "With probability R one random other class, the same for all samples of a class.",
    source: "Shu et al. (Meta-Weight-Net), NeurIPS 2019, code, which takes it from Hendrycks et al.",
    brief: "--noise-seed chooses the samples, seed= the map.",
    trap: """
      Several classes may turn into the same one. The map is that of the published code, drawn by NumPy's generator \
      with seed=1; --noise-seed chooses the samples, not the map.
      """)

  let rate: Double
  let count: NoiseCount
  let seed: UInt32

  init(arguments: NoiseArguments) throws {
    rate = try arguments.rate()
    let options = try arguments.options(["seed", "exact"])
    count = try NoiseCount(arguments, options)
    seed = try arguments.numPySeed(options)
  }

  var text: String { "flip:\(rate)" + (seed == 1 ? "" : ",seed=\(seed)") + count.text }

  func chosenRows(for dataset: Dataset, draws: NoiseDraws) -> TransitionMatrix {
    var random = MersenneTwister(seed: seed)
    return TransitionMatrix(
      equally: (0..<dataset.classCount).map { label in
        let target = random.integer(below: dataset.classCount - 1)
        return [target < label ? target : target + 1]
      })
  }
}

/// Meta-Weight-Net's `flip2`: each class turns into two random other classes with chance R / 2 each.
///
/// - Source: Shu et al., NeurIPS 2019, `flip_labels_C_two`.
struct TwoFlipNoise: RateNoise {
  static let entry = NoiseEntry(
    name: "flip2", grammar: "flip2:R[,seed=1][,exact[=class]]",
    summary: "With probability R / 2 each, two random other classes, the same for all samples of a class.",
    source: "Shu et al. (Meta-Weight-Net), NeurIPS 2019, code; its paper's 'flip' tables are flip2",
    brief: "Meta-Weight-Net's 'flip' tables are this one; --noise-seed does not choose the map.",
    trap: "The map is that of the published code, drawn by NumPy's generator with seed=1, as for flip.")

  let rate: Double
  let count: NoiseCount
  let seed: UInt32

  init(arguments: NoiseArguments) throws {
    rate = try arguments.rate()
    let options = try arguments.options(["seed", "exact"])
    count = try NoiseCount(arguments, options)
    seed = try arguments.numPySeed(options)
  }

  var text: String { "flip2:\(rate)" + (seed == 1 ? "" : ",seed=\(seed)") + count.text }

  func chosenRows(for dataset: Dataset, draws: NoiseDraws) throws -> TransitionMatrix {
    guard dataset.classCount > 2 else {
      throw Failure(
        .usage, "the noise '\(text)' does not fit '\(dataset.name)'.", why: "it needs at least three classes.",
        fix: "use flip:\(rate).")
    }
    var random = MersenneTwister(seed: seed)
    return TransitionMatrix(
      equally: (0..<dataset.classCount).map { label in
        let order = random.permutation(of: dataset.classCount - 1)
        return order.prefix(2).map { $0 < label ? $0 : $0 + 1 }
      })
  }
}

extension NoiseArguments {
  /// The option `seed` of a matrix that NumPy's generator makes; 1 when it is not given.
  fileprivate func numPySeed(_ options: [String: String]) throws -> UInt32 {
    guard let text = options["seed"] else { return 1 }
    guard let seed = UInt32(text) else { throw wrong("'seed=\(text)' is not a whole number below 2^32") }
    return seed
  }
}
