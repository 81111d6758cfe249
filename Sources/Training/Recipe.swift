import Failures

/// The whole protocol of a published experiment, as settings with their sources.
///
/// A recipe sets what a paper or its code prescribes, and no noise rate: that is a table's column. What is given besides
/// wins over it. Where a paper needs what is not there (a network, a rotation), `note` says so, and nothing is put in its
/// place silently.
public struct Recipe: Sendable {
  /// A setting that a recipe makes.
  public struct Value: Sendable, Equatable {
    /// The name of the setting, as in `RunSettings.keys`.
    public let name: String
    /// Its value as text.
    public let text: String
    /// Where the value comes from, if not from where the recipe does.
    public let source: String?

    init(_ name: String, _ text: String, _ source: String? = nil) {
      (self.name, self.text, self.source) = (name, text, source)
    }
  }

  /// The paper and the data set, such as `gce-cifar10`.
  public let name: String
  /// Paper and code that the values come from.
  public let source: String
  /// The noise of its tables, as `--noise` takes it, with R for the rate.
  public let noise: String
  /// How its numbers are reported, and what here is not as published.
  public let note: String
  /// The settings that it makes.
  public let values: [Value]

  /// The recipe of that name.
  ///
  /// - Throws: `.usage`.
  public init(named name: String) throws {
    guard let recipe = Self.catalogue.first(where: { $0.name == name }) else {
      throw Failure(
        .usage, "there is no recipe '\(name)'.",
        why: "the recipes are \(Self.catalogue.map(\.name).joined(separator: ", ")).",
        fix: "choose one of these; 'gpunoisy train --list-recipes' tells what they set.")
    }
    self = recipe
  }

  init(name: String, source: String, noise: String, note: String, values: [Value]) {
    (self.name, self.source, self.noise, self.note, self.values) = (name, source, noise, note, values)
  }

  /// Recipe, source, note, and every value as lines of text.
  ///
  /// - Parameter settings: those in force, if known: values that differ from the recipe's are pointed out.
  public func lines(inForce settings: RunSettings? = nil) throws -> [String] {
    var lines = ["recipe \(name)", "  source  \(source)", "  noise   \(noise)", "  note    \(note)"]
    var own = RunSettings()
    try apply(to: &own)
    for value in values {
      var line = "  \(value.name) = \(value.text)" + (value.source.map { "  (\($0))" } ?? "")
      if let settings, let key = RunSettings.keys.first(where: { $0.name == value.name }),
        key.get(settings) != key.get(own)
      {
        line += "  replaced by what was given"
      }
      lines.append(line)
    }
    return lines
  }

  /// Sets every value of the recipe.
  ///
  /// - Throws: `.usage`; never for a recipe of the catalogue.
  public func apply(to settings: inout RunSettings) throws {
    for value in values { try settings.set(value.name, to: value.text) }
  }
}
