import FileFormats
import Reports

extension ComparisonPage {
  /// With more classes than these, only the hardest and the easiest have a colour.
  private static let mostColours = 10
  /// The most rows of the table.
  private static let mostRows = 200

  /// A class as it is called.
  func className(_ label: Int) -> String { classNames.indices.contains(label) ? classNames[label] : "\(label)" }

  /// The classes that have a colour, by label; all of ten, else the five hardest and the five easiest.
  var colours: [Int: Int] {
    let count = max(classNames.count, runs.map { $0.history.epochs.last?.perClass.count ?? 0 }.max() ?? 0)
    guard count > Self.mostColours else { return Dictionary(uniqueKeysWithValues: (0..<count).map { ($0, $0) }) }
    let order = byHardness.isEmpty ? Array(0..<count) : byHardness
    let chosen = Array(order.prefix(5)) + order.dropFirst(5).suffix(5)
    return Dictionary(uniqueKeysWithValues: chosen.sorted().enumerated().map { ($1, $0) })
  }

  /// Labels from the lowest to the highest accuracy of the first run.
  private var byHardness: [Int] {
    let accuracies = runs.first.map(Self.finalAccuracies) ?? []
    return accuracies.indices.filter { accuracies[$0] != nil }.sorted {
      (accuracies[$0] ?? 0, $0) < (accuracies[$1] ?? 0, $1)
    }
  }

  /// The mean accuracy of each class over the last ten epochs that measured it.
  private static func finalAccuracies(_ run: Run) -> [Double?] {
    let measured = run.history.epochs.filter { !$0.perClass.isEmpty }.suffix(10)
    return (measured.last?.perClass.indices ?? 0..<0).map { label in
      let values = measured.compactMap { $0.perClass.indices.contains(label) ? $0.perClass[label].accuracy : nil }
      return values.isEmpty ? nil : values.reduce(0, +) / Double(values.count)
    }
  }

  /// Accuracy and confidence of each class over the epochs, run beside run; empty where none was measured.
  var classes: String {
    guard runs.contains(where: { run in run.history.epochs.contains { !$0.perClass.isEmpty } }) else { return "" }
    let groups = [
      ("test accuracy", { (score: EpochReport.ClassScore) in score.accuracy }),
      ("confidence", { (score: EpochReport.ClassScore) in score.confidence }),
    ].map { what, value in
      let charts = runs.indices.compactMap { chart($0, "\(runs.count > 1 ? name($0) + ": " : "")\(what)", value) }
      return #"<div class="charts">"# + "\n\(charts.joined(separator: "\n"))\n</div>"
    }
    return """
      <section>
      <h2>Classes</h2>
      <p>With noise the hard classes suffer first and most. Confidence is the mean probability of a class over its test
      samples.</p>
      \(classLegend(LineChart.swatch))
      \(groups.joined(separator: "\n<p></p>\n"))
      \(classTable)
      </section>
      """
  }

  /// The classes with their colours.
  func classLegend(_ swatch: (Int?) -> String) -> String {
    let colours = colours
    var entries = colours.sorted { $0.key < $1.key }.map { label, style in
      "<span>\(swatch(style))\(HTMLText.escaped(className(label)))</span>"
    }
    if classNames.count > colours.count { entries.append("<span>\(swatch(nil))others</span>") }
    return #"<div class="legend">\#(entries.joined(separator: "\n"))</div>"#
  }

  private func chart(_ index: Int, _ title: String, _ value: (EpochReport.ClassScore) -> Double?) -> String? {
    let epochs = runs[index].history.epochs, colours = colours
    let count = epochs.map(\.perClass.count).max() ?? 0
    // Faint ones lie below.
    let labels = (0..<count).sorted { (colours[$0] ?? -1, $0) < (colours[$1] ?? -1, $1) }
    let curves = labels.map { label in
      LineChart.Curve(
        style: colours[label],
        points: epochs.map { ($0.epoch, $0.perClass.indices.contains(label) ? value($0.perClass[label]) : nil) })
    }
    // Charts that stand side by side share their axes.
    let all = runs.flatMap(\.history.epochs).map(\.epoch)
    return LineChart(title: title, curves: curves, range: 0...1, epochs: (all.min() ?? 0)...(all.max() ?? 0)).html
  }

  private var classTable: String {
    let all = runs.map(Self.finalAccuracies)
    func cell(_ value: Double?) -> String { "<td>\(value.map { NumberFormatting.percent($0, places: 1) } ?? "–")</td>" }
    let rows = byHardness.prefix(Self.mostRows).map { label -> String in
      let cells = all.map { cell($0.indices.contains(label) ? $0[label] : nil) }
      return #"<tr><th scope="row" class="name">\#(HTMLText.escaped(className(label)))</th>\#(cells.joined())</tr>"#
    }
    let head = runs.indices.map { index in
      let mark = runs.count > 1 ? LineChart.swatch(index) : ""
      return #"<th scope="col">\#(mark)\#(HTMLText.escaped(name(index)))</th>"#
    }
    return """
      <h3>Test accuracy, mean of the last ten epochs, the hardest class first</h3>
      <div class="scroll"><table id="classes"><thead><tr><th scope="col">class</th>\(head.joined())</tr></thead>
      <tbody>
      \(rows.joined(separator: "\n"))
      </tbody></table></div>
      \(byHardness.count > Self.mostRows ? "<p class=\"faint\">\(byHardness.count - Self.mostRows) more classes.</p>" : "")
      """
  }
}
