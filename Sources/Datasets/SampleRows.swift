import FileFormats

/// Finds the samples that rows of a table are about: by the column `path`, or by a number where a row names no file.
///
/// Where the layout has no files, paths are made up from numbers, and count as these.
public struct SampleRows {
  /// What a row is about.
  public enum Match: Equatable {
    /// The sample whose file it names; `moved` where it gives another number beside.
    case path(Int, moved: Bool)
    /// The sample of that number; the row names no file.
    case number(Int)
    /// A path that no sample has; `isElsewhere` for one of a sample beyond a limit, or of another part.
    case missing(String, isElsewhere: Bool)
    /// A file that these samples have, none of which has the number beside.
    case several(String, [Int])
    /// A made-up path, and another number beside.
    case contradiction(String, Int)
    /// A number that no sample has, or no number; `isElsewhere` as above.
    case unknown(String, isElsewhere: Bool)
  }

  private let pathColumn: Int?, idColumn: Int?
  private let places: SamplePlaces
  /// The ids of each file, none for those of samples elsewhere; nil where the layout has no files.
  private let byPath: [String: [Int]]?
  private let roots: [String]

  /// - Parameters:
  ///   - table: the table; nil is returned where it has neither column.
  ///   - idColumn: the index of the column of numbers.
  ///   - dataset: the data set; rows may name files below its root in full.
  ///   - origin: the run that wrote the table.
  init?(_ table: CSV, numbers idColumn: Int?, of dataset: Dataset, countedBy origin: ListOrigin?) {
    (pathColumn, self.idColumn) = (table.column("path"), idColumn)
    guard pathColumn != nil || idColumn != nil else { return nil }
    places = SamplePlaces(dataset, countedBy: origin)
    if pathColumn == nil || dataset.train.paths.isEmpty {
      byPath = pathColumn == nil ? [:] : nil
    } else {
      var byPath: [String: [Int]] = [:]
      for (id, path) in dataset.train.paths.enumerated() { byPath[path, default: []].append(id) }
      for path in dataset.openedParts.lazy.flatMap(\.samples.paths) where byPath[path] == nil { byPath[path] = [] }
      self.byPath = byPath
    }
    roots = [dataset.root, dataset.root.flatMap(FileBytes.resolved)].compactMap { $0 }
  }

  /// What a row is about.
  public func match(_ cells: [String]) -> Match {
    let text = idColumn.map { cells[$0].trimmingBlanks } ?? "", number = Self.number(text)
    guard let pathColumn, !cells[pathColumn].trimmingBlanks.isEmpty else {
      return match(number.map { places.find($0) } ?? .nowhere) { .unknown(text, isElsewhere: $0) }
    }
    let path = cells[pathColumn]
    guard let byPath else {
      guard let place = Dataset.place(named: path) else { return .missing(path, isElsewhere: false) }
      // Training samples come first; those of the other parts have larger numbers where parts are judged together.
      if let number, place.part == .train ? number != place.id : number < place.id {
        return .contradiction(path, number)
      }
      return match(places.find(place)) { .missing(path, isElsewhere: $0) }
    }
    guard let found = samples(at: path, byPath) else { return .missing(path, isElsewhere: false) }
    guard !found.isEmpty else { return .missing(path, isElsewhere: true) }
    let own = number.flatMap { places.id($0) }
    // The same file may occur twice; then its number decides.
    guard let id = found.count == 1 ? found[0] : own.flatMap({ found.contains($0) ? $0 : nil }) else {
      return number.map { .contradiction(path, $0) } ?? .several(path, found)
    }
    return .path(id, moved: number != nil && own != id)
  }

  private func match(_ found: SamplePlaces.Found, otherwise: (_ isElsewhere: Bool) -> Match) -> Match {
    switch found {
    case .here(let id): .number(id)
    case .elsewhere: otherwise(true)
    case .nowhere: otherwise(false)
    }
  }

  /// The samples of a file: a path as the data set names it, one in full, or either with backslashes.
  private func samples(at text: String, _ byPath: [String: [Int]]) -> [Int]? {
    if let found = byPath[text] { return found }
    let path = FileBytes.withSlashes(text)
    if let found = byPath[path] { return found }
    for root in roots {
      if let found = FileBytes.part(of: path, below: root).flatMap({ byPath[$0] }) { return found }
    }
    if path.hasPrefix("./"), let found = byPath[String(path.dropFirst(2))] { return found }
    let trimmed = text.trimmingBlanks
    return trimmed == text ? nil : samples(at: trimmed, byPath)
  }

  /// A sample's number, which tables with missing cells have as floats.
  private static func number(_ text: String) -> Int? { Int(text) ?? ClassLabels.number(text) }
}
