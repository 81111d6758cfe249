import FileFormats
import TestSupport
import Testing

extension CommandTests {
  @Suite("Suspicions of a training method")
  struct Suspicion {
    /// Sixty photos of ten classes, and a run of train whose suspicions are written by hand: of sample i, (30 - i) / 10.
    ///
    /// Samples from 50 on were not judged; the predicted label is the class behind the given one for even samples.
    private struct Case {
      let folder = ScratchFolder()
      let paths: [String], given: [Int]

      init() throws {
        try CommandUnderTest.output(
          ["data", "shapes", "--limit-train", "60", "--limit-test", "20", "--out", "photos", "-q"], in: folder)
        try CommandUnderTest.output(
          [
            "train", "photos", "--model", "resnet20", "--batch-size", "30", "--epochs", "1", "--max-steps", "1",
            "--device", "cpu", "--out", "run", "-q",
          ], in: folder)
        paths = try RunFiles(folder("run")).column("path", of: "samples.csv")
        given = try RunFiles(folder("run")).column("given_label", of: "samples.csv").compactMap { Int($0) }
        try write((0..<50).map(row))
      }

      func row(_ id: Int) -> String {
        CSV.line([
          "\(id)", NumberFormatting.shortest(Double(30 - id) / 10), paths[id], "\(given[id])",
          "\((given[id] + (id % 2 == 0 ? 1 : 0)) % 10)",
        ])
      }

      func write(_ rows: [String]) throws {
        try AtomicFile.write(
          "sample_id,suspicion,path,given_label,predicted_label\n" + rows.joined(), to: folder("run/suspicion.csv"))
      }

      /// The class of a sample as it is called: the folder that it lies in.
      func name(_ id: Int) -> String { String(paths[id].split(separator: "/")[1]) }

      func changes(_ name: String) throws -> [[String]] { try RunFiles(folder(name)).table("changes.csv").rows }
    }

    @Test("drop what lies above the threshold, of either sign, where no verdict says otherwise")
    func dropping() throws {
      let test = try Case(), folder = test.folder
      try CommandUnderTest.output(
        ["apply", "run", "--exclude-above", "2.5", "--policy", "drop-all", "--to", "a", "--layout", "manifest"],
        in: folder)
      #expect(try test.changes("a").map { $0[0] } == ["0", "1", "2", "3", "4"])
      #expect(
        try test.changes("a")[4]
          == ["4", test.paths[4], "\(test.given[4])", "", test.name(4), "", "suspicion 2.6 above 2.5", "detector"])
      #expect(try RunFiles(folder("a")).table("manifest.csv").rows.count == 80 - 5)
      // Without a judgement there is no suspicion.
      try test.write([40, 41, 42, 43, 44].map(test.row))
      try CommandUnderTest.output(
        ["apply", "run", "--exclude-above", "-1.25", "--policy", "drop-all", "--to", "b", "-q"], in: folder)
      #expect(try test.changes("b").map { $0[0] } == ["40", "41", "42"])
    }

    @Test("go with verdicts, which may accept the predicted label")
    func verdicts() throws {
      let test = try Case(), folder = test.folder
      try AtomicFile.write("id,verdict\n0,accept\n1,keep\n30,accept\n31,drop\n", to: folder("verdicts.csv"))
      let apply = ["apply", "run", "--verdicts", "verdicts.csv", "--exclude-above", "2.75"]
      try CommandUnderTest.output(apply + ["--to", "a"], in: folder)
      let next = [0, 30].map { "\((test.given[$0] + 1) % 10)" }
      #expect(try test.changes("a").map { [$0[0], $0[3]] } == [["0", next[0]], ["30", next[1]], ["31", ""]])
      try CommandUnderTest.output(apply + ["--policy", "drop-all", "--to", "b"], in: folder)
      #expect(
        try test.changes("b").map { [$0[0], $0[3]] }
          == [["0", next[0]], ["2", ""], ["30", next[1]], ["31", ""]])
    }

    @Test("are refused where they cannot decide, and nothing is written")
    func refusals() throws {
      let test = try Case(), folder = test.folder
      func expect(
        _ arguments: String, _ code: Int32, _ words: String..., sourceLocation: SourceLocation = #_sourceLocation
      ) throws {
        let ending = try CommandUnderTest.run(arguments.split(separator: " ").map(String.init), in: folder)
        #expect(
          ending.code == code && words.allSatisfy(ending.errors.contains), "\(ending.errors)",
          sourceLocation: sourceLocation)
        #expect(ending.errors.lines.count == 3, sourceLocation: sourceLocation)
        #expect(FileBytes.kind(of: folder("new")) == .missing, sourceLocation: sourceLocation)
      }
      try expect("apply run --policy drop-all --to new", 64, "--exclude-above")
      try expect("apply run --policy drop-all --exclude-above nan --to new", 64, "finite")
      try expect("apply run --policy relabel --exclude-above 1 --to new", 78, "--policy drop-all", "--verdicts")
      try AtomicFile.write("id,verdict\n55,drop\n", to: folder("verdicts.csv"))
      try expect("apply run --verdicts verdicts.csv --exclude-above 1 --to new", 65, "judged no sample")
      try AtomicFile.write("id,verdict\n1,accept\n", to: folder("verdicts.csv"))
      try expect("apply run --verdicts verdicts.csv --exclude-above 1 --to new", 65, "the run has none for sample 1")

      try test.write([test.row(0), "1,high,\(test.paths[1]),\(test.given[1]),0\n"])
      try expect("apply run --policy drop-all --exclude-above 1 --to new", 65, "line 3", "'high'")
      try test.write([test.row(0), "1,nan,\(test.paths[1]),\(test.given[1]),0\n"])
      try expect("apply run --policy drop-all --exclude-above 1 --to new", 65, "'nan'")
      try test.write([test.row(0), test.row(0)])
      try expect("apply run --policy drop-all --exclude-above 1 --to new", 65, "occurs twice")
      try test.write(["0,1,\(test.paths[0]),\((test.given[0] + 1) % 10),0\n"])
      try expect("apply run --policy drop-all --exclude-above 1 --to new", 65, "suspicion.csv' does not match the data")
      try test.write(["0,9,\(test.paths[0]),\(test.given[0]),10\n"])
      try expect("apply run --policy drop-all --exclude-above 1 --to new", 65, "line 2", "numbered from 0 to 9")
      try test.write(["0,9,\(test.paths[1]),\(test.given[0]),0\n"])
      try expect("apply run --policy drop-all --exclude-above 1 --to new", 65, "line 2", test.paths[1])
      try AtomicFile.write("sample_id,suspicion\n1,2\n", to: folder("run/suspicion.csv"))
      try expect("apply run --policy drop-all --exclude-above 1 --to new", 65, "no column path")

      // Training on the same table.
      try AtomicFile.write("sample_id\n1\n", to: folder("ids.csv"))
      try expect("train photos --exclude-above 1 --out new", 78, "--exclude")
      try expect("train photos --exclude run/suspicion.csv --out new", 78, "--exclude-above")
      try expect("train photos --exclude ids.csv --exclude-above -1 --out new", 65, "no suspicion")
      try expect("train photos --exclude ids.csv --exclude-above much --out new", 64, "much")

      // A detection knows itself; a run that judged nothing has nothing to go by.
      try CommandUnderTest.output(
        ["detect", "photos", "--model", "resnet20", "--batch-size", "30", "--epochs", "2", "--device", "cpu"]
          + ["--out", "detection", "-q"], in: folder)
      try expect("apply detection --policy drop-all --exclude-above 1 --to new", 64, "remove it")
      try CommandUnderTest.output(
        ["train", "--config", "run/config.toml", "--out", "plain", "-q"], in: folder)
      try expect("apply plain --policy drop-all --exclude-above 1 --to new", 78, "no suspicion.csv")
    }

    @Test("leave samples out of training, and a run of what is left may follow")
    func training() throws {
      let test = try Case(), folder = test.folder
      let train = [
        "train", "photos", "--model", "resnet20", "--batch-size", "30", "--epochs", "2", "--device", "cpu", "-q",
        "--exclude", "run/suspicion.csv",
      ]
      try CommandUnderTest.output(train + ["--exclude-above", "-1.55", "--out", "a"], in: folder)
      let rest = try RunFiles(folder("a")).column("sample_id", of: "aum_values.csv").compactMap { Int($0) }.sorted()
      #expect(rest == Array(46..<60))
      try CommandUnderTest.output(["train", "--config", "a/config.toml", "--out", "b", "-q"], in: folder)
      try RunFiles(folder("b")).expectEqual(to: RunFiles(folder("a")))
      // With the threshold in force, apply puts what was left out back before it judges.
      try AtomicFile.write(
        "sample_id,suspicion,path,given_label,predicted_label\n" + [46, 47].map(test.row).joined(),
        to: folder("a/suspicion.csv"))
      try CommandUnderTest.output(
        ["apply", "a", "--exclude-above", "-1.65", "--policy", "drop-all", "--to", "c", "--layout", "manifest"],
        in: folder)
      #expect(try test.changes("c").map { $0[0] } == ["46"])
      #expect(try RunFiles(folder("c")).table("manifest.csv").rows.count == 79)
    }
  }
}
