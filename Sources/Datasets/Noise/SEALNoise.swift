import Failures
import FileFormats
import Statistics

/// Noise by the classes that a network confuses: the floor(R N) samples that it doubts most change.
///
/// A sample's candidate is the other class with the largest probability, its score that probability; the samples with
/// the largest scores get their candidates. Nothing is drawn.
///
/// - Source: Chen, Ye, Chen, Zhao, Heng: Beyond class-conditional assumption (SEAL), AAAI 2021, algorithm 1.
struct SEALNoise: NoiseModel {
  static let entry = NoiseEntry(
    name: "seal", grammar: "seal:R,FILE",
    summary: "Exactly floor(R N) samples, those most likely of another class; FILE has probabilities [N, K].",
    source: "Chen et al. (SEAL), AAAI 2021",
    brief: "the mean of the softmax over 150 epochs, not that of the last; nothing is drawn.",
    trap: """
      Published with the mean of the softmax over all 150 epochs of WRN-28-10 on the true labels, not that of the last \
      epoch. Nothing is drawn: all seeds give the same labels. The published dependentR.csv files: labels:FILE.
      """)

  let rate: Double
  var path: String
  var files: [String] { [path] }

  init(arguments: NoiseArguments) throws {
    rate = try arguments.rate()
    path = FileBytes.expandingHome(arguments.words.dropFirst().joined(separator: ","))
    guard !path.isEmpty else { throw arguments.wrong("the file is missing") }
  }

  var text: String { "seal:\(rate),\(path)" }

  mutating func changeFiles(_ change: (String) -> String) { path = change(path) }

  func labels(for dataset: Dataset, draws: NoiseDraws) throws -> NoisyLabels {
    let probabilities = try GivenProbabilities(path, for: dataset)
    guard dataset.classCount > 1 else {
      throw Failure(
        .usage, "the noise '\(text)' does not fit '\(dataset.name)'.", why: "it needs at least two classes.",
        fix: "use none.")
    }
    var labels = dataset.train.labels
    let ids = dataset.train.labelledIDs.map { Int($0) }
    let candidates = ids.map { id -> (id: Int, label: Int, score: Double) in
      let (first, second) = probabilities.firstAndSecond(id), row = probabilities.row(id)
      let other = first == Int(labels[id]) ? second : first
      return (id, other, row[row.startIndex + other])
    }
    let sorted = candidates.sorted { ($0.score, $1.id) > ($1.score, $0.id) }
    for candidate in sorted.prefix(Int(rate * Double(ids.count))) {
      labels[candidate.id] = Int32(candidate.label)
    }
    let realised = TransitionMatrix(from: dataset.train.labels, to: labels, classCount: dataset.classCount)
    return NoisyLabels(labels: labels, expected: realised, isDrawn: false, notes: probabilities.notes)
  }
}
