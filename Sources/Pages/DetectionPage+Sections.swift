import Detection
import FileFormats
import Reports

extension DetectionPage {
  /// What was looked at, what was found, and how far to trust it.
  var header: String {
    let judged = samples.count { $0.key != nil }
    var text = """
      <header>
      <h1>\(HTMLText.escaped(title))</h1>
      <p class="faint">\(HTMLText.escaped(data.source)) · \(samples.count) samples, \
      \(classNames.count) classes</p>
      <p class="headline"><b>\(flagged)</b> of \(samples.count) labels are suspected (\(share)).</p>
      <p>\(explanation) Suspicion is not proof: rare but correctly labelled images are suspected too. In public
      data sets people confirmed about half of such lists, so look before you delete.</p>
      """
    if judged < samples.count {
      text += "\n<p>\(samples.count - judged) samples were threshold samples in every pass and were not judged.</p>"
    }
    if let correlation = passCorrelation {
      let number = NumberFormatting.decimal(correlation, places: 3)
      text += "\n<p>The rank correlation of the two passes is \(number)"
      text += correlation < 0.5 ? "; that is low, so use more epochs before you trust this.</p>" : ".</p>"
    }
    if let score {
      func percent(_ share: Double?) -> String { share.map { NumberFormatting.percent($0, places: 1) } ?? "–" }
      let area = score.areaUnderROC.map { NumberFormatting.decimal($0, places: 4) } ?? "–"
      text += """

        <p>The true labels are known: \(score.wrong) are wrong. Precision \(percent(score.precision)), recall \
        \(percent(score.recall)), AUROC \(area).</p>
        """
    }
    return text + "\n</header>"
  }

  private var explanation: String {
    showsMargins
      ? "The margin is the network's output for the given label minus the largest other one, and the area under it its "
        + "mean over training. Labels whose area is no greater than that of samples with a deliberately wrong label "
        + "are suspected."
      : "Networks predicted samples that they had not been trained on. Labels that disagree with confident predictions "
        + "are suspected."
  }

  /// Which labels are mistaken for which, and the classes one by one.
  var tableSections: String {
    """
    <section>
    <h2>Given label → suggested label</h2>
    <div class="side">
    \(matrix)
    <ol id="pairs">\(pairs)</ol>
    </div>
    </section>
    <section>
    <h2>Classes</h2>
    <div class="scroll">
    <table id="classes">
    <thead><tr><th scope="col">class</th><th scope="col">samples</th><th scope="col">suspected</th>\
    <th scope="col">share</th><th scope="col">from others</th>\(hasArea ? #"<th scope="col">mean AUM</th>"# : "")\
    \(hasAccuracy ? #"<th scope="col">test accuracy</th>"# : "")\
    \(hasTruth ? #"<th scope="col">wrong</th>"# : "")</tr></thead>
    <tbody>
    \(tables.classes.map(classRow).joined(separator: "\n"))
    </tbody>
    </table>
    </div>
    </section>
    """
  }

  private var hasArea: Bool { tables.classes.contains { $0.meanArea != nil } }
  private var hasAccuracy: Bool { classAccuracies.contains { $0 != nil } }
  private var hasTruth: Bool { tables.classes.contains { $0.wrong != nil } }

  func name(_ label: Int) -> String {
    HTMLText.escaped(classNames.indices.contains(label) ? classNames[label] : "\(label)")
  }

  private func classRow(_ found: DetectionTables.Class) -> String {
    let label = found.label, size = found.size, flagged = found.flagged
    let accuracy = classAccuracies.indices.contains(label) ? classAccuracies[label] : nil
    var row = """
      <tr data-label="\(label)" data-size="\(size)"><th scope="row" class="name">\
      <button type="button" data-given="\(label)">\(name(label))</button></th><td>\(size)</td>\
      <td class="flagged">\(flagged)</td>\
      <td class="part">\(NumberFormatting.percent(Double(flagged) / Double(max(size, 1)), places: 1))</td>\
      <td class="pulled">\(found.suggested)</td>
      """
    if hasArea { row += "<td>\(found.meanArea.map { NumberFormatting.decimal($0, places: 2) } ?? "")</td>" }
    if hasAccuracy { row += "<td>\(accuracy.map { NumberFormatting.percent($0, places: 1) } ?? "")</td>" }
    if hasTruth { row += "<td>\(found.wrong ?? 0)</td>" }
    return row + "</tr>"
  }

  /// More classes than these make a matrix that nobody reads; the list of pairs remains.
  private static let mostMatrixClasses = 20

  private var matrix: String {
    let K = classNames.count
    guard K <= Self.mostMatrixClasses else { return "" }
    var counts = [Int](repeating: 0, count: K * K)
    for pair in tables.pairs where (0..<K).contains(pair.given) && (0..<K).contains(pair.predicted) {
      counts[pair.given * K + pair.predicted] = pair.count
    }
    let head = (0..<K).map { #"<th scope="col" class="suggested"><span>\#(name($0))</span></th>"# }.joined()
    let rows = (0..<K).map { given in
      #"<tr><th scope="row" class="name given">\#(name(given))</th>"#
        + (0..<K).map { suggested in
          let count = counts[given * K + suggested]
          guard given != suggested else { return #"<td class="same"></td>"# }
          return #"<td><button type="button" data-given="\#(given)" data-suggested="\#(suggested)" "#
            + #"title="\#(name(given)) → \#(name(suggested))">\#(count > 0 ? "\(count)" : "")</button></td>"#
        }.joined() + "</tr>"
    }
    return """
      <div class="scroll"><table id="matrix">
      <thead><tr><td></td>\(head)</tr></thead>
      <tbody>
      \(rows.joined(separator: "\n"))
      </tbody>
      </table></div>
      """
  }

  private var pairs: String {
    tables.pairs.prefix(12).map { pair in
      let given = pair.given, suggested = pair.predicted
      return #"<li><button type="button" data-given="\#(given)" data-suggested="\#(suggested)"><span class="given">"#
        + #"\#(name(given))</span> → <span class="suggested">\#(name(suggested))</span>"#
        + "<b> \(pair.count)</b></button></li>"
    }.joined()
  }

  /// The frame of the cards, which the script fills.
  var cards: String {
    let pages = """
      <button type="button" data-turn="-1">Previous</button> <span class="place"></span>
      <button type="button" data-turn="1">Next</button>
      """
    return """
      <section id="suspects">
      <h2>Suspected samples, the most suspicious first</h2>
      <noscript><p>Cards need JavaScript; label_issues.csv in the run folder has every sample.</p></noscript>
      <p class="controls">
      <label>given <select id="given-filter"><option value="">any</option></select></label>
      <label>suggested <select id="suggested-filter"><option value="">any</option></select></label>
      <label><input type="checkbox" id="open-filter"> only without a verdict</label>
      <button type="button" id="save" disabled>Save verdicts.csv</button>
      </p>
      <p class="controls faint"><span><kbd>←</kbd> <kbd>→</kbd> or <kbd>k</kbd> <kbd>j</kbd> move</span>
      <span><kbd>1</kbd> or <kbd>y</kbd> label is right</span>
      <span><kbd>2</kbd> or <kbd>n</kbd> accept the suggestion</span>
      <span><kbd>3</kbd> another label</span><span><kbd>4</kbd> none of these</span><span><kbd>5</kbd> drop</span>
      <span><kbd>u</kbd> undo</span></p>
      \(margins.isEmpty ? "" : Self.curves)
      <p class="controls">\(pages)</p>
      <div id="grid"></div>
      <p class="controls">\(pages)</p>
      \(samples.count > Self.mostSamples ? Self.limit : "")
      </section>
      """
  }

  private static let curves =
    "<p class=\"faint\">The curve of a card is its margin over the epochs, and the grey line is zero.</p>"
  private static let limit = "<p>Only the \(mostSamples) most suspicious samples are in this page.</p>"

  /// The frame of the blind check.
  var blind: String {
    """
    <section id="blind">
    <h2>Blind check</h2>
    <p>\(blindCheck.count) samples, suspected and not, in random order. Judge each label without knowing which is which;
    after the last answer you see how much of the suspicion is justified, and how much was missed.</p>
    <p><button type="button" id="blind-start">Start</button></p>
    <div id="blind-stage"></div>
    </section>
    """
  }
}
