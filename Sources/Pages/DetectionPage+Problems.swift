import FileFormats

extension DetectionPage {
  /// Entries of a list of problems that are shown; files have the rest.
  private static let mostEntries = 50
  /// Fewer samples than these are too few to judge a class by.
  private static let fewestSamples = 10

  /// What is wrong with the data besides labels.
  var problems: String {
    var parts: [String] = []
    if !unreadable.isEmpty {
      parts.append(
        list(
          "Files that could not be read (\(unreadable.count))",
          unreadable.map { "<code>\(HTMLText.escaped($0.path))</code> \(HTMLText.escaped($0.reason))" }))
    }
    let groups = (document["duplicates"]?.array ?? []).filter { $0["differ"]?.bool == true }
    if !groups.isEmpty {
      parts.append(
        list("Equal pictures with different labels (\(groups.count) groups)", groups.map(duplicates)))
    }
    let same = (document["duplicates"]?.array ?? []).count { $0["differ"]?.bool == false }
    if same > 0 { parts.append("<p>Equal pictures with the same label: \(same) groups, listed in detect.json.</p>") }
    if !blankPictures.isEmpty {
      let ids = blankPictures.prefix(Self.mostEntries).map { "#\($0)" }.joined(separator: ", ")
      let rest = blankPictures.count > Self.mostEntries ? ", …" : ""
      parts.append("<p>Pictures of one colour (\(blankPictures.count)): \(ids)\(rest)</p>")
    }
    let small = (document["per_class"]?.array ?? []).filter { ($0["size"]?.integer ?? 0) < Self.fewestSamples }
    if !small.isEmpty {
      let names = small.prefix(Self.mostEntries).map {
        "\(HTMLText.escaped($0["name"]?.string ?? "")) (\($0["size"]?.integer ?? 0))"
      }
      parts.append("<p>Classes too small to judge: \(names.joined(separator: ", "))</p>")
    }
    if parts.isEmpty {
      parts.append("<p>None found: no unreadable file, no equal pictures, no picture of one colour, no tiny class.</p>")
    }
    return """
      <section id="problems">
      <h2>Problems in the data</h2>
      \(parts.joined(separator: "\n"))
      </section>
      """
  }

  private func list(_ title: String, _ entries: [String]) -> String {
    let rest = entries.count - Self.mostEntries
    return "<p>\(title)</p>\n<ul>\n" + entries.prefix(Self.mostEntries).map { "<li>\($0)</li>\n" }.joined()
      + (rest > 0 ? "<li>… and \(rest) more</li>\n" : "") + "</ul>"
  }

  private func duplicates(_ group: JSONValue) -> String {
    let ids = group["ids"]?.array?.compactMap(\.integer) ?? []
    let labels = group["labels"]?.array?.compactMap(\.integer) ?? []
    let members = zip(ids, labels).map { id, label in
      "#\(id) <span class=\"given\">\(name(label))</span>"
    }
    let first = ids.first.map { " data-pictures=\"\($0)\"" } ?? ""
    return "<span class=\"equal\"\(first)></span>\(members.joined(separator: ", "))"
  }

  /// How the result came about.
  var method: String {
    """
    <section id="method">
    <h2>Method</h2>
    <div class="scroll"><table>
    <tbody>
    \(facts.map(line).joined(separator: "\n"))
    </tbody>
    </table></div>
    <p><a href="../label_issues.csv">label_issues.csv</a> · <a href="../detect.json">detect.json</a> ·
    <a href="../config.toml">config.toml</a></p>
    </section>
    """
  }

  private func line(_ fact: Fact) -> String {
    let text = HTMLText.escaped(fact.text)
    return "<tr><th scope=\"row\">\(HTMLText.escaped(fact.name))</th>"
      + "<td>\(fact.name == "command" ? "<code>\(text)</code>" : text)</td></tr>"
  }
}
