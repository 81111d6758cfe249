import FileFormats
import TestSupport
import Testing

extension CommandTests {
  /// `detect --split`: other parts are judged, too, and images in several parts are reported.
  @Suite("A detection in other parts")
  struct SplitDetections {
    @Test("judges the test part by its own ids, corrects its files, and is not for training")
    func test() throws {
      let folder = ScratchFolder()
      try Stripes.write(to: folder, tests: 100, copies: 3)
      let output = try CommandUnderTest.output(
        Stripes.detect + ["--split", "test", "--noise", "symmetric:0.15", "--out", "run"], in: folder)
      let found = try RunFiles(folder("run")).document("detect.json")
      #expect(found["split"]?.string == "test" && found["samples"]?.integer == 100)
      #expect(found["settings"]?["detector"]?.string == "features")
      #expect(try #require(found["score"]?["auroc"]?.double) > 0.9)
      #expect(found["overlap"]?["copies"]?.integer == 3 && found["overlap"]?["near_duplicates"] == .null)
      #expect(output.contains("of 100 test images 3 are in the training set, too") && !output.contains(" --exclude "))
      #expect(try RunFiles(folder("run")).column("sample_id", of: "label_issues.csv") == (0..<100).map(String.init))
      #expect(
        try RunFiles(folder("run")).column("path", of: "label_issues.csv") == (0..<100).map { "stripes/test/\($0)" })
      #expect(try Set(RunFiles(folder("run")).column("split", of: "label_issues.csv")) == ["test"])
      let samples = try RunFiles(folder("run")).table("samples.csv")
      #expect(samples.rows[7][1] == "stripes/test/7" && samples.rows.count == 100)
      let overlap = try RunFiles(folder("run")).table("overlap.csv")
      #expect(overlap.rows.map { $0[2] }.sorted() == (0..<3).map { "stripes/test/\($0)" })
      #expect(overlap.rows.allSatisfy { $0[6].hasPrefix("stripes/train/") && Double($0[9]) == 1 })

      let refused = try CommandUnderTest.run(
        [
          "train", "stripes.npz", "--exclude", "run/label_issues.csv", "--trust", "--epochs", "1", "--model", "mlp",
          "--device", "cpu", "--out", "t",
        ], in: folder)
      #expect(refused.code == 78 && refused.errors.contains("lists no training samples"), "\(refused.errors)")
      try CommandUnderTest.output(["report", "run", "-q"], in: folder)

      let given = try RunFiles(folder("run")).column("given_label", of: "label_issues.csv"),
        other = given[7] == "0" ? "1" : "0"
      try AtomicFile.write("id,path,verdict,label\n7,stripes/test/7,wrong,\(other)\n9,,drop,\n", to: folder("v.csv"))
      try CommandUnderTest.output(["apply", "run", "--verdicts", "v.csv", "--to", "copy"], in: folder)
      let manifest = try RunFiles(folder("copy")).table("manifest.csv")
      #expect(manifest.rows.count { $0[2] == "train" } == 240 && manifest.rows.count { $0[2] == "test" } == 99)
      let row = try #require(manifest.rows.first { $0[0] == "images/test/07.png" })
      #expect(row[1] == other)
      #expect(!manifest.rows.contains { $0[0] == "images/test/09.png" })
    }

    @Test("judges all parts together in folders, and leaves out only training samples in training")
    func all() throws {
      let folder = ScratchFolder()
      try Stripes.write(to: folder, tests: 60, copies: 2, wrong: [5, 18, 40, 77, 101, 130])
      try CommandUnderTest.output(
        ["data", "convert", "stripes.npz", "--to", "folder", "--out", "photos"], in: folder)
      try CommandUnderTest.output(
        ["detect", "photos", "--device", "cpu", "-q", "--split", "all", "--trust", "--out", "run"], in: folder)
      let paths = try RunFiles(folder("run")).column("path", of: "label_issues.csv"),
        splits = try RunFiles(folder("run")).column("split", of: "label_issues.csv")
      #expect(paths.count == 300 && Set(paths).count == 300)
      #expect(zip(paths, splits).allSatisfy { $0.hasPrefix($1 + "/") })
      #expect(splits.prefix(240).allSatisfy { $0 == "train" } && splits.suffix(60).allSatisfy { $0 == "test" })
      let group = try RunFiles(folder("run")).column("group", of: "label_issues.csv")
      #expect(group.count { !$0.isEmpty } == 4, "two test images and their copies")
      let found = try RunFiles(folder("run")).document("detect.json")
      #expect(found["overlap"]?["copies"]?.integer == 2 && found["overlap"]?["near_duplicates"] == .null)
      let issues = try RunFiles(folder("run")).column("is_label_issue", of: "label_issues.csv")
      try #require(issues.contains("True"))
      try CommandUnderTest.output(
        [
          "train", "photos", "--exclude", "run/label_issues.csv", "--trust", "--epochs", "1", "--model", "mlp",
          "--device", "cpu", "--out", "t", "-q",
        ], in: folder)
      // Corrections go to the files of their part.
      let names = try RunFiles(folder("run")).column("given_name", of: "label_issues.csv")
      func row(_ id: Int) -> String { "\(id),\(paths[id]),wrong,\(names[id] == "0" ? "1" : "0")\n" }
      try AtomicFile.write("id,path,verdict,new_name\n" + row(0) + row(250), to: folder("v.csv"))
      try CommandUnderTest.output(["apply", "run", "--verdicts", "v.csv", "--to", "copy"], in: folder)
      for id in [0, 250] {
        let file = paths[id].split(separator: "/")[2]
        #expect(FileBytes.kind(of: folder("copy/\(splits[id])/\(names[id] == "0" ? "1" : "0")/\(file)")) == .file)
        #expect(FileBytes.kind(of: folder("copy/\(splits[id])/\(names[id])/\(file)")) == .missing)
      }
    }

    @Test("probabilities that somebody has of test images are judged by confident learning")
    func probabilities() throws {
      let folder = ScratchFolder()
      try Stripes.write(to: folder, tests: 60)
      let rows = (0..<60).flatMap { id in (0..<2).map { $0 == (id + (id % 6 == 0 ? 1 : 0)) % 2 ? 0.9 : 0.1 } }
      try AtomicFile.write(NumPyArray(rows, shape: [60, 2]).encoded(), to: folder("p.npy"))
      try CommandUnderTest.output(
        Stripes.detect + ["--split", "test", "--pred-probs", "p.npy", "--no-report", "--out", "run"], in: folder)
      #expect(try RunFiles(folder("run")).document("detect.json")["issues"]?.integer == 10)
    }

    @Test(
      "what cannot be judged is refused",
      arguments: [
        ("--split test --detector aum", 78, "--split test cannot be used with --detector aum"),
        ("--split all --epochs 3", 78, "cannot be used with --detector aum"),
        ("--split test --retrain", 78, "--retrain cannot be used"),
        ("--split test --labels l.npy", 78, "--labels cannot be used with --split test"),
        ("--split test", 65, "has no test part"), ("--split val", 65, "has no validation part"),
        ("--split nosuch", 64, "train, val, test, all"),
      ])
    func refused(options: String, code: Int, text: String) throws {
      let folder = ScratchFolder()
      try Stripes.write(to: folder)
      let ending = try CommandUnderTest.run(
        Stripes.detect + options.split(separator: " ").map(String.init) + ["--out", "run"], in: folder)
      #expect(ending.code == Int32(code) && ending.errors.contains(text), "\(ending.code): \(ending.errors)")
      #expect(FileBytes.kind(of: folder("run")) == .missing)
    }
  }
}
