import Failures
import FileFormats

extension SampleList {
  /// The row of a table that is about each training sample [N]; rows about other images are passed over.
  ///
  /// A row without a number is about all samples of its file.
  ///
  /// - Throws: `.badInput` for a table without the column path or sample_id, for a sample without a row or with several, and
  ///   for rows that contradict themselves; as `requireSameSamples` where rows have nothing but numbers.
  public func places(in table: CSV) throws -> (places: [Int], matching: Matching) {
    guard let samples = rows(of: table, numbers: table.column("sample_id")) else {
      throw Failure(
        .badInput, "'\(path)' has no column path.", why: "it has \(table.columnList).",
        fix: "write which image each row belongs to, or remove the file.")
    }
    var places = [Int?](repeating: nil, count: dataset.train.count), matching = Matching()
    for (row, cells) in table.rows.enumerated() {
      let match = samples.match(cells), line = table.lines[row]
      matching.add(match)
      let found: [Int]
      switch match {
      case .path(let id, _), .number(let id): found = [id]
      case .several(_, let ids): found = ids
      case .missing, .unknown(_, isElsewhere: true): continue
      case .contradiction, .unknown: throw failure(match, line)
      }
      for id in found {
        guard places[id] == nil else { throw Self.again(id, line: line, of: path) }
        places[id] = row
      }
    }
    if matching.byNumber > 0 { try requireSameSamples() }
    if let id = places.firstIndex(of: nil) {
      throw Failure(
        .badInput, "'\(path)' has no row for '\(dataset.trainPaths[id])'.", why: "no path in it is this one.",
        fix: "give all training images; their paths are relative to the data's folder, as in samples.csv.")
    }
    return (places.compactMap { $0 }, matching)
  }
}
