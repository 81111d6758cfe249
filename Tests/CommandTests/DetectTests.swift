import FileFormats
import Glibc
import TestSupport
import Testing

extension CommandTests {
  @Suite("Searches for wrong labels")
  struct Detection {
    /// A detection of a few seconds.
    private static func detection(_ rest: String...) -> [String] {
      [
        "detect", "shapes", "--limit-train", "200", "--limit-test", "50", "--model", "resnet20", "--batch-size", "32",
        "--epochs", "3", "--lr", "0.05", "--device", "cpu", "--noise", "symmetric:0.2",
      ] + rest.flatMap { $0.split(separator: " ").map(String.init) }
    }

    private static let mnist = RealData.folder(of: "mnist")

    private static func numbers(_ column: [String]) -> [Double] { column.map { Double($0) ?? .nan } }

    @Test(
      "find a fifth of wrong labels among digits far better than chance",
      .enabled(if: mnist != nil, Comment(rawValue: RealData.absence)))
    func digits() throws {
      let folder = ScratchFolder()
      let output = try CommandUnderTest.output(
        [
          "detect", try #require(Self.mnist), "--limit-train", "1500", "--limit-test", "200", "--model", "resnet20",
          "--noise", "symmetric:0.2", "--epochs", "4", "--device", "cpu", "--out", "run", "--json", "-q",
        ], in: folder)
      let document = try JSONText.parse(Array(output.utf8), named: "standard output")
      let run = RunFiles(folder("run"))
      #expect(try JSONText.parse(FileBytes.read(folder("run/detect.json")), named: "detect.json") == document)
      let score = try #require(document["score"])
      #expect(try #require(score["auroc"]?.double) > 0.95)
      #expect(try #require(score["average_precision"]?.double) > 0.9)
      #expect(try #require(score["recall"]?.double) > 0.8)
      #expect(try #require(document["pass_correlation"]?.double) > 0.4)

      // The score is what the tables say.
      let flags = try run.column("is_label_issue", of: "label_issues.csv").map { $0 == "True" }
      let given = try run.column("given_label", of: "label_issues.csv")
      let truth = try run.column("clean_label", of: "label_issues.csv")
      let hits = flags.indices.count { flags[$0] && given[$0] != truth[$0] }
      #expect(score["flagged"]?.integer == flags.count { $0 } && score["hits"]?.integer == hits)
      #expect(try truth == run.column("clean_label", of: "samples.csv"))
      // Most suspected samples get their true label back.
      let predicted = try run.column("predicted_label", of: "label_issues.csv")
      let right = flags.indices.count { flags[$0] && given[$0] != truth[$0] && predicted[$0] == truth[$0] }
      #expect(Double(right) > 0.8 * Double(hits))
      // A test accuracy at the end of each pass only.
      let accuracies = try run.column("test_acc", of: "metrics.csv")
      #expect(accuracies.map(\.isEmpty) == [true, true, true, false, true, true, true, false])
    }

    @Test("leave tables that agree with each other and with the rule of the percentile")
    func files() throws {
      let folder = ScratchFolder()
      let ending = try CommandUnderTest.run(Self.detection("--out run --keep-margins --percentile 80"), in: folder)
      #expect(ending.code == 0, "\(ending.errors)")
      #expect(ending.output.contains("suspected") && ending.output.contains("AUROC"))
      let run = RunFiles(folder("run")), table = try run.table("label_issues.csv")
      // The passes of so short a training hardly agree: nothing is advised that acts on the list.
      #expect(try Set(run.column("verdict", of: "label_issues.csv")) == ["rough"])
      #expect(ending.output.contains("gpunoisy apply ") && !ending.output.contains(" --exclude "), "what comes next")
      #expect(
        table.header == [
          "sample_id", "path", "is_label_issue", "label_score", "given_label", "predicted_label", "given_name",
          "suggested_name", "suggested_conf", "aum", "aum_pass1", "aum_pass2", "rank", "label_quality",
          "forgetting_events", "mean_loss", "el2n", "duplicate_group", "suggested_label", "chance", "verdict",
          "group", "reviewed", "split", "clean_label",
        ])
      #expect(try run.column("sample_id", of: "label_issues.csv") == (0..<200).map(String.init))
      func column(_ name: String) throws -> [Double] { try Self.numbers(run.column(name, of: "label_issues.csv")) }
      let passes = [try column("aum_pass1"), try column("aum_pass2")], mean = try column("aum")
      let thresholds = try run.table("aum_threshold.csv")
      #expect(thresholds.header == ["pass", "sample_id", "aum"] && thresholds.rows.count == 40)
      let flags = try run.column("is_label_issue", of: "label_issues.csv").map { $0 == "True" }
      let scores = try column("label_score")
      var verdicts = [[Bool]](repeating: [], count: 200)
      for pass in 0..<2 {
        let rows = thresholds.rows.filter { $0[0] == "\(pass + 1)" }
        let posed = Set(rows.compactMap { Int($0[1]) }), areas = rows.compactMap { Double($0[2]) }
        #expect(posed.count == 20)
        for id in 0..<200 {
          #expect(passes[pass][id].isNaN == posed.contains(id))
          guard !posed.contains(id) else { continue }
          verdicts[id].append(areas.count { $0 > passes[pass][id] } * 100 > 20 * areas.count)
        }
      }
      for id in 0..<200 {
        let known = passes.map { $0[id] }.filter { !$0.isNaN }
        #expect(abs(known.reduce(0, +) / Double(known.count) - mean[id]) < 1e-12)
        #expect(flags[id] == verdicts[id].allSatisfy { $0 } && flags[id] == (scores[id] < 0.8), "sample \(id)")
      }
      // The most suspicious first, and the package's order the other way round.
      let ranks = try column("rank")
      let byRank = (0..<200).sorted { ranks[$0] < ranks[$1] }
      #expect(byRank.map { mean[$0] } == mean.sorted())
      #expect(try Self.numbers(run.column("aum", of: "aum_values.csv")) == mean.sorted(by: >))

      // The mean of the kept margins, the first epoch left out, is the area.
      for pass in 0..<2 {
        let kept = try NumPyArray(
          decoding: FileBytes.read(folder("run/margins/pass\(pass + 1).npy")), name: "margins")
        #expect(kept.shape == [3, 200])
        let margins = try #require(kept.doubles)
        for id in 0..<200 where !passes[pass][id].isNaN {
          #expect(abs((margins[200 + id] + margins[400 + id]) / 2 - passes[pass][id]) < 1e-6)
        }
      }
      // The page has the samples in the order of their rank, and every image.
      let page = try run.pageData()
      #expect(page["samples"]?["id"]?.array?.compactMap(\.integer) == byRank)
      #expect(page["images"]?.members?.count == 200)
      let blind = try #require(page["blind"]?.array).compactMap(\.integer)
      #expect(Set(blind).count == blind.count)
      #expect(blind.count { flags[$0] } == min(50, flags.count { $0 }) && blind.count { !flags[$0] } == 50)
      // config.toml repeats it.
      try CommandUnderTest.output(["detect", "--config", "run/config.toml", "--out", "again"], in: folder)
      #expect(try FileBytes.read(folder("again/label_issues.csv")) == FileBytes.read(folder("run/label_issues.csv")))

      let document = try JSONText.parse(FileBytes.read(folder("run/detect.json")), named: "detect.json")
      #expect(document["issues"]?.integer == flags.count { $0 })
      let histogram = try #require(document["aum_histogram"])
      func sum(_ name: String) -> Int { histogram[name]?.array?.reduce(0) { $0 + ($1.integer ?? 0) } ?? -1 }
      #expect(sum("samples") == 200 && sum("threshold_samples") == 40 && sum("right") + sum("wrong") == 200)
      let perClass = try #require(document["per_class"]?.array)
      #expect(perClass.reduce(0) { $0 + ($1["flagged"]?.integer ?? 0) } == flags.count { $0 })
    }

    @Test("that are stopped go on to the same bytes", arguments: [SIGINT, SIGKILL])
    func resume(signal: Int32) throws {
      let folder = ScratchFolder()
      let settings = "--detector aum+cl --folds 2 --keep-margins --checkpoint-every 5"
      try CommandUnderTest.output(Self.detection(settings, "--out whole"), in: folder)
      // Once within the second pass, once within the first fold.
      for stage in ["pass1", "pass2"] {
        let program = CommandUnderTest.start(Self.detection(settings, "--out \(stage)"), in: folder)
        #expect(program.wait { FileBytes.kind(of: folder("\(stage)/stages/\(stage).safetensors")) == .file })
        program.send(signal)
        let ending = try program.end()
        #expect(ending.code == (signal == SIGINT ? 130 : 137), "\(ending.errors)")
        #expect(FileBytes.kind(of: folder("\(stage)/detect.json")) == .missing)
        let resumed = try CommandUnderTest.run(["detect", "--resume", stage], in: folder)
        #expect(resumed.code == 0, "\(resumed.errors)")
        for name in ["label_issues.csv", "aum_values.csv", "aum_threshold.csv", "pred_probs.npy", "margins/pass2.npy"] {
          #expect(
            try FileBytes.read(folder("\(stage)/\(name)")) == FileBytes.read(folder("whole/\(name)")),
            "\(name), stopped after \(stage)")
        }
        // Margins that the page shows are in checkpoints too.
        let margins = try RunFiles(folder(stage)).pageData()["margins"]
        #expect(try margins == RunFiles(folder("whole")).pageData()["margins"])
        #expect(margins?.members?.isEmpty == false)
        for name in ["epoch", "step", "train_loss", "train_acc"] {
          #expect(
            try RunFiles(folder(stage)).column(name, of: "metrics.csv")
              == RunFiles(folder("whole")).column(name, of: "metrics.csv"))
        }
      }
    }

    @Test("by a method that selects samples, alone or with margins, are stopped and go on to the same bytes")
    func selection() throws {
      let folder = ScratchFolder()
      for detector in ["co-teaching", "dividemix+aum"] {
        let settings = "--detector \(detector) --epochs 4 --checkpoint-every 5"
        try CommandUnderTest.output(Self.detection(settings, "--out whole --force"), in: folder)
        let program = CommandUnderTest.start(Self.detection(settings, "--out part --force"), in: folder)
        // Within the method's own epochs, and behind DivideMix's first one, which is plain.
        let epochs = detector == "co-teaching" ? 1 : 10
        #expect(
          program.wait {
            ((try? FileBytes.read(folder("part/metrics.csv"))) ?? []).count { $0 == UInt8(ascii: "\n") } > epochs
          })
        program.send(SIGKILL)
        #expect(try program.end().code == 137)
        let resumed = try CommandUnderTest.run(["detect", "--resume", "part"], in: folder)
        #expect(resumed.code == 0, "\(resumed.errors)")
        let rows = try RunFiles(folder("part")).table("label_issues.csv").rows
        #expect(rows.count == 200 && rows.allSatisfy { !$0[3].isEmpty && !$0[7].isEmpty }, "\(rows[0])")
        #expect(
          try FileBytes.read(folder("part/label_issues.csv")) == FileBytes.read(folder("whole/label_issues.csv")))
        let document = try JSONText.parse(FileBytes.read(folder("part/detect.json")), named: "detect.json")
        let method = document["stages"]?.array?.last?["method"]?.string ?? ""
        #expect(detector.hasPrefix(method.prefix { $0 != ":" }) && !method.isEmpty, "\(method)")
        // The page, and detections read from their files, say the same.
        try CommandUnderTest.output(["report", "part", "-q"], in: folder)
        #expect(
          try RunFiles(folder("part")).pageData()["samples"] == RunFiles(folder("whole")).pageData()["samples"])
        #expect(try RunFiles(folder("part")).pageData()["samples"] != nil)
      }
    }

    @Test(
      "by confident learning find what cleanlab finds in the same probabilities",
      .enabled(if: PythonOracle.has("cleanlab, pandas"), "\(PythonOracle.absence)"))
    func cleanlab() throws {
      let folder = ScratchFolder()
      try CommandUnderTest.output(
        Self.detection("--detector cl --folds 3 --cl-filter both --cl-score normalized_margin --trust --out run"),
        in: folder)
      let script = """
        import sys, numpy, pandas
        from cleanlab.filter import find_label_issues
        from cleanlab.rank import get_label_quality_scores
        folder = sys.argv[1] + "/"
        labels, probs = numpy.load(folder + "labels.npy"), numpy.load(folder + "pred_probs.npy")
        table = pandas.read_csv(folder + "label_issues.csv")
        assert probs.shape == (200, 10) and abs(probs.sum(1) - 1).max() < 1e-12
        assert (table.given_label == labels).all() and (table.predicted_label == probs.argmax(1)).all()
        assert table.is_label_issue.dtype == bool
        issues = find_label_issues(labels, probs, filter_by="both", n_jobs=1)
        assert (table.is_label_issue == issues).all(), (table.is_label_issue != issues).sum()
        quality = get_label_quality_scores(labels, probs, method="normalized_margin")
        assert abs(table.label_quality - quality).max() < 1e-12 and (table.label_score == table.label_quality).all()
        assert table.sort_values("rank").label_quality.is_monotonic_increasing
        """
      let result = try PythonOracle.run(script, [folder("run")])
      #expect(result.code == 0, "\(result.output)")
    }

    @Test("train again on what is left, and train leaves out what it is told to")
    func retraining() throws {
      let folder = ScratchFolder()
      let output = try CommandUnderTest.output(
        Self.detection("--percentile 50 --retrain drop --retrain-epochs 2 --trust --out run --json"), in: folder)
      let document = try JSONText.parse(Array(output.utf8), named: "standard output")
      let issues = try #require(document["issues"]?.integer)
      #expect((1..<198).contains(issues))
      #expect(document["retrain"]?["status"] == "finished")
      let margins = try RunFiles(folder("run/retrain")).table("aum_values.csv")
      let flags = try RunFiles(folder("run")).column("is_label_issue", of: "label_issues.csv")
      #expect(Set(margins.rows.compactMap { Int($0[0]) }) == Set((0..<200).filter { flags[$0] == "False" }))
      // Its config.toml repeats it.
      try CommandUnderTest.output(["train", "--config", "run/retrain/config.toml", "--out", "again"], in: folder)
      try RunFiles(folder("again")).expectEqual(to: RunFiles(folder("run/retrain")))
    }

    @Test("can leave samples in their batches, where nothing hangs on their labels")
    func weightZero() throws {
      let folder = ScratchFolder()
      let excluded = stride(from: 0, to: 128, by: 3).map { $0 }
      try AtomicFile.write("sample_id\n" + excluded.map { "\($0)\n" }.joined(), to: folder("out.csv"))
      var labels = (0..<10_000).map { Int64($0 % 10) }
      try AtomicFile.write(NumPyArray(labels).encoded(), to: folder("one.npy"))
      for id in excluded { labels[id] = (labels[id] + 3) % 10 }
      try AtomicFile.write(NumPyArray(labels).encoded(), to: folder("two.npy"))
      func weights(_ name: String, _ rest: String) throws -> SafetensorsFile {
        try CommandUnderTest.output(CommandUnderTest.training("--epochs 2 --out \(name) \(rest)"), in: folder)
        return try SafetensorsFile.read(RunFiles(folder(name)).lastCheckpoint)
      }
      let kept = try weights("a", "--labels one.npy --exclude out.csv --exclude-by weight-zero")
      let changed = try weights("b", "--labels two.npy --exclude out.csv --exclude-by weight-zero")
      for name in kept.names where !name.hasPrefix("state.") { #expect(kept[name] == changed[name], "\(name)") }
      #expect(
        try RunFiles(folder("a")).column("train_loss", of: "metrics.csv")
          == RunFiles(folder("b")).column("train_loss", of: "metrics.csv"))
      // The test can fail: with a part in the loss the labels matter, and without their images batches differ.
      #expect(try weights("c", "--labels two.npy")["fc.weight"] != kept["fc.weight"])
      let dropped = try weights("d", "--labels one.npy --exclude out.csv")
      #expect(dropped["fc.weight"] != kept["fc.weight"])
      #expect(kept.metadata["gpunoisy.position"] == "2,0,8" && dropped.metadata["gpunoisy.position"] == "2,0,6")
      #expect(try RunFiles(folder("a")).table("aum_values.csv").rows.count == 128)
      #expect(try RunFiles(folder("d")).table("aum_values.csv").rows.count == 128 - excluded.count)
    }

    @Test("report equal images with different labels, and fail where too much is suspected")
    func duplicates() throws {
      let folder = ScratchFolder(), N = 60
      // Images 50 to 59 are those of 0 to 9; of these, 50 and 51 carry another label.
      var pixels: [UInt8] = [], labels: [Int64] = []
      for id in 0..<N {
        let original = id % 50, isChanged = id == 50 || id == 51
        for pixel in 0..<64 { pixels.append(UInt8(truncatingIfNeeded: original * 37 + pixel * 11)) }
        labels.append(Int64((original + (isChanged ? 1 : 0)) % 2))
      }
      let archive = try ZipArchive.stored([
        ("images.npy", NumPyArray(pixels, shape: [N, 8, 8]).encoded()), ("labels.npy", NumPyArray(labels).encoded()),
      ])
      try AtomicFile.write(archive, to: folder("d.npz"))
      let ending = try CommandUnderTest.run(
        [
          "detect", "d.npz", "--model", "resnet20", "--epochs", "2", "--device", "cpu", "--out", "run", "--fail-above",
          "0", "--json", "--no-report", "--trust",
        ], in: folder)
      let document = try JSONText.parse(Array(ending.output.utf8), named: "standard output")
      #expect(FileBytes.kind(of: folder("run/report")) == .missing)
      let groups = try #require(document["duplicates"]?.array)
      #expect(groups.count == 10)
      #expect(groups.filter { $0["differ"] == true }.map { $0["ids"] } == [[0, 50], [1, 51]])
      let column = try RunFiles(folder("run")).column("duplicate_group", of: "label_issues.csv")
      #expect(column.enumerated().filter { !$0.element.isEmpty }.map(\.offset) == [0, 1, 50, 51])
      #expect(column[0] == column[50] && column[1] == column[51] && column[0] != column[1])
      let issues = try #require(document["issues"]?.integer)
      #expect(issues > 0 && ending.code == 10, "\(issues) issues: \(ending.errors)")
    }
  }
}
