import Failures
import FileFormats
import Reports
import TOMLKit

extension RunSettings {
  /// Every resolved setting as config.toml; `gpunoisy train --config` repeats the run from it.
  public var configuration: ConfigurationText {
    var sections: [ConfigurationText.Section] = []
    for key in Self.keys where key.jobs.contains(job) {
      guard let value = key.get(self) else { continue }
      if sections.last?.name != key.section { sections.append(.init(key.section, [])) }
      sections[sections.count - 1].settings.append((key.name, value))
    }
    return ConfigurationText(
      comments: [
        "Every setting of this run. To repeat it: gpunoisy \(detection == nil ? "train" : "detect") --config FILE"
      ], sections: sections)
  }

  /// Settings from a configuration file, over those that are there; keys may stand in sections or without.
  ///
  /// The values of a recipe that the file names come first, wherever its name stands.
  ///
  /// - Throws: `.missingInput`; `.badInput` for text that is not TOML; `.usage` for unknown keys and bad values.
  public mutating func apply(configurationAt path: String) throws {
    let bytes = try FileBytes.read(path)
    let table: TOMLTable
    do {
      table = try TOMLTable(string: String(decoding: bytes, as: UTF8.self))
    } catch let error as TOMLParseError {
      throw Failure(
        .badInput, "'\(path)' is not valid TOML.",
        why: "line \(error.source.begin.line), column \(error.source.begin.column): \(error.description)",
        fix: "correct that line.")
    }
    if let name = Self.recipe(in: table) { try apply("recipe", name, path) }
    try apply(table, path)
  }

  /// The recipe that a table or one of its sections names.
  private static func recipe(in table: TOMLTable) -> String? {
    table["recipe"]?.string ?? table.keys.sorted().lazy.compactMap { table[$0]?.table?["recipe"]?.string }.first
  }

  private mutating func apply(_ table: TOMLTable, _ path: String) throws {
    for key in table.keys.sorted() where table[key]?.string == nil || key != "recipe" {
      guard let value = table[key] else { continue }
      if let section = value.table {
        try apply(section, path)
        continue
      }
      guard let text = Self.text(value) else {
        throw Failure(
          .usage, "'\(key)' in '\(path)' has a value of a kind that no setting has.",
          why: "settings are texts, numbers, true or false, and lists of numbers.", fix: "correct the value.")
      }
      try apply(key, text, path)
    }
  }

  private mutating func apply(_ key: String, _ text: String, _ path: String) throws {
    do {
      try set(key, to: text)
    } catch let failure as Failure {
      throw Failure(failure.kind, "in '\(path)': \(failure.what)", why: failure.why, fix: failure.fix)
    }
  }

  private static func text(_ value: any TOMLValueConvertible) -> String? {
    if let text = value.string { return text }
    if let flag = value.bool { return flag ? "true" : "false" }
    if let whole = value.int { return String(whole) }
    if let number = value.double { return String(number) }
    guard let list = value.array else { return nil }
    let texts = list.map { text($0) }
    return texts.contains(nil) ? nil : texts.compactMap { $0 }.joined(separator: ",")
  }
}
