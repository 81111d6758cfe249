import Datasets
import FileFormats

extension DetectionPage {
  /// Entries of a list of problems that are shown; files have the rest.
  private static let mostEntries = 50
  /// Equal images of one group that are named.
  private static let mostMembers = 8
  /// Fewer samples than these are too few to judge a class by.
  private static let fewestSamples = 10

  /// What is wrong with the data besides labels.
  var problems: String {
    let groups = duplicates.filter(\.hasDifferentLabels)
    let named = named(blankImages + groups.prefix(Self.mostEntries).flatMap(\.ids).map { Int($0) })
    var parts: [String] = []
    if !unreadable.isEmpty {
      parts.append(
        list(
          "Files that could not be read (\(unreadable.count))",
          unreadable.map { "<code>\(HTMLText.escaped($0.path))</code> \(HTMLText.escaped($0.reason))" }))
    }
    if !groups.isEmpty {
      parts.append(
        list("Groups of equal images with different labels (\(groups.count))", groups.map { equal($0, named) }))
    }
    if let overlapSummary {
      parts.append(
        list(
          "The training set and what is measured with share images: \(HTMLText.escaped(overlapSummary)) (overlap.csv)",
          overlaps.map(entry)))
    }
    let same = duplicates.count - groups.count
    if same > 0 { parts.append("<p>Groups of equal images with the same label: \(same), listed in detect.json.</p>") }
    if !blankImages.isEmpty {
      parts.append(list("Images of one colour (\(blankImages.count))", blankImages.map { reference($0, named) }))
    }
    let small = tables.classes.filter { $0.size < Self.fewestSamples }
    if !small.isEmpty {
      let names = small.prefix(Self.mostEntries).map { "\(name($0.label)) (\($0.size))" }
      parts.append("<p>Classes too small to judge: \(names.joined(separator: ", "))</p>")
    }
    if parts.isEmpty {
      parts.append("<p>None found: no unreadable file, no equal images, no image of one colour, no tiny class.</p>")
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

  private func equal(_ group: DuplicateGroup, _ named: [Int: Sample]) -> String {
    let rest = group.ids.count - Self.mostMembers
    let first = group.ids.first.map { " data-images=\"\($0)\"" } ?? ""
    let shown = group.ids.prefix(Self.mostMembers).map { id in
      let label = named[Int(id)].map { name($0.given) } ?? ""
      return "<span class=\"given\">\(label)</span> \(reference(Int(id), named))"
    }
    return "<span class=\"equal\"\(first)></span>" + shown.joined(separator: ", ")
      + (rest > 0 ? ", and \(rest) more" : "")
  }

  /// How a sample is named: by its id, and its file where it has one.
  private func reference(_ id: Int, _ named: [Int: Sample]) -> String {
    "#\(id)" + (named[id]?.path.map { " <code>\(HTMLText.escaped($0))</code>" } ?? "")
  }

  /// The samples with these ids.
  private func named(_ ids: [Int]) -> [Int: Sample] {
    let wanted = Set(ids)
    return Dictionary(
      samples.lazy.filter { wanted.contains($0.id) }.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
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
