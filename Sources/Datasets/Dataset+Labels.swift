import Failures
import FileFormats

extension Dataset {
  /// The data set with the training labels of a file in place of its own; true labels stay as they are.
  ///
  /// The file is a `.npy` of labels in id order as `LabelArray` reads them, or a CSV with `path` or `sample_id` and
  /// `label` (or `given_label`), one row for each sample in any order; `given_name` beside it may name the class. What
  /// means "no label" there takes the sample's away; images that could not be read stay without one. Remarks say how rows
  /// were matched to samples, and how many labels differ. Replace labels before limiting the data set: the file belongs to
  /// the whole training set.
  ///
  /// - Returns: the data set, and how rows were matched to samples.
  /// - Throws: `.missingInput`; `.badInput` for another number of labels, a sample that is missing, repeated or unknown,
  ///   or a label that is out of range or may mean two classes.
  public func replacingLabels(from list: SampleList) throws -> (dataset: Dataset, matching: SampleList.Matching) {
    let (labels, matching) = try LabelFile.read(
      list, labels: ["label", "given_label"], names: ["given_name", "label_name"], count: train.count)
    var replaced = self
    replaced.train.labels = labels.enumerated().map { train.unreadable.contains($0) ? LabelledSet.noLabel : $1 }
    replaced.remarks += [matching.note("--labels", list.path)].compactMap { $0 }
    replaced.noteDifferences(from: train.labels, list.path)
    return (replaced, matching)
  }

  /// The least share of the agreement by chance, 1 / K, that labels in this order leave behind, in units of what is above.
  private static let leastAgreement = 0.1

  /// Whether labels that agree so often are hardly better than labels in another order.
  func isHardlyBetterThanChance(agreement: Double) -> Bool {
    let chance = 1 / Double(classCount)
    return agreement < chance + Self.leastAgreement * (1 - chance)
  }

  /// Says how many labels differ from those of before, and warns where they hardly agree.
  private mutating func noteDifferences(from before: [Int32], _ path: String) {
    let pairs = zip(before, train.labels).filter { $0 >= 0 && $1 >= 0 }
    guard !pairs.isEmpty else { return }
    let differing = pairs.count { $0 != $1 }, share = Double(differing) / Double(pairs.count)
    remarks.append(
      "--labels \(path): \(differing) of \(pairs.count) labels differ from the data's own, "
        + NumberFormatting.percent(share))
    guard isHardlyBetterThanChance(agreement: 1 - share) else { return }
    warnings.append(
      "the labels of '\(path)' agree with the data's own hardly more often than by chance: perhaps they are in another "
        + "order")
  }

  /// The data set with the true training labels of a file, for scoring only.
  ///
  /// The file is like that of `replacingLabels`; a CSV may also name its columns `clean_label` and `clean_name`.
  ///
  /// - Throws: as `replacingLabels` does.
  public func withTrueLabels(from list: SampleList) throws -> (dataset: Dataset, matching: SampleList.Matching) {
    var replaced = self
    let (labels, matching) = try LabelFile.read(
      list, labels: ["clean_label", "label"], names: ["clean_name", "label_name"], count: train.count)
    replaced.train.trueLabels = labels
    return (replaced, matching)
  }

  /// As `replacingLabels(from:)`, for a list of which nothing is known but its path.
  public func replacingLabels(fromFile path: String) throws -> Dataset {
    try replacingLabels(from: SampleList(path, of: self)).dataset
  }

  /// As `withTrueLabels(from:)`, for a list of which nothing is known but its path.
  public func withTrueLabels(fromFile path: String) throws -> Dataset {
    try withTrueLabels(from: SampleList(path, of: self)).dataset
  }
}

/// One label for each sample, in a file of its own.
public enum LabelFile {
  /// Writes labels [N] as a `.npy` file of 64-bit integers in id order.
  ///
  /// - Throws: `.cannotCreate`, `.inputOutput`.
  public static func write(_ labels: [Int32], to path: String) throws {
    try AtomicFile.write(NumPyArray(labels.map { Int64($0) }).encoded(), to: path)
  }

  /// Reads the labels [count] of a `.npy` or CSV file.
  ///
  /// - Parameters:
  ///   - labels: the columns that may hold labels; the first that the table has counts.
  ///   - names: the columns that may hold the names of the same classes.
  ///   - isPartial: whether a table may leave out samples, which have no label then.
  static func read(
    _ list: SampleList, labels: [String], names: [String], count: Int, isPartial: Bool = false
  ) throws -> (labels: [Int32], matching: SampleList.Matching) {
    let path = list.path, bytes = try FileBytes.read(path)
    if Pickle.isPickle(Array(bytes.prefix(2)), path: path) {
      throw Pickle.refusal(
        path,
        fix: "if you trust the file, load it in Python and save its labels with numpy.save('labels.npy', labels).")
    }
    guard NumPyArray.isNumPy(bytes) else { return try table(bytes, list, labels, names, count, isPartial) }
    let found = try array(bytes, list, count)
    try list.requireSameSamples(rows: count)
    return (found, SampleList.Matching(byNumber: count))
  }

  private static func array(_ bytes: [UInt8], _ list: SampleList, _ count: Int) throws -> [Int32] {
    let array = try NumPyArray(decoding: bytes, name: "'\(list.path)'"), classes = list.classes
    func place(_ index: Int) -> String { "entry \(index) of '\(list.path)'" }
    switch try LabelArray(array, count: count, name: "'\(list.path)'") {
    case .numbers(let values):
      return try values.enumerated().map { index, value in
        try value.map { Int32(try classes.label($0, place(index))) } ?? LabelledSet.noLabel
      }
    case .texts(let texts):
      return try texts.enumerated().map { index, text in
        try classes.label(text, place(index)).map { Int32($0) } ?? LabelledSet.noLabel
      }
    }
  }

  private static func table(
    _ bytes: [UInt8], _ list: SampleList, _ labelColumns: [String], _ nameColumns: [String], _ count: Int,
    _ isPartial: Bool
  ) throws -> (labels: [Int32], matching: SampleList.Matching) {
    let path = list.path, table = try CSV(decoding: bytes, name: path)
    let labelColumn = labelColumns.lazy.compactMap { table.column($0) }.first
    let nameColumn = nameColumns.lazy.compactMap { table.column($0) }.first
    guard table.column("sample_id", "path") != nil, labelColumn != nil || nameColumn != nil else {
      throw Failure(
        .badInput, "'\(path)' is neither a NumPy array nor a table of labels.",
        why: "a table needs the columns sample_id (or path) and \(labelColumns[0]); it has "
          + "\(table.columnList).",
        fix: "name the columns sample_id,\(labelColumns[0]).")
    }
    let (ids, matching) = try list.ids(of: Array(table.rows.indices), in: table)
    guard isPartial || table.rows.count == count else { throw wrongCount(path, table.rows.count, count) }
    let classes = list.classes
    var labels = [Int32](repeating: LabelledSet.noLabel, count: count)
    var seen = [Bool](repeating: false, count: count)
    for ((row, line), id) in zip(zip(table.rows, table.lines), ids) {
      guard !seen[id] else { throw SampleList.again(id, line: line, of: path) }
      seen[id] = true
      let label = try classes.label(
        labelColumn.map { row[$0] } ?? "", named: nameColumn.map { row[$0] } ?? "", "line \(line) of '\(path)'")
      if let label { labels[id] = Int32(label) }
    }
    return (labels, matching)
  }

  private static func wrongCount(_ path: String, _ have: Int, _ expected: Int) -> Failure {
    Failure(
      .badInput, "'\(path)' has \(have) labels.", why: "the training set has \(expected) samples.",
      fix: "use the label file that was made for this data set.")
  }
}
