import Failures

/// The whole protocol of a published experiment, as settings with their sources.
///
/// A recipe sets what a paper or its code prescribes, and no noise rate: that is a table's column. What is given besides
/// wins over it. Where a paper does what is not there (a rotation, noisy validation labels), `note` says so, and nothing
/// is put in its place silently.
public struct Recipe: Sendable {
  /// A setting that a recipe makes.
  public struct Value: Sendable, Equatable {
    /// The name of the setting, as in `RunSettings.table`.
    public let name: String
    /// Its value as text.
    public let text: String
    /// Where the value comes from: `paper`, `code`, or more where that differs from the recipe's other values.
    public let source: String
  }

  /// The paper and the data set, such as `gce-cifar10`.
  public let name: String
  /// Paper and code that the values come from.
  public let source: String
  /// The noise of its tables, as `--noise` takes it, with R for the rate; several are separated by semicolons.
  public let noise: String
  /// Other losses with the same protocol, as `--loss` takes them.
  public let losses: [String]
  /// How its numbers are reported, and what here is not as published.
  public let note: String
  /// The settings that it makes.
  public let values: [Value]

  /// The recipe of that name.
  ///
  /// - Throws: `.usage`.
  public init(named name: String) throws {
    guard let recipe = Self.catalogue.first(where: { $0.name == name }) else {
      throw Failure.unknown(
        "recipe", name, names: Self.catalogue.map(\.name),
        fix: "choose one of these; 'gpunoisy train --list-recipes' tells what they set.")
    }
    self = recipe
  }

  init(
    name: String, source: String, noise: String, losses: [String] = [], note: String, origin: String,
    _ settings: [Entry]
  ) {
    (self.name, self.source, self.noise, self.losses, self.note) = (name, source, noise, losses, note)
    values = settings.map { Value(name: $0.name, text: $0.text, source: $0.source ?? origin) }
  }

  /// Recipe, source, noise, losses, note, and every value with its source, as lines of text.
  ///
  /// - Parameter settings: those in force, if known: values that differ from the recipe's are pointed out.
  public func lines(inForce settings: RunSettings? = nil) throws -> [String] {
    var lines = ["recipe \(name)"] + Self.wrapped("source", source) + Self.wrapped("noise", noise)
    if !losses.isEmpty { lines += Self.wrapped("losses", "also for --loss \(losses.joined(separator: ", "))") }
    lines += Self.wrapped("note", note)
    let job = settings?.job ?? .train
    var own = RunSettings(for: job)
    try apply(to: &own)
    for value in values {
      var line = "  \(value.name) = \(value.text)  (\(value.source))"
      if let settings, let setting = RunSettings.setting(named: value.name) {
        if !setting.jobs.contains(job) {
          line += "  not read by \(job.rawValue)"
        } else if setting.value(settings) != setting.value(own) {
          line += "  replaced by what was given"
        } else if job == .detect, Self.keptByDetections.contains(value.name) {
          line += "  detect keeps its own"
        }
      }
      lines.append(line)
    }
    return lines
  }

  /// A word and what belongs to it, in lines that a terminal can show.
  private static func wrapped(_ name: String, _ text: String) -> [String] {
    var lines: [String] = []
    for word in text.split(separator: " ") {
      if let last = lines.last, last.count + 1 + word.count <= 96 {
        lines[lines.count - 1] += " " + word
      } else {
        lines.append(String(word))
      }
    }
    let indent = String(repeating: " ", count: 8)
    return lines.enumerated().map { index, line in
      "  " + (index == 0 ? name + indent.dropFirst(name.count) : indent) + line
    }
  }

  /// Settings that a recipe does not change for a detection: what it looks for is lost once the rate falls.
  private static let keptByDetections: Set = ["epochs", "batch-size", "schedule", "milestones"]

  /// The values that it makes for a job.
  func values(for job: JobKind) -> [Value] {
    values.filter { value in
      let isRead = RunSettings.setting(named: value.name)?.jobs.contains(job) ?? true
      return isRead && !(job == .detect && Self.keptByDetections.contains(value.name))
    }
  }

  /// Sets every value of the recipe, and the recipe's name.
  ///
  /// - Throws: `.usage` where the settings have another recipe's values.
  public func apply(to settings: inout RunSettings) throws { try settings.set("recipe", to: name) }
}
