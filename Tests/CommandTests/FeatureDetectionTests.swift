import FileFormats
import TestSupport
import Testing

extension CommandTests {
  /// Labels judged by features of the images themselves: the tests have no weights.
  @Suite("Detection by features")
  struct FeatureDetections {
    private static let detect = ["detect", "shapes", "--limit-train", "600", "--device", "cpu", "-q"]

    private func document(_ path: String, in folder: ScratchFolder) throws -> JSONValue {
      try JSONText.parse(FileBytes.read(folder(path)), named: path)
    }

    @Test("lists wrong labels, keeps what it found, and is made into a page again")
    func wrongLabels() throws {
      let folder = ScratchFolder()
      try Stripes.write(to: folder)
      let said = try CommandUnderTest.output(
        Stripes.detect + ["--noise", "symmetric:0.15", "--out", "run"], in: folder)
      let found = try document("run/detect.json", in: folder)
      #expect(found["settings"]?["detector"]?.string == "features" && found["verdict"]?.string == "list")
      let features = try #require(found["features"])
      #expect(features["source"]?.string == "patches" && features["judged"]?.integer == 240)
      #expect(try #require(found["score"]?["auroc"]?.double) > 0.97)
      #expect(said.contains(try #require(features["message"]?.string)) && said.contains("labels are wrong"))
      #expect(FileBytes.kind(of: folder("run/checkpoints/last.safetensors")) == .missing, "nothing is trained")
      #expect(FileBytes.kind(of: folder("run/metrics.csv")) == .missing)

      let table = try CSV(decoding: FileBytes.read(folder("run/label_issues.csv")), name: "label_issues.csv")
      let chance = try #require(table.column("chance")), verdict = try #require(table.column("verdict"))
      let rank = try #require(table.column("rank")), given = try #require(table.column("given_label"))
      let suggested = try #require(table.column("suggested_label"))
      let ranked = table.rows.sorted { Int($0[rank])! < Int($1[rank])! }
      let chances = try ranked.map { try #require(Double($0[chance])) }
      #expect(chances == chances.sorted(by: >) && chances.allSatisfy { (0...1).contains($0) })
      #expect(table.rows.allSatisfy { $0[verdict] == "list" && $0[suggested] != $0[given] })

      // What is kept is enough for the page, and for whoever resumes.
      let page = try FileBytes.read(folder("run/report/index.html"))
      try CommandUnderTest.output(["report", "run", "-q"], in: folder)
      let again = try FileBytes.read(folder("run/report/index.html"))
      #expect(abs(again.count - page.count) < 64 && again.count > 10_000)
      let resumed = try CommandUnderTest.run(["detect", "--resume", "run"], in: folder)
      #expect(resumed.code == 0 && resumed.errors.contains("already finished"))

      // A list may be acted on; the same list is refused once its verdict says that it is not sure.
      let training = [
        "train", "stripes.npz", "--epochs", "1", "--model", "mlp", "--device", "cpu", "-q",
      ]
      try CommandUnderTest.output(training + ["--exclude", "run/label_issues.csv", "--out", "t"], in: folder)
      let unsure = String(decoding: try FileBytes.read(folder("run/label_issues.csv")), as: UTF8.self)
        .replacing(",list", with: ",rough")
      try AtomicFile.write(unsure, to: folder("unsure.csv"))
      let refused = try CommandUnderTest.run(training + ["--exclude", "unsure.csv", "--out", "u"], in: folder)
      #expect(refused.code == 78 && refused.errors.contains("rough") && refused.errors.contains("--trust"))
      try CommandUnderTest.output(training + ["--exclude", "unsure.csv", "--trust", "--out", "u"], in: folder)
    }

    @Test("finds no sign of wrong labels where there are none, and says no more")
    func clean() throws {
      let folder = ScratchFolder()
      try Stripes.write(to: folder)
      let said = try CommandUnderTest.output(Stripes.detect + ["--out", "run", "--fail-above", "0"], in: folder)
      #expect(said.contains("No sign of wrong labels"))
      #expect(!said.contains("--exclude"), "there is nothing to leave out")
      #expect(try document("run/detect.json", in: folder)["issues"]?.integer == 0)
    }

    @Test("features are written, and taken back in any order")
    func files() throws {
      let folder = ScratchFolder()
      let data = ["shapes", "--limit-train", "600", "--device", "cpu", "-q"]
      try CommandUnderTest.output(["features"] + data + ["--to", "f.npy"], in: folder)
      let array = try NumPyArray(decoding: FileBytes.read(folder("f.npy")), name: "f.npy")
      #expect(array.shape == [600, 4096])
      let table = try CSV(decoding: FileBytes.read(folder("f.csv")), name: "f.csv")
      #expect(table.header == ["sample_id", "path"] && table.rows.count == 600)
      let detect = ["detect"] + data + ["--noise", "symmetric:0.15", "--no-report"]
      try CommandUnderTest.output(detect + ["--features", "f.npy", "--out", "a"], in: folder)
      // The same rows in the other order, with the table that says so.
      let values = try #require(array.doubles).map { Float($0) }
      let order = Array((0..<600).reversed())
      try AtomicFile.write(
        NumPyArray(order.flatMap { values[$0 * 4096..<($0 + 1) * 4096] }, shape: [600, 4096]).encoded(),
        to: folder("g.npy"))
      try AtomicFile.write(
        "path\n" + order.map { table.rows[$0][1] + "\n" }.joined(), to: folder("g.csv"))
      try CommandUnderTest.output(detect + ["--features", "g.npy", "--out", "b"], in: folder)
      #expect(
        try FileBytes.read(folder("a/label_issues.csv")) == FileBytes.read(folder("b/label_issues.csv")))
    }

    @Test("probabilities are judged by confident learning, without training")
    func probabilities() throws {
      let folder = ScratchFolder()
      // Every third sample is said to be of the class after its own.
      let shapes = try CommandUnderTest.output(
        ["features", "shapes", "--limit-train", "120", "--device", "cpu", "--to", "f.npy"], in: folder)
      #expect(shapes.contains("120 × 4096"))
      try CommandUnderTest.output(
        Self.detect.map { $0 == "600" ? "120" : $0 } + ["--no-report", "--out", "labels"], in: folder)
      let table = try CSV(decoding: FileBytes.read(folder("labels/label_issues.csv")), name: "label_issues.csv")
      let given = try #require(table.column("given_label"))
      let rows = table.rows.enumerated().flatMap { index, row in
        (0..<10).map { $0 == (Int(row[given])! + (index % 3 == 0 ? 1 : 0)) % 10 ? 0.91 : 0.01 }
      }
      try AtomicFile.write(NumPyArray(rows, shape: [120, 10]).encoded(), to: folder("p.npy"))
      let detect = Self.detect.map { $0 == "600" ? "120" : $0 } + ["--pred-probs", "p.npy"]
      try CommandUnderTest.output(detect + ["--out", "run"], in: folder)
      let found = try document("run/detect.json", in: folder)
      #expect(found["settings"]?["detector"]?.string == "cl" && found["issues"]?.integer == 40)
      try CommandUnderTest.output(["report", "run", "-q"], in: folder)
    }

    @Test(
      "options choose the detector that reads them, or are refused",
      arguments: [
        ("--epochs 3", "aum"), ("--folds 3", "cl"), ("--features patches", "features"), ("--seed 3", "auto"),
        ("--passes 3 --folds 2", "aum"), ("--selection dividemix", "dividemix"),
      ])
    func automatic(options: String, detector: String) throws {
      let folder = ScratchFolder()
      let arguments = Self.detect + options.split(separator: " ").map(String.init)
      let printed = try CommandUnderTest.output(arguments + ["--print-config"], in: folder)
      // It follows from the data, which is not read for that.
      #expect(printed.contains("detector = \"auto\""))
      guard detector == "features" || detector == "auto" else { return }
      let configured = try CommandUnderTest.run(arguments + ["--no-report", "--out", "run"], in: folder)
      #expect(configured.code == 0, "\(configured.errors)")
      #expect(try document("run/detect.json", in: folder)["settings"]?["detector"]?.string == "features")
    }

    @Test(
      "wrong input is refused before anything is computed",
      arguments: [
        ("--detector features --epochs 3", 78, "only by detectors that train networks"),
        ("--detector aum --features patches", 78, "--features has no effect"),
        ("--detector aum --pred-probs p.npy", 78, "--pred-probs cannot be used"),
        ("--passes 3 --folds 2", 78, "--folds has no effect"),
        ("--method dividemix", 78, "--selection"), ("--selection elr", 78, "dividemix or co-teaching"),
        ("--detector aum --selection dividemix", 78, "the detector judges by aum"),
        ("--detector dividemix --selection co-teaching", 78, "judges by dividemix"),
        ("--detector dividemix --selection dividemix:warm=9 --epochs 4", 78, "9 epochs of plain training"),
        ("--detector dividemix --passes 3", 78, "--passes has no effect"),
        ("--detector co-teaching --keep-margins", 78, "--keep-margins has no effect"),
        ("--detector dividemix+cl --pred-probs p.npy", 78, "--pred-probs cannot be used"),
        ("--detector dividemix --loss gce", 78, "--detector dividemix cannot be used with --loss gce"),
        ("--detector co-teaching --exclude wrong --exclude-by weight-zero", 78, "--exclude-by drop"),
        ("--features nosuch", 64, "lite0"), ("--features lite0", 66, "lite0"),
        ("--features nosuch.npy", 66, "nosuch.npy"), ("--features few.npy", 65, "3 rows"),
        ("--features flat.npy", 65, "an array [N, D]"), ("--features nan.npy", 65, "not finite"),
        ("--pred-probs few.npy", 65, "3 rows"), ("--pred-probs narrow.npy", 65, "2 columns"),
        ("--pred-probs logits.npy", 65, "probabilities"),
      ])
    func refused(options: String, code: Int, text: String) throws {
      let folder = ScratchFolder()
      for (name, array) in [
        ("few", NumPyArray([Float](repeating: 0, count: 6), shape: [3, 2])),
        ("flat", NumPyArray([Float](repeating: 0, count: 600))),
        ("nan", NumPyArray([Float](repeating: .nan, count: 1200), shape: [600, 2])),
        ("narrow", NumPyArray([Float](repeating: 0.5, count: 1200), shape: [600, 2])),
        ("logits", NumPyArray([Float](repeating: 3, count: 6000), shape: [600, 10])),
        ("p", NumPyArray([Float](repeating: 0.1, count: 6000), shape: [600, 10])),
      ] {
        try AtomicFile.write(array.encoded(), to: folder("\(name).npy"))
      }
      let ending = try CommandUnderTest.run(
        Self.detect + options.split(separator: " ").map(String.init) + ["--out", "run"], in: folder)
      #expect(ending.code == Int32(code) && ending.errors.contains(text), "\(ending.code): \(ending.errors)")
    }
  }
}
