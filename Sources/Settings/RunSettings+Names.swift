import Datasets
import Failures
import FileFormats
import Networks

/// Settings by the names that they have outside.
extension RunSettings {
  /// The row of a setting; nil for an unknown name.
  public static func setting(named name: String) -> Setting? { table.first { $0.name == name } }

  /// The rows that a job reads.
  public static func settings(of job: JobKind) -> [Setting] { table.filter { $0.jobs.contains(job) } }

  /// Sets one setting from text; a recipe sets all of its values.
  ///
  /// - Throws: `.usage` for an unknown name, or a value that is out of range; what reading the value throws.
  public mutating func set(_ name: String, to text: String) throws {
    var draft = SettingsDraft(self)
    try draft.set(name, to: text, from: .commandLine)
    self = draft.settings
  }

  /// Puts the settings of a file over those that are there; see `SettingsDraft.apply(fileAt:)`.
  public mutating func apply(configurationAt path: String) throws {
    var draft = SettingsDraft(self)
    try draft.apply(fileAt: path)
    self = draft.settings
  }

  /// Every setting of the job as config.toml, unset ones as `none`; `gpunoisy train --config` repeats the run from it.
  public var configuration: FlatTOML { configuration { _ in nil } }

  /// Every setting of the job, with comments behind the values.
  func configuration(comment: (Setting) -> String?) -> FlatTOML {
    var sections: [FlatTOML.Section] = []
    for setting in Self.settings(of: job) {
      if sections.last?.name != setting.section.rawValue { sections.append(.init(setting.section.rawValue, [])) }
      sections[sections.count - 1].entries.append(.init(setting.name, setting.value(self), comment: comment(setting)))
    }
    return FlatTOML(
      comments: ["Every setting of this run. To repeat it: gpunoisy \(job.rawValue) --config FILE"], sections: sections)
  }

  /// The settings of the job that have a value.
  public var values: [(name: String, value: FlatTOML.Value)] {
    Self.settings(of: job).compactMap { setting in setting.get(self).map { (setting.name, $0) } }
  }

  /// Makes paths absolute, so that the run can be resumed from any folder.
  ///
  /// The data's path counts, unless it is a name, and those of files and folders, within a noise, too.
  mutating func makePathsAbsolute() {
    if !Dataset.isName(data), !Dataset.isMadeOfAnother(data) { data = FileBytes.absolute(data) }
    for setting in Self.settings(of: job) { setting.makePathAbsolute(&self) }
    if let weights = initialWeights, KnownWeights.named(weights) == nil {
      initialWeights = FileBytes.absolute(weights)
    }
    if case .table(let path) = exclude { exclude = .table(FileBytes.absolute(path)) }
    if case .list(let path) = trusted { trusted = .list(FileBytes.absolute(path)) }
    teachers = RunList(teachers.map(FileBytes.absolute))
    if case .file(let path) = transition { transition = .file(FileBytes.absolute(path)) }
    if case .file(let path) = detection.features { detection.features = .file(FileBytes.absolute(path)) }
    noise = noise.withAbsoluteFiles()
  }

  /// The files that a run with these settings reads besides its data, by the setting that names each.
  ///
  /// `data-root` is a folder of data, and not among them.
  public var inputFiles: [(setting: String, path: String)] {
    var files = Self.settings(of: job).filter { $0.name != "data-root" }.compactMap { setting in
      setting.file(self).map { (setting.name, $0) }
    }
    // Known weights that are not there are told where they are asked for.
    if let weights = initialWeights, let path = KnownWeights.named(weights).map({ $0.path() }) ?? weights {
      files.append(("init", path))
    }
    if case .table(let path) = exclude { files.append(("exclude", path)) }
    if job == .train, case .list(let path) = trusted { files.append(("trusted", path)) }
    if job == .train {
      for (number, path) in teachers.enumerated() {
        // A teacher that is not there is told of where it is read.
        guard let file = try? CheckpointPlace.file(at: path) else { continue }
        files.append((number == 0 ? "teacher" : "teacher-\(number + 1)", file))
      }
    }
    if case .file(let path) = transition { files.append(("transition", path)) }
    if job == .detect, case .file(let path) = detection.features { files.append(("features", path)) }
    // The tables beside arrays decide which row is which image.
    for (setting, path) in files where ["features", "pred-probs"].contains(setting) {
      let table = SampleList.table(beside: path)
      if FileBytes.kind(of: table) == .file { files.append((setting + "-2", table)) }
    }
    // A chain of noises may read several.
    return files + noise.model.files.enumerated().map { ($0 == 0 ? "noise" : "noise-\($0 + 1)", $1) }
  }
}

extension RunSettings {
  /// Whether the data is made of the built-in shapes, which are drawn by the seed.
  public var drawsData: Bool { Dataset.isName(data) && data.hasSuffix("shapes") }

  /// The option that names an input file: the second one of a noise is recorded as `noise-2`.
  public static func option(ofInput setting: String) -> String {
    let words = setting.split(separator: "-")
    let isNumbered = words.count > 1 && words.last.flatMap { Int($0) } != nil
    return "--" + words.dropLast(isNumbered ? 1 : 0).joined(separator: "-")
  }
}
