import FileFormats
import Reports

/// The page about one trained network or several side by side: one file that needs no network, no other file and no
/// script.
public struct ComparisonPage: Sendable {
  /// One run.
  public struct Run: Sendable {
    /// The folder as it was named.
    public var folder: String
    /// What was run and how it went.
    public var record: RunRecord
    /// Network, loss and noise as the command line names them.
    public var model: String, loss: String, noise: String
    /// The epochs.
    public var history: RunHistory
    /// What the last checkpoint says of some training samples; nil where it was not asked.
    public var samples: Samples?
    /// What it predicts for the samples that it is measured on; nil where it was not asked, or there are none.
    public var confusion: Confusion?
    /// The losses of each network by which a method judged labels; none for other methods.
    public var mixtures: [Mixture] = []
    /// Why there are no such samples.
    public var absence: String?

    /// A run of these parts.
    public init(
      folder: String, record: RunRecord, model: String, loss: String, noise: String, history: RunHistory,
      samples: Samples? = nil, absence: String? = nil
    ) {
      (self.folder, self.record, self.model, self.loss, self.noise) = (folder, record, model, loss, noise)
      (self.history, self.samples, self.absence) = (history, samples, absence)
    }
  }

  /// How features of many dimensions become points in a plane.
  public enum Projection: Sendable, Equatable {
    /// The two directions with the most variance, and the share of each.
    case principalComponents(shares: [Double])
    /// t-SNE.
    case neighbours(perplexity: Double)
  }

  /// Training samples as a network sees them.
  public struct Samples: Sendable {
    /// The given label [N].
    public var given: [Int]
    /// The true label [N]; nil where none is known.
    public var truth: [Int]?
    /// The probability of the given label [N], 0…1.
    public var confidence: [Double]
    /// Where the features of the last layer lie in the plane [N].
    public var points: [(x: Double, y: Double)]
    /// How they came into the plane.
    public var projection: Projection

    /// Samples of these parts.
    public init(
      given: [Int], truth: [Int]?, confidence: [Double], points: [(x: Double, y: Double)], projection: Projection
    ) {
      (self.given, self.truth, self.confidence) = (given, truth, confidence)
      (self.points, self.projection) = (points, projection)
    }
  }

  /// The runs in the order of the page.
  public var runs: [Run]
  /// The names of the classes by label; numbers stand for missing ones.
  public var classNames: [String]

  /// A page about runs.
  public init(runs: [Run], classNames: [String]) { (self.runs, self.classNames) = (runs, classNames) }

  /// The page.
  public var html: String {
    PageParts.document(
      title: title, policy: PageParts.policy(style: PageParts.comparisonStyle), style: PageParts.comparisonStyle,
      body: """
        \(header)
        \(accuracy)
        \(memorisation)
        \(figures)
        \(classes)
        \(confusion)
        \(confidence)
        \(mixtures)
        \(features)
        \(commands)
        """)
  }

  private var title: String {
    let data = Set(runs.compactMap { $0.record.data?.name }).sorted().joined(separator: ", ")
    return runs.count == 1 ? "A network trained on \(data)" : "\(runs.count) networks trained on \(data)"
  }

  /// What a run is called: its folder's own name, or the whole path where two are alike.
  func name(_ index: Int) -> String {
    func last(_ path: String) -> String { path.split(separator: "/").last.map(String.init) ?? path }
    let own = last(runs[index].folder)
    return runs.count { last($0.folder) == own } == 1 ? own : runs[index].folder
  }

  /// The runs with their colours, for the curves that show one line for each.
  var legend: String {
    guard runs.count > 1 else { return "" }
    let entries = runs.indices.map { "<span>\(LineChart.swatch($0))\(HTMLText.escaped(name($0)))</span>" }
    return #"<div class="legend">\#(entries.joined(separator: "\n"))</div>"#
  }

  private var header: String {
    let words = ["run", "data", "noise", "method", "loss", "network", "seed", "epochs"].map {
      #"<th scope="col" class="text">\#($0)</th>"#
    }
    let numbers = ["last", "best", "mean of last 10", "memorised"].map { #"<th scope="col">\#($0)</th>"# }
    let head = (words + numbers).joined()
    let rows = runs.indices.map { index -> String in
      let run = runs[index], accuracy = run.history.accuracy
      let ended = run.history.epochs.last?.epoch ?? 0
      let status = run.record.status == .finished ? "" : " (\(run.record.status.rawValue))"
      let words = [
        run.record.data?.name ?? "–", run.noise, run.record.method ?? "plain", run.loss, run.model,
        run.record.seeds["seed"].map { "\($0)" } ?? "–", "\(ended)\(status)",
      ]
      let numbers = [
        accuracy?.last, accuracy?.best, accuracy?.lastTenMean, run.history.epochs.last?.wrongAccuracy ?? nil,
      ].map { $0.map { NumberFormatting.percent($0) } ?? "–" }
      let cells = words.map { #"<td class="text">\#(HTMLText.escaped($0))</td>"# } + numbers.map { "<td>\($0)</td>" }
      let mark = runs.count > 1 ? LineChart.swatch(index) : ""
      return "<tr><td class=\"text\">\(mark)\(HTMLText.escaped(name(index)))</td>\(cells.joined())</tr>"
    }
    return """
      <h1>\(HTMLText.escaped(title))</h1>
      <div class="scroll"><table id="runs"><thead><tr>\(head)</tr></thead>
      <tbody>
      \(rows.joined(separator: "\n"))
      </tbody></table></div>
      <p class="faint">Accuracies are on the test set or, where there is none, on the held-out samples. The best epoch
      was chosen by these same numbers. Memorised: the share of wrong labels that the network predicts as given.</p>
      \(warning)
      """
  }

  private var warning: String {
    guard Set(runs.compactMap { $0.record.data?.fingerprint }).count > 1 else { return "" }
    return
      #"<p><b class="given">These runs did not have the same data</b> or not the same labels: compare with care.</p>"#
  }

  private var commands: String {
    let rows = runs.indices.map { index -> String in
      let record = runs[index].record
      let text = "\(record.device), gpunoisy \(record.version), started \(record.started.text)"
      return """
        <tr><th scope="row">\(HTMLText.escaped(name(index)))</th><td><code>\
        \(HTMLText.escaped(record.arguments.joined(separator: " ")))</code><br>\(HTMLText.escaped(text))</td></tr>
        """
    }
    return """
      <section id="method">
      <h2>How to reproduce these</h2>
      <table><tbody>
      \(rows.joined(separator: "\n"))
      </tbody></table>
      </section>
      """
  }
}
