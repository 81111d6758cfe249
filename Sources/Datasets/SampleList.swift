import Failures
import FileFormats

/// A list whose entries are about training samples, and the data set that it is read for.
///
/// A number stands for a sample, or for a class, only if what lies beside it agrees: a row that names a file belongs to that
/// file, wherever it is in the data set now. Where there is nothing but numbers they are counted, so that the run can say
/// so, and the run that wrote the list, if its folder is there, must have had the same samples. That run's names say which
/// classes the list's numbers mean.
public struct SampleList {
  /// The file.
  public let path: String
  let dataset: Dataset
  private let origin: ListOrigin?
  private let samples: String?

  /// A list for a data set.
  ///
  /// - Parameters:
  ///   - path: the file.
  ///   - dataset: the data set; rows may name the files below its root in full.
  ///   - origin: what the run says in whose folder the list lies; nil for what `Dataset.origin` finds.
  ///   - samples: the hash by which the data set's samples are known, where their images have been released.
  public init(_ path: String, of dataset: Dataset, origin: ListOrigin? = nil, samples: String? = nil) {
    (self.path, self.dataset, self.samples) = (path, dataset, samples)
    self.origin = origin ?? dataset.origin(path)
  }

  /// The table that says of which samples the rows of an array are: `FILE.csv` beside `FILE.npy`.
  public static func table(beside array: String) -> String {
    (array.lowercased().hasSuffix(".npy") ? String(array.dropLast(4)) : array) + ".csv"
  }

  /// How texts of a column of classes are to be read.
  public var classes: ClassReader { ClassReader(dataset.classNames, counting: origin?.classNames) }

  /// Rows [rows, K] of probabilities, whose columns may have the classes' order in the run that wrote the list, with columns
  /// in the order of the data set's classes.
  ///
  /// - Throws: `.badInput` if the data set does not have a class of that run.
  public func inClassOrder(_ rows: [Double], K: Int) throws -> [Double] {
    guard let order = try classes.order("the columns of '\(path)'") else { return rows }
    var result = rows
    for start in stride(from: 0, to: rows.count, by: K) {
      for (column, label) in order.enumerated() { result[start + label] = rows[start + column] }
    }
    return result
  }

  /// What finds the samples of a table's rows; nil for a table without a path and without such a column of numbers.
  public func rows(of table: CSV, numbers column: Int?) -> SampleRows? {
    SampleRows(table, numbers: column, of: dataset, countedBy: origin)
  }

  /// Whether numbers in the list mean other samples or classes than the same numbers mean here.
  var translates: Bool { classes.translates || SamplePlaces(dataset, countedBy: origin).translates }

  /// Checks numbers alone against the run that wrote them.
  ///
  /// - Parameter count: how many there are, for numbers without a column that says what they are: rows of an array. As many
  ///   as another part had which the run judged are taken for those of that part.
  /// - Throws: `.badInput` if that run had other samples.
  public func requireSameSamples(rows count: Int? = nil) throws {
    guard let origin else { return }
    guard samples.map({ $0 == origin.samples ?? $0 }) ?? dataset.has(samplesOf: origin) else {
      throw Failure(
        .badInput, "'\(path)' was made for other data.",
        why: "it counts the \(origin.trainCount) \(kind(origin.split)) of '\(origin.run)', and "
          + "'\(dataset.name)' has others"
          + (origin.split != .train || dataset.train.count == origin.trainCount ? "." : " (\(dataset.train.count))."),
        fix: "restore the data, or make the list anew.")
    }
    let parts = dataset.placed.isEmpty ? [.train] : dataset.placed.map(\.part)
    guard count != origin.trainCount || parts == origin.counted(in: dataset.openedParts).map(\.part) else {
      throw Failure(
        .badInput, "'\(path)' was made for another part of the data.",
        why: "it has as many rows as '\(origin.run)' had \(kind(origin.split)), which are not the "
          + "\(dataset.kindOfSamples) of this run.",
        fix: "make it anew for this part; if it was, copy it to another folder.")
    }
  }

  private func kind(_ split: JudgedSplit) -> String {
    switch split {
    case .train: "training samples"
    case .val: "validation samples"
    case .test: "test samples"
    case .all: "samples"
    }
  }

  /// The samples of some rows of a table.
  ///
  /// - Parameter rows: the rows that decide something; the others may be about samples that are gone.
  /// - Returns: their ids, and how they were found.
  /// - Throws: `.badInput` for rows that name neither a path nor an id, files that the data set does not have, paths that
  ///   contradict the id, and ids that are out of range.
  public func ids(of rows: [Int], in table: CSV) throws -> (ids: [Int], matching: Matching) {
    let (ids, matching) = try found(rows, in: table, passesElsewhere: false)
    return (ids.compactMap { $0 }, matching)
  }

  /// The same; with `passesElsewhere`, nil for samples of the data that are not among these: beyond a limit, or of another
  /// part.
  func found(_ rows: [Int], in table: CSV, passesElsewhere: Bool) throws -> (ids: [Int?], matching: Matching) {
    guard let samples = self.rows(of: table, numbers: table.column("sample_id")) else {
      throw Failure(
        .badInput, "'\(path)' does not say which samples its rows are about.",
        why: "it needs the column sample_id or path; it has \(table.columnList).",
        fix: "name the columns in the first line.")
    }
    var ids: [Int?] = [], matching = Matching(), missing: [String] = []
    ids.reserveCapacity(rows.count)
    for row in rows {
      let match = samples.match(table.rows[row])
      matching.add(match)
      switch match {
      case .path(let id, _), .number(let id): ids.append(id)
      case .missing(_, isElsewhere: true) where passesElsewhere, .unknown(_, isElsewhere: true) where passesElsewhere:
        ids.append(nil)
      case .missing(let path, _): missing.append(path)
      case .several, .contradiction, .unknown: throw failure(match, table.lines[row])
      }
    }
    guard missing.isEmpty else { throw notThere(missing, of: rows.count) }
    if matching.byNumber > 0 { try requireSameSamples() }
    return (ids, matching)
  }

  /// The failure for a row that is about no sample, or not about one.
  func failure(_ match: SampleRows.Match, _ line: Int) -> Failure {
    let row = "line \(line) of '\(path)'"
    switch match {
    case .several(let name, let places):
      return Failure(
        .badInput, "\(row) may be about several samples.",
        why: "'\(name)' occurs \(places.count) times in the data, and its sample_id is none of them.",
        fix: "correct the line.")
    case .contradiction(let name, let number):
      return Failure(
        .badInput, "\(row) is about two samples.",
        why: "its path is '\(name.shortened())', and its sample_id is \(number).", fix: "correct the line.")
    case .unknown(let text, _):
      return Failure(
        .badInput, "\(row) has the sample_id '\(text.shortened())'.",
        why: "the training set has the ids 0 to \(dataset.train.count - 1).",
        fix: "use the file that was made for this data set.")
    case .missing(let name, _): return notThere([name], of: 1)
    case .path, .number: preconditionFailure("a row that was found is no failure")
    }
  }

  /// The failure for a second row about a sample.
  static func again(_ id: Int, line: Int, of path: String) -> Failure {
    Failure(
      .badInput, "line \(line) of '\(path)' is about sample \(id) again.",
      why: "each training sample may occur once.", fix: "remove one of the lines.")
  }

  private func notThere(_ paths: [String], of count: Int) -> Failure {
    let first = paths.prefix(3).map { "'\($0.shortened())'" }.joined(separator: ", ")
    return Failure(
      .badInput,
      paths.count == count
        ? "'\(path)' was made for other data." : "'\(path)' names \(paths.count) images that are not in the data.",
      why: "\(paths.count) of its \(count) rows name images that '\(dataset.name)' does not have: \(first)"
        + (paths.count > 3 ? ", …" : "."),
      fix: "restore the images, delete these rows, or make the list anew.")
  }
}

extension SampleList {
  /// How entries were matched to samples.
  public struct Matching: Sendable, Equatable {
    /// Entries that a file's path assigned.
    public var byPath = 0
    /// Of these, the ones whose number is another now.
    public var moved = 0
    /// Entries that were assigned by their number alone.
    public var byNumber = 0

    /// No entries yet.
    public init() {}

    /// So many entries of which there is nothing but their order.
    public init(byNumber: Int) { self.byNumber = byNumber }

    /// Counts an entry that was found.
    mutating func add(_ match: SampleRows.Match) {
      switch match {
      case .path(_, let isMoved):
        byPath += 1
        if isMoved { moved += 1 }
      case .number: byNumber += 1
      case .missing, .several, .contradiction, .unknown: break
      }
    }

    /// What people are told of a list; nil where every entry was found by its path and number.
    ///
    /// - Parameter option: the option that names it.
    public func note(_ option: String, _ path: String) -> String? {
      var parts: [String] = []
      if byNumber > 0 { parts.append("\(byNumber) samples by number alone, since it names no files for them") }
      if moved > 0 {
        parts.append("\(moved) of \(byPath) images have another number in this data and were found by path")
      }
      return parts.isEmpty ? nil : "\(option) \(path): " + parts.joined(separator: "; ")
    }
  }
}
