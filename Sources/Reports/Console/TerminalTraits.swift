/// When to use colour: the values of `--color`.
public enum ColorChoice: String, Sendable, CaseIterable {
  case auto, always, never
}

/// How to show progress: the values of `--progress`.
public enum ProgressChoice: String, Sendable, CaseIterable {
  case auto, bar, lines, none

  /// What `auto` comes to: a bar on a terminal that can move its cursor, lines elsewhere.
  public func resolved(for terminal: TerminalTraits) -> ProgressChoice {
    self == .auto ? (terminal.movesCursor ? .bar : .lines) : self
  }
}

/// What an output can show.
public struct TerminalTraits: Sendable, Equatable {
  /// A person's terminal whose cursor can go back to the start of the line.
  public var movesCursor: Bool
  /// Whether styled text is welcome.
  public var usesColor: Bool
  /// Whether line-drawing characters come out right.
  public var usesUnicode: Bool

  /// Traits that are known.
  public init(movesCursor: Bool, usesColor: Bool, usesUnicode: Bool) {
    self.movesCursor = movesCursor
    self.usesColor = usesColor
    self.usesUnicode = usesUnicode
  }

  /// Decides by the usual rules.
  ///
  /// Colour: `--color`, else off by a non-empty `NO_COLOR`, else on by `CLICOLOR_FORCE` or `FORCE_COLOR` (not empty and
  /// not `0`), else on for a terminal whose `TERM` is set and not `dumb`. Unicode: by the first of `LC_ALL`, `LC_CTYPE`
  /// and `LANG` that is not empty.
  ///
  /// - Parameters:
  ///   - isTerminal: what `isatty` says of the output.
  ///   - environment: the value of an environment variable, nil if unset.
  public init(isTerminal: Bool, color: ColorChoice, environment: (String) -> String?) {
    func value(_ name: String) -> String? { environment(name).flatMap { $0.isEmpty ? nil : $0 } }
    func isOn(_ name: String) -> Bool { value(name).map { $0 != "0" } ?? false }
    movesCursor = isTerminal && value("TERM").map { $0 != "dumb" } ?? false
    switch color {
    case .always: usesColor = true
    case .never: usesColor = false
    case .auto:
      usesColor = value("NO_COLOR") == nil && (isOn("CLICOLOR_FORCE") || isOn("FORCE_COLOR") || movesCursor)
    }
    let locale = (value("LC_ALL") ?? value("LC_CTYPE") ?? value("LANG") ?? "").lowercased()
    usesUnicode = locale.contains("utf-8") || locale.contains("utf8")
  }
}
