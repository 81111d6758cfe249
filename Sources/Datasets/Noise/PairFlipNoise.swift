import Statistics

/// Pair flip: class k turns into k + 1 (the last into the first) with chance R.
///
/// - Source: Han et al. (Co-teaching), NeurIPS 2018, section 4; rates above 0.5 cannot be learnt.
struct PairFlipNoise: RateNoise {
  static let entry = NoiseEntry(
    name: "pairflip", grammar: "pairflip:R[,exact[=class]]",
    summary: "With probability R the next class, the last to the first.",
    source: "Han et al. (Co-teaching), NeurIPS 2018; AUM calls it flip, SELFIE pair",
    brief: "not the asymmetric noise of other papers: all classes change.",
    trap: "Not the asymmetric noise of other papers: all classes change. Above R = 0.5 nothing can be learned.")

  let rate: Double
  let count: NoiseCount

  init(arguments: NoiseArguments) throws {
    rate = try arguments.rate()
    count = try NoiseCount(arguments, arguments.options(["exact"]))
  }

  var text: String { "pairflip:\(rate)" + count.text }

  func chosenRows(for dataset: Dataset, draws: NoiseDraws) -> TransitionMatrix {
    TransitionMatrix(moving: (0..<dataset.classCount).map { ($0 + 1) % dataset.classCount })
  }
}
