import Reports

extension ComparisonPage {
  /// Accuracy and loss, one curve for each run.
  var accuracy: String {
    let charts = [
      chart("Test accuracy") { $0.testAccuracy }, chart("Held-out accuracy") { $0.validationAccuracy },
      chart("Training accuracy on the given labels") { $0.trainAccuracy },
      chart("Training loss", .losses) { $0.trainLoss },
    ].compactMap { $0 }
    let losses = Set(runs.map(\.loss)).count > 1
    return """
      <section>
      <h2>Accuracy</h2>
      \(legend)
      <div class="charts">
      \(charts.joined(separator: "\n"))
      </div>
      \(losses ? "<p class=\"faint\">Losses of different kinds have different scales.</p>" : "")
      </section>
      """
  }

  /// What becomes of right and of wrong labels; empty where no run knows which are which.
  var memorisation: String {
    let charts = [
      chart("Correct labels that are predicted", range: 0...1) { $0.cleanAccuracy },
      chart("Wrong labels that are predicted: memorised", range: 0...1) { $0.wrongAccuracy },
    ].compactMap { $0 }
    guard !charts.isEmpty else { return "" }
    return """
      <section>
      <h2>Correct and wrong labels</h2>
      <p>Networks first learn what correct labels have in common, and later memorise the wrong ones. A robust loss keeps
      the first curve high and the second low.</p>
      \(legend)
      <div class="charts">
      \(charts.joined(separator: "\n"))
      </div>
      </section>
      """
  }

  /// What training methods count besides, one chart for each figure; empty where no run has any.
  var figures: String {
    let charts = figureNames.compactMap { name -> String? in
      func value(_ report: EpochReport) -> Double? { report.figures.first { $0.name == name }?.value }
      let values = runs.flatMap { $0.history.epochs.compactMap(value) }.filter(\.isFinite)
      // Shares that never reach a percent would all lie on the axis.
      let low = values.min() ?? 0, high = values.max() ?? 0
      let areShares = low >= 0 && high <= 1 && (high == 0 || high >= 0.01)
      return chart(name, areShares ? .shares : .numbers, value)
    }
    guard !charts.isEmpty else { return "" }
    return """
      <section>
      <h2>Figures of the training method</h2>
      <p>What a method measures in each epoch, by the names of metrics.csv. Runs whose method does not measure it have no
      curve.</p>
      \(legend)
      <div class="charts">
      \(charts.joined(separator: "\n"))
      </div>
      </section>
      """
  }

  /// The names of all figures, each once, as the runs have them.
  private var figureNames: [String] {
    var seen: Set<String> = []
    return runs.flatMap(\.history.epochs).flatMap(\.figures).map(\.name).filter { seen.insert($0).inserted }
  }

  private func chart(
    _ title: String, _ scale: LineChart.Scale = .shares, range: ClosedRange<Double>? = nil,
    _ value: (EpochReport) -> Double?
  ) -> String? {
    let curves = runs.enumerated().map { index, run in
      LineChart.Curve(style: index, points: run.history.epochs.map { ($0.epoch, value($0)) })
    }
    return LineChart(title: title, curves: curves, scale: scale, range: range).html
  }
}
