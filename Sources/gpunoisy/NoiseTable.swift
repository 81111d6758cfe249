import Datasets

/// The catalogue of noises as text.
enum NoiseTable {
  /// One line for each, for `--help`.
  static var grammars: String {
    NoiseCatalogue.entries.map { "  \($0.grammar)\n      \($0.summary)" }.joined(separator: "\n")
  }

  /// `data noise --list`.
  static var text: String {
    let entries = NoiseCatalogue.entries.map { entry in
      var lines = [entry.grammar, "    \(entry.summary)", "    source  \(entry.source)"]
      for (index, line) in wrapped(entry.trap, width: 96).enumerated() {
        lines.append((index == 0 ? "    trap    " : "            ") + line)
      }
      return lines.joined(separator: "\n") + "\n"
    }
    return entries.joined(separator: "\n") + "\nA+B\n    Noise A, then noise B on its labels.\n"
  }

  /// Text in lines of at most `width` characters, broken at blanks.
  private static func wrapped(_ text: String, width: Int) -> [String] {
    var lines: [String] = []
    for word in text.split(separator: " ") {
      if let last = lines.last, last.count + 1 + word.count <= width {
        lines[lines.count - 1] = last + " " + word
      } else {
        lines.append(String(word))
      }
    }
    return lines
  }
}
