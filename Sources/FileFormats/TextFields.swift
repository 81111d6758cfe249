extension StringProtocol {
  /// The text without the white space that people type around it, which includes tabs and non-breaking spaces.
  public var trimmingBlanks: String {
    guard let start = firstIndex(where: { !$0.isBlank }), let end = lastIndex(where: { !$0.isBlank }) else { return "" }
    return String(self[start...end])
  }
}

extension Character {
  /// White space, and the byte order mark that some editors leave within a file.
  fileprivate var isBlank: Bool { isWhitespace || self == "\u{FEFF}" }
}
