import Datasets
import Failures
import FileFormats

/// A job's settings while they are gathered: later calls win, and every value knows its origin.
///
/// The order of calls is the order of precedence: a job's defaults, a recipe, a file, the command line. What follows from
/// the data (`follow`) comes last, and leaves alone what was given.
public struct SettingsDraft: Sendable {
  /// Where a value comes from.
  public enum Origin: Sendable, Equatable {
    /// A default of the job.
    case standard
    /// A recipe, which says where it has the value from.
    case recipe(String, source: String)
    /// A configuration file.
    case file(String, line: Int)
    /// An option.
    case commandLine
    /// A rule, by which the value follows something.
    case rule(String)

    /// As `--print-config` and run.json say it.
    public var text: String {
      switch self {
      case .standard: "default"
      case .recipe(let name, let source): "recipe \(name): \(source)"
      case .file(let path, let line): "\(path):\(line)"
      case .commandLine: "command line"
      case .rule(let what): "follows \(what)"
      }
    }
  }

  /// The settings as they stand.
  public internal(set) var settings: RunSettings
  var known: [String: Origin] = [:]

  /// A job's defaults.
  public init(for job: JobKind) { settings = RunSettings(for: job) }

  /// Settings whose origins are not known: they count as defaults.
  public init(_ settings: RunSettings) { self.settings = settings }

  /// Gives a setting a value by a rule, unless it was given, or has that value already.
  mutating func follow<Value: Equatable>(
    _ name: String, _ path: WritableKeyPath<RunSettings, Value>, _ value: Value, because reason: String
  ) {
    guard origin(of: name) == .standard, settings[keyPath: path] != value else { return }
    settings[keyPath: path] = value
    known[name] = .rule(reason)
  }

  /// Where a setting's value comes from.
  public func origin(of name: String) -> Origin { known[name] ?? .standard }

  /// The origin of every value that is not a default, by the setting's name.
  public var origins: [String: String] { known.mapValues(\.text) }

  /// Sets one setting from text.
  ///
  /// A recipe sets all of its values, over those that are there.
  ///
  /// - Throws: `.usage` for an unknown name, a value out of range, or a second recipe; what reading the value throws.
  public mutating func set(_ name: String, to text: String, from origin: Origin) throws {
    guard let setting = RunSettings.setting(named: name) else {
      throw Failure.unknown("setting", name, names: RunSettings.table.map(\.name), fix: "correct the name.")
    }
    // A file that was written by a run without a recipe takes none back: its values are in force.
    if name == "recipe" {
      if text == setting.unset { return }
      try apply(recipe: text)
    }
    try setting.set(&settings, to: text)
    known[name] = origin
  }

  private mutating func apply(recipe name: String) throws {
    let recipe = try Recipe(named: name)
    if let before = settings.recipe, before != name {
      throw Failure(
        .usage, "the recipes '\(before)' and '\(name)' cannot both be taken.",
        why: "a recipe is a whole protocol; two would make a mixture of both.",
        fix: "name one of them, here or in the configuration file.")
    }
    for value in recipe.values(for: settings.job) {
      try set(value.name, to: value.text, from: .recipe(name, source: value.source))
    }
  }

  /// Makes the paths of the settings absolute, as `RunSettings.makePathsAbsolute` says; their origins stay.
  public mutating func makePathsAbsolute() { settings.makePathsAbsolute() }

  /// Refuses settings that the command line gave, but that nothing would read.
  ///
  /// - Throws: `.configuration`.
  public func refuseUnread() throws {
    try settings.refuseUnread(RunSettings.table.map(\.name).filter { origin(of: $0) == .commandLine })
  }

  /// Every setting of the job, each with its origin in a comment.
  public var configuration: FlatTOML {
    var configuration = settings.configuration { setting in
      let origin = origin(of: setting.name)
      guard origin == .standard, let follows = setting.follows else { return origin.text }
      return "\(origin.text): \(follows)"
    }
    if followsCount {
      configuration.comments.append("The data was not read: what follows its size is shown as it is for a large set.")
    }
    return configuration
  }
}
