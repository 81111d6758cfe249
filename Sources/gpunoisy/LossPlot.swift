import Failures
import FileFormats
import Glibc
import Losses
import Reports

/// Loss, and weight of the gradient, against p_y: two drawings side by side.
///
/// The other classes are equally likely. The weight is what the gradient of cross entropy, p_k − [k = y], is multiplied
/// with: it tells from which samples a network learns. What changes over the epochs is drawn as it ends.
struct LossPlot {
  /// The most losses that one drawing can have.
  static let limit = 8
  private static let colours = [
    "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#000000", "#e69f00", "#56b4e9", "#7f7f7f",
  ]
  private static let width = 360.0, height = 260.0, left = 56.0, top = 36.0, gap = 84.0

  private struct Curve {
    let name: String
    let colour: String
    /// Loss and weight at each of `probabilities`.
    let points: [(loss: Double, weight: Double)]
  }

  private let curves: [Curve]
  private let probabilities = (1...199).map { Double($0) / 200 }

  /// - Throws: `.usage` for a loss that depends on more than a row.
  init(_ losses: [Loss]) throws {
    var curves: [Curve] = []
    for (loss, colour) in zip(losses, Self.colours) {
      guard let curve = try LossCurve(loss) else {
        throw Failure(
          .usage, "\(loss.entry.name) cannot be drawn.", why: "it depends on more than one row of logits.",
          fix: "remove it.")
      }
      let points = probabilities.map { curve.point($0, label: 0) }
      curves.append(Curve(name: loss.description, colour: colour, points: points))
    }
    self.curves = curves
  }

  /// The drawing as a document.
  var svg: String {
    let whole = 2 * Self.width + Self.gap + Self.left + 24
    let tall = Self.top + Self.height + 52 + 18 * Double(curves.count)
    var lines = [
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 \(text(whole)) \(text(tall))\" width=\"\(text(whole))\" "
        + "height=\"\(text(tall))\" font-family=\"sans-serif\" font-size=\"12\">",
      "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>",
    ]
    lines += panel("loss", at: Self.left) { $0.loss }
    lines += panel("weight of the gradient", at: Self.left + Self.width + Self.gap) { $0.weight }
    for (index, curve) in curves.enumerated() {
      let y = Self.top + Self.height + 56 + 18 * Double(index)
      lines.append(
        "<line x1=\"\(text(Self.left))\" y1=\"\(text(y - 4))\" x2=\"\(text(Self.left + 24))\" y2=\"\(text(y - 4))\" "
          + "stroke=\"\(curve.colour)\" stroke-width=\"2\"/>"
          + "<text x=\"\(text(Self.left + 32))\" y=\"\(text(y))\">\(curve.name)</text>")
    }
    return (lines + ["</svg>"]).joined(separator: "\n") + "\n"
  }

  private func panel(_ title: String, at x: Double, _ number: ((loss: Double, weight: Double)) -> Double) -> [String] {
    let numbers = curves.flatMap { $0.points.map(number) }
    let lowest = min(0, numbers.min() ?? 0), highest = max(numbers.max() ?? 1, lowest + 1e-6)
    func across(_ p: Double) -> Double { x + p * Self.width }
    func down(_ value: Double) -> Double { Self.top + (highest - value) / (highest - lowest) * Self.height }
    var lines = [
      "<text x=\"\(text(x))\" y=\"\(text(Self.top - 14))\" font-weight=\"bold\">\(title)</text>",
      "<rect x=\"\(text(x))\" y=\"\(text(Self.top))\" width=\"\(text(Self.width))\" height=\"\(text(Self.height))\" "
        + "fill=\"none\" stroke=\"#999\"/>",
      "<text x=\"\(text(x + Self.width / 2))\" y=\"\(text(Self.top + Self.height + 34))\" "
        + "text-anchor=\"middle\">p_y</text>",
    ]
    for part in 0...4 {
      let share = Double(part) / 4
      lines.append(
        "<text x=\"\(text(across(share)))\" y=\"\(text(Self.top + Self.height + 16))\" "
          + "text-anchor=\"middle\">\(NumberFormatting.decimal(share, places: 2))</text>")
    }
    let step = Self.step(highest - lowest)
    for tick in Int((lowest / step).rounded(.up))...Int((highest / step).rounded(.down)) {
      let value = Double(tick) * step, y = text(down(value))
      lines.append(
        "<line x1=\"\(text(x))\" y1=\"\(y)\" x2=\"\(text(x + Self.width))\" y2=\"\(y)\" stroke=\"#ddd\"/>"
          + "<text x=\"\(text(x - 6))\" y=\"\(text(down(value) + 4))\" "
          + "text-anchor=\"end\">\(NumberFormatting.decimal(value, places: step < 0.01 ? 4 : step < 1 ? 2 : 0))</text>")
    }
    for curve in curves {
      let points = zip(probabilities, curve.points).map { p, point in
        "\(text(across(p))),\(text(down(number(point))))"
      }
      lines.append(
        "<polyline fill=\"none\" stroke=\"\(curve.colour)\" stroke-width=\"1.5\" "
          + "points=\"\(points.joined(separator: " "))\"/>")
    }
    return lines
  }

  /// The step between lines for a range: 1, 2 or 5 times a power of ten, so that there are four to ten lines.
  private static func step(_ range: Double) -> Double {
    let power = pow(10, log10(range / 4).rounded(.down))
    return [5, 2, 1].map { $0 * power }.first { $0 <= range / 4 } ?? power
  }

  private func text(_ number: Double) -> String { NumberFormatting.decimal(number, places: 1) }
}
