import Failures
import FileFormats
import Statistics

/// Noise by a matrix from a file: row = class, column = label, rows sum to 1.
///
/// The file is a `.npy` array [K, K]; text with one row a line, numbers separated by commas or blanks; or a table with the
/// classes' names in its first line and its first column, such as the noise_transition.csv of a run.
struct MatrixNoise: ClassNoise {
  static let entry = NoiseEntry(
    name: "matrix", grammar: "matrix:FILE",
    summary: "By a K x K matrix from a file (.npy, text, or a run's noise_transition.csv), rows summing to 1.",
    source: "-",
    brief: "a row is a true class; some code uses columns.",
    trap: "A row is a true class, a column a given label; a transposed matrix shows only where noise is not symmetric.")

  /// How far the sum of a row may be from 1: matrices are often written with six decimals.
  static let rowSumTolerance = 1e-6

  let path: String
  var files: [String] { [path] }

  init(arguments: NoiseArguments) throws {
    guard !arguments.rest.isEmpty else { throw arguments.wrong("the file is missing") }
    path = arguments.rest
  }

  var text: String { "matrix:\(path)" }

  func transition(for dataset: Dataset, draws: NoiseDraws) throws -> TransitionMatrix {
    let bytes = try FileBytes.read(path)
    let (values, shape) = NumPyArray.isNumPy(bytes) ? try array(bytes) : try numbers(bytes)
    let K = dataset.classCount
    guard shape == [K, K] else {
      throw Failure(
        .badInput, "'\(path)' holds numbers of shape \(shape).",
        why: "'\(dataset.name)' has \(K) classes and needs a matrix [\(K), \(K)].",
        fix: "write one row for each class.")
    }
    for row in 0..<K {
      let entries = values[row * K..<(row + 1) * K]
      let sum = entries.reduce(0, +)
      guard entries.allSatisfy({ $0 >= 0 && $0 <= 1 }), abs(sum - 1) <= Self.rowSumTolerance else {
        throw Failure(
          .badInput, "row \(row) of the matrix in '\(path)' sums to \(sum).",
          why: "its entries must be probabilities that sum to 1.",
          fix: TransitionMatrix.isTransposed(values, classCount: K, tolerance: Self.rowSumTolerance)
            ? "transpose the matrix: its columns sum to 1, and rows must be true classes." : "correct the row.")
      }
    }
    return TransitionMatrix(classCount: K, values: values)
  }

  private func array(_ bytes: [UInt8]) throws -> ([Double], [Int]) {
    let array = try NumPyArray(decoding: bytes, name: "'\(path)'")
    guard let values = array.doubles else {
      throw Failure(
        .badInput, "'\(path)' holds text.", why: "it must be a matrix of numbers.", fix: "save a matrix of floats.")
    }
    return (values, array.shape)
  }

  private func numbers(_ bytes: [UInt8]) throws -> ([Double], [Int]) {
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw Failure(
        .badInput, "'\(path)' is neither text nor a NumPy array.", why: "it is not UTF-8.",
        fix: "save the matrix as text.")
    }
    let first = text.split(whereSeparator: \.isNewline).first { !$0.allSatisfy(\.isWhitespace) } ?? ""
    if let corner = first.split(separator: ",", omittingEmptySubsequences: false).first, first.contains(","),
      Double(corner.filter { !$0.isWhitespace }) == nil
    {
      return try table(bytes)
    }
    var values: [Double] = [], width: Int?, height = 0
    for (index, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
      let words = line.split { $0 == "," || $0 == " " || $0 == "\t" || $0 == ";" }
      if words.isEmpty { continue }
      let row = words.compactMap { Double($0) }
      guard row.count == words.count, row.count == width ?? row.count else {
        throw Failure(
          .badInput, "line \(index + 1) of '\(path)' is not a row of \(width.map(String.init) ?? "") numbers.",
          why: "the rows of a matrix must have equal length.", fix: "correct the line.")
      }
      width = row.count
      height += 1
      values += row
    }
    return (values, [height, width ?? 0])
  }

  /// A table whose first line and first column have the names of classes.
  private func table(_ bytes: [UInt8]) throws -> ([Double], [Int]) {
    let table = try CSV(decoding: bytes, name: path), names = Array(table.header.dropFirst())
    var values: [Double] = []
    for (index, (row, line)) in zip(table.rows, table.lines).enumerated() {
      let numbers = row.dropFirst().compactMap { Double($0) }
      guard numbers.count == names.count else {
        throw Failure(
          .badInput, "line \(line) of '\(path)' is not a name and \(names.count) numbers.",
          why: "the first line names \(names.count) columns.", fix: "correct the line.")
      }
      guard index < names.count, row[0] == names[index] else {
        throw Failure(
          .badInput, "line \(line) of '\(path)' is the row for '\(row[0])'.",
          why: "rows must be in the order of the columns in the first line.", fix: "sort the rows.")
      }
      values += numbers
    }
    return (values, [table.rows.count, names.count])
  }
}
