import Datasets
import Settings

/// What people said of labels in an earlier round, and which images are the same: what a detection goes by.
extension RunData {
  /// The judged samples with the labels that people gave in an earlier round: what a detection takes for given.
  public var fitted: LabelledSet { reviewed?.followed(in: judged) ?? judged }

  /// The training samples with those labels: what networks are trained on.
  public var trained: LabelledSet { reviewed?.followed(in: dataset.train) ?? dataset.train }

  /// The images that are the same, of the judged samples, and in other parts.
  public var equalImages: EqualImages {
    let judgedParts = Set(dataset.judgedParts.map(\.part))
    return EqualImages(
      in: judged, place: { dataset.place(of: $0) }, others: whole.parts.filter { !judgedParts.contains($0.part) })
  }

  /// What the verdicts say that a detection was given.
  ///
  /// They may be about samples that are left out here, or beyond a limit.
  ///
  /// - Parameters:
  ///   - judged: the samples that are judged.
  ///   - dataset: the data with the labels in question.
  ///   - all: the same data without a limit.
  static func reviewed(
    _ settings: RunSettings, _ judged: LabelledSet, in dataset: Dataset, of all: Dataset, _ notes: inout [String?]
  ) throws -> ReviewedLabels? {
    guard settings.job == .detect, let path = settings.detection.verdicts else { return nil }
    let verdicts = try Self.verdicts(from: path, on: dataset, of: all)
    notes.append(verdicts.matching.note("--verdicts", path))
    return ReviewedLabels(verdicts, of: judged)
  }

  /// Verdicts about the labels of training samples, those beyond a limit among them.
  ///
  /// - Parameters:
  ///   - dataset: the data with the labels in question.
  ///   - all: the same data without a limit.
  static func verdicts(from path: String, on dataset: Dataset, of all: Dataset) throws -> Verdicts {
    var subjects: [Int: Verdicts.Subject] = [:]
    for (id, name) in all.trainPaths.enumerated() {
      let own = id < dataset.train.count ? dataset.train.labels[id] : LabelledSet.noLabel
      let given = own >= 0 ? own : all.train.labels[id]
      if given >= 0 { subjects[id] = Verdicts.Subject(id: id, path: name, given: Int(given)) }
    }
    return try Verdicts(from: SampleList(path, of: all), about: subjects, for: .data)
  }
}
