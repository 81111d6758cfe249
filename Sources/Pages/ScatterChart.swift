/// Points in a plane with equal scales, coloured by group.
struct ScatterChart {
  private static let size = 300.0, margin = 10.0

  let title: String
  let points: [(x: Double, y: Double)]
  /// The number of each point's colour [N]; nil for a faint one.
  let styles: [Int?]

  var html: String {
    let xs = points.map(\.x), ys = points.map(\.y)
    guard let left = xs.min(), let right = xs.max(), let low = ys.min(), let high = ys.max() else { return "" }
    let span = max(right - left, high - low, 1e-12), room = Self.size - 2 * Self.margin
    func text(_ value: Double) -> String { ChartFrame.text(value) }
    func place(_ index: Int) -> String {
      let x = Self.size / 2 + (xs[index] - (left + right) / 2) / span * room
      let y = Self.size / 2 - (ys[index] - (low + high) / 2) / span * room
      return "M\(text(x)) \(text(y))h0"
    }
    var groups: [Int: [Int]] = [:]
    for index in points.indices { groups[styles[index] ?? -1, default: []].append(index) }
    let marks = groups.sorted { $0.key < $1.key }.map { style, members in
      let name = style < 0 ? "other" : "s\(style % 10)"
      return #"<path class="dot \#(name)" d="\#(members.map(place).joined())"/>"#
    }
    return """
      <figure>
      <figcaption>\(HTMLText.escaped(title))</figcaption>
      <svg class="points" viewBox="0 0 \(text(Self.size)) \(text(Self.size))" role="img" \
      aria-label="\(HTMLText.escaped(title))">\(marks.joined())</svg>
      </figure>
      """
  }

  /// A point, for a legend.
  static func swatch(_ number: Int?) -> String {
    #"<svg viewBox="0 0 12 12" aria-hidden="true"><path class="dot \#(number.map { "s\($0 % 10)" } ?? "other")" "#
      + #"d="M6 6h0"/></svg>"#
  }
}
