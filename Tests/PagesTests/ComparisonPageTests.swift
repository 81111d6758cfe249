import FileFormats
import Pages
import Reports
import Testing

@Suite("The page that compares runs")
struct ComparisonPageTests {
  private static let hostile = "</title><script>document.title='hacked'</script><img src=x onerror=alert(1)>\"'&"

  /// A run of four epochs, the second without a test.
  private static func run(
    _ folder: String, loss: String = "ce", accuracy: Double = 0.25, classes: Int = 3, fingerprint: String = "00",
    samples: ComparisonPage.Samples? = nil, confusion: ComparisonPage.Confusion? = nil,
    figures: (Int) -> [EpochReport.Figure] = { _ in [] }
  ) -> ComparisonPage.Run {
    var record = RunRecord(
      command: "train", version: "1", arguments: ["gpunoisy", "train", folder], device: "cpu", seeds: ["seed": 7],
      data: .init(
        name: "photos", layout: "a folder", trainCount: 4, testCount: 4, classCount: classes, fingerprint: fingerprint))
    record.status = .finished
    let epochs = (1...4).map { epoch in
      EpochReport(
        epoch: epoch, epochs: 4, step: epoch * 10, learningRate: 0.1,
        trainLoss: epoch == 3 ? .nan : 2.0 / Double(epoch),
        trainAccuracy: 0.5, testLoss: 1, testAccuracy: epoch == 2 ? nil : accuracy * Double(epoch), seconds: 1,
        imagesPerSecond: 10, cleanAccuracy: 0.75, wrongAccuracy: 0.125,
        perClass: (0..<classes).map { .init(accuracy: Double($0) / Double(classes), confidence: nil) },
        figures: figures(epoch))
    }
    var run = ComparisonPage.Run(
      folder: folder, record: record, model: "resnet20", loss: loss, noise: "symmetric:0.4",
      history: RunHistory(epochs: epochs), samples: samples)
    run.confusion = confusion
    return run
  }

  private static let samples = ComparisonPage.Samples(
    given: [0, 1, 2, 0], truth: [0, 1, 2, 2], confidence: [1, 0.5, 0.52, 0.01],
    points: [(0, 0), (2, 0), (2, 1), (0, 1)], projection: .principalComponents(shares: [0.8, 0.2]))

  private func pieces(_ html: String, _ mark: String) -> Int {
    html.split(separator: mark, omittingEmptySubsequences: false).count - 1
  }

  @Test("draws losses, and the distributions that they were taken for")
  func mixtures() throws {
    var run = Self.run("runs/a")
    #expect(!ComparisonPage(runs: [run], classNames: []).html.contains("their mixture"))
    run.mixtures = [
      .init(
        losses: [0, 0.01, 0.02, 1], isRight: [true, true, false, false],
        components: [.init(weight: 0.75, mean: 0.01, variance: 0.01), .init(weight: 0.25, mean: 1, variance: 0.0005)]),
      .init(losses: [0, 0, 0, 0], isRight: nil, components: []),
    ]
    let html = ComparisonPage(runs: [run], classNames: []).html
    // Shares of all samples: two of four right ones in the first bar, and one of the wrong ones in the first and the last.
    #expect(html.contains(#"class="bars right" points="46,214 46,"#) && html.contains("a, network 2"))
    #expect(pieces(html, #"<polyline class="curve s2""#) == 2 && !html.contains("nan"))
    // Half, a quarter and a quarter of the height to 50 %, and the first distribution's largest share at its mean:
    // 0.75 / sqrt(2 pi 0.01) / 20 = 15 %.
    #expect(html.contains("label right") && html.contains("the two distributions"))
  }

  @Test("draws each value where it belongs")
  func places() throws {
    let html = ComparisonPage(runs: [Self.run("runs/a", samples: Self.samples)], classNames: ["x", "y", "z"]).html
    // Epochs 1, 3 and 4 across 46…366, accuracies 25, 75 and 100 % from 20 % to 100 % across 214…10.
    #expect(html.contains(#"<polyline class="curve s0 p0" points="46,201.25 259.33,73.75 366,10"/>"#), "\(html)")
    // The loss breaks at the epoch without a number: a line 2…1, a point 0.5; the axis ends at 2.
    #expect(html.contains(#"points="46,10 152.67,112"/><path class="dot s0 p0" d="M366,163h0"/>"#))
    // Right labels: 1, 0.5 and 0.52, each a third; wrong: 0.01.
    #expect(html.contains(#"class="bars wrong" points="46,214 46,10 62,10 62,214 78,214"#))
    #expect(pieces(html, #"class="bars right""#) == 2)
    // Two wide and one high, about the middle of 300 units; by the given label the fourth joins the first.
    #expect(html.contains(#"<path class="dot s0" d="M10 220h0M10 80h0"/>"#))
    #expect(html.contains(#"<path class="dot s2" d="M290 80h0M10 80h0"/>"#))
    #expect(!html.contains("nan") && !html.contains("inf,") && html.contains("80% and 20% of the variance"))
  }

  @Test("gives charts that stand side by side the same axes")
  func sharedAxes() {
    var short = Self.run("short")
    short.history.epochs.removeLast(2)
    let html = ComparisonPage(runs: [Self.run("long"), short], classNames: ["x", "y", "z"]).html
    let chart = html.split(separator: "short: test accuracy</figcaption>")[1].split(separator: "</svg>")[0]
    // Epochs 1 and 2 of 1…4; a class that is never right.
    #expect(chart.contains(#"<polyline class="curve s0 p0" points="46,214 152.67,214"/>"#), "\(chart)")
  }

  /// The chart of this title.
  private func chart(_ title: String, of html: String) throws -> String {
    let pieces = html.split(separator: "<figcaption>\(title)</figcaption>", maxSplits: 1)
    try #require(pieces.count == 2, "no chart '\(title)'")
    return String(pieces[1].split(separator: "</svg>", maxSplits: 1)[0])
  }

  @Test("draws every figure that a run has, those of one name together")
  func figures() throws {
    let one = Self.run("a") { epoch in
      [
        .init("kept", epoch == 2 ? nil : Double(5 - epoch) / 5), .init("margin", Double(epoch) * 500 - 1000),
        .init("never <measured>", nil),
      ]
    }
    let two = Self.run("b") { epoch in
      [
        .init("weight", 4e7 + Double(epoch) * 1e5), .init("kept", Double(epoch) / 5),
        .init("rate", Double(epoch - 1) * 1e-6),
      ]
    }
    let html = ComparisonPage(runs: [one, Self.run("plain"), two], classNames: ["x", "y", "z"]).html
    let titles = html.split(separator: "<figcaption>").dropFirst().map { $0.prefix { $0 != "<" } }
    #expect(Array(titles[5..<9]) == ["kept", "margin", "weight", "rate"], "\(titles)")
    // Shares from 20 % to 80 % across 214…10; the first run has none in epoch 2, the second run none at all.
    let kept = try chart("kept", of: html)
    #expect(kept.contains(#"<polyline class="curve s0 p0" points="46,10 259.33,146 366,214"/>"#), "\(kept)")
    #expect(kept.contains(#"<polyline class="curve s2 p2" points="46,214 152.67,146 259.33,78 366,10"/>"#))
    #expect(kept.contains(">80%</text>") && !kept.contains("s1 p1"))
    // From -500 to 1000, as numbers.
    let margin = try chart("margin", of: html)
    #expect(margin.contains(#"points="46,214 152.67,146 259.33,78 366,10"/>"#), "\(margin)")
    #expect(margin.contains(">-500</text>") && margin.contains(">1000</text>"))
    // Forty million and a bit: not from zero, and short enough to be read.
    let weight = try chart("weight", of: html)
    #expect(weight.contains(#"points="46,214 152.67,146 259.33,78 366,10"/>"#), "\(weight)")
    #expect(weight.contains(">4.01e7</text>") && weight.contains(">4.04e7</text>"))
    // Shares would lie on the axis.
    #expect(try chart("rate", of: html).contains(#"points="46,214 152.67,146 259.33,78 366,10"/>"#))
    #expect(try chart("rate", of: html).contains(">2e-6</text>"))
    #expect(!html.contains("measured&gt;") && !html.contains("nan"))
    #expect(!ComparisonPage(runs: [Self.run("plain")], classNames: []).html.contains("Figures of the"))
  }

  @Test(
    "draws figures that never change, or are no numbers",
    arguments: [0, 1, 7, 2e-7, -3e-9, 1e20, -1e300, .nan, .infinity])
  func constantFigures(value: Double) {
    let html = ComparisonPage(
      runs: [Self.run("a") { [.init("figure", $0 == 3 ? .nan : value)] }], classNames: ["x", "y", "z"]
    ).html
    #expect(html.contains(">figure</figcaption>") == value.isFinite)
    #expect(!html.contains("nan") && !html.contains("inf,") && !html.contains(",inf"))
  }

  @Test("shows what is said of runs as text, and lets nothing run")
  func escaping() {
    let confusion = ComparisonPage.Confusion(counts: [[1, 2, 0], [0, 3, 1], [1, 0, 4]], part: Self.hostile)
    let runs = [
      Self.run("runs/" + Self.hostile, loss: Self.hostile, confusion: confusion), Self.run("b/c"), Self.run("d/c"),
    ]
    let html = ComparisonPage(runs: runs, classNames: [Self.hostile, "<", "&amp;"]).html
    #expect(!html.contains("<script") && !html.contains("<img") && pieces(html, "</title>") == 1)
    #expect(html.contains("&amp;amp;") && html.contains("&lt;/title&gt;"))
    // Two folders of one name are told apart by their paths.
    #expect(html.contains(">b/c<") && html.contains(">d/c<"))
    #expect(!html.contains("style=") && !html.contains("http:") && !html.contains("https:"))
    let style = html.split(separator: "<style>")[1].split(separator: "</style>")[0]
    #expect(html.contains("style-src '\(PageParts.hash(String(style)))'; base-uri"))
    #expect(html.contains("content=\"default-src 'none'; style-src"))
  }

  @Test("says what cannot be compared, and what is missing")
  func warnings() {
    var other = Self.run("b", loss: "sce", fingerprint: "11")
    other.absence = "the data are <gone>."
    let html = ComparisonPage(runs: [Self.run("a"), other], classNames: ["x", "y", "z"]).html
    #expect(html.contains("did not have the same data") && html.contains("Losses of different kinds"))
    #expect(html.contains("b: not measured, since the data are &lt;gone&gt;."))
    #expect(!html.contains("Features of the last layer"))
    let alike = ComparisonPage(runs: [Self.run("a"), Self.run("b")], classNames: []).html
    #expect(!alike.contains("did not have the same data") && !alike.contains("Losses of different kinds"))
  }

  @Test("shows which classes are taken for which, the most frequent first")
  func confusion() throws {
    let counts = [[8, 2, 0], [0, 20, 0], [1, 3, 0]]
    let run = Self.run("a", confusion: .init(counts: counts, part: "the test set"))
    let html = ComparisonPage(runs: [run, Self.run("b")], classNames: ["<x>", "y", "z"]).html
    let section = try #require(html.split(separator: "<section id=\"confusion\">").dropFirst().first)
    let table = section.split(separator: "<tbody>")[1].split(separator: "</tbody>")[0]
    #expect(
      table.contains(
        ##"&lt;x&gt;</th><td class="heat5 right">8</td><td class="heat2">2</td><td class="heat0"></td></tr>"##),
      "\(table)")
    #expect(
      table.contains(##"z</th><td class="heat3">1</td><td class="heat5">3</td><td class="heat0 right">0</td></tr>"##))
    let list = section.split(separator: "<tbody>")[2].split(separator: "</tbody>")[0].split(separator: "<tr>")
      .dropFirst()
    let rows = list.map {
      $0.replacing(#/<[^>]*>/#, with: " ").split(whereSeparator: \.isWhitespace).joined(separator: " ")
    }
    #expect(rows == ["z y 3 75.0%", "&lt;x&gt; y 2 20.0%", "z &lt;x&gt; 1 25.0%"], "\(rows)")
    #expect(!ComparisonPage(runs: [Self.run("b")], classNames: ["x", "y", "z"]).html.contains("id=\"confusion\""))
  }

  @Test("of many classes has a map of confusions, and the list")
  func manyConfusions() {
    let K = 100, counts = (0..<K).map { label in (0..<K).map { $0 == label ? 90 : $0 == (label + 7) % K ? label : 0 } }
    let run = Self.run("a", classes: K, confusion: .init(counts: counts, part: "the test set"))
    let html = ComparisonPage(runs: [run], classNames: (0..<K).map { "class \($0)" }).html
    let section = html.split(separator: "<section id=\"confusion\" class=\"strong\">")[1].split(
      separator: "</section>")[0]
    #expect(!section.contains("class=\"confusion\"") && pieces(String(section), "<tr>") == 21)
    // 100 of the diagonal, and 99 pairs, of which that of the first class does not occur.
    #expect(pieces(String(section), "h1v1h-1z") == 199)
    #expect(section.contains(#"class 99</th><td class="text">class 6</td><td>99</td>"#))
    #expect(section.contains("more samples in 79 other pairs"))
  }

  @Test("of many classes colours the five hardest and the five easiest")
  func manyClasses() {
    let html = ComparisonPage(
      runs: [Self.run("a", classes: 40)], classNames: (0..<40).map { "class \($0)" }
    ).html
    let legend = html.split(separator: "<h2>Classes</h2>")[1].split(separator: "class=\"legend\">")[1]
      .split(separator: "</div>")[0]
    for label in 0..<40 {
      #expect(legend.contains(">class \(label)</span>") == (label < 5 || label >= 35), "\(label)")
    }
    #expect(legend.contains(">others</span>") && pieces(html, #"<polyline class="curve other""#) == 30)
  }

  @Test(
    "fits a narrow window, and its policy refuses none of its own parts",
    .enabled(if: Browser.path != nil, Browser.absence))
  func browser() throws {
    let names = ["a", String(repeating: "long", count: 40), "c"]
    let runs = names.map { name in
      Self.run("runs/" + name, loss: "sce:alpha=0.1,beta=1,A=-4", samples: Self.samples) { epoch in
        [.init("label_precision", Double(epoch) / 5), .init(String(repeating: "threshold_", count: 9), -1e9)]
      }
    }
    let html = ComparisonPage(runs: runs, classNames: names).html
    let script = """
      outcome.scroll = document.documentElement.scrollWidth - document.documentElement.clientWidth;
      outcome.width = document.documentElement.clientWidth;
      outcome.colour = getComputedStyle(document.querySelector("polyline.s0")).stroke;
      outcome.charts = document.querySelectorAll("figure svg").length;
      """
    for width in [390, 1280] {
      let outcome = try Browser.run(html, width: width, then: script)
      #expect(
        outcome["error"] == nil && outcome["scroll"] == 0 && outcome["colour"] == "rgb(0, 114, 178)", "\(outcome)")
      #expect((width - 20...width).contains(outcome["width"]?.integer ?? 0) && outcome["charts"] == 19, "\(outcome)")
    }
  }
}
