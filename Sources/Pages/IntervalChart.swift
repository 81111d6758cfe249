import Failures
import FileFormats

/// Means with error bars on one axis, a line for each cell; published values beside them.
struct IntervalChart {
  let title: String
  /// Those with a finished run.
  let rows: [ReproPage.Row]

  init(title: String, rows: [ReproPage.Row]) { (self.title, self.rows) = (title, rows.filter { $0.compared != nil }) }

  private static let width = 640.0, left = 214.0, right = 20.0, top = 8.0, step = 20.0, bottom = 24.0

  /// The chart; empty where no run is finished.
  var html: String {
    let ends = rows.flatMap { [$0.compared, $0.published] }.compactMap { $0 }.flatMap { spread in
      [spread.mean - (spread.deviation ?? 0), spread.mean + (spread.deviation ?? 0)]
    }
    guard let low = ends.min(), let high = ends.max() else { return "" }
    let first = max(0, (low * 10).rounded(.down) / 10), last = max(min(1, (high * 10).rounded(.up) / 10), first + 0.1)
    let height = Self.top + Self.step * Double(rows.count) + Self.bottom, floor = height - Self.bottom
    func text(_ value: Double) -> String { ChartFrame.text(value) }
    func x(_ value: Double) -> Double {
      let share = (min(max(value, first), last) - first) / (last - first)
      return Self.left + share * (Self.width - Self.left - Self.right)
    }
    var axes = ""
    for value in ChartFrame.ticks(first...last, maximum: 6) {
      axes += #"<line x1="\#(text(x(value)))" x2="\#(text(x(value)))" y1="\#(text(Self.top))" y2="\#(text(floor))"/>"#
      axes += #"<text class="x" x="\#(text(x(value)))" y="\#(text(floor + 16))">\#(ChartFrame.percent(value))</text>"#
    }
    var marks = ""
    for (index, row) in rows.enumerated() {
      let y = Self.top + Self.step * (Double(index) + 0.5)
      let label = HTMLText.escaped(row.label.shortened(to: 30))
      axes += #"<text class="y" x="\#(text(Self.left - 8))" y="\#(text(y + 4))">\#(label)</text>"#
      if let published = row.published {
        marks += Self.bar(published, at: y + 3, x, "published")
        let center = x(published.mean)
        marks +=
          #"<path class="published" d="M\#(text(center)) \#(text(y - 2))l5 5l-5 5l-5 -5z"/>"#
      }
      if let ours = row.compared {
        marks += Self.bar(ours, at: y - 3, x, "ours")
        marks += #"<circle class="ours" cx="\#(text(x(ours.mean)))" cy="\#(text(y - 3))" r="4"/>"#
      }
    }
    let hasPublished = rows.contains { $0.published != nil }
    return """
      <figure class="intervals">
      <figcaption><svg viewBox="0 0 12 12" aria-hidden="true"><circle class="ours" cx="6" cy="6" r="4"/></svg> ours\
      \(hasPublished
        ? #" <svg viewBox="0 0 12 12" aria-hidden="true"><path class="published" d="M6 1l5 5l-5 5l-5 -5z"/></svg> "#
          + "published" : ""); bars: one standard deviation</figcaption>
      <svg class="wide" viewBox="0 0 \(text(Self.width)) \(text(height))" role="img" \
      aria-label="\(HTMLText.escaped(title))">
      <g class="axes">\(axes)</g>
      \(marks)
      </svg>
      </figure>
      """
  }

  private static func bar(
    _ spread: ReproPage.Spread, at y: Double, _ x: (Double) -> Double, _ name: String
  ) -> String {
    guard let deviation = spread.deviation, deviation > 0 else { return "" }
    let (low, high) = (x(spread.mean - deviation), x(spread.mean + deviation)), text = ChartFrame.text
    return #"<line class="bar \#(name)" x1="\#(text(low))" x2="\#(text(high))" y1="\#(text(y))" y2="\#(text(y))"/>"#
  }
}
