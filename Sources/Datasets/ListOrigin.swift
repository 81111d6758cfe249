/// What the run that wrote a list says of its data; it stands in the run's folder, beside the list.
public struct ListOrigin: Sendable, Equatable {
  /// The run's folder.
  public var run: String
  /// How many training samples the run had.
  public var trainCount: Int
  /// `Dataset.sampleFingerprint` of these; nil where the run does not say.
  public var samples: String?
  /// The names of its classes [K]; nil where the run does not say.
  public var classNames: [String]?
  /// The part that stood in the place of the training samples.
  public var split: JudgedSplit
  /// To how many samples of these parts it was limited; nil for all.
  public var limitTrain: Int?, limitTest: Int?

  /// What a run says.
  public init(
    run: String, trainCount: Int, samples: String? = nil, classNames: [String]? = nil, split: JudgedSplit = .train,
    limitTrain: Int? = nil, limitTest: Int? = nil
  ) {
    (self.run, self.trainCount, self.samples, self.classNames) = (run, trainCount, samples, classNames)
    (self.split, self.limitTrain, self.limitTest) = (split, limitTrain, limitTest)
  }

  /// The parts whose samples its numbers count, in order, and how many of each there are in this data.
  func counted(in parts: [(part: SplitPart, samples: LabelledSet)]) -> [(part: SplitPart, count: Int)] {
    parts.filter { split.parts.contains($0.part) }.map { part, samples in
      switch part {
      case .train: (part, min(limitTrain ?? .max, samples.count))
      case .validation: (part, samples.count)
      case .test: (part, min(limitTest ?? .max, samples.count))
      }
    }
  }
}
