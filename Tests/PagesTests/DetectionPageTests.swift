import FileFormats
import Pages
import Testing

@Suite("The page about a detection")
struct DetectionPageTests {
  /// What is between two marks, the first of each kind.
  private static func part(of text: String, from start: String, to end: String) throws -> String {
    let pieces = text.split(separator: start, maxSplits: 1)
    try #require(pieces.count == 2)
    return String(try #require(pieces[1].split(separator: end, maxSplits: 1, omittingEmptySubsequences: false).first))
  }

  private static func data(_ html: String) throws -> JSONValue {
    let text = try part(of: html, from: #"<script type="application/json" id="data">"#, to: "</script>")
    return try JSONText.parse(
      Array(text.utf8), named: "data", limits: .init(depth: 16, values: 1 << 22))
  }

  @Test("escapes names wherever they stand")
  func escaping() throws {
    #expect(HTMLText.escaped("a<b>&\"'\u{1}é\u{9F}") == "a&lt;b&gt;&amp;&quot;&#39;\u{FFFD}é\u{FFFD}")
    let html = SamplePage.hostile.html
    // The page's own two scripts end, and nothing else does.
    #expect(html.split(separator: "</script>", omittingEmptySubsequences: false).count == 3)
    for name in SamplePage.hostileNames { #expect(!html.contains(name), "\(name)") }
    #expect(!html.contains("<img"))
    let data = try Self.data(html)
    #expect(data["classes"]?.array?.compactMap(\.string) == SamplePage.hostileNames)
    #expect(data["samples"]?["path"]?.array?.first?.string == SamplePage.hostilePath)
  }

  @Test("lets its own style and script run, and no other")
  func policy() throws {
    let html = SamplePage.hostile.html
    let policy = try Self.part(of: html, from: #"http-equiv="Content-Security-Policy" content=""#, to: "\"")
    let style = try Self.part(of: html, from: "<style>", to: "</style>")
    let script = try Self.part(of: html, from: "<script>", to: "</script>")
    #expect(policy.contains("style-src '\(PageParts.hash(style))'"))
    #expect(policy.contains("script-src '\(PageParts.hash(script))'"))
    #expect(policy.hasPrefix("default-src 'none'; img-src data:;"))
    #expect(!policy.contains("unsafe"))
    // The digest of nothing, as every tool prints it.
    #expect(PageParts.hash("") == "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=")
    // Attributes that the policy would refuse.
    #expect(!html.contains(" style=\"") && !html.contains(" onclick"))
  }

  @Test("spells bytes as RFC 4648 does", arguments: [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foobar", "Zm9vYmFy")])
  func base64(plain: String, text: String) {
    #expect(Base64.text(Array(plain.utf8)) == text)
  }

  @Test("stays under 25 MB for 50,000 samples with 1,100 images")
  func size() throws {
    let html = SamplePage.large.html
    #expect(html.utf8.count < 25_000_000, "\(html.utf8.count) bytes")
    let data = try Self.data(html)
    #expect(data["samples"]?["id"]?.array?.count == 50_000)
    #expect(data["images"]?.members?.count == 1100)
    #expect(data["blind"]?.array?.count == 100)
  }

  @Test("holds the samples in the order of their rank, with their labels")
  func samples() throws {
    let page = SamplePage.small, data = try Self.data(page.html), columns = try #require(data["samples"])
    #expect(columns["id"]?.array?.compactMap(\.integer) == page.samples.map(\.id))
    #expect(columns["given"]?.array?.compactMap(\.integer) == page.samples.map(\.given))
    let flags = String(decoding: page.samples.map { UInt8(ascii: $0.isFlagged ? "1" : "0") }, as: UTF8.self)
    #expect(columns["flagged"]?.string == flags)
    let keys = try #require(columns["key"]?.array).map { $0.double ?? .infinity }
    #expect(zip(keys, page.samples).allSatisfy { abs($0 - ($1.key ?? .infinity)) <= 1e-5 || $0 == $1.key ?? .infinity })
    #expect(data["cut"]?.double == page.cut)
  }

  @Test("never suggests the given label")
  func suggestions() throws {
    let page = SamplePage.small, columns = try #require(Self.data(page.html)["samples"])
    let given = try #require(columns["given"]?.array).compactMap(\.integer)
    let suggested = try #require(columns["suggested"]?.array).compactMap(\.integer)
    #expect(zip(given, suggested).allSatisfy { $0 != $1 })
    // Those of every third rank have none, and no probability of it.
    #expect(suggested.enumerated().allSatisfy { ($0.offset % 3 == 0) == ($0.element == -1) })
    let confidence = try #require(columns["confidence"]?.array)
    #expect(confidence.enumerated().allSatisfy { ($0.offset % 3 == 0) == ($0.element == .null) })
  }

  @Test("explains its words where they first stand, and has the blind check before the samples")
  func words() throws {
    var page = SamplePage.small
    page.passCorrelation = 0.7
    let html = page.html
    for (word, explanation) in [
      ("AUM", "the area under the margin (AUM)"), ("pass", "Each pass trains a new network"),
      ("threshold sample", "some samples, the threshold samples, get"), ("margin", "The margin of a sample is"),
      ("correlation", "correlation of 0.700 (1: in the same order; 0: unrelated)"), ("From others", "From others: "),
    ] {
      // Behind the head, with style and policy.
      let body = try Self.part(of: html, from: "<body>", to: "</body>")
      let first = try #require(body.split(separator: word, maxSplits: 1).first).utf8.count
      let place = try #require(body.split(separator: explanation, maxSplits: 1).first).utf8.count
      #expect(body.contains(explanation) && first >= place, "\(word)")
    }
    let sections = ["id=\"blind\"", "id=\"cut\"", "id=\"labels\"", "id=\"suspects\"", "id=\"next\"", "id=\"method\""]
    let places = sections.map { html.split(separator: $0, maxSplits: 1)[0].utf8.count }
    #expect(places == places.sorted() && Set(places).count == places.count)
    #expect(html.contains("train:<br><code>gpunoisy train &#39;cat&#39;</code>"))
  }
}
