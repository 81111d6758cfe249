import Failures
import FileFormats
import Reports
import Synchronization
import Testing

/// An output that keeps what it is given.
private final class Listener: ConsoleOutput {
  var text = ""
  func write(_ text: String) { self.text += text }
  /// What a terminal shows of each line: the last drawing, without styles.
  var lines: [String] {
    text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
      let drawings = line.split(separator: "\r", omittingEmptySubsequences: false)
      return drawings.last.map(String.init)?.replacing(#/\u{1B}\[[0-9;]*[mK]/#, with: "") ?? ""
    }
  }
}

/// Clocks that a test moves.
private final class TestClock: Sendable {
  private let milliseconds = Atomic<Int>(0)
  func advance(_ seconds: Double) { milliseconds.add(Int(seconds * 1000), ordering: .relaxed) }
  var clock: ConsoleClock {
    ConsoleClock(
      elapsed: { Double(self.milliseconds.load(ordering: .relaxed)) / 1000 },
      now: { UTCTime(seconds: 1_795_221_062 + self.milliseconds.load(ordering: .relaxed) / 1000) })
  }
}

@Suite("Commands that are printed to be copied")
struct PrintedCommandTests {
  @Test(
    "name paths as a shell takes them back",
    arguments: [
      ("runs/2026-11-21T0031_photos_s1", "runs/2026-11-21T0031_photos_s1"), ("Bücher/猫", "Bücher/猫"), ("", "''"),
      ("my photos", "'my photos'"), ("~/$HOME;ls", "'~/$HOME;ls'"), ("it's", #"'it'\''s'"#), ("'", #"''\'''"#),
      ("a\u{1B}b", #"'a\x1bb'"#),
    ])
  func arguments(path: String, word: String) { #expect(TerminalText.argument(path) == word) }
}

@Suite("Progress")
struct ProgressTests {
  private let listener = Listener()
  private let time = TestClock()
  private let outline = RunOutline(
    facts: [.init("run", "runs/x"), .init("device", "0 H200\u{1B}[31m")], epochs: 120)

  private func report(_ epoch: Int) -> EpochReport {
    EpochReport(
      epoch: epoch, epochs: 120, step: epoch * 391, learningRate: 0.1, trainLoss: 2.71305, trainAccuracy: 0.33124,
      testLoss: 1.5, testAccuracy: 0.463, seconds: 7.04, imagesPerSecond: 21343.7)
  }

  private func progress(_ step: Int, epoch: Int = 38, loss: Double? = nil) -> StepProgress {
    StepProgress(epoch: epoch, epochs: 120, step: step, steps: 400, loss: loss, accuracy: 0.579, imagesPerSecond: 21480)
  }

  @Test("in lines is plain, stable and stamped with UTC")
  func lines() {
    let lines = ProgressLines(to: listener, clock: time.clock)
    lines.began(outline)
    lines.step(progress(0, epoch: 1))
    time.advance(7)
    lines.epoch(report(1))
    lines.note("saved 'a\u{1B}b\r'")
    lines.ended()
    #expect(
      listener.text == """
        2026-11-21T00:31:02Z run=runs/x
        2026-11-21T00:31:02Z device="0 H200\\\\x1b[31m"
        2026-11-21T00:31:09Z epoch=1/120 step=391 lr=0.1 loss=2.7131 train_acc=0.3312 test_loss=1.5000 \
        test_acc=0.4630 seconds=7.0 img_s=21344 eta_s=833
        2026-11-21T00:31:09Z saved 'a\\x1bb\\x0d'

        """)
  }

  @Test("says how long a run takes as one more line of its head")
  func estimate() {
    let hours = RunEstimate(seconds: 9000)
    let lines = ProgressLines(to: listener, clock: time.clock)
    lines.began(outline)
    lines.estimated(hours)
    #expect(listener.text.hasSuffix("2026-11-21T00:31:02Z time=\"about 2.5 h; --epochs\"\n"), "\(listener.text)")
    listener.text = ""
    let bar = ProgressBar(
      to: listener, terminal: TerminalTraits(movesCursor: true, usesColor: false, usesUnicode: true),
      clock: time.clock, width: { 80 })
    bar.began(outline)
    bar.step(progress(1, epoch: 1))
    bar.estimated(hours)
    // Above the bar, its text in the column of the others.
    #expect(listener.lines[1].hasPrefix("device  0 H200") && listener.lines[2] == "time    about 2.5 h; --epochs")
    #expect(listener.lines.last?.hasPrefix("epoch   1/120") == true)
  }

  @Test("rounds long durations", arguments: [(60.0, "1 min"), (714, "12 min"), (9000, "2.5 h"), (260_000, "3 days")])
  func roughly(seconds: Double, text: String) {
    #expect(NumberFormatting.roughly(seconds: seconds) == text)
  }

  @Test("in lines stays below 200 of them for 120 epochs, fast or slow", arguments: [0.001, 0.4, 2.0, 30.0])
  func lineCount(secondsPerStep: Double) {
    let lines = ProgressLines(to: listener, clock: time.clock)
    lines.began(outline)
    for epoch in 1...120 {
      for step in 1...400 {
        time.advance(secondsPerStep)
        lines.step(progress(step, epoch: epoch))
      }
      lines.epoch(report(epoch))
    }
    let count = listener.text.utf8.count { $0 == 0x0A }
    #expect(count >= 122 && count < 200, "\(count) lines")
    #expect(!listener.text.utf8.contains(0x1B) && !listener.text.utf8.contains(0x0D))
  }

  @Test("in lines gives a sign of life once a minute")
  func heartbeat() {
    let lines = ProgressLines(to: listener, clock: time.clock)
    for step in 0..<400 {
      lines.step(StepProgress(epoch: 1, epochs: 1, step: step, steps: 400, loss: step == 0 ? 2.5 : nil))
      time.advance(1)
    }
    let stamps = listener.text.split(separator: "\n")
    #expect(stamps.count == 6)
    #expect(stamps.first == "2026-11-21T00:32:02Z epoch=1/1 step=60/400 loss=2.5000 eta_s=340")
  }

  private func bar(columns: Int, color: Bool = false, unicode: Bool = true) -> ProgressBar {
    ProgressBar(
      to: listener, terminal: TerminalTraits(movesCursor: true, usesColor: color, usesUnicode: unicode),
      clock: time.clock, width: { columns })
  }

  @Test("as a bar shows epoch, share, loss, accuracy, speed and what is left")
  func barText() {
    let bar = bar(columns: 101)
    bar.step(progress(0, loss: 2.1134))
    time.advance(10)
    bar.step(progress(244))
    #expect(
      listener.lines
        == ["epoch  38/120 ━━━━━━━━━━━━━━━━━╸              61%  loss 2.113  train 57.9%  21 480 img/s  ETA 22m31s"])
    #expect(listener.lines[0].count == 100)
    bar.epoch(report(38))
    bar.ended()
    #expect(listener.lines[0].hasSuffix("100%  loss 2.713  train 33.1%  test 46.3%  21 344 img/s  ETA 13m40s"))
    #expect(listener.text.hasSuffix("\n"))
  }

  @Test("as a bar never fills the terminal's last column", arguments: 1...120)
  func widths(columns: Int) {
    let bar = bar(columns: columns, color: true)
    bar.step(progress(0, loss: 2.1))
    time.advance(10)
    bar.step(progress(244))
    bar.epoch(report(38))
    #expect(listener.lines.allSatisfy { $0.count < max(columns, 2) })
    if columns >= 50 { #expect(listener.lines.last?.contains("ETA") == true) }
  }

  @Test("as a bar is ASCII where the locale is not UTF-8, and unstyled without colour")
  func ascii() {
    let bar = bar(columns: 80, unicode: false)
    bar.step(progress(200))
    #expect(
      listener.lines == ["epoch  38/120 ################................   50%  train 57.9%  21 480 img/s"])
    #expect(listener.text.utf8.allSatisfy { $0 < 0x80 })
    #expect(listener.text.utf8.count { $0 == 0x1B } == 1, "the one sequence clears the rest of the line")
  }

  @Test("as a bar is drawn at most ten times a second")
  func drawingRate() {
    let bar = bar(columns: 80)
    for step in 1...399 {
      bar.step(progress(step))
      time.advance(0.001)
    }
    #expect(listener.text.utf8.count { $0 == 0x0D } == 4)
  }

  @Test("as a bar makes room for a note")
  func notes() {
    let bar = bar(columns: 80)
    bar.began(outline)
    bar.step(progress(1))
    bar.note("saved\u{1B}")
    bar.ended()
    #expect(listener.lines.prefix(2) == ["run     runs/x", #"device  0 H200\x1b[31m"#])
    #expect(listener.lines[2] == #"saved\x1b"#)
    #expect(listener.lines[3].hasPrefix("epoch  38/120"))
  }

  @Test("reaches everyone who listens")
  func several() {
    let second = Listener()
    let both = ProgressReporters([
      ProgressLines(to: listener, clock: time.clock), ProgressLines(to: second, clock: time.clock),
    ])
    both.began(outline)
    both.epoch(report(1))
    both.note("x")
    both.ended()
    #expect(listener.text == second.text && listener.text.utf8.count { $0 == 0x0A } == 4)
  }
}

@Suite("Terminals, errors and tables")
struct ConsoleTests {
  @Test(
    "colour follows the option, then NO_COLOR, then CLICOLOR_FORCE, then the terminal",
    arguments: [
      (ColorChoice.auto, true, ["TERM": "xterm"], true), (.auto, true, [:], false),
      (.auto, true, ["TERM": "dumb"], false),
      (.auto, false, ["TERM": "xterm"], false), (.auto, true, ["TERM": "xterm", "NO_COLOR": "1"], false),
      (.auto, true, ["TERM": "xterm", "NO_COLOR": ""], true), (.auto, false, ["CLICOLOR_FORCE": "1"], true),
      (.auto, false, ["CLICOLOR_FORCE": "0"], false), (.auto, false, ["FORCE_COLOR": "3"], true),
      (.auto, false, ["CLICOLOR_FORCE": "1", "NO_COLOR": "1"], false), (.always, false, ["NO_COLOR": "1"], true),
      (.never, true, ["TERM": "xterm", "CLICOLOR_FORCE": "1"], false),
    ])
  func color(choice: ColorChoice, isTerminal: Bool, environment: [String: String], expected: Bool) {
    let traits = TerminalTraits(isTerminal: isTerminal, color: choice) { environment[$0] }
    #expect(traits.usesColor == expected)
    #expect(traits.movesCursor == (isTerminal && ["xterm"].contains(environment["TERM"])))
  }

  @Test("the first locale that is set decides over UTF-8")
  func locale() {
    func unicode(_ environment: [String: String]) -> Bool {
      TerminalTraits(isTerminal: true, color: .auto) { environment[$0] }.usesUnicode
    }
    #expect(unicode(["LANG": "de_DE.UTF-8"]) && unicode(["LC_CTYPE": "C.utf8", "LANG": "C"]))
    #expect(!unicode([:]) && !unicode(["LC_ALL": "C", "LANG": "en_US.UTF-8"]))
    #expect(unicode(["LC_ALL": "", "LANG": "en_US.UTF-8"]))
  }

  @Test("progress is a bar only on a terminal that moves its cursor")
  func progressChoice() {
    let terminal = TerminalTraits(movesCursor: true, usesColor: true, usesUnicode: true)
    let file = TerminalTraits(movesCursor: false, usesColor: false, usesUnicode: true)
    #expect(ProgressChoice.auto.resolved(for: terminal) == .bar && ProgressChoice.auto.resolved(for: file) == .lines)
    #expect(
      ProgressChoice.none.resolved(for: terminal) == .none && ProgressChoice.lines.resolved(for: terminal) == .lines)
  }

  @Test("a failure is three lines, whatever its texts hold")
  func errors() {
    let failure = Failure(
      .badInput, "'a\u{1B}[2J\n\u{202E}b\u{9B}\u{7F}é😀' is bad.", why: "it\tis.", fix: "mend it.\r")
    #expect(
      ErrorMessages.lines(for: failure) == #"""
        error: 'a\x1b[2J\x0a\u{202e}b\x9b\x7fé😀' is bad.
          why: it\x09is.
          fix: mend it.\x0d

        """#)
    #expect(ErrorMessages.lines(for: failure, usesColor: true).hasPrefix("\u{1B}[1merror:\u{1B}[0m 'a"))
    #expect(ErrorMessages.exitCode(for: failure) == 65)
  }

  @Test("any other error is owned up to as a bug")
  func bugs() {
    struct Odd: Error {}
    #expect(ErrorMessages.exitCode(for: Odd()) == 1)
    let text = ErrorMessages.lines(for: Odd())
    #expect(text.contains("Odd()") && text.split(separator: "\n").count == 3)
  }

  @Test("a table keeps its columns in line")
  func table() {
    var table = TextTable([.init("index", .right), .init("device"), .init("img/s", .right)])
    table.append(["0", "NVIDIA H200", "21480"])
    table.append(["10", "pocl é\u{1B}", ""])
    #expect(
      table.text == """
        index  device       img/s
            0  NVIDIA H200  21480
           10  pocl é\\x1b

        """)
  }

  @Test("numbers for people")
  func numbers() {
    #expect(
      NumberFormatting.decimal(2.713, places: 4) == "2.7130" && NumberFormatting.decimal(0.125, places: 2) == "0.13")
    #expect(
      NumberFormatting.decimal(-0.004, places: 2) == "0.00" && NumberFormatting.decimal(-1.5, places: 1) == "-1.5")
    #expect(NumberFormatting.decimal(0.999, places: 2) == "1.00" && NumberFormatting.decimal(12, places: 0) == "12")
    #expect(
      NumberFormatting.decimal(.nan, places: 2) == "nan" && NumberFormatting.decimal(-.infinity, places: 2) == "-inf")
    #expect(NumberFormatting.decimal(1e300, places: 2) == "1e+300")
    #expect(NumberFormatting.percent(0.8537) == "85.37%")
    #expect(
      [0, 999, 1000, 21480, 1_234_567].map(NumberFormatting.grouped) == ["0", "999", "1 000", "21 480", "1 234 567"])
    #expect(
      [0, 59.6, 250, 11_100, 187_200].map(NumberFormatting.duration(seconds:)) == [
        "0s", "1m00s", "4m10s", "3h05m", "2d04h",
      ])
    #expect(NumberFormatting.duration(seconds: .infinity) == "?")
  }
}
