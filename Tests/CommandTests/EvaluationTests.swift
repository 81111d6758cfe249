import FileFormats
import Glibc
import TestSupport
import Testing

extension CommandTests {
  @Suite("Evaluation of a checkpoint")
  struct Evaluation {
    @Test("Find the run of a checkpoint by where it lies, and say where they take it without one")
    func runOfCheckpoint() throws {
      let folder = ScratchFolder()
      for (name, seed) in [("d", "1"), ("other", "2")] {
        try CommandUnderTest.output(
          ["data", "shapes", "--seed", seed, "--limit-train", "80", "--limit-test", "10", "--out", name, "-q"],
          in: folder)
      }
      try CommandUnderTest.output(
        ["train", "d/train", "--val", "0.25", "--seed", "7", "--out", "run", "--model", "mlp:width=128"]
          + ["--device", "cpu", "--epochs", "1", "--batch-size", "20", "-q"], in: folder)
      let last = "run/checkpoints/last.safetensors"
      try FileBytes.write(FileBytes.read(folder(last)), to: folder("run/copy.safetensors"))
      try FileBytes.write(FileBytes.read(folder(last)), to: folder("bare.safetensors"))
      symlink(folder(last), folder("link.safetensors"))
      for checkpoint in [last, "run/copy.safetensors", "link.safetensors"] {
        let ending = try CommandUnderTest.run(["eval", checkpoint, "d/train", "--device", "cpu"], in: folder)
        #expect(ending.output.contains("held out in training by --val 0.25 --seed 7"), "\(ending.errors)")
        #expect(!ending.errors.contains("without a run"))
      }
      let other = try CommandUnderTest.run(
        ["eval", last, "other/train", "--split", "train", "--device", "cpu"], in: folder)
      #expect(
        other.code == 0 && other.errors.contains("/d/train', not 'other/train'"), "\(other.errors)")
      #expect(other.errors.contains("is taken as a checkpoint without a run"))
      // A file that lies in no run says all by itself.
      let bare = try CommandUnderTest.run(
        ["eval", "bare.safetensors", "other/train", "--split", "train", "--device", "cpu"], in: folder)
      #expect(bare.code == 0 && !bare.errors.contains("without a run"), "\(bare.errors)")
    }

    @Test("A run's data is known wherever it is; on other data, or without a run, nothing counts as held out")
    func movedData() throws {
      let folder = ScratchFolder()
      for (name, seed) in [("d.npz", "1"), ("other.npz", "2")] {
        try CommandUnderTest.output(
          ["data", "shapes", "--seed", seed, "--limit-train", "80", "--limit-test", "10", "--out", name, "-q"],
          in: folder)
      }
      try CommandUnderTest.output(
        [
          "train", "d.npz", "--val", "0.25", "--seed", "7", "--noise", "symmetric:0.4", "--val-noise", "on", "--out",
          "run",
        ]
          + ["--model", "mlp:width=128", "--device", "cpu", "--epochs", "1", "--batch-size", "20", "-q"], in: folder)
      try FileBytes.write(FileBytes.read(folder("d.npz")), to: folder("moved.npz"))
      let last = "run/checkpoints/last.safetensors", val = ["--val", "0.25", "--device", "cpu"]
      try FileBytes.write(FileBytes.read(folder(last)), to: folder("bare.safetensors"))
      let all = try RunFiles(folder("run")).table("samples.csv"), held = try #require(all.column("held_out"))
      let samples = all.rows.filter { $0[held] == "True" }
      for data in ["d.npz", "moved.npz"] {
        let ending = try CommandUnderTest.run(["eval", last, data] + val, in: folder)
        #expect(ending.output.contains("held out in training by --val 0.25 --seed 7: 20 samples"), "\(ending.errors)")
        #expect(!ending.errors.contains("without a run"), "\(ending.errors)")
        let text = try CommandUnderTest.output(["predict", last, data, "-q"] + val, in: folder)
        let table = try CSV(decoding: Array(text.utf8), name: data)
        // The noise that was drawn in training is in these labels.
        #expect(table.rows.map { [$0[0], $0[2]] } == samples.map { [$0[0], $0[2]] })
        let seed = try CommandUnderTest.run(["eval", last, data, "--seed", "1"] + val, in: folder)
        #expect(seed.code == 78 && seed.errors.contains("the seed was 7"), "\(seed.errors)")
      }
      let other = try CommandUnderTest.run(["eval", last, "other.npz"] + val, in: folder)
      #expect(other.code == 78 && other.errors.contains("/d.npz', not 'other.npz'"), "\(other.errors)")
      let test = try CommandUnderTest.run(["eval", last, "other.npz", "--device", "cpu"], in: folder)
      #expect(test.code == 0 && test.errors.contains("without a run") && test.output.contains("test: 10 samples"))
      let bare = try CommandUnderTest.run(["eval", "bare.safetensors", "moved.npz"] + val, in: folder)
      #expect(bare.output.contains("drawn by --val 0.25 --seed 1: 20 samples"), "\(bare.errors)")
      #expect(!bare.output.contains("held out") && bare.errors.contains("is not known"), "\(bare.errors)")
      // Other data in the same place.
      try FileBytes.write(FileBytes.read(folder("other.npz")), to: folder("d.npz"))
      let changed = try CommandUnderTest.run(["predict", last, "d.npz"] + val, in: folder)
      #expect(changed.code == 78 && changed.errors.contains("has changed since the run"), "\(changed.errors)")
    }

    @Test("Samples that a run held out are told by its own training set: its limit, its lists")
    func limitedRun() throws {
      let folder = ScratchFolder()
      try CommandUnderTest.output(
        ["data", "shapes", "--limit-train", "80", "--limit-test", "10", "--out", "d", "-q"], in: folder)
      try CommandUnderTest.output(
        ["train", "d/train", "--limit-train", "40", "--val", "0.25", "--out", "run", "--model", "mlp:width=128"]
          + ["--device", "cpu", "--epochs", "1", "--batch-size", "20", "-q"], in: folder)
      let files = RunFiles(folder("run"))
      let held = zip(try files.column("sample_id", of: "samples.csv"), try files.column("held_out", of: "samples.csv"))
        .filter { $1 == "True" }.map(\.0)
      try CommandUnderTest.output(
        ["predict", "run", "d/train", "--classes", "p.csv", "--device", "cpu", "-q"], in: folder)
      let table = try CSV(decoding: FileBytes.read(folder("p.csv")), name: "p.csv")
      #expect(table.rows.map { $0[0] } == held && held.count == 10)
      let paths = try zip(files.column("sample_id", of: "samples.csv"), files.column("path", of: "samples.csv"))
      let known = Dictionary(paths) { first, _ in first }
      #expect(table.rows.allSatisfy { known[$0[0]] == $0[1] })
      let other = try CommandUnderTest.run(
        ["predict", "run", "d/train", "--limit-train", "20", "--device", "cpu"], in: folder)
      #expect(other.code == 78 && other.errors.contains("--limit-train 20 contradicts the run"), "\(other.errors)")
    }

    @Test("eval and predict agree with the run's own last epoch")
    func agreement() throws {
      let folder = ScratchFolder()
      try CommandUnderTest.output(CommandUnderTest.training("--epochs 2 --out run"), in: folder)
      let run = RunFiles(folder("run"))
      let accuracy = try #require(try run.column("test_acc", of: "metrics.csv").last.flatMap(Double.init))
      let loss = try #require(try run.column("test_loss", of: "metrics.csv").last.flatMap(Double.init))
      let rest = ["shapes", "--limit-test", "64", "--device", "cpu"]
      let checkpoint = "run/checkpoints/last.safetensors"

      let text = try CommandUnderTest.output(["eval", checkpoint] + rest + ["--json"], in: folder)
      let document = try JSONText.parse(Array(text.utf8), named: "standard output")
      #expect(document["schema"] == "gpunoisy.eval/1" && document["samples"] == 64)
      #expect(document["accuracy"]?.double == accuracy)
      #expect(document["loss"]?.double == loss)
      let confusion = try #require(document["confusion"]?.array?.compactMap { $0.array?.compactMap(\.integer) })
      #expect(confusion.map { $0.reduce(0, +) } == [7, 7, 7, 7, 6, 6, 6, 6, 6, 6])
      #expect(Double(confusion.indices.reduce(0) { $0 + confusion[$1][$1] }) / 64 == accuracy)
      let perClass = try #require(document["per_class"]?.array)
      #expect(
        try perClass.map { try #require($0["confidence"]?.double) }
          == run.column("confidence", of: "per_class.csv").suffix(10).compactMap(Double.init))
      // For people: the same numbers, the folder's best checkpoint, and the matrix.
      let plain = try CommandUnderTest.output(["eval", "run"] + rest, in: folder)
      #expect(plain.contains("best.safetensors") && plain.contains("confusion") && plain.contains("hourglass"))

      try CommandUnderTest.output(
        ["predict", checkpoint] + rest + ["--logits", "l.npy", "--probs", "p.npy", "--classes", "c.csv"], in: folder)
      let logits = try NumPyArray(decoding: FileBytes.read(folder("l.npy")), name: "l.npy")
      let probabilities = try NumPyArray(decoding: FileBytes.read(folder("p.npy")), name: "p.npy")
      #expect(logits.shape == [64, 10] && probabilities.shape == [64, 10])
      #expect(logits.element.descriptor == "<f4" && probabilities.element.descriptor == "<f4")
      let z = try #require(logits.doubles), p = try #require(probabilities.doubles)
      var right = 0
      let table = try CSV(decoding: FileBytes.read(folder("c.csv")), name: "c.csv")
      #expect(table.header == ["sample_id", "path", "label", "predicted", "name", "probability"])
      #expect(table.rows.map { $0[0] } == (0..<64).map(String.init))
      #expect(table.rows[3][1] == "shapes/test/3" && table.rows[3][2] == "3")
      for row in 0..<64 {
        let place = row * 10..<(row + 1) * 10
        let best = try #require(place.max { z[$0] < z[$1] })
        if best - place.lowerBound == row % 10 { right += 1 }
        #expect(table.rows[row][3] == "\(best - place.lowerBound)")
        let powers = place.map { exp(z[$0] - z[best]) }, sum = powers.reduce(0, +)
        #expect(zip(place, powers).allSatisfy { abs(p[$0] - $1 / sum) < 1e-7 })
        #expect(Double(table.rows[row][5]).map { abs($0 - p[best]) < 1e-7 } == true)
      }
      #expect(Double(right) / 64 == accuracy)
      // Without a file, the table goes to standard output.
      #expect(
        try CommandUnderTest.output(["predict", checkpoint] + rest, in: folder)
          == String(decoding: FileBytes.read(folder("c.csv")), as: UTF8.self))
    }

    @Test(
      "NumPy reads the predictions, and its softmax agrees",
      .enabled(if: PythonOracle.has("numpy"), Comment(rawValue: PythonOracle.absence)))
    func predictionsInNumPy() throws {
      let folder = ScratchFolder()
      try CommandUnderTest.output(CommandUnderTest.training("--epochs 1 --out run"), in: folder)
      try CommandUnderTest.output(
        [
          "predict", "run", "shapes", "--split", "train", "--limit-train", "100", "--device", "cpu", "--logits",
          "l.npy",
          "--probs", "p.npy",
        ], in: folder)
      let script = """
        import sys, numpy as np
        l, p = np.load(sys.argv[1]), np.load(sys.argv[2])
        assert l.dtype == p.dtype == np.float32 and l.shape == p.shape == (100, 10)
        z = l.astype(np.float64); e = np.exp(z - z.max(1, keepdims=True)); e /= e.sum(1, keepdims=True)
        assert np.abs(e - p).max() < 1e-7
        """
      let (code, output) = try PythonOracle.run(script, [folder("l.npy"), folder("p.npy")])
      #expect(code == 0, "\(output)")
    }

    @Test("A held-out part is found again, a folder without a class is numbered by names, a bad image keeps its row")
    func otherLayouts() throws {
      let folder = ScratchFolder()
      try CommandUnderTest.output(
        ["data", "shapes", "--limit-train", "100", "--limit-test", "40", "--out", "photos"], in: folder)
      // Training without the test set: a part is held out.
      try CommandUnderTest.output(
        [
          "train", "photos/train", "--val", "0.3", "--seed", "3", "--model", "resnet20", "--batch-size", "16",
          "--epochs", "2",
          "--lr", "0.05", "--device", "cpu", "--out", "run",
        ], in: folder)
      let run = RunFiles(folder("run"))
      let accuracy = try #require(try run.column("test_acc", of: "metrics.csv").last.flatMap(Double.init))
      let last = "run/checkpoints/last.safetensors"
      let text = try CommandUnderTest.output(
        ["eval", last, "photos/train", "--val", "0.3", "--seed", "3", "--device", "cpu", "--json"], in: folder)
      let document = try JSONText.parse(Array(text.utf8), named: "standard output")
      #expect(document["samples"] == 30 && document["accuracy"]?.double == accuracy)
      // The rows name the training samples that were held out.
      let rows = try CSV(
        decoding: Array(
          CommandUnderTest.output(
            ["predict", last, "photos/train", "--val", "0.3", "--seed", "3", "--device", "cpu"], in: folder
          ).utf8), name: "-"
      ).rows
      let samples = try run.table("samples.csv"), mark = try #require(samples.column("held_out"))
      let heldOut = samples.rows.filter { $0[mark] == "True" }
      #expect(rows.map { [$0[0], $0[1]] } == heldOut.map { [$0[0], $0[1]] })

      // Without its first class, the others keep their numbers.
      try FileBytes.makeFolder(folder("fewer"))
      for name in ["bars", "star"] {
        try FileBytes.makeFolder(folder("fewer/" + name))
        let source = folder("photos/train/" + name)
        for file in try FileBytes.names(in: source) {
          try FileBytes.write(FileBytes.read(source + "/" + file), to: folder("fewer/\(name)/\(file)"))
        }
      }
      try FileBytes.write([0x89, 0x50, 0x4E, 0x47], to: folder("fewer/bars/00.png"))
      let skip = ["--split", "train", "--on-bad-image", "skip", "--device", "cpu"]
      let table = try CSV(
        decoding: Array(CommandUnderTest.output(["predict", last, "fewer"] + skip + ["-q"], in: folder).utf8), name: "-"
      )
      #expect(table.rows.count == 21)
      #expect(table.rows[0] == ["0", "bars/00.png", "", "", "", ""])
      #expect(
        table.rows.dropFirst().map { $0[2] } == [String](repeating: "1", count: 10)
          + [String](repeating: "8", count: 10))
      // Files appear in the same order, and an image's row does not depend on its neighbours.
      let whole = try CSV(
        decoding: Array(
          CommandUnderTest.output(["predict", last, "photos/train", "--split", "train", "--device", "cpu"], in: folder)
            .utf8),
        name: "-")
      for row in table.rows.dropFirst() {
        #expect(whole.rows.first { $0[1] == row[1] }?.suffix(4) == row.suffix(4))
      }
    }

    @Test("A checkpoint does not take data of other classes or other channels")
    func otherClasses() throws {
      let folder = ScratchFolder()
      try CommandUnderTest.output(CommandUnderTest.training("--epochs 1 --max-steps 1 --out run"), in: folder)
      for name in ["arrow", "zebra"] {
        try FileBytes.makeFolder(folder("zoo/" + name))
        try CommandUnderTest.output(
          ["data", "shapes", "--limit-train", "1", "--limit-test", "1", "--out", "one-\(name)"], in: folder)
        try FileBytes.write(FileBytes.read(folder("one-\(name)/train/arrow/0.png")), to: folder("zoo/\(name)/1.png"))
      }
      let ending = try CommandUnderTest.run(["eval", "run", "zoo", "--split", "train", "--device", "cpu"], in: folder)
      #expect(ending.code == 65 && ending.errors.contains("zebra"))
      // A folder without a test set.
      let missing = try CommandUnderTest.run(["eval", "run", "zoo", "--device", "cpu"], in: folder)
      #expect(missing.code == 65 && missing.errors.contains("no test set"))
    }
  }
}
