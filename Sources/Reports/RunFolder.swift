import Failures
import FileFormats

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// The folder in which a run writes down everything, locked against other processes while this object lives.
///
/// Whole files are replaced atomically; the tables by epoch only grow, and are cut back when a run is resumed.
public final class RunFolder {
  /// The folder as it was given.
  public let path: String
  private let lock: FolderLock
  private var metrics: TableLog?
  private var classes: TableLog?
  private var events: TensorBoardLog?
  private var hasCleanColumns = false, hasValidationColumns = false
  private var figures: [String] = []

  static let metricsName = "metrics.csv"
  static let classesName = "per_class.csv"
  static let recordName = "run.json"
  static let suspicionName = "suspicion.csv"

  /// What a run writes, and so what `--force` clears away; anything else in the folder stays.
  private static let ownFiles = [
    recordName, "config.toml", "log.txt", metricsName, classesName, "samples.csv", "aum_values.csv",
    "aum_threshold.csv", "label_issues.csv", suspicionName, "checkpoints/last.safetensors",
    "checkpoints/best.safetensors",
    "report/index.html", "detect.json", "pred_probs.npy", "labels.npy", "sample_ids.npy",
  ]
  /// Folders of a detection whose files are its own.
  private static let ownFolders = [("stages", ".safetensors"), ("margins", ".npy")]

  private init(locking path: String) throws {
    self.path = path
    lock = try FolderLock(folder: path)
  }

  /// Checks early, and without making anything, that `create(at:force:)` will not refuse a path for what is there.
  ///
  /// - Throws: `Failure` of kind `cannotCreate`.
  public static func checkFree(_ path: String, force: Bool) throws {
    switch FileBytes.kind(of: path) {
    case .missing: break
    case .folder: if !force { try requireEmpty(path) }
    case .file, .other: try FileBytes.makeFolder(path)
    }
  }

  /// Makes exactly this folder, or takes it if it is empty.
  ///
  /// - Parameter force: take a folder that is not empty too; the files of an earlier run in it are deleted.
  /// - Throws: `Failure` of kind `cannotCreate` if it is not empty, in use, or cannot be made.
  public static func create(at path: String, force: Bool = false) throws -> RunFolder {
    let path = path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
    try FileBytes.makeFolder(path)
    if !force { try requireEmpty(path) }
    let folder = try RunFolder(locking: path)
    // Between the first look and the lock, another run may have come and gone.
    if force { folder.clear() } else { try requireEmpty(path) }
    try FileBytes.makeFolder(path + "/checkpoints")
    return folder
  }

  /// Makes a new folder under `runs`; if the name is taken, `-2`, `-3`, … is added.
  ///
  /// - Throws: `Failure` of kind `cannotCreate`.
  public static func create(under runs: String, named name: RunName) throws -> RunFolder {
    try FileBytes.makeFolder(runs)
    for number in 1...9999 {
      let path = runs + "/" + name.text + (number == 1 ? "" : "-\(number)")
      if mkdir(path, 0o777) == 0 { return try create(at: path) }
      guard errno == EEXIST else { throw SystemFailure.cannotCreate(path) }
    }
    throw Failure(
      .cannotCreate, "'\(runs)' has no free name for this run.", why: "'\(name.text)' and 9998 others are taken.",
      fix: "choose a folder with --out, or remove old runs.")
  }

  /// Checks that a run's folder is there and holds one of the files that every run has.
  ///
  /// - Throws: `Failure` of kind `missingInput` if there is none, `badInput` if it is no run folder.
  public static func requireRun(_ path: String, holding name: String) throws {
    guard FileBytes.kind(of: path) != .missing else {
      throw Failure(
        .missingInput, "the run folder '\(path)' does not exist.", why: "no such file or directory.",
        fix: "check the spelling; runs are under 'runs' unless --runs-dir or --out was used.")
    }
    guard FileBytes.kind(of: path + "/" + name) == .file else {
      throw Failure(
        .badInput, "'\(path)' is not a run folder.", why: "it has no \(name).",
        fix: "give a folder written by 'gpunoisy train' or 'detect'.")
    }
  }

  /// Takes the folder of a run that is to go on, and locks it.
  ///
  /// - Throws: `Failure` of kind `missingInput` if there is none, `badInput` if it is no run folder, `cannotCreate` if it
  ///   is in use.
  public static func resume(_ path: String) throws -> RunFolder {
    try requireRun(path, holding: recordName)
    let folder = try RunFolder(locking: path)
    try FileBytes.makeFolder(path + "/checkpoints")
    return folder
  }

  /// The path of a file of this run.
  public func file(_ name: String) -> String { path + "/" + name }

  /// Where the newest checkpoint is kept.
  public var lastCheckpoint: String { file("checkpoints/last.safetensors") }

  /// Where the checkpoint with the best accuracy is kept.
  public var bestCheckpoint: String { file("checkpoints/best.safetensors") }

  /// Opens metrics.csv, per_class.csv and a new event file for TensorBoard in `tb`.
  ///
  /// - Parameters:
  ///   - withCleanColumns: whether the clean labels are known, so that there are two more columns.
  ///   - withValidationColumns: whether a part was held out besides a test set: two more.
  ///   - figures: the names of the training method's figures: one more for each, the last ones. No two are alike, and
  ///     none is the name of another column.
  ///   - after: the epoch that a resumed run's checkpoint has finished; rows of later epochs and a torn tail are cut.
  ///     nil starts the tables anew.
  /// - Throws: `Failure` of kind `badInput` if existing tables have other columns.
  public func openTables(
    withCleanColumns: Bool, withValidationColumns: Bool = false, figures: [String] = [], after epoch: Int? = nil
  ) throws {
    for name in figures {
      precondition(!name.isEmpty && !EpochReport.takenNames.contains(name), "no figure may be called '\(name)'")
    }
    precondition(Set(figures).count == figures.count, "two of the figures \(figures) have the same name")
    (hasCleanColumns, hasValidationColumns, self.figures) = (withCleanColumns, withValidationColumns, figures)
    let columns =
      EpochReport.columns + (withCleanColumns ? EpochReport.cleanColumns : [])
      + (withValidationColumns ? EpochReport.validationColumns : []) + figures
    metrics = try open(Self.metricsName, columns, epoch)
    classes = try open(Self.classesName, EpochReport.classColumns, epoch)
    events = try TensorBoardLog(folder: file("tb"), after: epoch)
  }

  /// Adds an epoch to the tables and TensorBoard's file, and sees the tables to the disk before it returns.
  ///
  /// Its figures are those that the tables were opened with, in the same order.
  ///
  /// - Throws: `Failure` of kind `inputOutput`.
  public func append(_ report: EpochReport) throws {
    guard let metrics, let classes else { preconditionFailure("openTables comes before append") }
    precondition(
      report.figures.map(\.name) == figures, "figures \(report.figures.map(\.name)) in a table of \(figures)")
    if !report.perClass.isEmpty { try classes.append(report.classCells) }
    try metrics.append([
      report.cells(withCleanColumns: hasCleanColumns, withValidationColumns: hasValidationColumns)
    ])
    try events?.append(report)
  }

  private func open(_ name: String, _ columns: [String], _ epoch: Int?) throws -> TableLog {
    if let epoch { return try TableLog(continuing: file(name), columns: columns, after: epoch) }
    return try TableLog(creating: file(name), columns: columns)
  }

  private func clear() {
    for name in Self.ownFiles { unlink(file(name)) }
    for (name, ending) in Self.ownFolders {
      for file in (try? FileBytes.names(in: file(name))) ?? [] where file.hasSuffix(ending) {
        unlink(self.file("\(name)/\(file)"))
      }
    }
    let events = (try? FileBytes.names(in: file("tb"))) ?? []
    for name in events where name.hasPrefix(TensorBoardLog.prefix) { unlink(file("tb/" + name)) }
    rmdir(file("tb"))
  }

  /// Refuses a folder that holds anything but a lock that a crash left behind.
  private static func requireEmpty(_ path: String) throws {
    guard let handle = opendir(path) else { throw SystemFailure.cannotCreate(path) }
    defer { closedir(handle) }
    while let entry = readdir(handle) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
        pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      guard [".", "..", FolderLock.name].contains(name) else {
        throw Failure(
          .cannotCreate, "the run folder '\(path)' is not empty.", why: "it holds '\(name)'.",
          fix: "choose another --out FOLDER, resume it with --resume '\(path)', or replace that run with --force.")
      }
    }
  }
}
