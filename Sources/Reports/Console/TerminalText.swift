/// Text from outside (file names, drivers, exceptions) made safe to print.
public enum TerminalText {
  /// The text with control characters shown as `\x1b` and invisible direction marks as `\u{202e}`.
  ///
  /// A file name can hold escape sequences that recolour, retitle or rewrite a terminal; shown like this they are plain
  /// to see and do nothing. Newlines and tabs are escaped too: one text stays on one line.
  public static func escaped(_ text: String) -> String {
    guard text.unicodeScalars.contains(where: { isUnsafe($0) }) else { return text }
    var plain = ""
    for scalar in text.unicodeScalars {
      guard isUnsafe(scalar) else {
        plain.unicodeScalars.append(scalar)
        continue
      }
      let hex = String(scalar.value, radix: 16)
      plain += scalar.value < 0x100 ? "\\x" + (hex.count < 2 ? "0" : "") + hex : "\\u{\(hex)}"
    }
    return plain
  }

  /// A path or another word as a shell takes it back: in single quotes unless it is plain.
  ///
  /// For commands that are printed to be copied. Control characters are escaped as everywhere, so that a path with them
  /// has to be typed in another way.
  public static func argument(_ text: String) -> String {
    let text = escaped(text)
    let isPlain =
      !text.isEmpty
      && text.unicodeScalars.allSatisfy { scalar in
        switch scalar {
        case "a"..."z", "A"..."Z", "0"..."9", ".", "_", "/", "-", "+", ":", "=", "@", "%", ",": true
        default: scalar.value >= 0x80
        }
      }
    if isPlain { return text }
    return "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
  }

  private static func isUnsafe(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0..<0x20, 0x7F..<0xA0: true
    // Line and paragraph separators, and the marks that turn the direction of writing.
    case 0x2028...0x202E, 0x2066...0x2069, 0x200E, 0x200F, 0x061C: true
    default: false
    }
  }
}
