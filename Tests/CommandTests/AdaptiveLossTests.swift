import FileFormats
import TestSupport
import Testing

extension CommandTests {
  @Suite("Learned losses and trusted samples")
  struct AdaptiveLossTests {
    private static let method = "--loss gce:q=0.5 --method adaptive-loss:every=2,rate=20"

    private func training(_ rest: String, _ data: String = "d.npz") -> [String] {
      ["train", data]
        + "--model mlp:width=128 --epochs 2 --batch-size 32 --lr 0.05 --device cpu".split(separator: " ").map(
          String.init)
        + rest.split(separator: " ").map(String.init)
    }

    /// 96 images in d.npz, and in l.npy labels for them.
    private func data() throws -> ScratchFolder {
      let folder = ScratchFolder()
      try CommandUnderTest.output(
        "data shapes --limit-train 96 --limit-test 32 --out d.npz".split(separator: " ").map(String.init), in: folder)
      try CommandUnderTest.output(
        "data noise d.npz --noise symmetric:0.3 --out l.npy".split(separator: " ").map(String.init), in: folder)
      return folder
    }

    /// The data set does not exist: each mistake is found before anybody looks for it.
    @Test(
      "are checked before the data is read",
      arguments: [
        ("--loss gce --method adaptive-loss", 78, "needs --trusted"),
        ("--trusted 100", 78, "cannot be used with --method plain"),
        ("--trusted list.csv --method elr", 78, "cannot be used with --method elr"),
        ("--method adaptive-loss --trusted 10", 78, "none that can be"),
        ("--loss gce --method adaptive-loss:learn=d --trusted 10", 78, "cannot learn 'd'"),
        ("--loss sce --method adaptive-loss:learn=q --trusted 10", 78, "cannot learn 'q'"),
        ("--loss peer --method adaptive-loss:learn=alpha --trusted 10", 78, "whole batch"),
        ("--loss gce --method adaptive-loss:every=0 --trusted 10", 64, "out of range"),
        ("--loss gce --method adaptive-loss:learn= --trusted 10", 64, "is not a parameter"),
        ("--loss gce --method adaptive-loss --trusted 0", 64, "out of range"),
        ("--loss gce --method adaptive-loss --trusted -5", 64, ""),
      ])
    func refusals(options: String, code: Int32, words: String) throws {
      let folder = ScratchFolder()
      let ending = try CommandUnderTest.run(
        ["train", "missing"] + options.split(separator: " ").map(String.init), in: folder)
      #expect(ending.code == code && ending.errors.contains(words), "\(ending.errors)")
      #expect(try FileBytes.names(in: folder.path).isEmpty)
    }

    @Test("are not for detect")
    func detect() throws {
      let ending = try CommandUnderTest.run(["detect", "missing", "--trusted", "9"], in: ScratchFolder())
      #expect(ending.code == 78 && ending.errors.contains("--trusted is not a setting of detect"), "\(ending.errors)")
    }

    @Test("are in the help, and in the list of methods")
    func help() throws {
      let folder = ScratchFolder()
      #expect(try CommandUnderTest.output(["train", "--help"], in: folder).contains("--trusted <n|file>"))
      let text = try CommandUnderTest.output(["methods", "adaptive-loss"], in: folder)
      for word in ["learn=auto", "every=10", "rate=", "--trusted", "learned_PARAMETER", "2002.06482", "reconstructed"] {
        #expect(text.contains(word), "\(word)")
      }
      let json = try JSONText.parse(
        Array(CommandUnderTest.output(["methods", "adaptive-loss", "--json"], in: folder).utf8), named: "methods")
      let method = try #require(json["methods"]?.array?.first)
      #expect(method["needs_trusted"] == .bool(true) && method["text_parameters"]?.array?.first?["default"] == "auto")
    }

    @Test("are drawn by number, told in the head, and recorded")
    func number() throws {
      let folder = try data()
      let ending = try CommandUnderTest.run(
        training("\(Self.method) --trusted 30 --noise symmetric:0.4 --progress lines --out run"), in: folder)
      #expect(ending.code == 0, "\(ending.errors)")
      #expect(ending.errors.contains("30 trusted samples leave the training set"), "\(ending.errors)")
      #expect(ending.errors.contains("train 66"), "\(ending.errors)")
      let run = RunFiles(folder("run"))
      #expect(try run.text("config.toml").contains("trusted = \"30\""))
      let marks = try run.column("trusted", of: "samples.csv"), given = try run.column("given_label", of: "samples.csv")
      #expect(marks.count { $0 == "True" } == 30 && !given.contains("-1"))
      let clean = try run.column("clean_label", of: "samples.csv")
      let byClass = Dictionary(grouping: marks.indices.filter { marks[$0] == "True" }) { clean[$0] }
      #expect(byClass.count == 10 && byClass.values.allSatisfy { $0.count == 3 })
      #expect(try run.record()["method"] == "adaptive-loss:learn=auto,every=2,rate=20")
      let path = try run.column("learned_q", of: "metrics.csv").compactMap(Double.init)
      #expect(path.count == 2 && path.allSatisfy { $0 != 0.5 && (0.001...1).contains($0) }, "\(path)")
      // Repeated from its own settings, and drawn as a curve.
      try CommandUnderTest.output(["train", "--config", "run/config.toml", "--out", "again"], in: folder)
      try run.expectEqual(to: RunFiles(folder("again")))
      try CommandUnderTest.output(["report", "run", "again", "--no-samples", "--out", "page.html"], in: folder)
      #expect(String(decoding: try FileBytes.read(folder("page.html")), as: UTF8.self).contains("learned_q"))
    }

    @Test("need true labels where they are a number, and enough of them")
    func unknown() throws {
      let folder = try data()
      for (options, code, words) in [
        ("--trusted 10", Int32(78), "needs the true labels"),
        ("--trusted 97 --noise symmetric:0.4", 78, "more than there are"),
        ("--trusted 95 --noise symmetric:0.4", 65, "at least two"),
      ] {
        let ending = try CommandUnderTest.run(training("\(Self.method) \(options) --out run"), in: folder)
        #expect(ending.code == code && ending.errors.contains(words), "\(ending.errors)")
        #expect(FileBytes.kind(of: folder("run")) == .missing)
      }
      try CommandUnderTest.output(training("\(Self.method) --trusted 10 --clean-labels l.npy --out run"), in: folder)
    }

    @Test("are read from a list, whose hash is recorded, and whose change a resumed run refuses")
    func list() throws {
      let folder = try data()
      let labels = try NumPyArray(decoding: FileBytes.read(folder("l.npy")), name: "l")
      let numbers = try #require(labels.integers)
      let rows = (0..<24).map { "\($0),\(numbers[$0])\n" }
      try AtomicFile.write("sample_id,label\n" + rows.joined(), to: folder("list.csv"))
      let options = "\(Self.method) --trusted list.csv --checkpoint-every 2 --progress lines"
      let ending = try CommandUnderTest.run(training("\(options) --out run --max-steps 3"), in: folder)
      #expect(ending.code == 0, "\(ending.errors)")
      #expect(ending.errors.contains("24 trusted samples leave the training set"), "\(ending.errors)")
      #expect(ending.errors.contains("24 samples by number alone"), "\(ending.errors)")
      let run = RunFiles(folder("run"))
      #expect(
        try run.record()["inputs"]?["trusted"]?.string == "\(SHA256.digest(of: FileBytes.read(folder("list.csv"))))")
      #expect(try run.text("config.toml").contains(folder("list.csv")))
      let marks = try run.column("trusted", of: "samples.csv")
      #expect(marks.indices.allSatisfy { marks[$0] == ($0 < 24 ? "True" : "False") })
      // One label less: a run that was stopped would go on with other data.
      let stopped = try CommandUnderTest.run(training("\(options) --epochs 60000 --max-time 1s --out part"), in: folder)
      #expect(stopped.code == 75, "\(stopped.errors)")
      try AtomicFile.write("sample_id,label\n" + rows.dropLast().joined(), to: folder("list.csv"))
      let resumed = try CommandUnderTest.run(["train", "--resume", "part"], in: folder)
      #expect(resumed.code == 65 && resumed.errors.contains("has changed"), "\(resumed.errors)")
    }

    @Test(
      "are refused with 65 where the list has none of the data's samples",
      arguments: [
        ("sample_id,label\n96,1\n", "96"), ("path,label\nno.png,1\n", "no.png"),
        ("sample_id,label\n", "no trusted samples"),
        ("sample_id,label\n5,-1\n", "gives no sample a right label"),
        ("sample_id,label\n90,1\n", "none of its 1 samples"),
        ("sample_id,verdict\n5,drop\n6,unsure\n", "gives no sample a right label"),
        ("sample_id,verdict\n99,keep\n", "99"),
        ("id,note\n5,x\n", "sample_id"), ("sample_id,label\n5,dog\n", "dog"),
      ])
    func strangers(list: String, words: String) throws {
      let folder = try data()
      try AtomicFile.write(list, to: folder("list.csv"))
      let ending = try CommandUnderTest.run(
        training("\(Self.method) --trusted list.csv --limit-train 80 --out run"), in: folder)
      #expect(ending.code == 65 && ending.errors.contains(words), "\(ending.errors)")
      #expect(FileBytes.kind(of: folder("run")) == .missing)
    }

    @Test("may be a table of verdicts, as apply and detect --verdicts read it")
    func verdicts() throws {
      let folder = try data()
      try AtomicFile.write(
        "sample_id,verdict,new_label\n3,keep,\n4,relabel,7\n5,drop,\n6,unsure,\n7,wrong,2\n8,relabel:9,\n",
        to: folder("verdicts.csv"))
      let ending = try CommandUnderTest.run(
        training("\(Self.method) --trusted verdicts.csv --progress lines --out run"), in: folder)
      #expect(ending.code == 0, "\(ending.errors)")
      #expect(
        ending.errors.contains("4 trusted samples leave the training set; 3 of them had another"), "\(ending.errors)")
      #expect(ending.errors.contains("2 samples without a right label are trained on"), "\(ending.errors)")
      #expect(ending.errors.contains("classes have no trusted samples"), "\(ending.errors)")
      let marks = try RunFiles(folder("run")).column("trusted", of: "samples.csv")
      #expect(marks.indices.filter { marks[$0] == "True" } == [3, 4, 7, 8])
    }

    @Test("go with samples that are left out or held out")
    func besides() throws {
      let folder = try data()
      try AtomicFile.write("sample_id,label\n1,0\n2,0\n3,0\n95,0\n", to: folder("list.csv"))
      try AtomicFile.write("sample_id\n2\n3\n4\n", to: folder("out.csv"))
      // What is left out may be trusted; the last one is beyond the limit.
      let ending = try CommandUnderTest.run(
        training("\(Self.method) --trusted list.csv --exclude out.csv --limit-train 90 --progress lines --out run"),
        in: folder)
      #expect(ending.code == 0 && ending.errors.contains("3 trusted samples leave"), "\(ending.errors)")
      #expect(ending.errors.contains("1 of 4 samples are held out, or beyond --limit-train"), "\(ending.errors)")
      #expect(ending.errors.contains("train 86"), "\(ending.errors)")
      try CommandUnderTest.output(
        training("\(Self.method) --trusted 20 --val 20 --noise symmetric:0.2 --out both"), in: folder)
      let run = RunFiles(folder("both"))
      let held = try run.column("held_out", of: "samples.csv"), trusted = try run.column("trusted", of: "samples.csv")
      #expect(held.count { $0 == "True" } == 20 && trusted.count { $0 == "True" } == 20)
      #expect(!zip(held, trusted).contains { $0 == "True" && $1 == "True" })
      try CommandUnderTest.output(["eval", "both", "d.npz", "--device", "cpu"], in: folder)
    }

    @Test("go on to the same bits after SIGKILL")
    func resume() throws {
      let folder = ScratchFolder()
      let settings =
        "--epochs 4 --noise symmetric:0.4 --checkpoint-every 3 --trusted 40 --loss sce"
        + " --method adaptive-loss:every=2,rate=1"
      let (whole, killed) = try CommandUnderTest.wholeAndKilled(settings, steps: 16, in: folder)
      for column in ["learned_alpha", "learned_beta"] {
        let values = try whole.column(column, of: "metrics.csv")
        #expect(try Set(values).count == 4 && values == killed.column(column, of: "metrics.csv"), "\(values)")
      }
      #expect(try SafetensorsFile.read(whole.lastCheckpoint).names.contains("state.learned"))
      #expect(FileBytes.kind(of: folder("whole/suspicion.csv")) == .missing)
    }

    @Test("train last layers on features, too, and in mixed precision")
    func features() throws {
      let folder = try data()
      try CommandUnderTest.output(training("--out first"), in: folder)
      try CommandUnderTest.output(
        training(
          "\(Self.method) --trusted 30 --noise symmetric:0.4 --init first/checkpoints/last.safetensors --freeze --out last"
        ),
        in: folder)
      #expect(try RunFiles(folder("last")).column("learned_q", of: "metrics.csv").count == 2)
      try CommandUnderTest.output(
        CommandUnderTest.training(
          "\(Self.method) --trusted 64 --noise symmetric:0.4 --epochs 1 --precision mixed --out mixed"), in: folder)
      #expect(try RunFiles(folder("mixed")).column("learned_q", of: "metrics.csv") != ["0.5"])
    }
  }
}
