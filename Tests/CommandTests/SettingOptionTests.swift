import FileFormats
import Settings
import TestSupport
import Testing

extension CommandTests {
  @Suite("Options made from the table of settings")
  struct SettingOptionTests {
    /// The options and arguments that a help text or a completion script names.
    private static func options(in text: String) -> Set<String> {
      var found: Set<String> = []
      for word in text.split(whereSeparator: { " \n,/'\"=()[]<>".contains($0) }) where word.hasPrefix("--") {
        found.insert(String(word.dropFirst(2)))
      }
      return found
    }

    /// Rows of the table that name an option which a command has besides.
    private static let others: [JobKind: Set<String>] = [
      .report: ["report"], .detect: [], .info: [], .noise: [], .convert: [], .shapes: [],
    ]

    /// Whether a job has an option of its own by the name of a setting: the part that a checkpoint is run on.
    private static func isOwn(_ name: String, of job: JobKind) -> Bool {
      name == "split" && [.eval, .predict].contains(job)
    }

    @Test("Stand in the help of exactly their jobs, with these jobs' defaults", arguments: JobKind.allCases)
    func help(job: JobKind) throws {
      let words = job.rawValue.split(separator: " ").map(String.init)
      let text = try CommandUnderTest.output(words + ["--help"], in: ScratchFolder())
      // Options begin their lines; help texts speak of others.
      var named: Set<String> = []
      for line in text.split(separator: "\n") where line.hasPrefix("  -") {
        let columns = line.dropFirst(2).split(separator: "  ", maxSplits: 1)
        named.formUnion(Self.options(in: String(columns[0])))
      }
      for setting in RunSettings.table where setting.name != "data" && !Self.isOwn(setting.name, of: job) {
        #expect(named.contains(setting.name) == setting.jobs.contains(job), "--\(setting.name) of \(job.rawValue)")
        if setting.form == .flag { #expect(named.contains("no-\(setting.name)") == setting.jobs.contains(job)) }
      }
      let flat = text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
      for setting in RunSettings.settings(of: job) where setting.name != "data" {
        let help = setting.help(for: job).split(whereSeparator: \.isWhitespace).joined(separator: " ")
        #expect(flat.contains(help), "\(help)")
      }
      #expect(text.contains("<data>") == RunSettings.settings(of: job).contains { $0.name == "data" })
    }

    @Test("Stand in sections with titles, and the list of networks keeps its lines")
    func sections() throws {
      let folder = ScratchFolder()
      let train = try CommandUnderTest.output(["train", "--help"], in: folder)
      for title in ["DATA:", "MODEL:", "LOSS AND METHOD:", "OPTIMISER:", "INPUT:", "DEVICE:", "RUN:"] {
        #expect(train.lines.contains(title), "\(title)")
      }
      #expect(!train.contains("DETECTION:") && train.contains("Passes over the data. Default 300; fewer"))
      #expect(train.lines.contains { $0.hasPrefix("  resnet20:shortcut=") })
      #expect(!train.lines.contains { $0.count > 80 })
      let detect = try CommandUnderTest.output(["detect", "--help"], in: folder)
      #expect(detect.lines.contains("DETECTION:") && detect.contains("Default 150;") && detect.contains("Default 64;"))
    }

    @Test("Stand in the completion script of their jobs")
    func completion() throws {
      let script = try CommandUnderTest.output(["--generate-completion-script", "bash"], in: ScratchFolder())
      func part(_ job: JobKind) throws -> Set<String> {
        let name = "_gpunoisy_" + job.rawValue.replacing(" ", with: "_") + "() {"
        let start = try #require(script.firstRange(of: name))
        let rest = script[start.upperBound...]
        return Self.options(in: String(rest[..<(rest.firstRange(of: "\n}")?.lowerBound ?? rest.endIndex)]))
      }
      for job in JobKind.allCases {
        let named = try part(job)
        for setting in RunSettings.table where setting.name != "data" && !Self.isOwn(setting.name, of: job) {
          #expect(named.contains(setting.name) == setting.jobs.contains(job), "--\(setting.name) of \(job.rawValue)")
        }
      }
    }

    @Test(
      "Are explained where they are mistaken",
      arguments: [
        ("train --weigt-decay 1", 64, "Unknown option '--weigt-decay'. Did you mean '--weight-decay'?"),
        ("train --lr", 64, "Missing value for '--lr <rate>'"),
        ("train shapes --passes 3", 64, "Unknown option '--passes'; it is a setting of detect."),
        ("eval run shapes --lr 1", 64, "Unknown option '--lr'; it is a setting of train, detect."),
        ("data info --no-nesterov", 64, "Unknown option '--no-nesterov'; it is a setting of train, detect."),
        ("train shapes --no-shuffle", 64, "write --shuffle off"), ("detect shapes --no-val", 78, "--val is not"),
        ("detect shapes --no-shuffle", 64, "there is no option "), ("train shapes --no-val", 64, "write --val none"),
        ("detect --max-steps 3", 78, "--max-steps is not a setting of detect."),
        ("train --momentum 1", 64, "it must be a number from 0 to 0.9999999."),
        ("train --milestones ,", 64, "--milestones , is out of range."),
        ("train --lr none", 64, "--lr none is not a number."),
        ("train --epochs five", 64, "--epochs five is not a number."),
        ("train --epochs 0", 64, "--epochs 0 is out of range."),
        (
          "detct photos", 64, "there is no command 'detct'.\n  why: the nearest name is detect; the commands are train,"
        ),
        ("photos", 64, "there is no command 'photos'.\n  why: the commands are train,"),
        ("train --model ResNet-18", 64, "the nearest name is resnet18; the networks are"),
        ("train --loss crossentropy", 64, "the nearest name is cross-entropy; the losses are"),
        ("train --method coteaching", 64, "the nearest name is co-teaching; the methods are"),
        ("train --noise symetric:0.2", 64, "the nearest name is symmetric; the noises are"),
        ("train --recipe sce-cifar", 64, "the nearest name is sce-cifar10"),
        ("train --loss zzzzzz", 64, "why: the losses are ce,"),
        ("train --exclude-above half", 64, "it must be a finite number, or none."),
      ])
    func mistakes(command: String, code: Int32, words: String) throws {
      let ending = try CommandUnderTest.run(command.split(separator: " ").map(String.init), in: ScratchFolder())
      #expect(ending.code == code && ending.errors.contains(words), "\(ending.errors)")
      #expect(ending.errors.lines.count == 3 && ending.output.isEmpty)
    }

    @Test("Are printed with their origins, and what is printed is a fixed point")
    func printing() throws {
      let folder = ScratchFolder()
      try FileBytes.write(Array("lr = 0.5\nval = 0.25\npasses = 3\n".utf8), to: folder("mine.toml"))
      let ending = try CommandUnderTest.run(
        [
          "train", "--recipe", "apl-cifar10", "--config", "mine.toml", "--val", "none", "--no-nesterov",
          "--print-config",
        ], in: folder)
      #expect(ending.code == 0 && ending.errors.hasSuffix(" passes: not read by train, ignored\n"), "\(ending.errors)")
      let lines = ending.output.lines
      for line in [
        "lr = 0.5                        # mine.toml:1", "val = \"none\"                    # command line",
        "nesterov = false                # command line",
        "clip-norm = 5.0                 # recipe apl-cifar10: paper and code",
        "gamma = 0.1                     # default", "recipe = \"apl-cifar10\"          # command line",
      ] { #expect(lines.contains(line), "\(line)") }

      func values(_ text: String) -> [Substring] { text.split(separator: "\n").map { $0.prefix { $0 != "#" } } }
      func piped(_ job: String, _ text: String) throws -> String {
        try FileBytes.write(Array(text.utf8), to: folder("printed.toml"))
        let program = CommandUnderTest.start(
          [job, "--config", "/dev/stdin", "--print-config"], in: folder,
          preparing: "rm -f pipe; mkfifo pipe; cat printed.toml > pipe & exec < pipe")
        let ending = try program.end()
        #expect(ending.code == 0 && ending.errors.isEmpty, "\(ending.errors)")
        return ending.output
      }
      let again = try piped("train", ending.output)
      #expect(values(again) == values(ending.output))
      let line = try #require(
        ending.output.split(separator: "\n", omittingEmptySubsequences: false).firstIndex { $0.hasPrefix("gamma") })
      #expect(again.lines.contains("gamma = 0.1                     # /dev/stdin:\(line + 1)"), "\(again)")
      #expect(try piped("train", again) == again)
      let detect = try CommandUnderTest.output(["detect", "--print-config"], in: folder)
      #expect(detect.contains("epochs = 150                    # default"))
      #expect(try values(piped("detect", detect)) == values(detect))
    }

    @Test("Leave their origins in run.json, and none in config.toml")
    func origins() throws {
      let folder = ScratchFolder()
      try FileBytes.write(Array("momentum = 0.5\n".utf8), to: folder("mine.toml"))
      try CommandUnderTest.output(
        CommandUnderTest.training("--epochs 2 --max-steps 3 --config mine.toml --out run"), in: folder)
      let run = RunFiles(folder("run")), origins = try #require(run.record()["origins"])
      #expect(origins["momentum"] == "mine.toml:1" && origins["lr"] == "command line" && origins["gamma"] == nil)
      #expect(origins["augment"] == "follows 3 channels" && origins["noise-seed"] == "follows the seed")
      let text = try run.text("config.toml")
      #expect(text.lines.dropFirst().allSatisfy { !$0.contains("#") } && text.contains("\nval = \"none\"\n"))
      #expect(text.contains("\naugment = \"crop-flip\"\n") && text.contains("\ndevice = \"cpu\"\n"))
      // A resumed run keeps them.
      try CommandUnderTest.output(["train", "--resume", "run", "--threads", "1"], in: folder)
      #expect(try run.record()["origins"] == origins)
    }
  }
}
