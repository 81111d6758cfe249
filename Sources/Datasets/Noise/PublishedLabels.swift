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
/// Rows are in the order of ids. Without true labels in the file, labels that agree with the data set's hardly more
/// often than chance are refused: they belong to another order.
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

  let path: String
  var files: [String] { [path] }
  let key: String?
  let cleanPath: String?

  init(arguments: NoiseArguments) throws {
    let (file, options) = try arguments.fileAndOptions(["key", "clean"])
    (path, key, cleanPath) = (file, options["key"], options["clean"])
  }

  var text: String { "labels:\(path)" + (key.map { ",key=\($0)" } ?? "") + (cleanPath.map { ",clean=\($0)" } ?? "") }

  func labels(for dataset: Dataset, draws: NoiseDraws) throws -> NoisyLabels {
    let file = try LabelTables(path, key: key)
    var clean = file.clean
    if let cleanPath {
      let other = try LabelTables(cleanPath, key: nil)
      clean = other.clean ?? other.labels
    }
    let given = try checked(file.labels, path, dataset)
    if let id = given.indices.first(where: { given[$0] < 0 && dataset.train.labels[$0] >= 0 }) {
      throw Failure(
        .badInput, "entry \(id) of '\(path)' has no label.", why: "noise changes labels, and takes none away.",
        fix: "give each sample a label, or replace all with --labels \(path), which also leaves samples out.")
    }
    let truth = dataset.train.trueLabels ?? dataset.train.labels
    let ids = dataset.train.labels.indices.filter { dataset.train.labels[$0] >= 0 && truth[$0] >= 0 }
    if let clean {
      let expected = try checked(clean, cleanPath ?? path, dataset)
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
    return NoisyLabels(labels: labels, expected: realised, isDrawn: false)
  }

  /// As many labels as samples, each of a class.
  private func checked(_ labels: [Int?], _ path: String, _ dataset: Dataset) throws -> [Int32] {
    let count = dataset.train.count
    guard labels.count == count || labels.count == dataset.wholeTrainCount else {
      throw Failure(
        .badInput, "'\(path)' has \(labels.count) labels.", why: "the training set has \(count) samples.",
        fix: labels.count < count
          ? "use --limit-train \(labels.count) if they are those of the first samples."
          : "use the file that was made for this data set.")
    }
    return try ClassLabels.checked(Array(labels.prefix(count)), classCount: dataset.classCount) {
      "entry \($0) of '\(path)'"
    }
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

/// The columns of a file of labels that a noise needs.
private struct LabelTables {
  let labels: [Int?]
  /// The true labels, where the file has any.
  var clean: [Int?]?

  /// Names of CIFAR-N's code for the keys of its files.
  private static let aliases = [
    "worst": "worse", "rand1": "random1", "rand2": "random2", "rand3": "random3", "noisy100": "noisy",
  ]

  init(_ path: String, key: String?) throws {
    let bytes = try FileBytes.read(path)
    if NumPyArray.isNumPy(bytes) {
      let array = try NumPyArray(decoding: bytes, name: "'\(path)'")
      guard array.shape.dropFirst().allSatisfy({ $0 == 1 }) else {
        throw Failure(
          .badInput, "'\(path)' holds an array of shape \(array.shape).", why: "labels must be a row of integers.",
          fix: "save one number for each sample.")
      }
      labels = try LabelArray.numbers(array, "'\(path)'")
      return
    }
    let columns =
      Pickle.isPickle(bytes, path: path) || ZipArchive.isZip(bytes)
      ? try LabelPickle.arrays(bytes, path).mapValues { $0.map(Optional.some) } : try Self.columns(bytes, path)
    let all = columns.keys.filter { $0 != "sample_id" }.sorted()
    let cleanName = columns["clean_label"] == nil ? "label" : "clean_label"
    // Where there is but one column, nothing is there to check by: it is what was asked for.
    let names = all.count == 1 ? all : all.filter { $0 != cleanName }
    guard let name = key.map({ Self.name(of: $0, in: all) }) ?? (names.count == 1 ? names[0] : nil) else {
      guard !names.isEmpty else {
        throw Failure(
          .badInput, "'\(path)' has no labels.", why: "none of its columns has only whole numbers.",
          fix: "write labels as numbers, or use --labels FILE, which also takes class names.")
      }
      throw Failure(
        .usage, key.map { "'\(path)' has no labels called '\($0)'." } ?? "'\(path)' has several sets of labels.",
        why: "it has \(names.joined(separator: ", ")).", fix: "choose one with key=\(names[0]).")
    }
    labels = columns[name] ?? []
    clean = name == cleanName ? nil : columns[cleanName]
  }

  /// The column that a key means: `worse` or `worst` for `worse_label`, `random2` or `rand2` for `random_label2`.
  private static func name(of key: String, in names: [String]) -> String? {
    for key in [key, aliases[key] ?? key] {
      var wanted = [key, "\(key)_label", "\(key)_label1"]
      if let digit = key.last, digit.isNumber { wanted.append("\(key.dropLast())_label\(digit)") }
      if let name = wanted.first(where: { names.contains($0) }) { return name }
    }
    return nil
  }

  /// The columns of a table that hold whole numbers.
  private static func columns(_ bytes: [UInt8], _ path: String) throws -> [String: [Int?]] {
    let table = try CSV(decoding: bytes, name: path)
    var columns: [String: [Int?]] = [:]
    for (index, name) in table.header.enumerated() {
      let texts = table.rows.map { $0[index].trimmingBlanks }
      let known = texts.filter { !ClassLabels.isMissing($0) }
      guard !known.isEmpty, known.allSatisfy({ ClassLabels.number($0) != nil }) else { continue }
      columns[name.trimmingBlanks] = texts.map { ClassLabels.isMissing($0) ? nil : ClassLabels.number($0) }
    }
    if let ids = columns["sample_id"], ids != (0..<ids.count).map(Optional.some) {
      throw Failure(
        .badInput, "the rows of '\(path)' are not sorted by id.", why: "the column sample_id is out of order.",
        fix: "sort them, or use --labels FILE.")
    }
    return columns
  }
}
