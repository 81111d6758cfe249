import Failures
import FileFormats
import Statistics

extension TransitionMatrix {
  /// Reads a matrix [K, K] from a file: row = true class, column = given label, rows sum to 1.
  ///
  /// The file is a `.npy` array; text with one row a line, numbers separated by commas, semicolons or blanks; or a table
  /// with names of classes in its first line and its first column, such as the noise_transition.csv of a run. Rows and
  /// columns of a table belong to the classes of these names, in any order; names that are nothing but numbers from 0 are
  /// positions.
  ///
  /// - Parameters:
  ///   - classNames: the classes of the data [K].
  ///   - tolerance: how far the sum of a row may be from 1.
  /// - Throws: `.missingInput`; `.badInput` for another size, other classes, and rows that are no distributions.
  public init(fromFile path: String, classNames: [String], tolerance: Double) throws {
    let bytes = try FileBytes.read(path), file = MatrixFile(path: path, classNames: classNames)
    let (values, shape) = NumPyArray.isNumPy(bytes) ? try file.array(bytes) : try file.numbers(bytes)
    let K = classNames.count
    guard shape == [K, K] else { throw file.wrongShape(shape) }
    for row in 0..<K {
      let entries = values[row * K..<(row + 1) * K], sum = entries.reduce(0, +)
      guard entries.allSatisfy({ $0 >= 0 && $0 <= 1 }), abs(sum - 1) <= tolerance else {
        throw Failure(
          .badInput, "row \(row) of the matrix in '\(path)' sums to \(sum).",
          why: "its entries must be probabilities that sum to 1.",
          fix: TransitionMatrix.isTransposed(values, classCount: K, tolerance: tolerance)
            ? "transpose the matrix: its columns sum to 1, and rows must be true classes." : "correct the row.")
      }
    }
    self.init(classCount: K, values: values)
  }
}

/// Makes sense of the bytes of such a file: numbers, row by row, and the lengths of both axes.
private struct MatrixFile {
  let path: String, classNames: [String]

  func array(_ bytes: [UInt8]) throws -> ([Double], [Int]) {
    let array = try NumPyArray(decoding: bytes, name: "'\(path)'")
    guard let values = array.doubles else {
      throw Failure(
        .badInput, "'\(path)' holds text.", why: "it must be a matrix of numbers.", fix: "save a matrix of floats.")
    }
    return (values, array.shape)
  }

  func numbers(_ bytes: [UInt8]) throws -> ([Double], [Int]) {
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw Failure(
        .badInput, "'\(path)' is neither text nor a NumPy array.", why: "it is not UTF-8.",
        fix: "save the matrix as text.")
    }
    let first = text.split(whereSeparator: \.isNewline).first { !$0.allSatisfy(\.isWhitespace) } ?? ""
    if let corner = first.split(separator: ",", omittingEmptySubsequences: false).first, first.contains(","),
      Self.number(corner.filter { !$0.isWhitespace }) == nil
    {
      return try table(bytes)
    }
    var values: [Double] = [], width: Int?, height = 0
    for (index, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
      let words = line.split { $0 == "," || $0 == " " || $0 == "\t" || $0 == ";" }
      if words.isEmpty { continue }
      let row = words.compactMap { Self.number(String($0)) }
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

  /// A number, in quotation marks or not.
  private static func number(_ text: String) -> Double? { Double(text.filter { $0 != "\"" }) }

  /// A table whose first line and first column have the names of classes.
  private func table(_ bytes: [UInt8]) throws -> ([Double], [Int]) {
    let table = try CSV(decoding: bytes, name: path), columns = table.header.dropFirst().map(\.trimmingBlanks)
    let K = classNames.count
    guard [table.rows.count, columns.count] == [K, K] else { throw wrongShape([table.rows.count, columns.count]) }
    let rows = table.rows.map { $0[0].trimmingBlanks }
    let columnOf = try places(columns, "the first line of '\(path)'")
    let rowOf = try places(rows, "the first column of '\(path)'")
    var values = [Double](repeating: 0, count: K * K)
    for (index, (row, line)) in zip(table.rows, table.lines).enumerated() {
      let numbers = row.dropFirst().compactMap { Double($0.trimmingBlanks) }
      guard numbers.count == K else {
        throw Failure(
          .badInput, "line \(line) of '\(path)' is not a name and \(K) numbers.",
          why: "the first line names \(K) columns.", fix: "correct the line.")
      }
      for (column, number) in numbers.enumerated() { values[rowOf[index] * K + columnOf[column]] = number }
    }
    return (values, [K, K])
  }

  /// The class that each name means.
  private func places(_ names: [String], _ place: String) throws -> [Int] {
    let classes = classNames.map(\.trimmingBlanks)
    let numbers = Set(names.indices.map { "\($0)" })
    if Set(names) == numbers, Set(classes) != numbers { return names.compactMap { Int($0) } }
    let known = Dictionary(classes.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
    let found = names.map { known[$0] }
    guard !found.contains(nil), Set(found).count == names.count else {
      let strange = names.first { known[$0] == nil }
      throw Failure(
        .badInput,
        strange.map { "there is no class '\($0.shortened())': \(place)." } ?? "\(place) names a class twice.",
        why: "the \(classes.count) classes here are \(ClassReader.list(of: classes)).",
        fix: "use the matrix that was made for these classes, or leave the names out.")
    }
    return found.compactMap { $0 }
  }

  func wrongShape(_ shape: [Int]) -> Failure {
    let K = classNames.count
    return Failure(
      .badInput, "'\(path)' holds numbers of shape \(shape).",
      why: "the data has \(K) classes and needs a matrix [\(K), \(K)].",
      fix: "write one row of \(K) numbers for each class; row = true class, column = given label.")
  }
}
