import FileFormats

/// The page of a reproduced table: own results with error bars beside published ones, and the claims.
///
/// One file without script that needs nothing else.
public struct ReproPage: Sendable {
  /// A mean with the deviation of its runs; shares in 0…1.
  public struct Spread: Sendable, Equatable {
    /// The mean, and the standard deviation; nil where nothing is known of it.
    public var mean: Double, deviation: Double?

    /// A mean with its deviation.
    public init(_ mean: Double, _ deviation: Double?) { (self.mean, self.deviation) = (mean, deviation) }

    /// In percent, as in `89.2 ± 0.4`.
    public var text: String {
      NumberFormatting.decimal(mean * 100, places: 1)
        + (deviation.map { " ± " + NumberFormatting.decimal($0 * 100, places: 1) } ?? "")
    }
  }

  /// A line of a table.
  public struct Row: Sendable {
    /// What the published table's row and column say.
    public var row: String, column: String
    /// What was published, how that was found and where.
    public var published: Spread?, tag: String, source: String
    /// The finished runs: after the last epoch, in the best one, over the last ten.
    public var last: Spread?, best: Spread?, last10: Spread?
    /// The one of these that is compared.
    public var compared: Spread?
    /// The number of finished runs.
    public var count: Int
    /// The verdict.
    public var verdict: String

    /// A line of these parts.
    public init(
      row: String, column: String, published: Spread?, tag: String, source: String, last: Spread?, best: Spread?,
      last10: Spread?, compared: Spread?, count: Int, verdict: String
    ) {
      (self.row, self.column, self.published, self.tag, self.source) = (row, column, published, tag, source)
      (self.last, self.best, self.last10, self.compared) = (last, best, last10, compared)
      (self.count, self.verdict) = (count, verdict)
    }

    var label: String { column.isEmpty ? row : "\(row), \(column)" }

    /// Ours minus the published value, in points.
    public var difference: String {
      guard let compared, let published else { return "–" }
      let value = (compared.mean - published.mean) * 100
      return (value >= 0 ? "+" : "") + NumberFormatting.decimal(value, places: 1)
    }
  }

  /// The lines of one quantity.
  public struct Part: Sendable {
    /// The quantity.
    public var title: String
    /// Its lines.
    public var rows: [Row]

    /// The lines of one quantity.
    public init(title: String, rows: [Row]) { (self.title, self.rows) = (title, rows) }

    /// Whether the quantity is measured in every epoch.
    public var isSeries: Bool { rows.contains { $0.best != nil } }
  }

  /// A claim and its outcome.
  public struct Claim: Sendable {
    /// The sentence, where it is from, what was found, the outcome, and what would decide it.
    public var says: String, source: String, found: String, outcome: String, advice: String

    /// A claim and its outcome.
    public init(says: String, source: String, found: String, outcome: String, advice: String) {
      (self.says, self.source, self.found, self.outcome, self.advice) = (says, source, found, outcome, advice)
    }
  }

  /// The title, and paragraphs of plain text under it.
  public var title: String, facts: [String]
  /// The tables.
  public var parts: [Part]
  /// The claims.
  public var claims: [Claim]
  /// How the protocol differs from the published one.
  public var differences: [String]
  /// Other pages beside this one: name and file.
  public var links: [(name: String, file: String)]
  /// Commands that repeat it.
  public var commands: [String]

  /// A page of these parts.
  public init(
    title: String, facts: [String], parts: [Part], claims: [Claim], differences: [String],
    links: [(name: String, file: String)], commands: [String]
  ) {
    (self.title, self.facts, self.parts, self.claims) = (title, facts, parts, claims)
    (self.differences, self.links, self.commands) = (differences, links, commands)
  }

  /// The page.
  public var html: String {
    let style = PageParts.comparisonStyle
    return PageParts.document(
      title: title, policy: PageParts.policy(style: style), style: style,
      body: ([header, claimsSection] + parts.map(Self.section) + [differencesSection, commandsSection])
        .filter { !$0.isEmpty }.joined(separator: "\n"))
  }

  private var header: String {
    let paragraphs = facts.map { "<p>\(HTMLText.escaped($0))</p>" }
    let pages = links.map { #"<p><a href="\#(HTMLText.escaped($0.file))">\#(HTMLText.escaped($0.name))</a></p>"# }
    return (["<h1>\(HTMLText.escaped(title))</h1>"] + paragraphs + pages).joined(separator: "\n")
  }

  private var claimsSection: String {
    guard !claims.isEmpty else { return "" }
    let rows = claims.map { claim in
      let advice = claim.advice.isEmpty ? "" : "<br><span class=\"faint\">\(HTMLText.escaped(claim.advice))</span>"
      return """
        <tr><td class="text"><b>\(HTMLText.escaped(claim.outcome))</b></td>\
        <td class="text wide">\(HTMLText.escaped(claim.says))<br>\
        <span class="faint">\(HTMLText.escaped(claim.source))</span></td>\
        <td class="text">\(HTMLText.escaped(claim.found))\(advice)</td></tr>
        """
    }
    return """
      <section id="claims">
      <h2>Claims</h2>
      <div class="scroll"><table class="cells"><thead><tr><th scope="col" class="text">outcome</th>\
      <th scope="col" class="text">claim</th><th scope="col" class="text">found, with 95 % interval</th></tr></thead>
      <tbody>
      \(rows.joined(separator: "\n"))
      </tbody></table></div>
      </section>
      """
  }

  private static func section(_ part: Part) -> String {
    let names =
      ["published", part.isSeries ? "last epoch" : "ours"] + (part.isSeries ? ["best epoch", "mean of last 10"] : [])
      + ["runs", "difference"]
    let hasColumns = part.rows.contains { !$0.column.isEmpty }
    let head =
      (["row"] + (hasColumns ? ["column"] : [])).map { #"<th scope="col" class="text">\#($0)</th>"# }
      + names.map { #"<th scope="col">\#($0)</th>"# } + [#"<th scope="col" class="text">verdict</th>"#]
    let rows = part.rows.map { row -> String in
      let published = row.published.map { spread in
        #"<span title="\#(HTMLText.escaped(row.source))">\#(spread.text)</span><br>"#
          + #"<span class="faint">\#(HTMLText.escaped(row.tag))</span>"#
      }
      let numbers =
        [published ?? "–", row.last?.text ?? "–"]
        + (part.isSeries ? [row.best?.text ?? "–", row.last10?.text ?? "–"] : [])
        + ["\(row.count)", row.difference]
      let words = [row.row] + (hasColumns ? [row.column] : [])
      return "<tr>" + words.map { #"<td class="text">\#(HTMLText.escaped($0))</td>"# }.joined()
        + numbers.map { "<td>\($0)</td>" }.joined() + #"<td class="text">\#(HTMLText.escaped(row.verdict))</td></tr>"#
    }
    let note =
      part.isSeries
      ? """
      <p class="faint">In percent, mean ± standard deviation over the runs. The best epoch was chosen on the test set, by
      these same numbers.</p>
      """ : #"<p class="faint">In percent, mean ± standard deviation over the runs.</p>"#
    return """
      <section>
      <h2>\(HTMLText.escaped(part.title))</h2>
      \(IntervalChart(title: part.title, rows: part.rows).html)
      <div class="scroll"><table class="cells"><thead><tr>\(head.joined())</tr></thead>
      <tbody>
      \(rows.joined(separator: "\n"))
      </tbody></table></div>
      \(note)
      </section>
      """
  }

  private var differencesSection: String {
    guard !differences.isEmpty else { return "" }
    let items = differences.map { "<li>\(HTMLText.escaped($0))</li>" }
    return """
      <section>
      <h2>What differs from the published protocol</h2>
      <ul>
      \(items.joined(separator: "\n"))
      </ul>
      </section>
      """
  }

  private var commandsSection: String {
    """
    <section id="method">
    <h2>How to repeat it</h2>
    \(commands.map { "<p><code>\(HTMLText.escaped($0))</code></p>" }.joined(separator: "\n"))
    </section>
    """
  }
}
