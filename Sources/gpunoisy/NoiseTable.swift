import Datasets

/// The catalogue of noises as text.
enum NoiseTable {
  /// For `--help`: how each is written, what it does, and in short what misleads.
  static var grammars: String {
    NoiseCatalogue.entries.map { entry in
      "  \(entry.grammar)\n      \(entry.summary)" + (entry.brief.isEmpty ? "" : "\n      Pitfall: \(entry.brief)")
    }.joined(separator: "\n")
  }

  /// `data noise --list`.
  static var text: String {
    let entries = NoiseCatalogue.entries.map { entry in
      let lines =
        [entry.grammar, "    \(entry.summary)"] + part("source", entry.source) + part("pitfall", entry.trap)
      return lines.joined(separator: "\n") + "\n"
    }
    return entries.joined(separator: "\n") + "\nA+B\n    Noise A, then noise B on its labels.\n"
  }

  /// What belongs to a word, in lines of one width.
  private static func part(_ name: String, _ text: String) -> [String] {
    wrapped(text, width: 96).enumerated().map { index, line in
      "    " + (index == 0 ? name + String(repeating: " ", count: 8 - name.count) : "        ") + line
    }
  }

  /// Text in lines of about `width` characters, broken at blanks, but not between a number and its %.
  private static func wrapped(_ text: String, width: Int) -> [String] {
    var lines: [String] = []
    for word in text.split(separator: " ") {
      if let last = lines.last, word.hasPrefix("%") || last.count + 1 + word.count <= width {
        lines[lines.count - 1] = last + " " + word
      } else {
        lines.append(String(word))
      }
    }
    return lines
  }
}
