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
  /// Whether the folder has the mark of an earlier run that is replaced.
  var isMarked = false
  private var hasCleanColumns = false, hasValidationColumns = false
  private var figures: [String] = []

  static let metricsName = "metrics.csv"
  static let classesName = "per_class.csv"
  /// The name of the file that says what was run and how it went.
  public static let recordName = "run.json"
  static let suspicionName = "suspicion.csv"
  static let skippedName = "skipped_files.csv"
  /// The name of the copy of the verdicts that a detection was given: a browser's next download may replace the file.
  public static let earlierVerdictsName = "earlier_verdicts.csv"
  /// The name of the table of images that are in the training part and in another one.
  public static let overlapName = "overlap.csv"

  /// What a run writes, and so what `--force` clears away; anything else in the folder stays.
  static let ownFiles = [
    recordName, "config.toml", "log.txt", metricsName, classesName, "samples.csv", "aum_values.csv",
    "aum_threshold.csv", "label_issues.csv", suspicionName, "checkpoints/last.safetensors",
    "checkpoints/best.safetensors",
    "report/index.html", "noisy_labels.npy", "noise_transition.csv", "detect.json", "pred_probs.npy", "labels.npy",
    "sample_ids.npy", skippedName, earlierVerdictsName, overlapName,
  ]
  /// Folders of a detection whose files are its own.
  static let ownFolders = [("stages", ".safetensors"), ("margins", ".npy")]

  init(locking path: String) throws {
    self.path = path
    lock = try FolderLock(folder: path)
  }

  /// Checks early, and without making anything, that `create(at:force:)` will not refuse a path for what is there.
  ///
  /// - Throws: `Failure` of kind `cannotCreate`.
  public static func checkFree(_ path: String, force: Bool) throws {
    switch FileBytes.kind(of: path) {
    case .missing: break
    case .folder: if force { try requireReplaceable(path) } else { try requireEmpty(path) }
    case .file, .other: try FileBytes.makeFolder(path)
    }
  }

  /// Makes exactly this folder, or takes it if it is empty.
  ///
  /// A folder whose earlier run was being deleted when a process died is taken, too.
  ///
  /// - Parameter force: take a folder that is not empty too; the files of an earlier run in it are deleted.
  /// - Throws: `Failure` of kind `cannotCreate` if it is not empty, in use, or cannot be made.
  public static func create(at path: String, force: Bool = false) throws -> RunFolder {
    let path = FileBytes.withoutLastSlash(path)
    try FileBytes.makeFolder(path)
    if force { try requireReplaceable(path) } else { try requireEmpty(path) }
    let folder = try RunFolder(locking: path)
    // Between the first look and the lock, another run may have come and gone.
    if !force { try requireEmpty(path) }
    if force || isBeingCleared(path) {
      try requireNoLinks(path)
      try folder.clear()
    }
    folder.removeTemporaryFiles()
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
    // A run that was killed at its beginning has settings, and no record yet.
    try requireRun(path, holding: FileBytes.kind(of: path + "/" + recordName) == .file ? recordName : "config.toml")
    try requireNoLinks(path)
    let folder = try RunFolder(locking: path)
    folder.removeTemporaryFiles()
    // Nothing is deleted before config.toml: a run that has it is the old one, and whole, or the new one.
    folder.isMarked = holdsMark(path)
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
  ///   - classNames: what TensorBoard calls the classes; their numbers without.
  ///   - after: the epoch that a resumed run's checkpoint has finished; rows of later epochs and a torn tail are cut.
  ///     nil starts the tables anew.
  /// - Throws: `Failure` of kind `badInput` if existing tables have other columns.
  public func openTables(
    withCleanColumns: Bool, withValidationColumns: Bool = false, figures: [String] = [],
    classNames: [String] = [], after epoch: Int? = nil
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
    events = try TensorBoardLog(folder: file("tb"), classNames: classNames, after: epoch)
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

  /// Deletes what processes that died while they wrote have left; the lock is ours, so that no other is writing.
  private func removeTemporaryFiles() {
    for name in ["."] + Self.folderNames { AtomicFile.removeTemporaryFiles(in: file(name)) }
  }

  /// The folders within a run folder.
  private static let folderNames = ["checkpoints", "report", "tb", retrainName] + ownFolders.map(\.0)

  /// Refuses a folder that holds anything but what a run leaves before its first file: a lock, a folder without anything
  /// in it, the beginning of that file under a name of its own.
  private static func requireEmpty(_ path: String) throws {
    guard let name = try content(of: path), !isBeingCleared(path) else { return }
    let isRun = FileBytes.kind(of: path + "/config.toml") == .file
    throw Failure(
      .cannotCreate, "the run folder '\(path)' is not empty.", why: "it holds '\(name)'.",
      fix: isRun
        ? "choose another --out FOLDER, continue with --resume '\(path)', or replace that run with --force."
        : "choose another --out FOLDER.")
  }

  /// Refuses a folder that is neither empty nor a run's, and one with links in it that would be followed.
  static func requireReplaceable(_ path: String) throws {
    guard let name = try content(of: path) else { return }
    guard holdsMark(path) || holdsRecord(path) else {
      throw Failure(
        .cannotCreate, "'\(path)' is not a run folder, and --force replaces nothing else.",
        why: "it holds '\(name)', and no run.json of gpunoisy.", fix: "choose another --out FOLDER.")
    }
    try requireNoLinks(path)
  }

  private static func holdsRecord(_ path: String) -> Bool {
    let record = path + "/" + recordName
    guard FileBytes.kind(of: record) == .file, let bytes = try? FileBytes.read(record),
      let document = try? JSONText.parse(bytes, named: record)
    else { return false }
    return RunRecord.schemaNumber(of: document) != nil
  }

  /// Refuses a run folder in which a link stands where a run writes: its target would be changed.
  private static func requireNoLinks(_ path: String) throws {
    let written = ownFolders + [("tb", "")]
    let inFolders = written.flatMap { folder, ending in
      (FileBytes.entries(in: "\(path)/\(folder)") ?? []).map { String(decoding: $0, as: UTF8.self) }
        .filter { $0.hasSuffix(ending) }.map { "\(folder)/\($0)" }
    }
    try requireNoLinks(ownFiles + folderNames + [FolderLock.name, clearingName] + inFolders, in: path)
  }

  /// Refuses a link under one of these names.
  static func requireNoLinks(_ names: [String], in path: String) throws {
    for name in names where FileBytes.isLink(path + "/" + name) {
      throw Failure(
        .cannotCreate, "'\(path)/\(name)' is a symbolic link.",
        why: "a run writes to its own folder only, and would change what the link points to.",
        fix: "put the file or folder itself there, or choose another --out.")
    }
  }

  /// A name in a folder, other than what a run leaves that was killed before its first file was whole; nil if there is
  /// none.
  static func content(of path: String) throws -> String? {
    guard let entries = FileBytes.entries(in: path) else { throw SystemFailure.cannotCreate(path) }
    return try entries.filter { !AtomicFile.isTemporary($0) }.map { String(decoding: $0, as: UTF8.self) }.first {
      guard $0 != FolderLock.name, $0 != clearingName else { return false }
      let isFolder = $0 == "checkpoints" && FileBytes.kind(of: "\(path)/\($0)") == .folder
      return try !isFolder || content(of: "\(path)/\($0)") != nil
    }
  }
}
