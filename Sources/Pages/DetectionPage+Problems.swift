import FileFormats

extension DetectionPage {
  /// Entries of a list of problems that are shown; files have the rest.
  private static let mostEntries = 50
  /// Equal pictures of one group that are named.
  private static let mostMembers = 8
  /// Fewer samples than these are too few to judge a class by.
  private static let fewestSamples = 10

  /// What is wrong with the data besides labels.
  var problems: String {
    let groups = (document["duplicates"]?.array ?? []).filter { $0["differ"]?.bool == true }
    let paths = paths(of: blankPictures + groups.prefix(Self.mostEntries).flatMap(members).map(\.id))
    var parts: [String] = []
    if !unreadable.isEmpty {
      parts.append(
        list(
          "Files that could not be read (\(unreadable.count))",
          unreadable.map { "<code>\(HTMLText.escaped($0.path))</code> \(HTMLText.escaped($0.reason))" }))
    }
    if !groups.isEmpty {
      parts.append(
        list("Groups of equal pictures with different labels (\(groups.count))", groups.map { equal($0, paths) }))
    }
    let same = (document["duplicates"]?.array ?? []).count { $0["differ"]?.bool == false }
    if same > 0 { parts.append("<p>Groups of equal pictures with the same label: \(same), listed in detect.json.</p>") }
    if !blankPictures.isEmpty {
      parts.append(list("Pictures of one colour (\(blankPictures.count))", blankPictures.map { reference($0, paths) }))
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

  private func members(_ group: JSONValue) -> [(id: Int, label: Int)] {
    let ids = group["ids"]?.array?.compactMap(\.integer) ?? []
    let labels = group["labels"]?.array?.compactMap(\.integer) ?? []
    return zip(ids, labels).map { ($0, $1) }
  }

  private func equal(_ group: JSONValue, _ paths: [Int: String]) -> String {
    let members = members(group), rest = members.count - Self.mostMembers
    let first = members.first.map { " data-pictures=\"\($0.id)\"" } ?? ""
    let shown = members.prefix(Self.mostMembers).map {
      "<span class=\"given\">\(name($0.label))</span> \(reference($0.id, paths))"
    }
    return "<span class=\"equal\"\(first)></span>" + shown.joined(separator: ", ")
      + (rest > 0 ? ", and \(rest) more" : "")
  }

  /// How a sample is named: by its id, and its file where it has one.
  private func reference(_ id: Int, _ paths: [Int: String]) -> String {
    "#\(id)" + (paths[id].map { " <code>\(HTMLText.escaped($0))</code>" } ?? "")
  }

  private func paths(of ids: [Int]) -> [Int: String] {
    let wanted = Set(ids)
    let found = samples.filter { wanted.contains($0.id) }.compactMap { sample in sample.path.map { (sample.id, $0) } }
    return Dictionary(found, uniquingKeysWith: { first, _ in first })
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
      + "<td>\(fact.isCommand ? "<code>\(text)</code>" : text)</td></tr>"
  }
}
