import Datasets
import Failures
import FileFormats

/// Features that somebody has computed: a NumPy array [N, D], and perhaps a table beside it that says of which images.
///
/// Rows belong to the images that `FILE.csv` names in its column `path`; without that file, to the training samples in
/// their order, of which there must then be as many.
struct FeatureFile {
  /// D.
  let width: Int
  private let values: [Float]
  /// The row of each training sample.
  private let places: [Int]

  /// Reads a file for a data set.
  ///
  /// - Throws: `.missingInput`; `.badInput` for an array of another shape, values that are not finite, and images that the
  ///   file does not have.
  init(_ path: String, for dataset: Dataset) throws {
    let array = try NumPyArray(decoding: FileBytes.read(path), name: path)
    let count = dataset.train.count
    guard array.shape.count == 2, array.shape[1] > 0, let doubles = array.doubles else {
      throw Failure(
        .badInput, "'\(path)' holds no features.",
        why: "it must be an array [N, D] of numbers; its shape is \(array.shape).",
        fix: "save one row of features for each training image.")
    }
    (width, values) = (array.shape[1], doubles.map { Float($0) })
    if let at = values.firstIndex(where: { !$0.isFinite }) {
      throw Failure(
        .badInput, "'\(path)' has a feature that is not finite.", why: "it is in row \(at / width).",
        fix: "compute the features again.")
    }
    let table = path.dropLast(4) + ".csv"
    guard FileBytes.kind(of: String(table)) == .file else {
      guard array.shape[0] == count else {
        throw Failure(
          .badInput, "'\(path)' does not fit the data.",
          why: "it has \(array.shape[0]) rows, and there are \(count) training images.",
          fix: "give one row for each image, in the order of samples.csv, or put a table with the column path beside "
            + "it: \(table).")
      }
      places = Array(0..<count)
      return
    }
    places = try Self.places(String(table), rows: array.shape[0], dataset)
  }

  /// The row of each sample by the table beside the array.
  private static func places(_ path: String, rows: Int, _ dataset: Dataset) throws -> [Int] {
    let table = try CSV(decoding: FileBytes.read(path), name: path), paths = dataset.trainPaths
    guard let column = table.column("path") else {
      throw Failure(
        .badInput, "'\(path)' has no column path.", why: "it has \(table.columnList).",
        fix: "write which image each row of features belongs to, or remove the file.")
    }
    guard table.rows.count == rows else {
      throw Failure(
        .badInput, "'\(path)' does not fit the features beside it.",
        why: "it has \(table.rows.count) rows, and they have \(rows).", fix: "save both again.")
    }
    var rowOf: [String: Int] = [:]
    for (row, cells) in table.rows.enumerated() { rowOf[cells[column]] = row }
    return try paths.map { name in
      guard let row = rowOf[name] else {
        throw Failure(
          .badInput, "'\(path)' has no features of '\(name)'.", why: "no row has this path.",
          fix: "compute features of all training images; their paths are relative to the data's folder.")
      }
      return row
    }
  }

  /// The features [ids, D] of some samples.
  func rows(_ ids: [Int]) -> [Float] { ids.flatMap { values[places[$0] * width..<(places[$0] + 1) * width] } }
}
