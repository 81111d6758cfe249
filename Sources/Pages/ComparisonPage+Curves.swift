import Reports

extension ComparisonPage {
  /// Accuracy and loss, one curve for each run.
  var accuracy: String {
    let charts = [
      chart("Test accuracy") { $0.testAccuracy }, chart("Held-out accuracy") { $0.validationAccuracy },
      chart("Training accuracy, towards the given labels") { $0.trainAccuracy },
      chart("Training loss", areShares: false) { $0.trainLoss },
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
      chart("Right labels that are predicted", range: 0...1) { $0.cleanAccuracy },
      chart("Wrong labels that are predicted: memorised", range: 0...1) { $0.wrongAccuracy },
    ].compactMap { $0 }
    guard !charts.isEmpty else { return "" }
    return """
      <section>
      <h2>Right and wrong labels</h2>
      <p>Networks first learn what right labels have in common, and later every wrong one by heart. A robust loss keeps
      the first curve high and the second low.</p>
      \(legend)
      <div class="charts">
      \(charts.joined(separator: "\n"))
      </div>
      </section>
      """
  }

  private func chart(
    _ title: String, areShares: Bool = true, range: ClosedRange<Double>? = nil, _ value: (EpochReport) -> Double?
  ) -> String? {
    let curves = runs.enumerated().map { index, run in
      LineChart.Curve(style: index, points: run.history.epochs.map { ($0.epoch, value($0)) })
    }
    return LineChart(title: title, curves: curves, areShares: areShares, range: range).html
  }
}
