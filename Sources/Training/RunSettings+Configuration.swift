import Failures
import FileFormats

extension RunSettings {
  /// Every resolved setting as config.toml; `gpunoisy train --config` repeats the run from it.
  public var configuration: FlatTOML {
    var sections: [FlatTOML.Section] = []
    for key in Self.keys where key.jobs.contains(job) {
      guard let value = key.get(self) else { continue }
      if sections.last?.name != key.section { sections.append(.init(key.section, [])) }
      sections[sections.count - 1].entries.append(.init(key.name, value))
    }
    return FlatTOML(
      comments: [
        "Every setting of this run. To repeat it: gpunoisy \(detection == nil ? "train" : "detect") --config FILE"
      ], sections: sections)
  }

  /// Settings from a configuration file, over those that are there; keys may stand in any section or above all.
  ///
  /// The values of the recipe that the file names come first, wherever its name stands.
  ///
  /// - Throws: what `FlatTOML.read` throws; `.usage` for unknown sections and keys, bad values and a second recipe;
  ///   `.badInput` for a setting that stands in two sections. All but the file's own failures name line and column.
  public mutating func apply(configurationAt path: String) throws {
    let file = try FlatTOML.read(path), names = Self.sectionNames
    for section in file.sections where !section.name.isEmpty && !names.contains(section.name) {
      throw Failure(
        .usage, "in '\(path)', \(section.place): there is no section '\(section.name)'.",
        why: "the sections are \(names.joined(separator: ", ")).",
        fix: "correct the name, or delete the line: settings may stand above all sections.")
    }
    let entries = file.sections.flatMap(\.entries)
    try Self.refuseSecond(entries, path)
    for entry in entries.filter({ $0.key == "recipe" }) + entries.filter({ $0.key != "recipe" }) {
      try apply(entry, path)
    }
  }

  /// The sections of config.toml, in their order.
  private static var sectionNames: [String] {
    keys.reduce(into: []) { names, key in
      if names.last != key.section { names.append(key.section) }
    }
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

  private mutating func apply(_ entry: FlatTOML.Entry, _ path: String) throws {
    let isKnown = Self.keys.contains { $0.name == entry.key }
    let place = "in '\(path)', \(isKnown ? entry.valuePlace : entry.place): "
    guard let text = Self.text(entry.value) else {
      throw Failure(
        .usage, "\(place)'\(entry.key)' has a value of a kind that no setting has.",
        why: "settings are texts, numbers, true or false, and lists of numbers.", fix: "correct the value.")
    }
    do {
      try set(entry.key, to: text)
    } catch let failure as Failure {
      throw Failure(failure.kind, place + failure.what, why: failure.why, fix: failure.fix)
    }
  }

  /// A value as `set` takes it; nil for lists within lists, which no setting has.
  private static func text(_ value: FlatTOML.Value) -> String? {
    switch value {
    case .string(let text): return text
    case .number(let number): return number.text
    case .bool(let flag): return flag ? "true" : "false"
    case .list(let values):
      var texts: [String] = []
      for value in values {
        if case .list = value { return nil }
        if let text = text(value) { texts.append(text) }
      }
      return texts.joined(separator: ",")
    }
  }
}
