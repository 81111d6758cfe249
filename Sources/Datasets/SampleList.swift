import Failures
import FileFormats

/// What the run that wrote a list says of its data; it stands in the run's folder, beside the list.
public struct ListOrigin: Sendable, Equatable {
  /// The run's folder.
  public var run: String
  /// How many training samples the run had.
  public var trainCount: Int
  /// `Dataset.sampleFingerprint` of these; nil where the run does not say.
  public var samples: String?
  /// The names of its classes [K]; nil where the run does not say.
  public var classNames: [String]?

  /// What a run says.
  public init(run: String, trainCount: Int, samples: String? = nil, classNames: [String]? = nil) {
    (self.run, self.trainCount, self.samples, self.classNames) = (run, trainCount, samples, classNames)
  }
}

/// A list whose entries are about training samples, and the data set that it is read for.
///
/// A number stands for a sample only if what lies beside it agrees: a row that names a file belongs to that file, wherever
/// it is in the data set now. Where there is nothing but numbers they are counted, so that the run can say so, and the
/// run that wrote the list, if its folder is there, must have had the same samples.
public struct SampleList {
  /// The file.
  public let path: String
  private let dataset: Dataset
  private let origin: ListOrigin?

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

    /// Counts an entry that was found.
    mutating func add(_ match: SampleRows.Match) {
      switch match {
      case .path(_, let isMoved):
        byPath += 1
        if isMoved { moved += 1 }
      case .number: byNumber += 1
      case .missing, .several, .unknown: break
      }
    }
  }

  /// A list for a data set.
  ///
  /// - Parameters:
  ///   - path: the file.
  ///   - dataset: the data set; rows may name the files below its root in full.
  ///   - origin: what the run says in whose folder the list lies; nil for a list from elsewhere.
  public init(_ path: String, of dataset: Dataset, origin: ListOrigin? = nil) {
    (self.path, self.dataset, self.origin) = (path, dataset, origin)
  }

  /// How texts of a column of classes are to be read.
  public var classes: ClassReader {
    ClassReader(dataset.classNames, countsAreSure: origin?.classNames == dataset.classNames)
  }

  /// Checks a list of numbers alone against the run that wrote it.
  ///
  /// - Throws: `.badInput` if that run had other samples.
  public func requireSameSamples() throws {
    guard let origin, let samples = origin.samples else { return }
    guard
      origin.trainCount > dataset.train.count
        || dataset.sampleFingerprint(first: origin.trainCount) != samples
    else { return }
    throw Failure(
      .badInput, "'\(path)' was made for other data.",
      why: "it counts the \(origin.trainCount) training samples of '\(origin.run)', and '\(dataset.name)' has others"
        + (dataset.train.count == origin.trainCount ? "." : " (\(dataset.train.count))."),
      fix: "restore the data, or make the list anew.")
  }

  /// The samples of some rows of a table.
  ///
  /// - Parameter rows: the rows that decide something; the others may be about samples that are gone.
  /// - Returns: their ids, and how they were found.
  /// - Throws: `.badInput` for rows that name neither a path nor an id, files that the data set does not have, paths that
  ///   contradict the id, and ids that are out of range.
  public func ids(of rows: [Int], in table: CSV) throws -> (ids: [Int], matching: Matching) {
    let paths = zip(dataset.trainPaths, 0...), count = dataset.train.count
    guard
      let samples = SampleRows(
        table, numbers: table.column("sample_id"), paths: paths, root: dataset.root, isSample: (0..<count).contains)
    else {
      throw Failure(
        .badInput, "'\(path)' does not say which samples its rows are about.",
        why: "it needs the column sample_id or path; it has \(table.columnList).",
        fix: "name the columns in the first line.")
    }
    var ids: [Int] = [], matching = Matching(), missing: [String] = []
    ids.reserveCapacity(rows.count)
    for row in rows {
      let match = samples.match(table.rows[row])
      matching.add(match)
      switch match {
      case .path(let id, _), .number(let id): ids.append(id)
      case .missing(let path): missing.append(path)
      case .several(let name, let count):
        throw Failure(
          .badInput, "line \(table.lines[row]) of '\(path)' may be about several samples.",
          why: "'\(name)' occurs \(count) times in the data, and its sample_id is none of them.",
          fix: "correct the line.")
      case .unknown(let text):
        throw Failure(
          .badInput, "line \(table.lines[row]) of '\(path)' has the sample_id '\(text.shortened())'.",
          why: "the training set has the ids 0 to \(count - 1).", fix: "use the file that was made for this data set.")
      }
    }
    guard missing.isEmpty else { throw notThere(missing, of: rows.count) }
    if matching.byNumber > 0 { try requireSameSamples() }
    return (ids, matching)
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
