/// Losses of training samples, and the two distributions by which a method told right labels from wrong ones.
extension ComparisonPage {
  /// A network's losses as parts of their range, and the mixture that was fitted to them.
  public struct Mixture: Sendable {
    /// A normal distribution with its share of the samples.
    public struct Component: Sendable {
      public var weight: Double, mean: Double, variance: Double

      /// A component; see the properties.
      public init(weight: Double, mean: Double, variance: Double) {
        (self.weight, self.mean, self.variance) = (weight, mean, variance)
      }
    }

    /// Of each sample with a label, 0…1.
    public var losses: [Double]
    /// Whether the label of each is right; nil where this is not known.
    public var isRight: [Bool]?
    /// The component with the smaller mean, and the other; none where all losses were equal.
    public var components: [Component]

    /// A mixture of these parts.
    public init(losses: [Double], isRight: [Bool]?, components: [Component]) {
      (self.losses, self.isRight, self.components) = (losses, isRight, components)
    }

    var groups: [(values: [Double], name: String)] {
      guard let isRight else { return [(losses, "all")] }
      func values(_ right: Bool) -> [Double] { losses.indices.filter { isRight[$0] == right }.map { losses[$0] } }
      return [(values(true), "right"), (values(false), "wrong")]
    }

    /// The share of samples that each component would have in a bar about each of 201 places.
    var curves: [[(x: Double, y: Double)]] {
      components.map { component in
        stride(from: 0.0, through: 1, by: 0.005).map { x in
          let distance = x - component.mean, variance = component.variance
          let density = Self.exponential(-distance * distance / (2 * variance)) / (2 * .pi * variance).squareRoot()
          return (x, component.weight * density / Double(HistogramChart.bins))
        }
      }
    }

    /// e^x for x of at most 0, by e^x = (e^(x / 1024))^1024: enough digits for a drawing.
    private static func exponential(_ x: Double) -> Double {
      var power = 1 + x / 1024 + x * x / 2_097_152
      guard x > -700 else { return 0 }
      for _ in 0..<10 { power *= power }
      return power
    }
  }

  /// The losses by which labels were judged; empty where no run has such.
  var mixtures: String {
    let charts = runs.indices.flatMap { index in
      runs[index].mixtures.enumerated().map { network, mixture -> String in
        let curves = mixture.curves, count = mixture.losses.count
        let bars = mixture.groups.flatMap { HistogramChart.shares($0.values, of: count) }
        let most = (bars + curves.joined().map(\.y)).max() ?? 0
        return HistogramChart(
          title: "\(name(index)), network \(network + 1)", groups: mixture.groups,
          most: max((most * 10).rounded(.up) / 10, 0.1), xName: "loss as a part of its range", whole: count,
          curves: curves
        ).html
      }
    }
    guard !charts.isEmpty else { return "" }
    return """
      <section>
      <h2>Losses and their mixture</h2>
      <p>The losses of all training samples by which labels were judged last, and the two normal distributions that they
      were taken for. A label is believed where its loss is more likely of the one with the smaller mean.</p>
      <div class="legend">\(groupLegend { $0.mixtures.contains { $0.isRight != nil } })
      <span>\(LineChart.swatch(2))the two distributions</span></div>
      <div class="charts">
      \(charts.joined(separator: "\n"))
      </div>
      </section>
      """
  }
}
