import FileFormats
import Reports

/// The field of a chart with its two axes, in units of the drawing: lines at round numbers, and how to place a value.
struct ChartFrame {
  static let width = 380.0, height = 250.0
  private static let left = 46.0, right = 14.0, top = 10.0, bottom = 36.0

  let x: ClosedRange<Double>, y: ClosedRange<Double>
  /// How values are written along the axes.
  var xText: (Double) -> String = ChartFrame.plain
  var yText: (Double) -> String = ChartFrame.plain
  var xSteps = 6, ySteps = 5
  let xName: String, yName: String

  init(x: ClosedRange<Double>, y: ClosedRange<Double>, xName: String, yName: String) {
    (self.x, self.y, self.xName, self.yName) = (Self.wide(x), Self.wide(y), xName, yName)
  }

  /// The position of a value as it stands in SVG: `12.5,80`.
  func place(_ horizontal: Double, _ vertical: Double) -> String {
    "\(Self.text(self.horizontal(horizontal))),\(Self.text(self.vertical(vertical)))"
  }

  /// The distance of a value from the left edge of the drawing.
  func horizontal(_ value: Double) -> Double {
    Self.left + (value - x.lowerBound) / (x.upperBound - x.lowerBound) * (Self.width - Self.left - Self.right)
  }

  /// The distance of a value from the upper edge of the drawing.
  func vertical(_ value: Double) -> Double {
    Self.height - Self.bottom - (value - y.lowerBound) / (y.upperBound - y.lowerBound)
      * (Self.height - Self.top - Self.bottom)
  }

  /// A drawing with these axes, the marks on top.
  ///
  /// - Parameter label: what the drawing shows, for those who cannot see it.
  func svg(_ marks: String, label: String) -> String {
    let bottom = Self.text(Self.height - Self.bottom), end = Self.text(Self.width - Self.right)
    var axes = ""
    for value in Self.ticks(y, maximum: ySteps) {
      let place = Self.text(vertical(value))
      axes += #"<line x1="\#(Self.text(Self.left))" x2="\#(end)" y1="\#(place)" y2="\#(place)"/>"#
      axes += #"<text class="y" x="\#(Self.text(Self.left - 6))" y="\#(Self.text(vertical(value) + 4))">"#
      axes += "\(HTMLText.escaped(yText(value)))</text>"
    }
    for value in Self.ticks(x, maximum: xSteps) {
      let place = Self.text(horizontal(value))
      axes +=
        #"<line class="tick" x1="\#(place)" x2="\#(place)" y1="\#(bottom)" y2="\#(Self.text(Self.height - Self.bottom + 4))"/>"#
      axes += #"<text class="x" x="\#(place)" y="\#(Self.text(Self.height - Self.bottom + 17))">"#
      axes += "\(HTMLText.escaped(xText(value)))</text>"
    }
    let middle = Self.text((Self.left + Self.width - Self.right) / 2), half = Self.text((Self.height - Self.bottom) / 2)
    return """
      <svg viewBox="0 0 \(Self.text(Self.width)) \(Self.text(Self.height))" role="img" \
      aria-label="\(HTMLText.escaped(label))">
      <g class="axes">\(axes)<text class="x" x="\(middle)" y="\(Self.text(Self.height - 4))">\
      \(HTMLText.escaped(xName))</text><text class="x" transform="translate(11 \(half)) rotate(-90)">\
      \(HTMLText.escaped(yName))</text></g>
      \(marks)
      </svg>
      """
  }

  /// Round numbers within a range, at most about this many: steps of 1, 2 or 5 times a power of ten.
  static func ticks(_ range: ClosedRange<Double>, maximum count: Int) -> [Double] {
    let span = range.upperBound - range.lowerBound
    guard span > 0, span.isFinite else { return [range.lowerBound] }
    var step = 1.0
    while step * Double(count) < span { step *= 10 }
    while step * Double(count) >= span * 10 { step /= 10 }
    if step / 5 * Double(count) >= span { step /= 5 } else if step / 2 * Double(count) >= span { step /= 2 }
    let first = (range.lowerBound / step - 1e-9).rounded(.up), last = (range.upperBound / step + 1e-9).rounded(.down)
    guard last >= first, last - first < 1000 else { return [range.lowerBound] }
    return (Int(first)...Int(last)).map { Double($0) * step }
  }

  /// A number of an axis with the digits that it needs.
  static func plain(_ value: Double) -> String {
    var places = 0
    var scaled = value
    while places < 6, abs(scaled - scaled.rounded()) > 1e-6 * max(1, abs(scaled)) {
      (places, scaled) = (places + 1, scaled * 10)
    }
    return NumberFormatting.decimal(value, places: places)
  }

  /// As `plain`, with a power of ten where that would be too long for the space beside an axis, as in `2.5e-7`.
  static func short(_ value: Double) -> String {
    guard value != 0, value.isFinite, value.magnitude >= 99_999.5 || value.magnitude < 1e-3 else { return plain(value) }
    var exponent = 0, digits = value.magnitude
    while digits >= 9.99995 { (digits, exponent) = (digits / 10, exponent + 1) }
    while digits < 0.999995 { (digits, exponent) = (digits * 10, exponent - 1) }
    return "\(value < 0 ? "-" : "")\(plain((digits * 1e4).rounded() / 1e4))e\(exponent)"
  }

  /// A share as a whole percentage.
  static func percent(_ value: Double) -> String { plain((value * 1e6).rounded() / 1e4) + "%" }

  /// A length in the drawing, to a hundredth.
  static func text(_ value: Double) -> String {
    let text = NumberFormatting.decimal(value, places: 2)
    guard text.hasSuffix("0") else { return text }
    return text.hasSuffix(".00") ? String(text.dropLast(3)) : String(text.dropLast())
  }

  private static func wide(_ range: ClosedRange<Double>) -> ClosedRange<Double> {
    range.upperBound > range.lowerBound ? range : range.lowerBound - 0.5...range.upperBound + 0.5
  }
}
