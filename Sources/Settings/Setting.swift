import Failures
import FileFormats

/// One setting: everything that help, options, files, `--print-config` and resumed runs know of it.
///
/// `RunSettings.table` has a row for each.
public struct Setting: Sendable {
  /// A part of config.toml and of `--help`.
  public enum Section: String, Sendable, CaseIterable {
    case data, model, loss, optimiser, input, device, run, detect

    /// The heading in `--help`.
    public var title: String {
      switch self {
      case .data: "Data"
      case .model: "Model"
      case .loss: "Loss and method"
      case .optimiser: "Optimiser"
      case .input: "Input"
      case .device: "Device"
      case .run: "Run"
      case .detect: "Detection"
      }
    }
  }

  /// What a setting decides.
  public enum Role: Sendable, Equatable {
    /// What comes out: fixed when a run is resumed, and a recipe may set it.
    case experiment
    /// How it is computed, and when it is saved: a resumed run may change it, and a recipe does not set it.
    case execution
  }

  /// How it is given on the command line.
  public enum Form: Sendable, Equatable {
    /// `--lr 0.1`.
    case value
    /// `--exclude-above -0.5`: its values may begin with a dash.
    case signedValue
    /// `--nesterov` and `--no-nesterov`.
    case flag
    /// `--teacher one --teacher two`, whose values are a list.
    case repeated
    /// `--retrain`, which stands for this value, or `--retrain drop`.
    case valueOrFlag(String)
  }

  /// The name in a configuration file and, behind `--`, on the command line.
  public let name: String
  /// Where it stands.
  public private(set) var section = Section.data
  /// What stands for the value in `--help`.
  public let placeholder: String
  /// What it takes, to end a sentence: "a number from 0 to 1000".
  public let takes: String
  /// A valid value other than the default.
  public let example: String
  /// One sentence or two; see `help(for:)`.
  public let help: String
  /// The jobs that read it.
  public private(set) var jobs: Set<JobKind> = .runs
  /// What it decides.
  public private(set) var role = Role.experiment
  /// How it is given on the command line.
  public private(set) var form = Form.value
  /// What a value that nobody gives follows, such as "the seed"; nil where it follows nothing.
  public private(set) var follows: String?
  /// What help says for some jobs, in place of `help`.
  private var jobHelp: [JobKind: String] = [:]
  /// Why a detection does not read it; empty for settings that it reads.
  public private(set) var absence = ""
  /// The text of an unset value; nil where there is always a value.
  public let unset: String?
  /// Whether a file gives it as a list.
  let takesList: Bool

  /// Reads a value from text, and tells whether it is in range.
  let read: @Sendable (inout RunSettings, _ text: String) throws -> Bool
  /// The value; nil where it is unset.
  let get: @Sendable (RunSettings) -> FlatTOML.Value?

  /// The file or folder that a value names; nil where it names none.
  private(set) var file: @Sendable (RunSettings) -> String? = { _ in nil }
  /// Makes that path absolute.
  private(set) var makePathAbsolute: @Sendable (inout RunSettings) -> Void = { _ in }

  /// Copies the value from the first settings to the second.
  let copy: @Sendable (RunSettings, inout RunSettings) -> Void

  typealias Path<Value> = WritableKeyPath<RunSettings, Value> & Sendable

  /// A setting that always has a value.
  init<Value: SettingValue>(
    _ name: String, _ path: Path<Value>, _ placeholder: String, takes: String, example: String,
    _ help: String, accepts: @escaping @Sendable (Value) -> Bool = { _ in true }
  ) {
    (self.name, self.placeholder, self.takes) = (name, placeholder, takes)
    (self.example, self.help, unset) = (example, help, nil)
    takesList = Value.self is any Sequence.Type && Value.self != String.self
    read = { settings, text in
      guard let value = try Value.read(setting: text), accepts(value) else { return false }
      settings[keyPath: path] = value
      return true
    }
    get = { $0[keyPath: path].setting }
    copy = { $1[keyPath: path] = $0[keyPath: path] }
  }

  /// A setting that may be unset.
  init<Value: SettingValue>(
    _ name: String, _ path: Path<Value?>, _ placeholder: String, takes: String, example: String,
    unset: String = "none", _ help: String, accepts: @escaping @Sendable (Value) -> Bool = { _ in true }
  ) {
    (self.name, self.placeholder, self.takes) = (name, placeholder, "\(takes), or \(unset)")
    (self.example, self.help, self.unset, takesList) = (example, help, unset, false)
    read = { settings, text in
      if text == unset {
        settings[keyPath: path] = nil
        return true
      }
      guard let value = try Value.read(setting: text), accepts(value) else { return false }
      settings[keyPath: path] = value
      return true
    }
    get = { $0[keyPath: path]?.setting }
    copy = { $1[keyPath: path] = $0[keyPath: path] }
  }

  // MARK: - What a row adds

  /// Of this section.
  func `in`(_ section: Section) -> Setting { changed { $0.section = section } }

  /// Read by these jobs alone.
  func of(_ jobs: Set<JobKind>) -> Setting { changed { $0.jobs = jobs } }

  /// Read by `train` alone, or by these jobs too, but not by `detect`.
  func notOfDetect(_ reason: String, besides jobs: Set<JobKind> = []) -> Setting {
    changed { ($0.jobs, $0.absence) = (jobs.union([.train]), reason) }
  }

  /// Its value is the path of a file or folder that the run reads.
  func naming(_ path: Path<String?>) -> Setting {
    changed {
      $0.file = { $0[keyPath: path] }
      $0.makePathAbsolute = { $0[keyPath: path] = $0[keyPath: path].map(FileBytes.absolute) }
    }
  }

  /// Where nobody gives it, it follows something.
  func following(_ what: String) -> Setting { changed { $0.follows = what } }

  /// For these jobs, help says this alone.
  func saying(_ help: String, for jobs: Set<JobKind>) -> Setting {
    changed { setting in for job in jobs { setting.jobHelp[job] = help } }
  }

  /// It decides how, not what.
  var ofExecution: Setting { changed { $0.role = .execution } }

  /// Given in this form.
  func given(as form: Form) -> Setting { changed { $0.form = form } }

  private func changed(_ change: (inout Setting) -> Void) -> Setting {
    var setting = self
    change(&setting)
    return setting
  }

  // MARK: - What others ask

  /// Sets it from text.
  ///
  /// - Throws: `.usage` for a value out of range.
  func set(_ settings: inout RunSettings, to text: String) throws {
    guard try !read(&settings, text) else { return }
    let takesNumber = takes.hasPrefix("a whole number") || takes.hasPrefix("a number from")
    let fault = takesNumber && Double(text) == nil ? "is not a number" : "is out of range"
    throw Failure(
      .usage, "--\(name) \(text.isEmpty ? "''" : text) \(fault).", why: "it must be \(takes).",
      fix: "correct it; --help says what each option takes.")
  }

  /// The value as a file has it, which for an unset one is a text.
  public func value(_ settings: RunSettings) -> FlatTOML.Value {
    get(settings) ?? .string(unset ?? "")
  }

  /// The value as the command line takes it.
  public func text(_ settings: RunSettings) -> String { Self.text(value(settings)) ?? "" }

  /// A value as the command line takes it; nil for lists within lists, which no setting has.
  public static func text(_ value: FlatTOML.Value) -> String? {
    switch value {
    case .string(let text): return text
    case .number(let number): return number.text
    case .bool(let flag): return flag ? "on" : "off"
    case .list(let values):
      var texts: [String] = []
      for value in values {
        if case .list = value { return nil }
        if let text = text(value) { texts.append(text) }
      }
      return texts.isEmpty ? "none" : texts.joined(separator: ",")
    }
  }

  /// The help text for a job, with that job's default.
  public func help(for job: JobKind) -> String {
    if let own = jobHelp[job] { return own }
    let defaults = RunSettings(for: job)
    if get(defaults) != nil {
      let text = text(defaults)
      let value = text.hasSuffix(".0") ? String(text.dropLast(2)) : text
      return "\(help) Default \(value)\(follows.map { "; \($0)" } ?? "")."
    }
    return follows.map { "\(help) Default: \($0)." } ?? help
  }
}
