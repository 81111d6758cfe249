import FileFormats
import TestSupport
import Testing

extension CommandTests {
  @Suite("Data commands")
  struct Data {
    @Test("data noise draws the labels that train draws, and they train the same network")
    func noise() throws {
      let folder = ScratchFolder()
      let text = try CommandUnderTest.output(
        [
          "data", "noise", "shapes", "--noise", "symmetric:0.4", "--seed", "5", "--out", "l.npy", "--matrix-out",
          "t.csv",
          "--json",
        ], in: folder)
      let document = try JSONText.parse(Array(text.utf8), named: "standard output")
      let labels = try NumPyArray(decoding: FileBytes.read(folder("l.npy")), name: "l.npy")
      let values = try #require(labels.integers)
      #expect(labels.element.descriptor == "<i8" && labels.shape == [10_000])
      let changed = values.enumerated().count { $0.element != $0.offset % 10 }
      #expect(document["changed"]?.integer == changed)
      #expect(document["rate"]?.double == Double(changed) / 10_000)
      // Five standard deviations of a binomial share.
      #expect(abs(Double(changed) / 10_000 - 0.4) < 0.025)
      let table = try CSV(decoding: FileBytes.read(folder("t.csv")), name: "t.csv")
      #expect(table.header.count == 11 && table.rows.count == 10)
      for (label, row) in table.rows.enumerated() {
        let own = values.enumerated().filter { $0.offset % 10 == label }
        for k in 0..<10 {
          let share = Double(own.count { $0.element == k }) / Double(own.count)
          #expect(try abs(#require(Double(row[k + 1])) - share) < 1e-12)
        }
      }

      try CommandUnderTest.output(
        CommandUnderTest.training("--epochs 2 --seed 5 --noise symmetric:0.4 --out noise"), in: folder)
      let used = try NumPyArray(decoding: FileBytes.read(folder("noise/noisy_labels.npy")), name: "noisy_labels.npy")
      #expect(try #require(used.integers) == Array(values.prefix(128)))
      try CommandUnderTest.output(
        CommandUnderTest.training("--epochs 2 --seed 5 --labels l.npy --out labels"), in: folder)
      #expect(
        try SafetensorsFile.read(folder("noise/checkpoints/last.safetensors"))["fc.weight"]
          == SafetensorsFile.read(folder("labels/checkpoints/last.safetensors"))["fc.weight"])
      // A table of labels says the same.
      try CommandUnderTest.output(
        ["data", "noise", "--noise", "symmetric:0.4", "--seed", "5", "--out", "l.csv"], in: folder)
      #expect(
        try CSV(decoding: FileBytes.read(folder("l.csv")), name: "l.csv").rows
          == values.enumerated().map { ["\($0.offset)", "\($0.element)"] })
    }

    @Test("data noise --list and --help name every noise, with source and traps")
    func list() throws {
      let folder = ScratchFolder()
      let list = try CommandUnderTest.output(["data", "noise", "--list"], in: folder)
      let help = try CommandUnderTest.output(["data", "noise", "--help"], in: folder)
      for name in [
        "none", "symmetric:R", "asymmetric:R", "asymmetric-sequential:R", "hierarchical:R", "pairflip:R", "flip:R",
        "flip2:R", "random-matrix:R", "sparse:R", "peer:", "matrix:FILE", "part-dependent:R", "pmd:FILE", "seal:R",
        "labels:FILE", "random-labels",
      ] {
        #expect(list.lines.contains { $0.hasPrefix(name) }, "\(name)")
        #expect(help.contains(name), "\(name)")
      }
      #expect(list.contains("'80 %' of ten classes is 72 %") && list.lines.allSatisfy { $0.count <= 120 })
      #expect(list.lines.count { $0.hasPrefix("    source  ") } == 17)
      // What hurts most is told without another look: rates that differ, classes that stay, orders of files.
      #expect(help.lines.count { $0.contains("Pitfall: ") } == 16)
      func words(_ text: String) -> String { text.split(whereSeparator: \.isWhitespace).joined(separator: " ") }
      for pitfall in [
        "'80 %' of ten classes is 72 %", "only half of the classes", "18.4 % wrong", "TensorFlow Datasets",
      ] {
        #expect(words(help).contains(pitfall), "\(pitfall)")
      }
      for map in ["7->1 2->7 3->8 5<->6", "truck->automobile bird->airplane deer->horse cat<->dog"] {
        #expect(words(list).contains(map), "\(map)")
      }
      // What a run writes, matrix and table of labels, is read again.
      try CommandUnderTest.output(
        ["data", "noise", "--noise", "pairflip:0.3", "--out", "l.csv", "--matrix-out", "t.csv"], in: folder)
      for noise in ["labels:l.csv", "matrix:t.csv"] {
        try CommandUnderTest.output(["data", "noise", "--noise", noise, "--out", "again.csv"], in: folder)
        if noise.hasPrefix("labels") {
          #expect(try FileBytes.read(folder("again.csv")) == FileBytes.read(folder("l.csv")))
        }
      }
    }

    @Test("train draws what data noise draws, by probabilities of its own, and goes on with the same labels")
    func instanceNoise() throws {
      let folder = ScratchFolder()
      try CommandUnderTest.output(CommandUnderTest.training("--epochs 1 --out clean"), in: folder)
      try CommandUnderTest.output(
        ["predict", "clean", "shapes", "--split", "train", "--probs", "p.npy", "--device", "cpu", "-q"], in: folder)
      let noise = "pmd:p.npy,type=3,factor=1.2+symmetric:0.3"
      let text = try CommandUnderTest.output(
        ["data", "noise", "shapes", "--noise", noise, "--seed", "4", "--out", "l.npy"], in: folder)
      #expect(text.contains(noise))
      let training = "--seed 4 --pixels shuffled --epochs 2 --noise \(noise)"
      try CommandUnderTest.output(CommandUnderTest.training(training + " --out whole"), in: folder)
      let used = try NumPyArray(decoding: FileBytes.read(folder("whole/noisy_labels.npy")), name: "noisy_labels.npy")
      let drawn = try NumPyArray(decoding: FileBytes.read(folder("l.npy")), name: "l.npy")
      #expect(try #require(used.integers) == #require(drawn.integers).prefix(128).map { $0 })
      // From any folder.
      let setting = try RunFiles(folder("whole")).text("config.toml").lines.first { $0.hasPrefix("noise = ") }
      #expect(
        setting?.hasPrefix("noise = \"pmd:/") == true && setting?.hasSuffix("/\(noise.dropFirst(4))\"") == true,
        "\(setting ?? "")")
      let again = try CommandUnderTest.output(
        ["train", "--config", "whole/config.toml", "--out", "again", "-q"], in: folder)
      #expect(again.contains("again"))
      try RunFiles(folder("whole")).expectEqual(to: RunFiles(folder("again")))
    }

    @Test("shapes survive the way through a folder and an .npz with the same fingerprint")
    func conversion() throws {
      let folder = ScratchFolder()
      let small = ["--limit-train", "30", "--limit-test", "10"]
      func information(_ data: String, _ rest: [String] = []) throws -> JSONValue {
        try JSONText.parse(
          Array(CommandUnderTest.output(["data", "info", data, "--json"] + rest, in: folder).utf8), named: data)
      }
      try CommandUnderTest.output(["data", "shapes", "--out", "s.npz"] + small, in: folder)
      let original = try information("shapes", small)
      let packed = try information("s.npz")
      #expect(original["fingerprint"] == packed["fingerprint"] && original["classes"] == packed["classes"])
      #expect(original["train"] == ["samples": 30, "labelled": 30] && original["test"]?["samples"] == 10)

      // A folder orders samples by class; twice there and back is the same.
      try CommandUnderTest.output(["data", "convert", "s.npz", "--to", "folder", "--out", "photos"], in: folder)
      try CommandUnderTest.output(["data", "convert", "photos", "--to", "npz", "--out", "sorted.npz"], in: folder)
      let sorted = try information("photos")
      #expect(try information("sorted.npz")["fingerprint"] == sorted["fingerprint"])
      #expect(sorted["mean"] == original["mean"] && sorted["std"] == original["std"])
      #expect(sorted["classes"] == original["classes"])
      // Nothing is left beside what was asked for.
      #expect(try FileBytes.names(in: folder.path) == ["photos", "s.npz", "sorted.npz"])

      // --force replaces what a conversion wrote.
      let before = try FileBytes.read(folder("s.npz"))
      #expect(try CommandUnderTest.run(["data", "shapes", "--out", "s.npz"], in: folder).code == 73)
      #expect(try FileBytes.read(folder("s.npz")) == before)
      try CommandUnderTest.output(
        ["data", "shapes", "--out", "photos", "--force", "--limit-train", "10", "--limit-test", "10"], in: folder)
      #expect(try information("photos")["train"]?["samples"] == 10)
    }

    @Test("data info finds bad images and equal ones")
    func information() throws {
      let folder = ScratchFolder()
      try CommandUnderTest.output(
        ["data", "shapes", "--out", "d", "--limit-train", "20", "--limit-test", "10"], in: folder)
      try FileBytes.write(FileBytes.read(folder("d/train/arrow/00.png")), to: folder("d/train/bars/99.png"))
      try FileBytes.write(FileBytes.read(folder("d/train/star/08.png")), to: folder("d/test/star/99.png"))
      try FileBytes.write(
        Array(FileBytes.read(folder("d/train/ring/06.png")).prefix(200)), to: folder("d/train/ring/06.png"))
      let text = try CommandUnderTest.output(["data", "info", "d", "--duplicates", "--json"], in: folder)
      let document = try JSONText.parse(Array(text.utf8), named: "standard output")
      #expect(document["train"] == ["samples": 21, "labelled": 20])
      #expect(document["bad_images"]?.array?.map { $0["path"] } == ["train/ring/06.png"])
      let groups = document["duplicates"]?.array?.compactMap { $0.array } ?? []
      #expect(groups.map { $0.map { $0["split"] } } == [["train", "train"], ["train", "test"]])
      #expect(groups.map { $0.map { $0["class"] } } == [[0, 1], [8, 8]])
      let plain = try CommandUnderTest.output(["data", "info", "d", "--duplicates"], in: folder)
      #expect(plain.contains("train/arrow/00.png (arrow) = train/bars/99.png (bars)"))
      #expect(plain.contains("train/ring/06.png") && plain.contains("1 are in both training and test"))
    }
  }
}
