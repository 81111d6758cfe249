import Failures
import FileFormats

extension Dataset {
  /// The data set with the training labels of a file in place of its own; true labels stay as they are.
  ///
  /// The file is a `.npy` of integers [N] in id order, or a CSV with `path` or `sample_id` and `label` (or
  /// `given_label`), one row for each sample in any order; `given_name` beside it may name the class. Samples without a
  /// label stay without one. Replace labels before limiting the data set: the file belongs to the whole training set.
  ///
  /// - Returns: the data set, and how rows were matched to samples.
  /// - Throws: `.missingInput`; `.badInput` for another number of labels, a sample that is missing, repeated or unknown,
  ///   or a label that is out of range or may mean two classes.
  public func replacingLabels(from list: SampleList) throws -> (dataset: Dataset, matching: SampleList.Matching) {
    let (labels, matching) = try LabelFile.read(
      list, labels: ["label", "given_label"], names: ["given_name", "label_name"], count: train.count)
    var replaced = self
    replaced.train.labels = zip(train.labels, labels).map { $0 < 0 ? $0 : $1 }
    return (replaced, matching)
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
  static func read(
    _ list: SampleList, labels: [String], names: [String], count: Int
  ) throws -> (labels: [Int32], matching: SampleList.Matching) {
    let path = list.path, bytes = try FileBytes.read(path)
    if Pickle.isPickle(Array(bytes.prefix(2)), path: path) {
      throw Pickle.refusal(
        path,
        fix: "if you trust the file, load it in Python and save its labels with numpy.save('labels.npy', labels).")
    }
    guard NumPyArray.isNumPy(bytes) else { return try table(bytes, list, labels, names, count) }
    var matching = SampleList.Matching()
    matching.byNumber = count
    let found = try array(bytes, list, count)
    try list.requireSameSamples()
    return (found, matching)
  }

  private static func array(_ bytes: [UInt8], _ list: SampleList, _ count: Int) throws -> [Int32] {
    let array = try NumPyArray(decoding: bytes, name: "'\(list.path)'")
    guard let values = array.integers, array.shape.count == 1 || array.shape.dropFirst().allSatisfy({ $0 == 1 }) else {
      throw Failure(
        .badInput, "'\(list.path)' holds an array of shape \(array.shape) and type \(array.element.descriptor).",
        why: "labels are a row of \(count) integers.", fix: "save labels.reshape(-1).astype('int64').")
    }
    guard values.count == count else { throw wrongCount(list.path, values.count, count) }
    let classes = list.classes
    return try values.enumerated().map { try Int32(classes.label($1, "entry \($0) of '\(list.path)'")) }
  }

  private static func table(
    _ bytes: [UInt8], _ list: SampleList, _ labelColumns: [String], _ nameColumns: [String], _ count: Int
  ) throws -> (labels: [Int32], matching: SampleList.Matching) {
    let path = list.path, table = try CSV(decoding: bytes, name: path)
    let labelColumn = labelColumns.lazy.compactMap { table.column($0) }.first
    let nameColumn = nameColumns.lazy.compactMap { table.column($0) }.first
    guard table.column("sample_id", "path") != nil, labelColumn != nil || nameColumn != nil else {
      throw Failure(
        .badInput, "'\(path)' is neither a NumPy array nor a table of labels.",
        why: "a table needs the columns sample_id (or path) and \(labelColumns[0]); it has "
          + "\(table.header.joined(separator: ", ")).",
        fix: "name the columns sample_id,\(labelColumns[0]).")
    }
    let (ids, matching) = try list.ids(of: Array(table.rows.indices), in: table)
    guard table.rows.count == count else { throw wrongCount(path, table.rows.count, count) }
    let classes = list.classes
    var labels = [Int32](repeating: LabelledSet.noLabel, count: count)
    for ((row, line), id) in zip(zip(table.rows, table.lines), ids) {
      guard labels[id] < 0 else {
        throw Failure(
          .badInput, "line \(line) of '\(path)' is about sample \(id) again.",
          why: "each of the \(count) training samples must occur once.", fix: "remove one of the lines.")
      }
      let place = "line \(line) of '\(path)'"
      guard
        let label = try classes.label(
          labelColumn.map { row[$0] } ?? "", named: nameColumn.map { row[$0] } ?? "", place)
      else {
        throw ClassLabels.outOfRange("", classes.count, place)
      }
      labels[id] = Int32(label)
    }
    return (labels, matching)
  }

  private static func wrongCount(_ path: String, _ have: Int, _ expected: Int) -> Failure {
    Failure(
      .badInput, "'\(path)' has \(have) labels.", why: "the training set has \(expected) samples.",
      fix: "use the label file that was made for this data set.")
  }
}
