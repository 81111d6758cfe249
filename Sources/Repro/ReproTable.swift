import Failures
import FileFormats
import Settings

/// A published table, or a set of claims: cells that are runs, what was published of them, and what is claimed.
///
/// Each is a TOML file and a CSV in `Sources/CTables`.
public struct ReproTable: Sendable {
  /// Of an accuracy over the epochs, the number that is compared.
  public enum Metric: String, Sendable, CaseIterable {
    /// After the last epoch.
    case last
    /// The best epoch: chosen by looking at the answers.
    case best
    /// The mean of the last ten epochs.
    case last10
  }

  /// What is published of a cell's quantity.
  public struct Published: Sendable, Equatable {
    /// How a value was found.
    public enum Tag: String, Sendable, CaseIterable {
      /// Seen in the source.
      case read
      /// From the authors' code or its page.
      case code
      /// Seen in a source that cites it.
      case readSecondHand = "read-2nd"
      /// Remembered.
      case memory

      /// Whether a verdict may rest on it.
      public var isVerified: Bool { self == .read || self == .code }
    }

    /// The value, 0…1, and the standard deviation of the published runs, where they are known.
    public let value: Double, deviation: Double?
    /// The number of runs behind it; nil where it is not known.
    public let runs: Int?
    /// How it was found, and where.
    public let tag: Tag, source: String

    /// A published value.
    public init(value: Double, deviation: Double?, runs: Int?, tag: Tag, source: String) {
      (self.value, self.deviation, self.runs, self.tag, self.source) = (value, deviation, runs, tag, source)
    }
  }

  /// One run of a seed: a row and a column of the table.
  public struct Cell: Sendable {
    /// What it is called in folders and options: `sce-symmetric-40`.
    public let name: String
    /// What the table's row and column say.
    public let row: String, column: String
    /// The subcommand.
    public let job: JobKind
    /// Settings by name, over those of the whole table, in the order of the file.
    let settings: [Assignment]
    /// What was published, by quantity; one without a value has none.
    public let published: [String: Published]
  }

  /// A setting with its text, and where it stands.
  struct Assignment: Sendable, Equatable {
    let name: String, text: String, place: String
  }

  /// A sentence that runs can show to be right or wrong.
  public struct Claim: Sendable {
    /// What is compared.
    public enum Subject: Sendable, Equatable {
      /// The first cell's value lies above the second one's.
      case above(String, Metric, below: String, Metric)
      /// The cell's value is at least, or at most, a number.
      case atLeast(String, Metric, Double)
      case atMost(String, Metric, Double)
    }

    /// The name, the sentence, and where it is from.
    public let name: String, says: String, source: String
    /// What is compared, and of which quantity.
    public let subject: Subject, measure: String
    /// How far above at least, on average; a fraction.
    public let margin: Double

    /// A claim of these parts.
    public init(name: String, says: String, source: String, subject: Subject, measure: String, margin: Double) {
      (self.name, self.says, self.source, self.subject) = (name, says, source, subject)
      (self.measure, self.margin) = (measure, margin)
    }

    /// The cells that it speaks of.
    public var cells: [String] {
      switch subject {
      case .above(let cell, _, let other, _): [cell, other]
      case .atLeast(let cell, _, _), .atMost(let cell, _, _): [cell]
      }
    }
  }

  /// What `--scale quick` does.
  struct Quick: Sendable {
    /// Settings that replace those of the cells.
    var settings: [Assignment] = []
    /// Patterns of the cells that it runs; empty for all.
    var only: [String] = []
  }

  /// The name, such as `sce-mnist`; the title; the paper with its table.
  public let name: String, title: String, paper: String
  /// How a command line names it: its name, or its file.
  public internal(set) var source: String
  /// Which number the published values are.
  public let metric: Metric
  /// Quantities in the order of the page.
  public let measures: [String]
  /// Cells whose curves are drawn side by side.
  public let figures: [String]
  /// How the protocol differs from the published one, the weightiest first.
  public let differences: [String]
  /// What else follows where the table is scaled; empty if nothing does.
  public let follows: String
  /// The cells in the order of the table.
  public let cells: [Cell]
  /// The claims in the order of the file.
  public let claims: [Claim]
  let settings: [Assignment]
  let quick: Quick

  /// What `quick` sets, in the order of the file: `epochs 30, limit-train 6000`.
  public var quickly: String { quick.settings.map { "\($0.name) \($0.text)" }.joined(separator: ", ") }

  /// A cell by its name.
  public func cell(named name: String) -> Cell? { cells.first { $0.name == name } }

  /// The cells that a scale runs, and of these the ones that match a pattern.
  ///
  /// - Parameter patterns: names of cells, in which `*` stands for any text; none for all.
  /// - Throws: `.usage` for a pattern that matches no cell.
  public func cells(at scale: Scale, matching patterns: [String]) throws -> [Cell] {
    for pattern in patterns where !cells.contains(where: { Pattern.matches($0.name, pattern) }) {
      let nearest = NearestNames.sorted(cells.map(\.name), by: pattern).prefix(8)
      let named = nearest.joined(separator: ", ")
      throw Failure(
        .usage, "'\(name)' has no cell '\(pattern)'.",
        why: nearest.count == cells.count
          ? "its cells are \(named)." : "of its \(cells.count) cells, the nearest names are \(named).",
        fix: "name one of these, and repeat --only for several; * stands for any text, as in "
          + "--only '\(cells[0].name.prefix(3))*'. --dry-run lists all cells.")
    }
    return cells.filter { runs($0, at: scale) && Pattern.matches($0.name, anyOf: patterns) }
  }

  /// Whether a scale runs a cell.
  func runs(_ cell: Cell, at scale: Scale) -> Bool {
    scale != .quick || Pattern.matches(cell.name, anyOf: quick.only)
  }

  /// The settings of a cell's run.
  ///
  /// The recipe comes first, then what the table sets, then what the cell sets; then epochs are scaled; then comes what
  /// `quick` sets.
  ///
  /// - Throws: `.badInput` for settings that are wrong, with file and line.
  public func settings(of cell: Cell, seed: UInt64, scale: Scale) throws -> RunSettings {
    var draft = SettingsDraft(for: cell.job)
    let own = settings.filter { assignment in !cell.settings.contains { $0.name == assignment.name } } + cell.settings
    for assignment in own.filter({ $0.name == "recipe" }) + own.filter({ $0.name != "recipe" }) {
      try Self.set(assignment, in: &draft)
    }
    var result = draft.settings
    let full = result.epochs
    switch scale {
    case .full: break
    case .percent(let percent): result = result.scaled(by: percent / 100)
    case .quick:
      var quickly = SettingsDraft(result)
      let epochs = quick.settings.first { $0.name == "epochs" }.flatMap { Int($0.text) }
      if let epochs { quickly = SettingsDraft(result.scaled(by: Double(epochs) / Double(full))) }
      for assignment in quick.settings
      where RunSettings.setting(named: assignment.name)?.jobs.contains(cell.job) ?? true {
        try Self.set(assignment, in: &quickly)
      }
      result = quickly.settings
    }
    result.seed = seed
    do {
      try result.validate()
    } catch let failure as Failure {
      throw Failure(.badInput, "cell \(cell.name) of '\(name)': \(failure.what)", why: failure.why, fix: failure.fix)
    }
    return result
  }

  private static func set(_ assignment: Assignment, in draft: inout SettingsDraft) throws {
    do {
      try draft.set(assignment.name, to: assignment.text, from: .standard)
    } catch let failure as Failure {
      throw Failure(.badInput, "\(assignment.place): \(failure.what)", why: failure.why, fix: failure.fix)
    }
  }
}

/// Names with `*` in them.
public enum Pattern {
  /// Whether a name fits a pattern, in which `*` stands for any text.
  public static func matches(_ name: String, _ pattern: String) -> Bool {
    let parts = pattern.split(separator: "*", omittingEmptySubsequences: false)
    guard parts.count > 1 else { return name == pattern }
    guard name.hasPrefix(parts[0]) else { return false }
    var rest = name.dropFirst(parts[0].count)
    for part in parts.dropFirst().dropLast() where !part.isEmpty {
      guard let found = rest.firstRange(of: part) else { return false }
      rest = rest[found.upperBound...]
    }
    return rest.hasSuffix(parts[parts.count - 1])
  }

  /// Whether a name fits one of the patterns; without any, each does.
  public static func matches(_ name: String, anyOf patterns: [String]) -> Bool {
    patterns.isEmpty || patterns.contains { matches(name, $0) }
  }
}
