import FileFormats
import Glibc
import TestSupport
import Testing

extension CommandTests {
  /// What was found by people who looked for results that are wrong without a word, and for files that get lost.
  @Suite("Nothing is taken for something else")
  struct Trust {
    private static let quick = [
      "--model", "mlp:width=128", "--device", "cpu", "--threads", "1", "--epochs", "1", "--max-steps", "1",
      "--batch-size", "16", "-q",
    ]

    /// A folder of photos, classes named as given, four images in each.
    private func photos(_ name: String, _ classes: [String], in folder: ScratchFolder) throws {
      try CommandUnderTest.output(
        ["data", "shapes", "--limit-train", "60", "--limit-test", "10", "--out", "source", "--force", "-q"], in: folder)
      let images = try FileBytes.names(in: folder("source/train")).flatMap { part in
        try FileBytes.names(in: folder("source/train/\(part)")).map { folder("source/train/\(part)/\($0)") }
      }
      for (label, title) in classes.enumerated() {
        try FileBytes.makeFolder(folder("\(name)/\(title)"))
        for index in 0..<4 {
          try FileBytes.write(
            FileBytes.read(images[label * 4 + index]), to: folder("\(name)/\(title)/\(index).png"))
        }
      }
    }

    private func train(_ data: String, _ out: String, _ rest: String..., in folder: ScratchFolder) throws
      -> SpawnedProgram.Ending
    {
      try CommandUnderTest.run(["train", data, "--out", out] + Self.quick + rest, in: folder)
    }

    /// The paths of samples that have no label.
    private func leftOut(_ run: String, in folder: ScratchFolder) throws -> [String] {
      let files = RunFiles(folder(run)), labels = try files.column("given_label", of: "samples.csv")
      return try zip(files.column("path", of: "samples.csv"), labels).filter { $1 == "-1" }.map(\.0)
    }

    @Test("a list of samples finds its images after others were added, and is refused where they are gone")
    func lists() throws {
      let folder = ScratchFolder()
      try photos("pets", ["cat", "dog", "emu"], in: folder)
      try AtomicFile.write(
        "sample_id,path,is_label_issue\n1,cat/1.png,True\n6,dog/2.png,True\n7,dog/3.png,False\n", to: folder("list.csv")
      )
      #expect(try train("pets", "same", "--exclude", "list.csv", in: folder).code == 0)
      #expect(try leftOut("same", in: folder) == ["cat/1.png", "dog/2.png"])
      try FileBytes.write(FileBytes.read(folder("pets/cat/0.png")), to: folder("pets/cat/00.png"))
      #expect(try train("pets", "more", "--exclude", "list.csv", in: folder).code == 0)
      #expect(try leftOut("more", in: folder) == ["cat/1.png", "dog/2.png"])
      #expect(try RunFiles(folder("more")).text("log.txt").contains("2 of 2 images have another number"))
      unlink(folder("pets/cat/1.png"))
      let gone = try train("pets", "gone", "--exclude", "list.csv", in: folder)
      #expect(gone.code == 65 && gone.errors.contains("'cat/1.png'") && gone.errors.lines.count == 3, "\(gone.errors)")
      try photos("plants", ["oak", "rose"], in: folder)
      let other = try train("plants", "other", "--exclude", "list.csv", in: folder)
      #expect(other.code == 65 && other.errors.contains("made for other data"))
      // Numbers alone are allowed, and said.
      try AtomicFile.write("sample_id\n3\n", to: folder("numbers.csv"))
      #expect(try train("plants", "plain", "--exclude", "numbers.csv", in: folder).code == 0)
      #expect(try RunFiles(folder("plain")).text("log.txt").contains("1 samples by number alone"))
      // Numbers that a run wrote belong to its data.
      #expect(try train("plants", "noisy", "--noise", "symmetric:0.5", in: folder).code == 0)
      #expect(try train("plants", "again", "--labels", "noisy/noisy_labels.npy", in: folder).code == 0)
      try FileBytes.write(FileBytes.read(folder("pets/cat/0.png")), to: folder("plants/oak/9.png"))
      unlink(folder("plants/rose/0.png"))
      let moved = try train("plants", "moved", "--labels", "noisy/noisy_labels.npy", in: folder)
      #expect(moved.code == 65 && moved.errors.contains("made for other data"), "\(moved.errors)")
    }

    @Test("a number that names one class and counts another is never guessed")
    func classNumbers() throws {
      let folder = ScratchFolder()
      try photos("digits", ["1", "2", "3"], in: folder)
      #expect(try train("digits", "a", in: folder).code == 0)
      let own = try RunFiles(folder("a")).column("given_label", of: "samples.csv")
      // The run's own table, in its own folder: it is known what its numbers count.
      #expect(try train("digits", "b", "--labels", "a/samples.csv", in: folder).code == 0)
      #expect(try RunFiles(folder("b")).column("given_label", of: "samples.csv") == own)
      // A copy has the names beside the numbers; without them the numbers are refused.
      try AtomicFile.write(RunFiles(folder("a")).text("samples.csv"), to: folder("copied.csv"))
      #expect(try train("digits", "c", "--labels", "copied.csv", in: folder).code == 0)
      #expect(try RunFiles(folder("c")).column("given_label", of: "samples.csv") == own)
      let nameless = try RunFiles(folder("a")).text("samples.csv").replacing("given_name", with: "note")
      try AtomicFile.write(nameless, to: folder("copied.csv"))
      let copied = try train("digits", "d", "--labels", "copied.csv", in: folder)
      #expect(copied.code == 65 && copied.errors.contains("may mean two classes"), "\(copied.errors)")
    }

    @Test("outputs that are not finite belong to no class")
    func notFinite() throws {
      let folder = ScratchFolder()
      let ending = try CommandUnderTest.run(
        [
          "train", "shapes", "--limit-train", "64", "--limit-test", "32", "--model", "resnet20", "--lr", "1e3",
          "--epochs", "3", "--batch-size", "16", "--device", "cpu", "--out", "run", "-q",
        ], in: folder)
      // Either the loss of training tells, or the test outputs have no accuracy.
      if ending.code == 0 {
        let table = RunFiles(folder("run"))
        for (loss, accuracy) in try zip(
          table.column("test_loss", of: "metrics.csv"), table.column("test_acc", of: "metrics.csv"))
        where loss.isEmpty {
          #expect(accuracy.isEmpty)
        }
      } else {
        #expect(ending.code == 70)
      }
    }

    @Test("a file size limit, a Git LFS pointer and a home folder are understood")
    func surroundings() throws {
      let folder = ScratchFolder()
      try AtomicFile.write(
        "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n", to: folder("weights.safetensors"))
      let pointer = try CommandUnderTest.run(
        ["train", "shapes", "--init", "weights.safetensors", "--out", "p"] + Self.quick, in: folder)
      #expect(pointer.code == 65 && pointer.errors.contains("Git LFS pointer"))
      let table = try CommandUnderTest.run(["predict", "nowhere", "shapes", "--probs", "p.csv"], in: folder)
      #expect(table.code == 64 && table.errors.contains("NumPy array"))
      let large = try CommandUnderTest.run(
        ["train", "shapes", "--model", "cnn9", "--image-size", "4096", "--out", "b"] + Self.quick.dropFirst(2),
        in: folder)
      #expect(large.code == 78 && large.errors.contains("cannot take images of 4096×4096"))
      let limited = CommandUnderTest.start(
        ["train", "shapes", "--out", "l"] + Self.quick, in: folder, preparing: "ulimit -f 100")
      #expect(try limited.end().code == 74)
    }

    @Test("--force keeps what the command reads, and a run is resumed only with its own files")
    func inputs() throws {
      let folder = ScratchFolder()
      try photos("pets", ["cat", "dog"], in: folder)
      #expect(try train("pets", "noisy", "--noise", "symmetric:0.5", in: folder).code == 0)
      let forced = try train("pets", "noisy", "--labels", "noisy/noisy_labels.npy", "--force", in: folder)
      #expect(forced.code == 73 && forced.errors.contains("/noisy/noisy_labels.npy'"), "\(forced.errors)")
      #expect(FileBytes.kind(of: folder("noisy/noisy_labels.npy")) == .file)

      try AtomicFile.write("sample_id\n1\n", to: folder("list.csv"))
      let arguments =
        ["train", "pets", "--exclude", "list.csv", "--exclude-by", "weight-zero", "--resume-or-start", "r"] + Self.quick
      // Nothing is there yet; then the run is finished, and the same command does nothing, with a file of settings, too.
      #expect(try CommandUnderTest.run(arguments, in: folder).code == 0)
      let record = try RunFiles(folder("r")).record()
      #expect(record["inputs"]?["exclude"]?.string?.count == 64 && record["starts"]?.array?.count == 1)
      #expect(try CommandUnderTest.run(arguments, in: folder).code == 0)
      try AtomicFile.write("seed = 1\n", to: folder("same.toml"))
      let again = try CommandUnderTest.run(
        arguments + ["--config", "same.toml", "--tuning", "defaults"], in: folder)
      #expect(again.code == 0, "\(again.errors)")
      let other = try CommandUnderTest.run(arguments + ["--lr", "0.5"], in: folder)
      #expect(other.code == 78 && other.errors.contains("its lr is"), "\(other.errors)")
      // A stopped run.
      let stopped =
        arguments.map { $0 == "r" ? "s" : $0 } + ["--epochs", "3", "--max-steps", "9", "--max-time", "0.001s"]
      #expect(try CommandUnderTest.run(stopped, in: folder).code == 75)
      try AtomicFile.write("sample_id\n2\n", to: folder("list.csv"))
      let changed = try CommandUnderTest.run(["train", "--resume", "s", "-q"], in: folder)
      #expect(changed.code == 65 && changed.errors.contains("/list.csv' has changed"), "\(changed.errors)")
      try AtomicFile.write("sample_id\n1\n", to: folder("list.csv"))
      unlink(folder("s/samples.csv"))
      #expect(try CommandUnderTest.run(["train", "--resume", "s", "-q", "--max-time", "none"], in: folder).code == 0)
      #expect(FileBytes.kind(of: folder("s/samples.csv")) == .file)
      #expect(try RunFiles(folder("s")).record()["starts"]?.array?.count == 2)
      unlink(folder("r/checkpoints/last.safetensors"))
      let lost = try CommandUnderTest.run(["train", "--resume", "r", "-q"], in: folder)
      #expect(lost.code == 65 && lost.errors.contains("lost its last checkpoint"), "\(lost.errors)")
      #expect(try RunFiles(folder("r")).table("metrics.csv").rows.count == 1)
    }

    @Test("each file of a chain of noises is compared when the run goes on")
    func noiseFiles() throws {
      let folder = ScratchFolder()
      try photos("pets", ["cat", "dog"], in: folder)
      let matrix = "0.9,0.1\n0.1,0.9\n"
      for name in ["one.csv", "two.csv"] { try AtomicFile.write(matrix, to: folder(name)) }
      let stopped = try train(
        "pets", "run", "--noise", "matrix:one.csv+matrix:two.csv", "--epochs", "3", "--max-steps", "9", "--max-time",
        "0.001s", in: folder)
      #expect(stopped.code == 75, "\(stopped.errors)")
      let inputs = try RunFiles(folder("run")).record()["inputs"]
      #expect(inputs?["noise"]?.string?.count == 64 && inputs?["noise-2"] == inputs?["noise"])
      for (name, setting) in [("one.csv", "noise"), ("two.csv", "noise-2")] {
        // The same matrix, written otherwise.
        try AtomicFile.write("0.90,0.1\n0.1,0.9\n", to: folder(name))
        let changed = try CommandUnderTest.run(["train", "--resume", "run", "-q"], in: folder)
        #expect(
          changed.code == 65 && changed.errors.contains("/\(name)' has changed")
            && changed.errors.contains("--\(setting) had"), "\(changed.errors)")
        try AtomicFile.write(matrix, to: folder(name))
      }
      let resumed = try CommandUnderTest.run(["train", "--resume", "run", "-q", "--max-time", "none"], in: folder)
      #expect(resumed.code == 0, "\(resumed.errors)")
    }

    @Test("a home folder is found behind an equals sign and in files")
    func home() throws {
      let folder = ScratchFolder()
      let environment = ["HOME": folder.path]
      try AtomicFile.write("exclude = \"~/list.csv\"\n", to: folder("c.toml"))
      try AtomicFile.write("sample_id\n1\n", to: folder("list.csv"))
      let ending = try CommandUnderTest.run(
        ["train", "shapes", "--limit-train", "64", "--limit-test", "16", "--out=~/r", "--config", "c.toml"]
          + Self.quick,
        in: folder, environment: environment)
      #expect(ending.code == 0, "\(ending.errors)")
      #expect(FileBytes.kind(of: folder("r/run.json")) == .file && FileBytes.kind(of: folder("~")) == .missing)
    }

    @Test("eval measures what the run held out, whatever is left out, and nothing that it was trained on")
    func heldOut() throws {
      let folder = ScratchFolder()
      try CommandUnderTest.output(
        ["data", "shapes", "--limit-train", "80", "--limit-test", "10", "--out", "d", "-q"], in: folder)
      try CommandUnderTest.output(
        ["train", "d/train", "--val", "0.25", "--seed", "7", "--out", "run", "--model", "mlp:width=128"]
          + ["--device", "cpu", "--epochs", "3", "--batch-size", "20", "-q"], in: folder)
      let best = try RunFiles(folder("run")).column("test_acc", of: "metrics.csv").compactMap { Double($0) }.max()
      for rest in [[], ["--val", "0.25"], ["--seed", "7"], ["--val", "0.25", "--seed", "7"]] {
        let text = try CommandUnderTest.output(
          ["eval", "run", "d/train", "--device", "cpu", "--json"] + rest, in: folder)
        let document = try JSONText.parse(Array(text.utf8), named: "eval")
        #expect(document["samples"] == 20 && document["accuracy"]?.double == best, "\(rest)")
      }
      for rest in [["--val", "0.5"], ["--seed", "8"], ["--val", "0.25", "--seed", "1"]] {
        let ending = try CommandUnderTest.run(["eval", "run", "d/train", "--device", "cpu"] + rest, in: folder)
        #expect(
          ending.code == 78 && ending.errors.contains("--val 0.25 --seed 7") || ending.errors.contains("the seed was 7")
        )
      }
      let text = try CommandUnderTest.output(["eval", "run", "d/train", "--device", "cpu"], in: folder)
      #expect(text.contains("held out in training by --val 0.25 --seed 7"))
    }

    @Test("a determinant that vanishes is said")
    func determinant() throws {
      let folder = ScratchFolder()
      // Ten classes, and networks that cannot tell them apart yet.
      let ending = try CommandUnderTest.run(
        [
          "train", "shapes", "--limit-train", "128", "--limit-test", "16", "--loss", "dmi", "--model", "mlp:width=128",
          "--device", "cpu", "--epochs", "6", "--batch-size", "32", "--lr", "0.5", "--out", "run", "-q",
        ], in: folder)
      guard ending.code == 0 else {
        #expect(ending.code == 70)
        return
      }
      let run = RunFiles(folder("run"))
      let shares = try run.column("determinant_vanished", of: "metrics.csv").map { Double($0) ?? -1 }
      #expect(shares.allSatisfy { (0...1).contains($0) })
      #expect(try run.text("log.txt").contains("the determinant vanished") == shares.contains { $0 > 0 })
    }

    @Test("runs with other classes are not put side by side")
    func comparisons() throws {
      let folder = ScratchFolder()
      try photos("pets", ["cat", "dog"], in: folder)
      try photos("plants", ["oak", "rose"], in: folder)
      #expect(try train("pets", "one", in: folder).code == 0 && train("plants", "two", in: folder).code == 0)
      let ending = try CommandUnderTest.run(["report", "one", "two", "--device", "cpu"], in: folder)
      #expect(ending.code == 78 && ending.errors.contains("classes of 'one' and 'two' differ"), "\(ending.errors)")
      // The record says the names, also without a checkpoint.
      for name in ["last", "best"] { unlink(folder("two/checkpoints/\(name).safetensors")) }
      for rest in [[], ["--no-samples"]] {
        let ending = try CommandUnderTest.run(["report", "one", "two", "--device", "cpu"] + rest, in: folder)
        #expect(ending.code == 78 && ending.errors.contains("(oak, rose)"), "\(ending.errors)")
      }
    }
  }
}
