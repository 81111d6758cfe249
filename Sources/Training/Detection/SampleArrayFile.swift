import Datasets
import Failures
import FileFormats
import Settings

/// What somebody has computed of each image: a NumPy array [N, D], and perhaps a table beside it that says of which images.
///
/// Rows belong to the images that `FILE.csv` names in its column `path`; without that file, to the training samples in
/// their order, of which there must then be as many. In the folder of a run they must be those of that run's data.
struct SampleArrayFile {
  /// D.
  let width: Int
  private let path: String
  private let list: SampleList
  private let values: [Double]
  /// The row of each training sample.
  private let places: [Int]

  /// Reads a file for a data set.
  ///
  /// - Parameter what: what a row is, such as `features`.
  /// - Throws: `.missingInput`; `.badInput` for an array of another shape, values that are not finite, and images that the
  ///   file does not have.
  init(_ path: String, of what: String, for dataset: Dataset) throws {
    let array = try NumPyArray(decoding: FileBytes.read(path), name: path), count = dataset.train.count
    guard array.shape.count == 2, array.shape[1] > 0, let values = array.doubles else {
      throw Failure(
        .badInput, "'\(path)' holds no \(what).",
        why: "it must be an array [N, D] of numbers; its shape is \(array.shape).",
        fix: "save one row for each training image.")
    }
    (width, self.path, self.values) = (array.shape[1], path, values)
    if let at = values.firstIndex(where: { !$0.isFinite }) {
      throw Failure(
        .badInput, "'\(path)' has a value that is not finite.", why: "it is in row \(at / width).",
        fix: "compute it again.")
    }
    list = SampleList(path, of: dataset)
    let table = SampleList.table(beside: path)
    guard FileBytes.kind(of: table) == .file else {
      guard array.shape[0] == count else {
        throw Failure(
          .badInput, "'\(path)' does not fit the data.",
          why: "it has \(array.shape[0]) rows, and there are \(count) training images.",
          fix:
            "give one row for each image, in the order of samples.csv, or put a table with the column path beside it: "
            + "\(table)")
      }
      places = Array(0..<count)
      return
    }
    let rows = try CSV(decoding: FileBytes.read(table), name: table)
    guard rows.rows.count == array.shape[0] else {
      throw Failure(
        .badInput, "'\(table)' does not fit the array beside it.",
        why: "it has \(rows.rows.count) rows, and the array has \(array.shape[0]).", fix: "save both again.")
    }
    places = try SampleList(table, of: dataset).places(in: rows).places
  }

  /// Checks the files that a detection takes against the runs in whose folders they lie, while the images are there.
  ///
  /// - Returns: how their rows are matched to samples, as lines for people.
  /// - Throws: `.missingInput`; `.badInput` for a table that does not fit, and for files of other data.
  static func notes(_ settings: RunSettings, _ dataset: Dataset) throws -> [String] {
    guard settings.job == .detect else { return [] }
    var files = [("--pred-probs", settings.detection.predictedProbabilities)]
    if case .file(let path) = settings.detection.features { files.append(("--features", path)) }
    return try files.compactMap { option, path in
      guard let path, FileBytes.kind(of: path) == .file else { return nil }
      let table = SampleList.table(beside: path), count = dataset.train.count
      guard FileBytes.kind(of: table) == .file else {
        try SampleList(path, of: dataset).requireSameSamples(rows: count)
        return SampleList.Matching(byNumber: count).note(option, path)
      }
      let rows = try CSV(decoding: FileBytes.read(table), name: table)
      return try SampleList(table, of: dataset).places(in: rows).matching.note(option, table)
    }
  }

  /// The rows [ids, D] of some samples.
  func rows(_ ids: [Int]) -> [Double] { ids.flatMap { values[places[$0] * width..<(places[$0] + 1) * width] } }

  /// The rows of some samples as probabilities of the data set's classes.
  ///
  /// - Throws: `.badInput` for another number of classes, or others than those of the run in whose folder the file lies, and
  ///   rows that are not probabilities.
  func probabilities(_ ids: [Int], classes: Int) throws -> [Double] {
    guard width == classes else {
      throw Failure(
        .badInput, "'\(path)' does not fit the data.",
        why: "it has \(width) columns, and there are \(classes) classes.",
        fix: "save one probability for each class, in the order of their names.")
    }
    let found = try list.inClassOrder(rows(ids), K: classes)
    for (row, id) in ids.enumerated() {
      let part = found[row * classes..<(row + 1) * classes], sum = part.reduce(0, +)
      guard part.allSatisfy({ $0 >= 0 }), abs(sum - 1) < 1e-3 else {
        throw Failure(
          .badInput, "row \(places[id]) of '\(path)' does not hold probabilities.",
          why: "they must not be negative, and their sum must be 1; it is \(NumberFormatting.decimal(sum, places: 4)).",
          fix: "save probabilities, not logits: the softmax of each row.")
      }
    }
    return found
  }
}
