import FileFormats
import Glibc
import TestSupport
import Testing

extension CommandTests {
  /// What commands write, and what must be there afterwards as it was before.
  @Suite("Outputs")
  struct Outputs {
    private func run(_ command: String, in folder: ScratchFolder) throws -> SpawnedProgram.Ending {
      try CommandUnderTest.run(command.split(separator: " ").map(String.init), in: folder)
    }

    /// A folder of photos, a table of them, arrays, and a run on the folder; other names for some of their files.
    private func inputs() throws -> ScratchFolder {
      let folder = ScratchFolder()
      for command in [
        "data shapes --limit-train 40 --limit-test 20 --out photos -q",
        "data shapes --limit-train 40 --limit-test 20 --out d.npz -q",
        "data noise photos --noise symmetric:0.2 --out l.npy",
        "train photos --labels l.npy --model mlp:width=128 --epochs 1 --batch-size 20 --device cpu --out run -q",
      ] {
        let ending = try run(command, in: folder)
        #expect(ending.code == 0, "\(command): \(ending.errors)")
      }
      try AtomicFile.write(
        "path,label\ntrain/arrow/00.png,arrow\ntrain/bars/01.png,bars\n", to: folder("photos/few.csv"))
      try AtomicFile.write("name,age\nx,1\n", to: folder("people.csv"))
      try AtomicFile.write("old\n", to: folder("old.npy"))
      for (target, name) in [
        ("run/checkpoints/last.safetensors", "weights"), ("d.npz", "same.npz"), ("old.npy", "again.npy"),
        ("photos/few.csv", "photos/link.csv"),
      ] { #expect(symlink(folder(target), folder(name)) == 0) }
      #expect(link(folder("l.npy"), folder("hard.npy")) == 0)
      return folder
    }

    /// What would replace something: the command line, its code, and what is said.
    private static let refused: [(command: String, code: Int32, text: String)] = [
      ("predict run/checkpoints/last.safetensors photos --top 1 --out weights", 73, "'weights' is the checkpoint"),
      ("predict run photos --logits run/checkpoints/last.safetensors", 73, "run/checkpoints/last.safetensors' is "),
      ("predict run photos --classes run/run.json", 73, "is a file of the run "),
      ("predict run photos --classes run/config.toml", 73, "is a file of the run "),
      ("predict run photos --labels l.npy --probs l.npy", 73, "is the file of --labels"),
      ("predict run photos --labels l.npy --probs hard.npy", 73, "is the file of --labels"),
      ("predict run d.npz --logits same.npz", 73, "is the data"),
      ("predict run photos --classes photos/train/arrow/00.png", 73, "is a file of the data 'photos'"),
      ("predict run photos/few.csv --top 1 --out photos/train/bars/01.png", 73, "is one of the images"),
      ("predict run photos --logits x.npy --probs ./x.npy", 64, "--logits and --probs are the same file"),
      ("predict run photos --logits old.npy --probs again.npy", 64, "are the same file"),
      ("features photos/few.csv --features patches --to photos/few.npy", 73, "photos/few.csv' is the data"),
      ("features photos/few.csv --features patches --to photos/link.npy", 73, "photos/link.csv' is the data"),
      ("features photos --features patches --to people.npy", 73, "'people.csv' would replace another file"),
      ("data noise photos/few.csv --noise symmetric:0.2 --out photos/few.csv", 73, "is the data"),
      ("data noise photos --labels l.npy --noise symmetric:0.2 --out hard.npy", 73, "is the file of --labels"),
      ("data noise photos --noise labels:l.npy --out l.npy", 73, "is the file of --noise"),
      ("data noise photos --noise symmetric:0.2 --out t.csv --matrix-out ./t.csv", 64, "are the same file"),
      ("data convert d.npz --to npz --out same.npz --force", 73, "is the data"),
      ("data convert photos --labels l.npy --to npz --out l.npy --force", 73, "is the file of --labels"),
      ("report run --out run/run.json", 73, "is a file of the run 'run'"),
      ("report run --out weights", 73, "is a file of the run 'run'"),
      ("report run --out hard.npy", 73, "is the file of --labels"),
      ("report run --out photos/train/bars/01.png", 73, "is a file of the data "),
    ]

    @Test("never replace what the command reads, by whatever path, nor each other")
    func spared() throws {
      let folder = try inputs(), before = try FolderState(folder.path)
      for (command, code, text) in Self.refused {
        let ending = try run(command, in: folder)
        #expect(ending.code == code && ending.errors.contains(text), "\(command): \(ending.errors)")
        #expect(ending.errors.lines.count == 3, "\(command): \(ending.errors)")
      }
      let differences = try FolderState(folder.path).differences(from: before)
      #expect(differences.isEmpty, "\(differences)")
      // What the program itself wrote there is written again.
      for command in [
        "predict run photos --classes photos/c.csv --probs photos/p.npy --device cpu -q",
        "features photos/few.csv --features patches --to photos/f.npy --device cpu -q",
        "report run --no-samples -q",
        "report run --no-samples --out run/report/index.html -q",
      ] {
        for _ in 0..<2 {
          let ending = try run(command, in: folder)
          #expect(ending.code == 0, "\(command): \(ending.errors)")
        }
      }
    }

    @Test("replace a converted set by a whole one, and nothing else; what killed processes left is put back or deleted")
    func conversion() throws {
      let folder = ScratchFolder()
      func shapes(_ count: Int, _ rest: String) throws -> SpawnedProgram.Ending {
        try run("data shapes --limit-train \(count) --limit-test 10 -q \(rest)", in: folder)
      }
      #expect(try shapes(20, "--out sh").code == 0)
      // What no conversion wrote, hidden or a link, is found before anything is deleted.
      try FileBytes.write([1], to: folder("sh/train/arrow/.DS_Store"))
      try FileBytes.makeFolder(folder("elsewhere"))
      for name in ["train/arrow/.DS_Store", "test/zebra"] {
        if name == "test/zebra" { #expect(symlink(folder("elsewhere"), folder("sh/test/zebra")) == 0) }
        let before = try FolderState(folder.path)
        let ending = try shapes(12, "--out sh --force")
        #expect(ending.code == 73 && ending.errors.contains("'\(name)'"), "\(ending.errors)")
        #expect(try FolderState(folder.path).differences(from: before) == [])
        unlink(folder("sh/" + name))
      }
      // A link stays, and what it leads to is replaced.
      #expect(symlink("sh", folder("link")) == 0)
      let linked = try shapes(12, "--out link --force")
      #expect(linked.code == 0 && FileBytes.isLink(folder("link")), "\(linked.errors)")
      func images() throws -> Int {
        try FileBytes.names(in: folder("sh/train")).reduce(0) {
          try $0 + FileBytes.names(in: folder("sh/train/\($1)")).count
        }
      }
      #expect(try images() == 12)

      // Killed between making room and taking the place; no process has that number.
      let gone = "gpunoisy-2147483647"
      #expect(rename(folder("sh"), folder("sh.\(gone).old")) == 0)
      try FileBytes.makeFolder(folder("sh.\(gone).tmp/train/arrow"))
      try FileBytes.write([1], to: folder("sh.\(gone).tmp/train/arrow/.x"))
      #expect(symlink(folder("elsewhere"), folder("sh.\(gone).tmp/link")) == 0)
      // The first process is alive, and the others are no folders of this output.
      let kept = ["sh.gpunoisy-1.tmp", "sh.gpunoisy-x.tmp", "other.\(gone).tmp", "sh2.\(gone).tmp"]
      for name in kept { try FileBytes.makeFolder(folder(name)) }
      let refused = try shapes(14, "--out sh")
      #expect(refused.code == 73 && refused.errors.contains("'sh' is not empty"), "\(refused.errors)")
      #expect(try images() == 12)
      #expect(try FileBytes.names(in: folder.path) == (["sh", "link", "elsewhere"] + kept).sorted())
      #expect(try shapes(14, "--out sh --force").code == 0)
      #expect(try images() == 14)
      #expect(try FileBytes.names(in: folder.path) == (["sh", "link", "elsewhere"] + kept).sorted())
    }
  }
}
