import FileFormats
import Pages
import Testing

@Suite("In a browser the page", .serialized, .enabled(if: Browser.path != nil, Browser.absence))
struct BrowserTests {
  /// Words that drivers share.
  private static let helpers = """
    const press = (key) => document.body.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
    const text = (id) => document.getElementById(id).textContent;
    const move = (id, value) => {
      document.getElementById(id).value = value;
      document.getElementById(id).dispatchEvent(new Event(id === "cutoff" ? "input" : "change"));
    };
    let saved = null, savedAs = null;
    URL.createObjectURL = (blob) => { saved = blob; return "#saved"; };
    HTMLAnchorElement.prototype.click = function () { savedAs = this.download; };

    """

  @Test("follows the cut-off with its counts and cards")
  func cutoff() throws {
    let page = SamplePage.small
    let outcome = try Browser.run(
      page.html,
      then: Self.helpers + """
        outcome.before = [text("suspected"), text("rule"), document.querySelectorAll(".card").length];
        outcome.first = document.querySelector(".card").dataset.id;
        move("cutoff", "251");
        outcome.after = [text("suspected"), text("cut-value"), document.querySelectorAll(".card").length];
        outcome.classes = [...document.querySelectorAll("#classes .flagged")].map((cell) => Number(cell.textContent));
        outcome.line = document.getElementById("cut-line").getAttribute("x1");
        move("given-filter", "1");
        outcome.given = [...new Set([...document.querySelectorAll(".card b.given")].map((mark) => mark.textContent))];
        move("given-filter", "");
        move("cutoff", "1000");
        outcome.most = [
          text("suspected"), document.querySelectorAll(".card").length, document.querySelector(".place").textContent];
        document.querySelector("[data-turn='1']").click();
        outcome.second = document.querySelector(".place").textContent;
        document.getElementById("reset").click();
        outcome.again = text("suspected");
        outcome.sparklines = document.querySelectorAll(".card .spark polyline").length;
        outcome.images = [...document.querySelectorAll(".card img")].every(
          (image) => image.src.startsWith("data:image/png"));
        """)
    #expect(outcome["error"] == nil, "\(outcome)")
    #expect(outcome["before"] == ["40", "by the rule of the run", 40])
    #expect(outcome["first"]?.string == "\(page.samples[0].id)")
    // -2 + 0.251 · 1.98 = -1.503, below which lie fifty.
    #expect(outcome["after"] == ["50", "-1.503", 50])
    let expected = (0..<3).map { label in page.samples.prefix(50).count { $0.given == label } }
    #expect(outcome["classes"]?.array?.compactMap(\.integer) == expected)
    #expect(outcome["line"]?.string.flatMap(Double.init) ?? 0 == 180.72, "\(outcome)")
    #expect(outcome["given"] == ["dog"])
    #expect(outcome["most"] == ["198", 60, "1 to 60 of 198"])
    #expect(outcome["second"] == "61 to 120 of 198")
    #expect(outcome["again"] == "40" && outcome["sparklines"] == 40 && outcome["images"] == true)
  }

  @Test("takes verdicts by keyboard and saves them as a table")
  func verdicts() throws {
    let page = SamplePage.small
    let outcome = try Browser.run(
      page.html,
      then: Self.helpers + """
        outcome.disabled = document.getElementById("save").disabled;
        press("1"); press("2"); press("ArrowRight"); press("5"); press("4"); press("u"); press("k");
        press("j"); press("j"); press("3");
        const choice = document.querySelector(".card select.label");
        outcome.asks = document.activeElement === choice;
        choice.value = "1";
        choice.dispatchEvent(new Event("change", { bubbles: true }));
        choice.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true }));
        outcome.next = document.activeElement.dataset.id;
        // Two verdicts on one sample; the second is taken back, and the first holds again.
        press("5"); press("k"); press("1"); press("u");
        document.getElementById("save").click();
        outcome.name = savedAs;
        outcome.table = await saved.text();
        outcome.kept = localStorage.length;
        """)
    #expect(outcome["error"] == nil, "\(outcome)")
    #expect(outcome["asks"] == true && outcome["next"]?.string == "\(page.samples[6].id)", "\(outcome)")
    #expect(outcome["disabled"] == true && outcome["name"] == "verdicts.csv" && outcome["kept"] == 1)
    let table = try CSV(decoding: Array((outcome["table"]?.string ?? "").utf8), name: "verdicts.csv")
    #expect(
      table.header == [
        "sample_id", "path", "source", "is_label_issue", "verdict", "given_label", "new_label", "given_name",
        "new_name",
      ])
    let names = ["cat", "dog", "eel"]
    func row(_ rank: Int, _ verdict: String, _ label: Int?) -> [String] {
      let sample = page.samples[rank]
      return [
        "\(sample.id)", "train/\(sample.id).png", "grid", "True", verdict, "\(sample.given)",
        label.map { "\($0)" } ?? "",
        names[sample.given], label.map { names[$0] } ?? "",
      ]
    }
    // The third was passed over, and the verdict on the fifth taken back.
    let first = page.samples[0], second = page.samples[1]
    #expect(
      table.rows == [
        row(0, "keep", first.given), row(1, "accept", second.suggested), row(3, "drop", nil), row(5, "other", 1),
        row(6, "drop", nil),
      ])
  }

  @Test("counts a blind check, and hides until its end what is suspected")
  func blindCheck() throws {
    let page = SamplePage.small
    let outcome = try Browser.run(
      page.html,
      then: Self.helpers + """
        document.getElementById("blind-start").click();
        const stage = document.getElementById("blind-stage");
        outcome.hidden = !/suspect|rank|AUM|suggested/i.test(stage.innerText);
        press("n"); press("b");
        for (let turn = 0; turn < 100; turn++) press(turn % 4 === 3 ? "u" : turn % 2 ? "n" : "y");
        outcome.rows = [...document.querySelectorAll("#blind-result tbody tr")].map(
          (row) => [...row.querySelectorAll("td")].map((cell) => cell.textContent));
        document.getElementById("save").click();
        outcome.table = await saved.text();
        """)
    #expect(outcome["error"] == nil, "\(outcome)")
    #expect(outcome["hidden"] == true)
    var tally = [true: [0, 0, 0], false: [0, 0, 0]]
    for (turn, id) in page.blindCheck.enumerated() {
      let isFlagged = page.samples.first { $0.id == id }?.isFlagged ?? false
      tally[isFlagged]?[turn % 4 == 3 ? 2 : turn % 2] += 1
    }
    let rows = try #require(outcome["rows"]?.array).map { $0.array?.prefix(3).compactMap { Int($0.string ?? "") } }
    #expect(rows == [tally[true], tally[false]])
    let table = try CSV(decoding: Array((outcome["table"]?.string ?? "").utf8), name: "verdicts.csv")
    #expect(table.rows.count == 100 && table.rows.allSatisfy { $0[2] == "blind" })
    #expect(table.rows.count { $0[4] == "unsure" } == 25)
  }

  @Test("runs nothing that names and paths bring along")
  func hostile() throws {
    let script = """
      press("1"); press("2"); press("3");
      move("cutoff", "900");
      document.getElementById("blind-start").click();
      await new Promise((done) => setTimeout(done, 200));
      outcome.title = document.title;
      outcome.scripts = document.querySelectorAll("script").length;
      outcome.strangers = document.querySelectorAll("[onerror], img:not([src^='data:image/'])").length;
      outcome.cards = document.querySelectorAll(".card").length;
      outcome.path = document.querySelector(".card .path").textContent;
      const links = [...document.querySelectorAll(".card a")];
      outcome.links = links.length > 0 && links.every((link) => /^file:\\/\\/\\/[^"<>]*$/.test(link.href));
      """
    let outcome = try Browser.run(SamplePage.hostile.html, then: Self.helpers + script)
    #expect(outcome["error"] == nil, "\(outcome)")
    #expect(outcome["title"] == "Suspected labels of made up")
    // The data, the page's script, and the test's.
    #expect(outcome["scripts"] == 3 && outcome["strangers"] == 0)
    #expect(outcome["links"] == true)
    #expect((outcome["cards"]?.integer ?? 0) > 8 && outcome["path"]?.string == SamplePage.hostilePath)
  }

  @Test("has a policy that stops scripts even where markup gets in")
  func policy() throws {
    let intruder = """
      <h1>x</h1><img src="x" onerror="document.title='hacked'"><script>document.title='hacked'</script>
      """
    let html = SamplePage.small.html.replacing("<header>", with: intruder + "<header>")
    let script = "await new Promise((done) => setTimeout(done, 500)); outcome.title = document.title;"
    #expect(try Browser.run(html, then: script)["title"] == "Suspected labels of made up")
    // Without the policy it would have run.
    let open = html.replacing("http-equiv=\"Content-Security-Policy\"", with: "name=\"none\"")
    #expect(try Browser.run(open, then: script)["title"] == "hacked")
  }

  @Test("gives one verdict to a pair of classes, or to a selection, and takes it back as one")
  func batches() throws {
    let page = SamplePage.small
    let outcome = try Browser.run(
      page.html,
      then: Self.helpers + """
        const button = document.getElementById("batch-apply");
        const table = async () => {
          document.getElementById("save").click();
          return (await saved.text()).trim().split("\\n").slice(1).map((line) => line.split(","));
        };
        outcome.first = [button.textContent, button.disabled];
        // One of the pair has a verdict of its own, which stays.
        document.querySelector("#pairs button").click();
        outcome.pair = [document.getElementById("given-filter").value, document.getElementById("suggested-filter").value];
        outcome.listed = document.querySelectorAll(".card").length;
        press("5");
        move("batch-verdict", "keep");
        outcome.second = button.textContent;
        button.click();
        outcome.status = text("status");
        const pair = await table();
        outcome.words = [pair.length, pair.filter((row) => row[4] === "drop").length, new Set(pair.map((row) => row[7])).size];
        press("u");
        outcome.undone = (await table()).map((row) => row[4]);
        press("u");
        move("given-filter", ""); move("suggested-filter", "");
        // The first, by key, and with the shift key the fourth to the sixth.
        press("x");
        const boxes = [...document.querySelectorAll(".card .tick")];
        boxes[3].click();
        boxes[5].dispatchEvent(new MouseEvent("click", { bubbles: true, shiftKey: true }));
        outcome.third = button.textContent;
        outcome.ticked = [...document.querySelectorAll(".card .tick")].map((box) => box.checked).slice(0, 7);
        move("batch-verdict", "accept");
        button.click();
        outcome.accepted = (await table()).map((row) => [row[0], row[4], row[6]]);
        outcome.left = text("status");
        press("u");
        // What is another label for some is the given one for others.
        move("batch-verdict", "other 2");
        button.click();
        outcome.others = await table();
        // A decision on a suggestion that there is not is none.
        press("u");
        document.querySelector(".card").click();
        press("2");
        outcome.none = document.getElementById("save").disabled;
        """)
    #expect(outcome["error"] == nil, "\(outcome)")
    #expect(outcome["first"] == ["Apply to all 40 listed", true])
    let given = try #require(outcome["pair"]?.array?.compactMap { Int($0.string ?? "") })
    let names = ["cat", "dog", "eel"], flagged = page.samples.filter(\.isFlagged)
    let count = flagged.count { $0.given == given[0] && $0.suggested == given[1] }
    try #require(given.count == 2 && count > 2)
    #expect(outcome["listed"]?.integer == count)
    let pair = "\(names[given[0]]) → \(names[given[1]])"
    #expect(outcome["second"]?.string == "Apply to all \(count - 1) \(pair) without a verdict")
    #expect(outcome["status"]?.string == "\(count - 1) verdicts set; u takes them back")
    #expect(outcome["words"] == [JSONValue(count), 1, 1] && outcome["undone"] == ["drop"])
    #expect(outcome["third"] == "Apply to 4 selected")
    #expect(outcome["ticked"] == [true, false, false, true, true, true, false])
    // Of ranks 1, 4, 5 and 6 the first two have no suggestion.
    let accepted = [4, 5].map { page.samples[$0] }.map { sample -> JSONValue in
      [.string("\(sample.id)"), "accept", .string("\(sample.suggested ?? -1)")]
    }
    #expect(outcome["accepted"]?.array == accepted)
    #expect(outcome["left"] == "2 verdicts set; 2 without a suggestion left as they are; u takes them back")
    let others = try #require(outcome["others"]?.array)
    #expect(others.count == 40 && outcome["none"] == true)
    #expect(others.allSatisfy { $0.array?[4].string == ($0.array?[5] == "2" ? "keep" : "other") })
  }

  @Test("shows near-duplicates with a sample, selects them at once, and saves what an earlier round decided")
  func groups() throws {
    var page = SamplePage.small
    // Three that are listed, one that is not, and one whose image is not in the page.
    let members = [0, 2, 4, 60, 199].map { page.samples[$0].id }
    page.groups = [members, [page.samples[7].id, page.samples[80].id]]
    let earlier = [100, 101, 102].map { page.samples[$0].id }
    page.earlier = [
      .init(id: earlier[0], verdict: "keep", label: page.samples[100].given),
      .init(id: earlier[1], verdict: "other", label: 2), .init(id: earlier[2], verdict: "drop", label: nil),
    ]
    page.reviewedSummary = "3 labels"
    let outcome = try Browser.run(
      page.html,
      then: Self.helpers + """
        const lines = [...document.querySelectorAll(".card .group")].map((line) => line.textContent);
        outcome.lines = lines;
        outcome.note = document.querySelector("header").textContent.includes("earlier round: 3 labels");
        document.querySelector(".card .group button").click();
        outcome.selected = [text("batch-apply"), text("status")];
        move("batch-verdict", "drop");
        document.getElementById("batch-apply").click();
        document.querySelector(".card .zoom").click();
        const shown = document.querySelectorAll("#large .member");
        outcome.members = [...shown].map((member) => [member.querySelectorAll("img").length, member.title]);
        document.getElementById("save").click();
        outcome.table = await saved.text();
        """)
    #expect(outcome["error"] == nil, "\(outcome)")
    let near = "one of 5 near-duplicates select 3"
    #expect(outcome["lines"] == [.string(near), .string(near), .string(near), "one of 2 near-duplicates"])
    #expect(outcome["note"] == true)
    #expect(outcome["selected"] == ["Apply to 3 selected", "3 selected: choose their verdict above"])
    let others = members.dropFirst().enumerated().map { index, id -> JSONValue in
      [index == 3 ? 0 : 1, .string("train/\(id).png")]
    }
    #expect(outcome["members"]?.array == others, "\(outcome)")
    let table = try CSV(decoding: Array((outcome["table"]?.string ?? "").utf8), name: "verdicts.csv")
    #expect(table.rows.prefix(3).map { $0[0] } == earlier.map { "\($0)" })
    #expect(table.rows.prefix(3).map { $0[2] } == ["earlier", "earlier", "earlier"])
    #expect(table.rows.prefix(3).map { $0[4] } == ["keep", "other", "drop"])
    #expect(table.rows.prefix(3).map { $0[6] } == ["\(page.samples[100].given)", "2", ""])
    #expect(table.rows.dropFirst(3).map { $0[4] } == ["drop", "drop", "drop"])
  }

  @Test("finds files where paths begin with a folder that is not there")
  func absentPrefix() throws {
    var page = SamplePage.small
    (page.root, page.absentPrefix) = ("/data/", "train/")
    let script =
      "outcome.link = [...document.querySelectorAll('a.path')].slice(0, 1).map((a) => [a.textContent, a.href]);"
    let outcome = try Browser.run(page.html, then: Self.helpers + script), id = page.samples[0].id
    #expect(outcome["link"] == [[.string("train/\(id).png"), .string("file:///data/\(id).png")]], "\(outcome)")
  }

  @Test("shows a sample larger, with its file, and takes verdicts there")
  func larger() throws {
    var page = SamplePage.small
    page.root = "/data/my photos#1"
    let outcome = try Browser.run(
      page.html,
      then: Self.helpers + """
        const dialog = document.getElementById("large"), rank = () => dialog.querySelector("p").textContent;
        outcome.closed = dialog.open;
        document.querySelector(".card .zoom").click();
        outcome.open = [dialog.open, rank(), dialog.querySelectorAll("img").length];
        const link = dialog.querySelector("a.path");
        outcome.link = [link.textContent, link.getAttribute("href")];
        let copied = null;
        Object.defineProperty(navigator, "clipboard", { value: { writeText: async (text) => { copied = text; } } });
        dialog.querySelector(".copy").click();
        await new Promise((done) => setTimeout(done, 50));
        outcome.copied = [copied, dialog.querySelector(".copy").textContent];
        press("1");
        outcome.moved = [dialog.open, rank()];
        press("ArrowLeft");
        outcome.pressed = [...dialog.querySelectorAll("[aria-pressed=true]")].map((button) => button.dataset.verdict);
        outcome.accept = dialog.querySelector("[data-verdict=accept]").disabled;
        dialog.querySelector("[data-step='1']").click();
        dialog.querySelector("[data-verdict=accept]").click();
        outcome.stepped = rank();
        press("3");
        outcome.asks = [dialog.open, document.activeElement.className];
        document.activeElement.blur();
        press("Enter");
        outcome.again = dialog.open;
        document.getElementById("large-close").click();
        outcome.end = dialog.open;
        document.querySelector("#next .copy").click();
        await new Promise((done) => setTimeout(done, 50));
        outcome.command = copied;
        // The image is as large as the window lets it be.
        press("Enter");
        outcome.size = dialog.querySelector("img").getBoundingClientRect().height;
        outcome.wide = document.documentElement.scrollWidth <= innerWidth;
        """)
    #expect(outcome["error"] == nil, "\(outcome)")
    let first = page.samples[0], second = page.samples[1], third = page.samples[2]
    #expect(outcome["closed"] == false)
    #expect(outcome["open"] == [true, .string("rank 1, #\(first.id), 1 of 40"), 1])
    #expect(
      outcome["link"] == [
        .string("train/\(first.id).png"), .string("file:///data/my%20photos%231/train/\(first.id).png"),
      ])
    #expect(outcome["copied"] == [.string("/data/my photos#1/train/\(first.id).png"), "copied"])
    #expect(outcome["moved"] == [true, .string("rank 2, #\(second.id), 2 of 40")])
    #expect(outcome["pressed"] == ["keep"] && outcome["accept"] == true)
    #expect(outcome["stepped"] == .string("rank 3, #\(third.id), 3 of 40"))
    #expect(outcome["asks"] == [false, "label"] && outcome["again"] == true && outcome["end"] == false)
    #expect(outcome["command"] == "gpunoisy train 'cat'" && outcome["wide"] == true)
    #expect(outcome["size"]?.double ?? 0 > 400, "\(outcome)")
  }
}
