import FileFormats
import Reports

extension DetectionPage {
  /// The chart's width and height in its own units; the script knows the width too.
  private static let width = 720.0, height = 190.0
  private static let bins = 80

  /// The spread of the keys, with the cut-off that a slider moves.
  var overview: String {
    let range = range, knowsTruth = samples.contains { $0.truth != nil }
    let judged = samples.filter { $0.key != nil }
    let all = counts(judged.compactMap(\.key), range)
    let wrong = counts(judged.filter { $0.truth != nil && $0.truth != $0.given }.compactMap(\.key), range)
    let threshold = counts(thresholds, range)
    let most = Double(max(all.max() ?? 1, 1)), mostThreshold = Double(max(threshold.max() ?? 1, 1))
    let step = Self.width / Double(Self.bins)
    func bar(_ bin: Int, _ count: Int, _ name: String) -> String {
      let size = Double(count) / most * (Self.height - 4)
      return #"<rect class="\#(name)" x="\#(text(Double(bin) * step))" y="\#(text(Self.height - size))" "#
        + #"width="\#(text(step - 1))" height="\#(text(size))"/>"#
    }
    var chart = all.enumerated().filter { $0.element > 0 }.map { bar($0.offset, $0.element, "bar") }.joined()
    chart += wrong.enumerated().filter { $0.element > 0 }.map { bar($0.offset, $0.element, "bar wrong") }.joined()
    if !thresholds.isEmpty {
      // A scale of its own: there are only as many as one class has samples.
      let points = threshold.enumerated().flatMap { bin, count -> [String] in
        let y = text(Self.height - Double(count) / mostThreshold * (Self.height - 4))
        return ["\(text(Double(bin) * step)),\(y)", "\(text(Double(bin + 1) * step)),\(y)"]
      }
      chart += #"<polyline class="threshold" points="\#(points.joined(separator: " "))"/>"#
    }
    let x = text((min(max(firstCut, range.low), range.high) - range.low) / (range.high - range.low) * Self.width)
    let name = measure.name
    return """
      <section id="cut">
      <h2>Where the cut-off lies</h2>
      <div class="plot">
      <svg viewBox="0 0 720 190" preserveAspectRatio="none" role="img" aria-label="Histogram of the \(name)">
      <line class="base" x1="0" x2="720" y1="190" y2="190"/>\(chart)
      <line class="cut" id="cut-line" x1="\(x)" x2="\(x)" y1="0" y2="190"/>
      </svg>
      <input type="range" id="cutoff" min="0" max="1000" value="\(sliderValue)" aria-label="Cut-off">
      <div class="axis"><span>\(shortened(range.low))</span><span>\(name)</span>\
      <span>\(shortened(range.high))</span></div>
      <div class="legend">\(legend(maximum: all.max() ?? 0, knowsTruth: knowsTruth))</div>
      </div>
      <p class="controls"><span><b id="suspected">\(flagged)</b> suspected, <b id="share">\(share)</b>,
      <span id="rule">by the run's rule</span></span>
      <span class="faint">cut-off <span id="cut-value">\(shortened(firstCut))</span></span>
      <button type="button" id="reset" disabled>Back to the run's rule</button></p>
      <p id="score"></p>
      \(measure == .area ? Self.note : "")
      </section>
      """
  }

  private static let note = """
    <p class="faint">The run compares each pass with its own threshold samples; a cut-off that you move applies to the
    mean over the passes.</p>
    """

  private func legend(maximum: Int, knowsTruth: Bool) -> String {
    func entry(_ shape: String, _ text: String) -> String { "<span>\(swatch(shape))\(text)</span>" }
    var entries = [entry(#"<rect class="bar" width="22" height="12"/>"#, "all samples, \(maximum) in the tallest bar")]
    if knowsTruth {
      entries.append(entry(#"<rect class="bar wrong" width="22" height="12"/>"#, "of these, label wrong"))
    }
    if !thresholds.isEmpty {
      let text = "\(thresholds.count) threshold samples, on their own scale"
      entries.append(entry(#"<polyline class="threshold" points="0,11 6,4 15,8 22,1"/>"#, text))
    }
    entries.append(entry(#"<line class="cut" x1="0" x2="22" y1="6" y2="6"/>"#, "cut-off"))
    return entries.joined(separator: "\n")
  }

  var flagged: Int { samples.count(where: \.isFlagged) }

  var share: String { NumberFormatting.percent(Double(flagged) / Double(max(samples.count, 1)), places: 1) }

  private var sliderValue: Int {
    let range = range
    return Int(((min(max(firstCut, range.low), range.high) - range.low) / (range.high - range.low) * 1000).rounded())
  }

  private func counts(_ keys: [Double], _ range: (low: Double, high: Double)) -> [Int] {
    var counts = [Int](repeating: 0, count: Self.bins)
    for key in keys where key.isFinite {
      let place = (key - range.low) / (range.high - range.low) * Double(Self.bins)
      counts[Int(min(max(place, 0), Double(Self.bins - 1)))] += 1
    }
    return counts
  }

  private func swatch(_ shape: String) -> String {
    #"<svg viewBox="0 0 22 12" aria-hidden="true">\#(shape)</svg>"#
  }

  private func text(_ value: Double) -> String { NumberFormatting.decimal(value, places: 2) }

  func shortened(_ value: Double) -> String { NumberFormatting.decimal(value, places: value.magnitude < 10 ? 3 : 2) }
}
