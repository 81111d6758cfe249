extension ComparisonPage {
  /// How sure the last network is of given labels, right and wrong ones apart.
  var confidence: String {
    let groups = runs.map { $0.samples.map(Self.groups) ?? [] }
    let most = groups.joined().flatMap { HistogramChart.shares($0.values) }.max() ?? 0
    let charts = zip(runs.indices, groups).filter { !$0.1.isEmpty }.map { index, groups in
      HistogramChart(title: name(index), groups: groups, most: max((most * 10).rounded(.up) / 10, 0.1)).html
    }
    let legend = groupLegend { $0.samples?.truth != nil }
    return """
      <section>
      <h2>Confidence in the given label</h2>
      \(absences)
      \(charts.isEmpty ? "" : "<div class=\"legend\">\(legend)</div>")
      <div class="charts">
      \(charts.joined(separator: "\n"))
      </div>
      \(charts.isEmpty ? "" : Self.note)
      </section>
      """
  }

  /// The colours of right and wrong labels, or of all samples where no run knows which is which.
  func groupLegend(where knowsTruth: (Run) -> Bool) -> String {
    func swatch(_ name: String) -> String {
      #"<svg viewBox="0 0 26 12" aria-hidden="true"><rect class="bars \#(name)" width="26" height="12"/></svg>"#
    }
    return runs.contains(where: knowsTruth)
      ? "<span>\(swatch("right"))label right</span>\n<span>\(swatch("wrong"))label wrong</span>"
      : "<span>\(swatch("all"))all samples</span>"
  }

  private static let note = """
    <p class="faint">Up to 2,000 training samples, the last checkpoint, no augmentation; shares within each group
    of samples.</p>
    """

  private static func groups(_ samples: Samples) -> [(values: [Double], name: String)] {
    guard let truth = samples.truth else { return [(samples.confidence, "all")] }
    func values(_ areRight: Bool) -> [Double] {
      samples.confidence.indices.filter { (samples.given[$0] == truth[$0]) == areRight }.map { samples.confidence[$0] }
    }
    return [(values(true), "right"), (values(false), "wrong")]
  }

  private var absences: String {
    runs.indices.compactMap { index in
      runs[index].absence.map {
        "<p class=\"faint\">\(HTMLText.escaped(name(index))): not measured, since \(HTMLText.escaped($0))</p>"
      }
    }.joined(separator: "\n")
  }

  /// The features of the last layer in the plane in which they vary most; empty where no run has them.
  var features: String {
    let colours = colours
    let groups = runs.indices.compactMap { index -> String? in
      guard let samples = runs[index].samples else { return nil }
      let titles = [("by given label", samples.given), ("by true label", samples.truth ?? [])]
      let charts = titles.filter { !$0.1.isEmpty }.map { title, labels in
        ScatterChart(title: title, points: samples.points, styles: labels.map { colours[$0] }).html
      }
      return """
        <div>
        <h3>\(HTMLText.escaped(name(index))) <small>\(Self.text(samples.projection))</small></h3>
        <div class="charts">
        \(charts.joined(separator: "\n"))
        </div>
        </div>
        """
    }
    guard !groups.isEmpty else { return "" }
    return """
      <section>
      <h2>Features of the last layer</h2>
      <p>The same training samples as each network sees them, projected from the layer's many dimensions to two. Clusters
      with one colour by true label and mixed colours by given label have not learned the wrong labels.</p>
      \(classLegend(ScatterChart.swatch))
      <div class="groups">
      \(groups.joined(separator: "\n"))
      </div>
      </section>
      """
  }

  private static func text(_ projection: Projection) -> String {
    switch projection {
    case .principalComponents(let shares):
      let words = shares.map { ChartFrame.percent(($0 * 1000).rounded() / 1000) }.joined(separator: " and ")
      return "two principal components, \(words) of the variance"
    case .neighbours(let perplexity):
      return
        "t-SNE, perplexity \(ChartFrame.plain((perplexity * 10).rounded() / 10)); distances between clusters say little"
    }
  }
}
