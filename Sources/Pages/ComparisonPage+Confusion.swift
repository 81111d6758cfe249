import FileFormats

extension ComparisonPage {
  /// What a network predicts for the samples that it is measured on.
  public struct Confusion: Sendable, Equatable {
    /// Counts by label (row) and prediction (column), [K, K].
    public var counts: [[Int]]
    /// What the samples are: `the test set`.
    public var part: String

    /// Counts of a part of the data.
    public init(counts: [[Int]], part: String) { (self.counts, self.part) = (counts, part) }

    /// Samples of another class than was predicted, by label and prediction.
    struct Pair: Equatable {
      let label: Int, prediction: Int, count: Int
      /// The share of the label's samples.
      let share: Double
    }

    /// The confusions that occur, the most frequent first.
    var pairs: [Pair] {
      counts.enumerated().flatMap { label, row in
        let size = row.reduce(0, +)
        return row.enumerated().filter { $0.offset != label && $0.element > 0 }.map {
          Pair(label: label, prediction: $0.offset, count: $0.element, share: Double($0.element) / Double(size))
        }
      }.sorted { ($1.count, $1.share, $0.label, $0.prediction) < ($0.count, $0.share, $1.label, $1.prediction) }
    }

    /// How strong the colour of a count is, from 0 (none) to 5, by its share of the label's samples.
    static func heat(_ count: Int, of size: Int) -> Int {
      guard count > 0, size > 0 else { return 0 }
      let share = Double(count) / Double(size)
      return 1 + steps.count { share > $0 }
    }

    /// The shares above which colours are stronger.
    static let steps = [0.05, 0.2, 0.4, 0.7]
  }

  /// More classes than these make a table whose numbers nobody reads: a map of colours instead.
  private static let mostTableClasses = 20
  /// More classes than these have no map either.
  private static let mostMapClasses = 400
  /// The confusions that are listed.
  private static let mostPairs = 20

  /// Which classes are taken for which, run beside run; empty where nothing was measured.
  var confusion: String {
    let measured = runs.indices.compactMap { index in runs[index].confusion.map { (index, $0) } }
    guard !measured.isEmpty else { return "" }
    let groups = measured.map { index, confusion in
      """
      <div>
      <h3>\(HTMLText.escaped(name(index))) <small>\(HTMLText.escaped(confusion.part)), last checkpoint</small></h3>
      <div class="side">
      \(confusion.counts.count > Self.mostTableClasses ? map(confusion) : table(confusion))
      \(list(confusion))
      </div>
      </div>
      """
    }
    let counts = measured.map(\.1.counts.count), isNarrow = counts.allSatisfy { $0 <= 6 }
    // Small squares without numbers need stronger colours.
    let isMap = counts.allSatisfy { $0 > Self.mostTableClasses }
    return """
      <section id="confusion"\(isMap ? " class=\"strong\"" : "")>
      <h2>Confusions</h2>
      <p>Labels in rows, predictions in columns: the diagonal is right. Labels are those of the data, right or not.</p>
      \(Self.scale)
      <div class="groups\(isNarrow ? "" : " single")">
      \(groups.joined(separator: "\n"))
      </div>
      </section>
      """
  }

  /// What the colours mean.
  private static var scale: String {
    let ends = Confusion.steps.map { "≤ \(NumberFormatting.percent($0, places: 0))" } + ["more"]
    let entries = ends.enumerated().map { step, text in
      "<span><svg viewBox=\"0 0 12 12\" aria-hidden=\"true\"><rect class=\"heat\(step + 1)\" width=\"12\" height=\"12\"/></svg>"
        + "\(text)</span>"
    }
    return "<div class=\"legend\"><span>share of the label's samples:</span>\n\(entries.joined(separator: "\n"))</div>"
  }

  private func table(_ confusion: Confusion) -> String {
    let head = confusion.counts.indices.map {
      "<th scope=\"col\"><span>\(HTMLText.escaped(className($0)))</span></th>"
    }
    let rows = confusion.counts.enumerated().map { label, row -> String in
      let size = row.reduce(0, +)
      let cells = row.enumerated().map { prediction, count in
        let heat = Confusion.heat(count, of: size), right = label == prediction ? " right" : ""
        return "<td class=\"heat\(heat)\(right)\">\(count > 0 || label == prediction ? "\(count)" : "")</td>"
      }
      return "<tr><th scope=\"row\" class=\"name\">\(HTMLText.escaped(className(label)))</th>\(cells.joined())</tr>"
    }
    return """
      <div class="scroll"><table class="confusion">
      <thead><tr><td></td>\(head.joined())</tr></thead>
      <tbody>
      \(rows.joined(separator: "\n"))
      </tbody></table></div>
      """
  }

  /// A square for each pair of classes, of all classes in their order.
  private func map(_ confusion: Confusion) -> String {
    let K = confusion.counts.count
    guard K <= Self.mostMapClasses else { return "" }
    var paths = [String](repeating: "", count: 6)
    for (label, row) in confusion.counts.enumerated() {
      let size = row.reduce(0, +)
      for (prediction, count) in row.enumerated() where count > 0 {
        paths[Confusion.heat(count, of: size)] += "M\(prediction) \(label)h1v1h-1z"
      }
    }
    let squares = (1...5).map { "<path class=\"heat\($0)\" d=\"\(paths[$0])\"/>" }
    return """
      <div class="map"><svg viewBox="0 0 \(K) \(K)" role="img" \
      aria-label="\(K) labels from top to bottom, predictions from left to right">
      <rect class="ground" width="\(K)" height="\(K)"/>
      \(squares.joined(separator: "\n"))
      </svg>
      <p class="faint">\(K) labels from top to bottom, predictions from left to right, in the order of the classes.</p>
      </div>
      """
  }

  private func list(_ confusion: Confusion) -> String {
    let pairs = confusion.pairs
    guard !pairs.isEmpty else { return "<p>None: every sample is predicted as labelled.</p>" }
    let rows = pairs.prefix(Self.mostPairs).map { pair in
      "<tr><th scope=\"row\" class=\"name\">\(HTMLText.escaped(className(pair.label)))</th>"
        + "<td class=\"text\">\(HTMLText.escaped(className(pair.prediction)))</td><td>\(pair.count)</td>"
        + "<td>\(NumberFormatting.percent(pair.share, places: 1))</td></tr>"
    }
    let rest = pairs.dropFirst(Self.mostPairs).reduce(0) { $0 + $1.count }
    return """
      <div><div class="scroll"><table class="pairs"><thead><tr><th scope="col">label</th>\
      <th scope="col" class="text">predicted</th><th scope="col">samples</th><th scope="col">of the label</th></tr></thead>
      <tbody>
      \(rows.joined(separator: "\n"))
      </tbody></table></div>
      \(rest > 0 ? "<p class=\"faint\">\(rest) more samples in \(pairs.count - Self.mostPairs) other pairs.</p>" : "")
      </div>
      """
  }
}
