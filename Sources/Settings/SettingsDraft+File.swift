import Failures
import FileFormats

extension SettingsDraft {
  /// Settings from a configuration file, over those that are there; keys may stand in any section or above all.
  ///
  /// The values of the recipe that the file names come first, wherever its name stands. What another job reads and this
  /// one does not is checked and passed over.
  ///
  /// - Returns: the names of what was passed over, but for values that are defaults.
  /// - Throws: what `FlatTOML.read` throws; `.usage` for unknown sections and keys, bad values and a second recipe;
  ///   `.badInput` for a setting that stands in two sections. All but the file's own failures name line and column.
  @discardableResult
  public mutating func apply(fileAt path: String) throws -> [String] {
    let unread = try apply(FlatTOML.read(path), from: path)
    // A new run of old settings: its own file has the order of today.
    settings.followsFirstSchema = false
    return unread
  }

  /// A run's settings, from its config.toml.
  ///
  /// - Throws: as `apply(fileAt:)`.
  public init(ofFileAt path: String) throws {
    let file = try FlatTOML.read(path)
    // A run of detect has keys that no other job reads.
    let isDetection = file.sections.flatMap(\.entries).contains { entry in
      RunSettings.setting(named: entry.key)?.jobs == [.detect]
    }
    self.init(for: isDetection ? .detect : .train)
    try apply(file, from: path)
  }

  @discardableResult
  private mutating func apply(_ file: FlatTOML, from path: String) throws -> [String] {
    settings.followsFirstSchema = Self.isOfFirstSchema(path)
    if settings.followsFirstSchema { settings.fit = .stretch }
    let names = Setting.Section.allCases.map(\.rawValue)
    for section in file.sections where !section.name.isEmpty && !names.contains(section.name) {
      throw Failure(
        .usage, "in '\(path)', \(section.place): there is no section '\(section.name)'.",
        why: "the sections are \(names.joined(separator: ", ")).",
        fix: "correct the name, or delete the line: settings may stand above all sections.")
    }
    let entries = file.sections.flatMap(\.entries)
    try Self.refuseSecond(entries, path)
    var unread: [String] = []
    for entry in entries.filter({ $0.key == "recipe" }) + entries.filter({ $0.key != "recipe" }) {
      if try apply(entry, path) { unread.append(entry.key) }
    }
    return unread
  }

  /// Whether the settings lie beside a record of the first schema, whose runs gave an image's height before its width,
  /// and stretched images.
  private static func isOfFirstSchema(_ path: String) -> Bool {
    let record = FileBytes.folder(of: path) + "/run.json"
    guard FileBytes.kind(of: record) == .file, let bytes = try? FileBytes.read(record),
      let json = try? JSONText.parse(bytes, named: record)
    else { return false }
    return json["schema"]?.string == "gpunoisy.run/1"
  }

  /// Refuses a setting that is there twice, which within one section is not TOML.
  private static func refuseSecond(_ entries: [FlatTOML.Entry], _ path: String) throws {
    var firsts: [String: FlatTOML.Entry] = [:]
    for entry in entries {
      guard let first = firsts.updateValue(entry, forKey: entry.key) else { continue }
      let lines = "lines \(first.place.line) and \(entry.place.line)"
      guard entry.key != "recipe" else {
        throw Failure(
          .usage, "'\(path)' names two recipes, in \(lines).",
          why: "a recipe is a whole protocol; two would make a mixture of both.", fix: "delete one of the two lines.")
      }
      throw Failure(
        .badInput, "'\(path)' sets '\(entry.key)' twice, in \(lines).",
        why: "sections only arrange settings; each setting has one value.", fix: "delete one of the two lines.")
    }
  }

  /// Takes a line of the file; tells whether it has a value that the job does not read.
  private mutating func apply(_ entry: FlatTOML.Entry, _ path: String) throws -> Bool {
    let setting = RunSettings.setting(named: entry.key)
    let place = "in '\(path)', \(setting == nil ? entry.place : entry.valuePlace): "
    do {
      var text = try Self.text(of: entry, for: setting)
      if entry.key == "image-size", settings.followsFirstSchema {
        text = text.split(separator: "x", omittingEmptySubsequences: false).reversed().joined(separator: "x")
      }
      guard let setting, !setting.jobs.contains(settings.job) else {
        try set(entry.key, to: text, from: .file(path, line: entry.place.line))
        return false
      }
      var other = settings
      try setting.set(&other, to: text)
      return setting.value(other) != setting.value(RunSettings(for: settings.job))
    } catch let failure as Failure {
      throw Failure(failure.kind, place + failure.what, why: failure.why, fix: failure.fix)
    }
  }

  /// A value as `set` takes it.
  private static func text(of entry: FlatTOML.Entry, for setting: Setting?) throws -> String {
    if case .list = entry.value, let setting, !setting.takesList {
      throw Failure(
        .usage, "'\(entry.key)' is a list.", why: "it must be \(setting.takes).",
        fix: "write the value without brackets.")
    }
    guard let text = Setting.text(entry.value) else {
      throw Failure(
        .usage, "'\(entry.key)' has an unsupported type.",
        why: "settings are texts, numbers, true or false, and lists of numbers.", fix: "correct the value.")
    }
    return text
  }
}
