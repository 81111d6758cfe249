import Failures
import FileFormats
import Statistics

/// Labels that people gave, or that a paper published, from a file, checked against the data set's own.
///
/// - `.pt` (CIFAR-N): a dictionary of arrays, of which `key` names one; `clean_label` must equal the data set's labels.
/// - `.csv` (SEAL): columns `label`, which must equal the data set's labels, and `label_noisy`; `key` names another. Where
///   `label` is all that there is, as `data noise --out` writes it, these are the labels.
/// - `.npy` (PMD, and CIFAR-N's arrays saved alone): integers [N]; `clean` may name a second file of true labels, which
///   must equal the data set's.
///
/// Rows are in the order of ids, but for tables with `path` or `sample_id`, which are lists as `--labels` reads them. Without
/// true labels in the file, labels that agree with the data set's hardly more often than chance are refused: they belong
/// to another order.
///
/// - Source: Wei et al.: Learning with noisy labels revisited (CIFAR-N), ICLR 2022.
struct PublishedLabels: NoiseModel {
  static let entry = NoiseEntry(
    name: "labels", grammar: "labels:FILE[,key=worse][,clean=FILE]",
    summary: "Human or published labels from a file (.pt, .csv, .npy), checked against the data set's order.",
    source: "CIFAR-N: Wei et al., ICLR 2022; PMD: Zhang et al., ICLR 2021; SEAL: Chen et al., AAAI 2021",
    brief: "labels must be in the order of the data's own files; TensorFlow Datasets has another.",
    trap: """
      CIFAR-10N's keys are aggre (9.01 % wrong), random1, random2, random3 (17.2, 18.1, 17.6 %; rand1 to rand3 in its \
      code) and worse (40.2 %, also worst), CIFAR-100N's is noisy (40.2 %). All are in the order of CIFAR's own files; \
      TensorFlow Datasets has another. PMD's files cover the first 45,000 images: --limit-train 45000.
      """)

  var path: String
  var files: [String] { [path] + [cleanPath].compactMap { $0 } }
  let key: String?
  private(set) var cleanPath: String?

  init(arguments: NoiseArguments) throws {
    let (file, options) = try arguments.fileAndOptions(["key", "clean"])
    (path, key, cleanPath) = (file, options["key"], options["clean"].map(FileBytes.expandingHome))
  }

  var text: String { "labels:\(path)" + (key.map { ",key=\($0)" } ?? "") + (cleanPath.map { ",clean=\($0)" } ?? "") }

  mutating func changeFiles(_ change: (String) -> String) { (path, cleanPath) = (change(path), cleanPath.map(change)) }

  func labels(for dataset: Dataset, draws: NoiseDraws) throws -> NoisyLabels {
    let file = try LabelColumns(path, key: key, of: dataset)
    let other = try cleanPath.map { try LabelColumns($0, key: nil, of: dataset) }
    let clean = other.map { $0.clean ?? $0.labels } ?? file.clean
    // True labels that agree with the data's as positions prove that positions are meant.
    let given = try file.classes(of: file.labels, isSure: clean != nil)
    if let id = given.indices.first(where: { given[$0] < 0 && dataset.train.labels[$0] >= 0 }) {
      throw Failure(
        .badInput, "'\(path)' has no label for sample \(id).", why: "noise changes labels, and takes none away.",
        fix: "give each sample a label, or replace all with --labels \(path), which also leaves samples out.")
    }
    let truth = dataset.train.trueLabels ?? dataset.train.labels
    let ids = dataset.train.labels.indices.filter { dataset.train.labels[$0] >= 0 && truth[$0] >= 0 }
    if let clean {
      let expected = try (other ?? file).classes(of: clean, isSure: true)
      let wrong = ids.filter { expected[$0] >= 0 && truth[$0] != expected[$0] }
      if let first = wrong.first { throw otherOrder(dataset, wrong.count, ids.count, first, expected[first], truth) }
    } else {
      let share = Double(ids.count { given[$0] == truth[$0] }) / Double(max(ids.count, 1))
      if !ids.isEmpty, dataset.isHardlyBetterThanChance(agreement: share) {
        let wrong = ids.filter { given[$0] != truth[$0] }
        throw otherOrder(dataset, wrong.count, ids.count, wrong[0], given[wrong[0]], truth)
      }
    }
    let labels = zip(dataset.train.labels, given).map { $0 < 0 ? $0 : $1 }
    let realised = TransitionMatrix(from: dataset.train.labels, to: labels, classCount: dataset.classCount)
    let notes = [file.note(isProven: clean != nil), other?.note(isProven: true)].compactMap { $0 }
    return NoisyLabels(labels: labels, expected: realised, isDrawn: false, notes: notes)
  }

  private func otherOrder(
    _ dataset: Dataset, _ wrong: Int, _ count: Int, _ first: Int, _ label: Int32, _ truth: [Int32]
  ) -> Failure {
    Failure(
      .badInput, "'\(path)' is not in the order of '\(dataset.name)': \(wrong) of \(count) labels differ.",
      why: "the first is sample \(first): \(label) ('\(dataset.classNames[Int(label)])') in the file, "
        + "\(truth[first]) ('\(dataset.classNames[Int(truth[first])])') in the data.",
      fix: "use the data set's own files, in their order; --labels FILE replaces labels without this check.")
  }
}
