import Datasets
import Failures
import FileFormats
import Reports
import Training

/// The run in whose folder a checkpoint lies, by whatever path it is named.
struct CheckpointRun {
  let folder: String
  private let checkpoint: String
  /// Its settings and its record; nil where these cannot be read, or are not those of training.
  private let training: (settings: RunSettings, record: RunRecord)?
  /// Why there are none.
  private let trouble: String

  /// What data is to the run.
  enum Relation {
    /// What it was trained on; the run's data, opened again, where that was to be proven.
    case own(RunSettings, RunData?)
    /// Something else, or nobody knows: why, as a clause.
    case other(String)
  }

  /// nil for a checkpoint that lies in no run.
  init?(of checkpoint: String) {
    guard let folder = Self.folder(of: checkpoint) else { return nil }
    (self.folder, self.checkpoint) = (folder, checkpoint)
    var training: (settings: RunSettings, record: RunRecord)?, trouble = ""
    if let settings = try? SettingsDraft(ofRun: folder).settings, let record = try? RunRecord.read(folder: folder) {
      if settings.job == .train { training = (settings, record) }
      trouble = "the run in '\(folder)' is one of \(settings.job.rawValue)"
    } else {
      trouble = "the settings or the record of the run in '\(folder)' cannot be read"
    }
    (self.training, self.trouble) = (training, trouble)
  }

  /// The folder of the run in which a checkpoint lies; nil where it lies in none.
  static func folder(of checkpoint: String) -> String? {
    let inner = FileBytes.folder(of: FileBytes.resolved(checkpoint) ?? checkpoint), outer = FileBytes.folder(of: inner)
    func holds(_ name: String, _ folder: String) -> Bool { FileBytes.kind(of: folder + "/" + name) == .file }
    return [inner, outer].first { holds("config.toml", $0) && holds(RunFolder.recordName, $0) }
  }

  /// A name is no path, whatever lies here under that name.
  private static func place(_ data: String) -> String {
    Dataset.isName(data) ? data : FileBytes.resolved(data) ?? data
  }

  /// The settings of the run, if its data lies where these settings have theirs, or goes by the same name.
  func settings(at other: RunSettings) -> RunSettings? {
    guard let own = training?.settings, Self.place(own.data) == Self.place(other.data) else { return nil }
    return Self.moved(own, to: other)
  }

  /// The run's settings, with the data, its root and the device of others.
  private static func moved(_ own: RunSettings, to other: RunSettings) -> RunSettings {
    var run = own
    (run.data, run.device, run.dataRoot) = (other.data, other.device, other.dataRoot ?? own.dataRoot)
    return run
  }

  /// What data is to the run: it is known again by its fingerprint, wherever it lies.
  ///
  /// - Parameters:
  ///   - settings: those that the data was opened by.
  ///   - dataset: the data as it was opened, if it has its own labels and all of its samples; nil to open it again.
  ///   - isProven: whether data in the run's place must be compared, too: it may have changed since.
  /// - Throws: what opening the run's data throws, if it lies in the run's place.
  func relation(to settings: RunSettings, _ dataset: Dataset?, isProven: Bool) throws -> Relation {
    guard let (own, record) = training else { return .other(trouble) }
    let run = Self.moved(own, to: settings), isInPlace = self.settings(at: settings) != nil
    if isInPlace, !isProven { return .own(run, nil) }
    let difference =
      isInPlace
      ? "the data '\(settings.data)' has changed since the run in '\(folder)' was trained on it"
      : "the run in '\(folder)' was trained on '\(own.data)', not '\(settings.data)'"
    guard let recorded = record.data, isProven || dataset != nil else { return .other(difference) }
    if let dataset, dataset.classCount != recorded.classCount { return .other(difference) }
    // Other data may lack what the run's lists name.
    do {
      let data = try RunData(run, of: dataset)
      return (try? record.require(data, of: folder, fix: "")) == nil ? .other(difference) : .own(run, data)
    } catch let failure as Failure where !isInPlace && Self.saysOtherData.contains(failure.kind) {
      return .other(
        "whether the run in '\(folder)' was trained on '\(settings.data)' is not known (\(failure.what.dropLast()))")
    }
  }

  /// How the run's own settings fail on data that they were not made for.
  private static let saysOtherData: Set<Failure.Kind> = [.missingInput, .badInput, .usage, .configuration]

  /// What is worth a note where the data is not the run's.
  func note(_ why: String) -> String {
    "\(why): '\(checkpoint)' is taken as a checkpoint without a run, and nothing counts as held out"
  }
}
