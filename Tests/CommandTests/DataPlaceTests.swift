import FileFormats
import TestSupport
import Testing

extension CommandTests {
  /// Where data and runs lie, and what is said of data that is not all used.
  @Suite("Places of data")
  struct DataPlaces {
    /// An image folder of the classes arrow, bars, …, and the options of a short run.
    private func photos(_ name: String, seed: Int = 1, in folder: ScratchFolder) throws {
      try CommandUnderTest.output(
        ["data", "shapes", "--seed", "\(seed)", "--out", name, "--limit-train", "40", "--limit-test", "20"], in: folder)
    }

    private func run(
      _ command: String, in folder: ScratchFolder, at place: String = "."
    ) throws -> SpawnedProgram.Ending {
      let arguments = command.split(separator: " ").map(String.init)
      return try SpawnedProgram(
        "/bin/sh", ["-c", "cd \"$0\" && exec \"$@\"", place, CommandUnderTest.path] + arguments, in: folder.path
      ).end()
    }

    private static let short = "--model mlp --batch-size 16 --lr 0.001 --device cpu -q"

    @Test(
      "DATA is absolute in config.toml and run.json, so that a run resumes from any folder, or elsewhere with --data")
    func moved() throws {
      let folder = ScratchFolder()
      try photos("photos", in: folder)
      try FileBytes.makeFolder(folder("elsewhere"))
      let root = try #require(FileBytes.resolved(folder.path))
      let first = try run("train ./photos \(Self.short) --epochs 3 --max-steps 3 --out run", in: folder)
      #expect(first.code == 0, "\(first.errors)")
      let files = RunFiles(folder("run"))
      #expect(try files.text("config.toml").contains("\ndata = \"\(root)/photos\"\n"))
      #expect(try files.record()["data"]?["path"]?.string == root + "/photos")
      #expect(try files.column("path", of: "samples.csv").allSatisfy { $0.hasPrefix("train/") })
      #expect(try run("train --resume ../run -q", in: folder, at: "elsewhere").code == 0)
      #expect(
        try run("train photos \(Self.short) --epochs 3 --max-steps 3 --resume-or-start run", in: folder).code == 0)
      #expect(try run("report ../run --device cpu", in: folder, at: "elsewhere").errors.isEmpty)

      // The data moves while a run is stopped.
      let stopped = try run("train photos \(Self.short) --epochs 60000 --max-time 1s --out stopped", in: folder)
      #expect(stopped.code == 75, "\(stopped.errors)")
      _ = try SpawnedProgram("/bin/mv", ["photos", "elsewhere/moved"], in: folder.path).end()
      #expect(try run("train --resume stopped", in: folder).code == 66)
      try photos("other", seed: 2, in: folder)
      let other = try run("train --resume stopped --data other", in: folder)
      #expect(other.code == 65 && other.errors.contains("the data has changed"), "\(other.errors)")
      let resumed = try run("train --resume stopped --data elsewhere/moved -q", in: folder)
      #expect(resumed.code == 75, "\(resumed.errors)")
      #expect(try RunFiles(folder("stopped")).record()["data"]?["path"]?.string == root + "/elsewhere/moved")
      // From then on it is found there.
      let again = try run("train --resume stopped -q", in: folder)
      #expect(again.code == 75, "\(again.errors)")
      #expect(try run("train --data elsewhere/moved", in: folder).code == 64)
    }

    @Test("a run within the data, in its place or above it is refused; runs/ below it is passed over")
    func within() throws {
      let folder = ScratchFolder()
      try photos("photos", in: folder)
      let link = try SpawnedProgram("/bin/ln", ["-s", "photos", "link"], in: folder.path).end()
      #expect(link.code == 0)
      for out in ["photos", "photos/run", "photos/train/arrow/deep/run", "link/run", ".", "./photos/../photos/new"] {
        for option in ["--out", "--resume-or-start"] {
          let ending = try run("train photos \(Self.short) --epochs 1 --force \(option) \(out)", in: folder)
          #expect(ending.code == 73 && ending.errors.lines.count == 3, "\(option) \(out): \(ending.errors)")
        }
      }
      #expect(try run("data convert photos --to folder --out photos/small", in: folder).code == 73)
      #expect(try FileBytes.names(in: folder("photos")) == ["test", "train"])
      for _ in 0..<2 {
        let ending = try run("train . --model mlp --device cpu --epochs 1 --max-steps 1", in: folder, at: "photos")
        #expect(ending.code == 0, "\(ending.errors)")
      }
      let runs = try FileBytes.names(in: folder("photos/runs"))
      #expect(runs.count == 2)
      let files = RunFiles(folder("photos/runs/\(runs[1])"))
      #expect(try files.column("path", of: "skipped_files.csv") == ["runs/"])
      #expect(try files.text("log.txt").contains("ignored 1 folder: 1 with runs of gpunoisy"))
      // A name is no path, whatever lies here under that name.
      try FileBytes.makeFolder(folder("shapes"))
      #expect(
        try run(
          "train shapes --limit-train 64 --limit-test 10 \(Self.short) --max-steps 1 --out shapes/run", in: folder
        )
        .code == 0)
    }

    @Test("classes without training samples and skipped images are said in every command")
    func missingClasses() throws {
      let folder = ScratchFolder()
      try photos("photos", in: folder)
      #expect(try run("train photos \(Self.short) --epochs 1 --out run", in: folder).code == 0)
      let words = "9 of 10 classes have no training samples"
      // A table in which nine classes have test samples alone.
      let rows = try RunFiles(folder("run")).column("path", of: "samples.csv").map { path in
        let name = path.split(separator: "/")[1]
        return "\(path),\(name),\(name == "arrow" ? "train" : "test")\n"
      }
      try AtomicFile.write("path,label,split\n" + rows.joined(), to: folder("photos/few.csv"))
      for command in [
        "train photos --limit-train 4 --model mlp --device cpu --epochs 1 --out a",
        "detect photos --limit-train 4 --model mlp --device cpu --epochs 2 --detector cl --folds 2 --no-report --out b",
        "eval run photos --limit-train 4 --device cpu", "predict run photos --limit-train 3 --device cpu",
        "data noise photos/few.csv --noise symmetric:0.2", "data info photos --limit-train 4",
        "data convert photos --limit-train 4 --to npz --out c.npz",
      ] {
        let ending = try run(command, in: folder)
        #expect((ending.errors + ending.output).contains(words), "\(command): \(ending.errors)")
        #expect((ending.errors + ending.output).lines.count { $0.contains("too few to judge") } <= 1)
      }
      for name in try FileBytes.names(in: folder("photos/train/arrow")) {
        try FileBytes.write([1, 2], to: folder("photos/train/arrow/\(name)"))
      }
      let skipped = try run(
        "train photos --on-bad-image skip --model mlp --device cpu --epochs 1 --out skipped", in: folder)
      #expect(skipped.code == 0 && skipped.errors.contains("skipped 4 images that cannot be read"), "\(skipped.errors)")
      #expect(skipped.errors.contains("1 of 10 classes has no training samples: arrow"))
      let list = try RunFiles(folder("skipped")).table("skipped_files.csv")
      #expect(list.header == ["path", "reason"] && list.rows.count == 5)
      #expect(list.rows.prefix(4).allSatisfy { $0[0].hasPrefix("train/arrow/") && !$0[1].isEmpty })
      #expect(list.rows.last == ["few.csv", "not an image"])
      // What data noise writes for it is read again.
      #expect(try run("data noise photos --noise symmetric:0.2 --out noisy.npy", in: folder).code == 0)
      for option in ["--labels noisy.npy", "--noise labels:noisy.npy"] {
        let ending = try run(
          "train photos --on-bad-image skip \(option) --force \(Self.short) --epochs 1 --out skipped", in: folder)
        #expect(ending.code == 0, "\(option): \(ending.errors)")
      }
    }

    @Test("images without a label are predicted like all others")
    func unlabelled() throws {
      let folder = ScratchFolder()
      try photos("photos", in: folder)
      #expect(try run("train photos \(Self.short) --epochs 1 --out run", in: folder).code == 0)
      let paths = try RunFiles(folder("run")).column("path", of: "samples.csv")
      let rows = paths.enumerated().map { "\($1),\($0 % 2 == 0 ? "" : String($1.split(separator: "/")[1])),test\n" }
      let train = paths.map { "\($0),\($0.split(separator: "/")[1]),train\n" }
      try AtomicFile.write("path,label,split\n" + (train + rows).joined(), to: folder("photos/m.csv"))
      let ending = try run("predict run photos/m.csv --device cpu --classes c.csv", in: folder)
      #expect(ending.code == 0 && ending.errors.contains("20 of 80 samples have no label"), "\(ending.errors)")
      let table = try CSV(decoding: FileBytes.read(folder("c.csv")), name: "c.csv")
      let label = try #require(table.column("label")), name = try #require(table.column("name"))
      #expect(table.rows.count == 40 && table.rows.allSatisfy { !$0[name].isEmpty })
      #expect(table.rows.count { $0[label].isEmpty } == 20)
    }
  }
}
