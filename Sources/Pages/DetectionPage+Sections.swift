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
      """
    if let statement { text += "\n<p>\(HTMLText.escaped(statement))</p>" }
    text += """

      <p\(statement == nil ? "" : " class=\"faint\"")>\(explanation) Suspicion is not proof: rare but correctly labelled
      images are suspected too. In public data sets people confirmed about half of such lists, so look before you
      delete.</p>
      """
    text += reviewedNote
    let unjudged = samples.count - judged - earlier.count
    if unjudged > 0 {
      let reason = measure == .area ? "were threshold samples in every pass and were" : "were"
      text += "\n<p>\(unjudged) samples \(reason) not judged.</p>"
    }
    if let correlation = passCorrelation {
      let number = NumberFormatting.decimal(correlation, places: 3)
      text +=
        "\n<p>The two passes rank the samples with a correlation of \(number) (1: in the same order; 0: unrelated)"
      let isLow = correlation < DetectionResult.leastCorrelation
      text += isLow ? "; that is low, so use more epochs before you trust this.</p>" : ".</p>"
    }
    if let score {
      func percent(_ share: Double?) -> String { share.map { NumberFormatting.percent($0, places: 1) } ?? "–" }
      let area = score.areaUnderROC.map { NumberFormatting.decimal($0, places: 4) } ?? "–"
      text += """

        <p>The true labels are known: \(score.wrong) are wrong. Precision (the share of suspected labels that are \
        wrong) \(percent(score.precision)), recall (the share of wrong labels that are suspected) \
        \(percent(score.recall)), AUROC (the probability that a wrong label ranks before a correct one) \(area).</p>
        """
    }
    return text + """

      <nav aria-label="On this page"><a href="#blind">Blind check</a> <a href="#cut">Cut-off</a>
      <a href="#labels">Labels and classes</a> <a href="#suspects">Suspected samples</a>
      <a href="#next">What comes next</a> <a href="#problems">Problems in the data</a> <a href="#method">Method</a></nav>
      </header>
      """
  }

  private var explanation: String {
    switch measure {
    case .area:
      "The margin of a sample is the network's output for the given label minus its largest output for another one. "
        + "The mean over training is the area under the margin (AUM), which is low where the network prefers "
        + "another label. Each pass trains a new network, in which some samples, the threshold samples, get an extra "
        + "class that is wrong for all of them. Labels whose AUM is no greater than a cut-off among those of the "
        + "threshold samples are suspected."
    case .quality:
      "Networks predicted samples that they had not been trained on. Labels that disagree with confident predictions "
        + "are suspected. Label quality, from 0 to 1, is low for suspicious labels."
    case .probability:
      "Each image was compared with all others by fixed features, as if its own label were not known; the probability "
        + "that the label is right follows from what the labels of images like it say, and from how many labels seem "
        + "to be wrong."
    case .divided:
      "DivideMix trains two networks, each on what the losses of the other say of the labels: a mixture of two normal "
        + "distributions, of small and of large losses. Label quality is the mean probability that the label is among the "
        + "small ones; labels of at most one half, or of the threshold that was asked for, are suspected."
    case .loss:
      "Co-teaching trains two networks, each on the samples that the other finds easy. Label quality is exp(−loss) "
        + "of the mean of both networks' losses, for cross entropy the geometric mean of their probabilities of the "
        + "label; labels with a loss among the larger ones of a mixture of two normal distributions are suspected."
    case .rank:
      "Two detectors ranked the samples; label quality is the mean of both ranks, from 0 to 1, low for suspicious "
        + "labels."
    }
  }

  /// Which labels are mistaken for which, and the classes one by one.
  var tableSections: String {
    """
    <section id="labels">
    <h2>Given label → suggested label</h2>
    <p class="faint">How many suspected samples of each label seem to belong to another one. Click a number to see these
    samples.</p>
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
    <p class="faint">From others: suspected samples of other classes that seem to belong to this one.\
    \(hasArea ? " Mean AUM: low for classes that are hard, or have many wrong labels." : "")</p>
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
}
