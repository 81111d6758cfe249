import Datasets
import Failures
import FileFormats

/// What somebody has computed of each image: a NumPy array [N, D], and perhaps a table beside it that says of which images.
///
/// Rows belong to the images that `FILE.csv` names in its column `path`; without that file, to the training samples in
/// their order, of which there must then be as many.
struct SampleArrayFile {
  /// D.
  let width: Int
  private let path: String
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
    let table = path.dropLast(4) + ".csv"
    guard FileBytes.kind(of: String(table)) == .file else {
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
    places = try Self.places(String(table), rows: array.shape[0], dataset)
  }

  /// The row of each sample by the table beside the array.
  private static func places(_ path: String, rows: Int, _ dataset: Dataset) throws -> [Int] {
    let table = try CSV(decoding: FileBytes.read(path), name: path), paths = dataset.trainPaths
    guard let column = table.column("path") else {
      throw Failure(
        .badInput, "'\(path)' has no column path.", why: "it has \(table.columnList).",
        fix: "write which image each row belongs to, or remove the file.")
    }
    guard table.rows.count == rows else {
      throw Failure(
        .badInput, "'\(path)' does not fit the array beside it.",
        why: "it has \(table.rows.count) rows, and the array has \(rows).", fix: "save both again.")
    }
    var rowOf: [String: Int] = [:]
    for (row, cells) in table.rows.enumerated() { rowOf[cells[column]] = row }
    return try paths.map { name in
      guard let row = rowOf[name] else {
        throw Failure(
          .badInput, "'\(path)' has no row for '\(name)'.", why: "no path in it is this one.",
          fix: "give all training images; their paths are relative to the data's folder, as in samples.csv.")
      }
      return row
    }
  }

  /// The rows [ids, D] of some samples.
  func rows(_ ids: [Int]) -> [Double] { ids.flatMap { values[places[$0] * width..<(places[$0] + 1) * width] } }

  /// The rows of some samples as probabilities of the data set's classes.
  ///
  /// - Throws: `.badInput` for another number of classes, and rows that are not probabilities.
  func probabilities(_ ids: [Int], classes: Int) throws -> [Double] {
    guard width == classes else {
      throw Failure(
        .badInput, "'\(path)' does not fit the data.",
        why: "it has \(width) columns, and there are \(classes) classes.",
        fix: "save one probability for each class, in the order of their names.")
    }
    let found = rows(ids)
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
