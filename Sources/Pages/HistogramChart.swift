/// The spread of numbers in 0…1 of one or two groups, each as shares of its own samples, or all as shares of all.
struct HistogramChart {
  static let bins = 20

  let title: String
  /// Numbers, and the class of the style sheet: `right`, `wrong` or `all`.
  let groups: [(values: [Double], name: String)]
  /// The end of the vertical axis, the same for charts side by side.
  let most: Double
  var xName = "probability of the given label"
  /// The samples that shares are of; nil for those of each group.
  var whole: Int?
  /// Lines on top.
  var curves: [[(x: Double, y: Double)]] = []

  /// The share of the values in each of the equal parts of 0…1.
  static func shares(_ values: [Double], of whole: Int? = nil) -> [Double] {
    var counts = [Double](repeating: 0, count: bins)
    for value in values where value.isFinite { counts[min(max(Int(value * Double(bins)), 0), bins - 1)] += 1 }
    return counts.map { $0 / Double(max(whole ?? values.count, 1)) }
  }

  var html: String {
    var frame = ChartFrame(x: 0...1, y: 0...most, xName: xName, yName: "share of samples")
    frame.yText = ChartFrame.percent
    let marks = groups.filter { !$0.values.isEmpty }.map { values, name in
      let places = Self.shares(values, of: whole).enumerated().flatMap { bin, share in
        [bin, bin + 1].map { frame.place(Double($0) / Double(Self.bins), share) }
      }
      let ends = [frame.place(0, 0)] + places + [frame.place(1, 0)]
      return #"<polygon class="bars \#(name)" points="\#(ends.joined(separator: " "))"/>"#
    }.joined()
    let lines = curves.map { curve in
      let places = curve.map { frame.place($0.x, $0.y) }
      return #"<polyline class="curve s2" points="\#(places.joined(separator: " "))"/>"#
    }.joined()
    let title = HTMLText.escaped(title)
    return "<figure>\n<figcaption>\(title)</figcaption>\n\(frame.svg(marks + lines, label: self.title))\n</figure>"
  }
}
