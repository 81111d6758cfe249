import Failures
import FileFormats

extension Dataset {
  /// The data set with the training labels of a file in place of its own; true labels stay as they are.
  ///
  /// The file is a `.npy` of integers [N] in id order, or a CSV with `sample_id` and `label` (or `given_label`), one
  /// row for each id in any order, labels being numbers or class names. Samples without a label stay without one.
  /// Replace labels before limiting the data set: the file belongs to the whole training set.
  ///
  /// - Throws: `.missingInput`; `.badInput` for another number of labels, an id that is missing, repeated or unknown,
  ///   or a label out of range.
  public func replacingLabels(fromFile path: String) throws -> Dataset {
    let labels = try LabelFile.read(
      path, columns: ["label", "given_label"], count: train.count, classNames: classNames)
    var replaced = self
    replaced.train.labels = zip(train.labels, labels).map { $0 < 0 ? $0 : $1 }
    return replaced
  }

  /// The data set with the true training labels of a file, for scoring only.
  ///
  /// The file is like that of `replacingLabels`; a CSV may also name its column `clean_label`.
  ///
  /// - Throws: as `replacingLabels` does.
  public func withTrueLabels(fromFile path: String) throws -> Dataset {
    var replaced = self
    replaced.train.trueLabels = try LabelFile.read(
      path, columns: ["clean_label", "label"], count: train.count, classNames: classNames)
    return replaced
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
  static func read(_ path: String, columns: [String], count: Int, classNames: [String]) throws -> [Int32] {
    let bytes = try FileBytes.read(path)
    if Pickle.isPickle(Array(bytes.prefix(2)), path: path) {
      throw Pickle.refusal(
        path,
        fix: "if you trust the file, load it in Python and save its labels with numpy.save('labels.npy', labels).")
    }
    if NumPyArray.isNumPy(bytes) { return try array(bytes, path, count, classNames.count) }
    return try table(bytes, path, columns, count, classNames)
  }

  private static func array(_ bytes: [UInt8], _ path: String, _ count: Int, _ classCount: Int) throws -> [Int32] {
    let array = try NumPyArray(decoding: bytes, name: "'\(path)'")
    guard let values = array.integers, array.shape.count == 1 || array.shape.dropFirst().allSatisfy({ $0 == 1 }) else {
      throw Failure(
        .badInput, "'\(path)' holds an array of shape \(array.shape) and type \(array.element.descriptor).",
        why: "labels must be a row of \(count) integers.", fix: "save labels.reshape(-1).astype('int64').")
    }
    guard values.count == count else { throw wrongCount(path, values.count, count) }
    return try ClassLabels.checked(values, classCount: classCount) { "entry \($0) of '\(path)'" }
  }

  private static func table(
    _ bytes: [UInt8], _ path: String, _ columns: [String], _ count: Int, _ classNames: [String]
  ) throws -> [Int32] {
    let table = try CSV(decoding: bytes, name: path)
    guard let idColumn = table.column("sample_id"), let column = columns.compactMap({ table.column($0) }).first else {
      throw Failure(
        .badInput, "'\(path)' is neither a NumPy array nor a table of labels.",
        why: "a table needs the columns sample_id and \(columns[0]); it has \(table.header.joined(separator: ", ")).",
        fix: "name the columns sample_id,\(columns[0]).")
    }
    guard table.rows.count == count else { throw wrongCount(path, table.rows.count, count) }
    // A class may be called "3"; then the name goes before the number.
    let names = Dictionary(classNames.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
    var labels = [Int32](repeating: LabelledSet.noLabel, count: count)
    for (row, line) in zip(table.rows, table.lines) {
      guard let id = Int(row[idColumn]), id >= 0, id < count, labels[id] < 0 else {
        throw Failure(
          .badInput, "line \(line) of '\(path)' has the sample_id '\(row[idColumn])'.",
          why: "each id from 0 to \(count - 1) must occur once.", fix: "correct the line.")
      }
      guard let label = names[row[column]] ?? Int(row[column]), label >= 0, label < classNames.count else {
        throw ClassLabels.outOfRange(row[column], classNames.count, "line \(line) of '\(path)'")
      }
      labels[id] = Int32(label)
    }
    return labels
  }

  private static func wrongCount(_ path: String, _ have: Int, _ expected: Int) -> Failure {
    Failure(
      .badInput, "'\(path)' has \(have) labels.", why: "the training set has \(expected) samples.",
      fix: "use the label file that was made for this data set.")
  }
}
