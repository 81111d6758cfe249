import FileFormats

/// Finds the samples that rows of a table are about: by the column `path`, or by a number where a row names no file.
public struct SampleRows {
  /// What a row is about.
  public enum Match: Equatable {
    /// The sample whose file it names; `moved` where it gives another number beside.
    case path(Int, moved: Bool)
    /// The sample of that number; the row names no file.
    case number(Int)
    /// A file that no sample has.
    case missing(String)
    /// A file that several samples have, none of which has the number beside.
    case several(String, count: Int)
    /// A number that no sample has, or no number.
    case unknown(String)
  }

  private let pathColumn: Int?, idColumn: Int?
  private let byPath: [String: [Int]]
  private let roots: [String]
  private let isSample: (Int) -> Bool

  /// - Parameters:
  ///   - table: the table; nil is returned where it has neither column.
  ///   - idColumn: the index of the column of numbers.
  ///   - paths: the path and the id of each sample.
  ///   - root: the folder that these paths are relative to: rows may name files in full.
  ///   - isSample: whether a number is a sample's id.
  public init?(
    _ table: CSV, numbers idColumn: Int?, paths: some Sequence<(String, Int)>, root: String?,
    isSample: @escaping (Int) -> Bool
  ) {
    (pathColumn, self.idColumn) = (table.column("path"), idColumn)
    guard pathColumn != nil || idColumn != nil else { return nil }
    var byPath: [String: [Int]] = [:]
    if pathColumn != nil {
      for (path, id) in paths { byPath[path, default: []].append(id) }
    }
    self.byPath = byPath
    roots = [root, root.flatMap(FileBytes.resolved)].compactMap { $0 }
    self.isSample = isSample
  }

  /// What a row is about.
  public func match(_ cells: [String]) -> Match {
    let number = idColumn.flatMap { Self.number(cells[$0].trimmingBlanks) }
    guard let pathColumn, !cells[pathColumn].trimmingBlanks.isEmpty else {
      guard let number, isSample(number) else { return .unknown(idColumn.map { cells[$0] } ?? "") }
      return .number(number)
    }
    let path = cells[pathColumn]
    guard let found = samples(at: path) else { return .missing(path) }
    // The same file may occur twice; then its number decides.
    guard let id = found.count == 1 ? found[0] : number.flatMap({ found.contains($0) ? $0 : nil }) else {
      return .several(path, count: found.count)
    }
    return .path(id, moved: number != nil && number != id)
  }

  /// The samples of a file: a path as the data set names it, one in full, or either with backslashes.
  private func samples(at text: String) -> [Int]? {
    if let found = byPath[text] { return found }
    let path = FileBytes.withSlashes(text)
    if let found = byPath[path] { return found }
    for root in roots {
      if let found = FileBytes.part(of: path, below: root).flatMap({ byPath[$0] }) { return found }
    }
    if path.hasPrefix("./"), let found = byPath[String(path.dropFirst(2))] { return found }
    let trimmed = text.trimmingBlanks
    return trimmed == text ? nil : samples(at: trimmed)
  }

  /// A sample's number, which tables with missing cells have as floats.
  private static func number(_ text: String) -> Int? { Int(text) ?? ClassLabels.number(text) }
}
