import Methods

/// The kinds of rows of `RunSettings.table`.
extension Setting {
  private static func wholeNumbers(_ range: ClosedRange<Int>) -> String {
    "a whole number from \(range.lowerBound) to \(range.upperBound)"
  }

  static func count(
    _ name: String, _ path: Path<Int>, _ range: ClosedRange<Int>, example: String, _ help: String
  ) -> Setting {
    Setting(name, path, "n", takes: wholeNumbers(range), example: example, help, accepts: range.contains)
  }

  static func count(
    _ name: String, _ path: Path<Int?>, _ range: ClosedRange<Int>, example: String, _ help: String
  ) -> Setting {
    Setting(name, path, "n", takes: wholeNumbers(range), example: example, help, accepts: range.contains)
  }

  static func number(
    _ name: String, _ path: Path<Double>, _ range: ClosedRange<Double>, _ placeholder: String,
    example: String, _ help: String
  ) -> Setting {
    let bounds = [range.lowerBound, range.upperBound].map(MethodChoice.text)
    return Setting(
      name, path, placeholder, takes: "a number from \(bounds[0]) to \(bounds[1])", example: example, help,
      accepts: range.contains)
  }

  static func path(
    _ name: String, _ path: Path<String?>, _ placeholder: String, _ help: String
  ) -> Setting {
    Setting(name, path, placeholder, takes: "a path", example: "here/\(name)", help).naming(path)
  }

  /// One of an enumeration's names, which follow a help text that ends in a colon.
  static func choice<Value: SettingValue & RawRepresentable & CaseIterable>(
    _ name: String, _ path: Path<Value>, _ placeholder: String, example: String, _ help: String
  ) -> Setting where Value.RawValue == String {
    let names = Value.allCases.map(\.rawValue).joined(separator: ", ")
    return Setting(
      name, path, placeholder, takes: RunSettings.names(Value.self), example: example,
      help.hasSuffix(":") ? "\(help) \(names)." : help)
  }

  /// `--shuffle off`.
  static func switched(
    _ name: String, _ path: Path<Bool>, example: String, _ help: String
  ) -> Setting {
    Setting(name, path, "on|off", takes: "on or off", example: example, help)
  }

  /// `--nesterov` and `--no-nesterov`.
  static func flag(
    _ name: String, _ path: Path<Bool>, example: String, _ help: String
  ) -> Setting {
    switched(name, path, example: example, help).given(as: .flag)
  }
}
