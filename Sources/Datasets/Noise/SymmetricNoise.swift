import Failures
import Statistics

/// Symmetric noise: a label changes to any other class with equal chances.
///
/// `T_ij = R / (K − 1)` for i ≠ j, so that a share R of the labels is wrong. Inclusive: with chance R the label is
/// drawn from all K classes, `T_ij = R / K`, and a share R (K − 1) / K is wrong.
///
/// - Source: exclusive as in Patrini et al., CVPR 2017; inclusive as in DivideMix, ICLR 2020. Tables must say which.
struct SymmetricNoise: RateNoise {
  static let entry = NoiseEntry(
    name: "symmetric", grammar: "symmetric:R[,inclusive][,exact[=class|equal]]",
    summary: "With probability R another class, all equally likely; inclusive: any class, the right one too.",
    source: "Patrini et al., CVPR 2017; inclusive: Li et al. (DivideMix), ICLR 2020",
    brief: "inclusive (DivideMix) has R (K - 1) / K wrong: '80 %' of ten classes is 72 %.",
    trap: """
      Three conventions share one name. Exclusive, drawn (the default; Patrini, Co-teaching, AUM, PLC, JoCoR): R wrong \
      on average. Inclusive: R (K - 1) / K wrong, so '80 %' of ten classes is 72 % and '50 %' is 45 %: \
      inclusive,exact is DivideMix, NAL and ELR; inclusive alone Meta-Weight-Net and M-correction. exact=class is SCE, \
      APL, ALFs, SR and JAL on CIFAR. On MNIST SCE, APL and ALFs change the same number in each class, exact=equal, so \
      the rarest digit is the noisiest; SR and JAL draw there, as Truncated-Loss and Patrini do everywhere. ANL \
      uses exact counts for each pair of classes; exact=class is the closest to it.
      """)

  let rate: Double
  let isInclusive: Bool
  let count: NoiseCount

  init(arguments: NoiseArguments) throws {
    rate = try arguments.rate()
    let options = try arguments.options(["inclusive", "exact"])
    guard options["inclusive"] ?? "" == "" else { throw arguments.wrong("inclusive takes no value") }
    (isInclusive, count) = (options["inclusive"] != nil, try NoiseCount(arguments, options, allowsEqual: true))
  }

  var text: String { "symmetric:\(rate)" + (isInclusive ? ",inclusive" : "") + count.text }

  func chosenRows(for dataset: Dataset, draws: NoiseDraws) -> TransitionMatrix {
    let all = Array(0..<dataset.classCount)
    return TransitionMatrix(equally: all.map { k in isInclusive ? all : all.filter { $0 != k } })
  }
}

/// Labels without any meaning: each is drawn from all classes.
///
/// A network that reaches 100 % training accuracy on them has memorised; its test accuracy is chance.
///
/// - Source: Zhang, Bengio, Hardt, Recht, Vinyals: Understanding deep learning requires rethinking generalization,
///   ICLR 2017, "random labels", and with R below 1 "partially corrupted labels".
struct RandomLabels: RateNoise {
  static let entry = NoiseEntry(
    name: "random-labels", grammar: "random-labels[:R]",
    summary: "Every label (or a share R) drawn from all classes: what a network can memorise.",
    source: "Zhang et al. (Rethinking generalization), ICLR 2017; with --pixels for its other experiments",
    brief: "1 of K labels stays right by chance.",
    trap: "1 of K labels stays right by chance. The same labels as symmetric:R,inclusive.")

  let rate: Double
  var count: NoiseCount { .independent }

  init(arguments: NoiseArguments) throws {
    rate = arguments.words.isEmpty ? 1 : try arguments.rate()
    _ = try arguments.options([])
  }

  var text: String { rate == 1 ? "random-labels" : "random-labels:\(rate)" }

  func chosenRows(for dataset: Dataset, draws: NoiseDraws) -> TransitionMatrix {
    TransitionMatrix(equally: (0..<dataset.classCount).map { _ in Array(0..<dataset.classCount) })
  }
}
