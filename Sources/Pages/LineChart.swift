/// Curves over the epochs in one field.
struct LineChart {
  /// One curve.
  struct Curve {
    /// The number of its colour and pattern, from 0; nil for a faint line among many.
    var style: Int?
    /// Epoch and value; what was not measured is left out, and values that are no number break the line.
    var points: [(epoch: Int, value: Double?)]
  }

  /// What values are, and so how the vertical axis looks.
  enum Scale {
    /// Shares in 0…1, shown as percentages.
    case shares
    /// Losses, from zero.
    case losses
    /// Any numbers, from zero where that costs little.
    case numbers
  }

  let title: String
  var curves: [Curve]
  var scale = Scale.shares
  /// The vertical range; nil for what the curves need.
  var range: ClosedRange<Double>?
  /// The horizontal range; nil for what the curves have.
  var epochs: ClosedRange<Int>?

  /// The chart; nil where no curve has a value.
  var html: String? {
    let points = curves.flatMap(\.points).compactMap { point in
      point.value.flatMap { $0.isFinite ? (epoch: Double(point.epoch), value: $0) : nil }
    }
    guard let low = points.map(\.value).min(), let high = points.map(\.value).max(),
      let first = epochs.map({ Double($0.lowerBound) }) ?? points.map(\.epoch).min(),
      let last = epochs.map({ Double($0.upperBound) }) ?? points.map(\.epoch).max()
    else { return nil }
    var frame = ChartFrame(
      x: first...last, y: range ?? limits(low, high), xName: "epoch", yName: scale == .losses ? "loss" : "")
    switch scale {
    case .shares: frame.yText = ChartFrame.percent
    case .losses: break
    case .numbers: frame.yText = ChartFrame.short
    }
    frame.xSteps = min(6, Int(last - first) + 1)
    frame.xText = { $0 == $0.rounded() ? ChartFrame.plain($0) : "" }
    let marks = curves.map { Self.marks($0, frame) }.joined(separator: "\n")
    let title = HTMLText.escaped(title)
    return "<figure>\n<figcaption>\(title)</figcaption>\n\(frame.svg(marks, label: self.title))\n</figure>"
  }

  /// From one round number to another: tenths for shares, from zero for losses.
  private func limits(_ low: Double, _ high: Double) -> ClosedRange<Double> {
    switch scale {
    case .numbers: return Self.roundLimits(low, high)
    case .losses:
      let ticks = ChartFrame.ticks(min(0, low)...max(high, low + 1e-9), maximum: 5)
      let step = ticks.count > 1 ? ticks[1] - ticks[0] : 1
      return min(0, (low / step).rounded(.down) * step)...max((high / step).rounded(.up) * step, step)
    case .shares:
      let floor = max(0, (low * 10).rounded(.down) / 10)
      return floor...max(min(1, (high * 10).rounded(.up) / 10), floor + 0.1)
    }
  }

  /// From one round number to another; from or to zero where the values fill at least half of that.
  private static func roundLimits(_ low: Double, _ high: Double) -> ClosedRange<Double> {
    var (low, high) = (low, high)
    if low > 0, low <= high / 2 { low = 0 }
    if high < 0, high >= low / 2 { high = 0 }
    // Equal values would make a field without height, and all but equal ones axes with too many digits.
    let most = max(abs(low), abs(high))
    if high - low <= most * 1e-3 {
      let margin = most > 0 ? most / 10 : 1
      (low, high) = (low - margin, high + margin)
    }
    let ticks = ChartFrame.ticks(low...high, maximum: 5)
    guard ticks.count > 1 else { return low...high }
    let step = ticks[1] - ticks[0]
    return (low / step + 1e-6).rounded(.down) * step...(high / step - 1e-6).rounded(.up) * step
  }

  /// Unbroken stretches as lines, single values as points.
  private static func marks(_ curve: Curve, _ frame: ChartFrame) -> String {
    var stretches: [[String]] = [[]]
    for point in curve.points {
      guard let value = point.value else { continue }
      guard value.isFinite else {
        stretches.append([])
        continue
      }
      stretches[stretches.count - 1].append(frame.place(Double(point.epoch), value))
    }
    let name = style(curve.style)
    return stretches.filter { !$0.isEmpty }.map { places in
      guard places.count > 1 else {
        return #"<path class="dot \#(name)" d="M\#(places[0])h0"/>"#
      }
      return #"<polyline class="curve \#(name)" points="\#(places.joined(separator: " "))"/>"#
    }.joined()
  }

  /// The classes of the style sheet for a number: ten colours, and a pattern that changes with every one.
  static func style(_ number: Int?) -> String {
    number.map { "s\($0 % 10) p\($0 % 3)" } ?? "other"
  }

  /// A short piece of a curve, for a legend.
  static func swatch(_ number: Int?) -> String {
    #"<svg viewBox="0 0 26 12" aria-hidden="true"><line class="curve \#(style(number))" "#
      + #"x1="0" x2="26" y1="6" y2="6"/></svg>"#
  }
}
