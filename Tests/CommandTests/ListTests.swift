import FileFormats
import Images
import TestSupport
import Testing

extension CommandTests {
  /// What a number in a file stands for: an image, or a class.
  @Suite("A number in a list means what it meant to the run that wrote it")
  struct Lists {
    private static let quick = [
      "--model", "mlp:width=128", "--device", "cpu", "--threads", "1", "--epochs", "1", "--max-steps", "1",
      "--batch-size", "16", "--val", "none", "-q",
    ]

    private func train(_ data: String, _ out: String, _ rest: String..., in folder: ScratchFolder) throws
      -> SpawnedProgram.Ending
    {
      try CommandUnderTest.run(["train", data, "--out", out] + Self.quick + rest, in: folder)
    }

    private static func pixels(_ count: Int, seed: Int) -> [UInt8] {
      (0..<count).map { UInt8(truncatingIfNeeded: (UInt64($0 + seed) &* 6_364_136_223_846_793_005) >> 33) }
    }

    /// 40 images of four classes in turn, without files.
    ///
    /// - Parameter order: the positions of these classes; the names go with them.
    private func arrays(
      _ name: String, seed: Int = 1, order: [Int] = [0, 1, 2, 3], names: [String]? = nil, in folder: ScratchFolder
    ) throws {
      var arrays = [
        ("images.npy", NumPyArray(Self.pixels(40 * 64, seed: seed), shape: [40, 8, 8]).encoded()),
        ("labels.npy", NumPyArray((0..<40).map { Int64(order[$0 % 4]) }).encoded()),
      ]
      if let names { arrays.append(("class_names.npy", NumPyArray(names).encoded())) }
      try AtomicFile.write(ZipArchive.stored(arrays), to: folder(name))
    }

    /// 24 images of three classes in turn, in a table; the last one may be of another.
    private func manifest(_ classes: [String], last: String? = nil, in folder: ScratchFolder) throws {
      try FileBytes.makeFolder(folder("m/img"))
      for id in 0..<24 {
        let image = Image(height: 8, width: 8, channels: 3, pixels: Self.pixels(192, seed: 1000 * id))
        try FileBytes.write(PNG.encode(image), to: folder("m/img/\(id).png"))
      }
      let rows = (0..<24).map { "img/\($0).png,\($0 == 23 ? last ?? classes[2] : classes[$0 % 3])\n" }
      try AtomicFile.write("path,label\n" + rows.joined(), to: folder("m/train.csv"))
    }

    @Test("lists of data without files belong to images, and not to a name or a number")
    func withoutFiles() throws {
      let folder = ScratchFolder()
      try arrays("d.npz", in: folder)
      #expect(try train("d.npz", "r", "--noise", "symmetric:0.3", in: folder).code == 0)
      let list = "sample_id,path\n3,d/train/3\n5,d/train/5\n"
      for name in ["r/ex.csv", "ex.csv"] { try AtomicFile.write(list, to: folder(name)) }
      let same = try train("d.npz", "same", "--exclude", "r/ex.csv", in: folder)
      #expect(same.code == 0, "\(same.errors)")
      #expect(try RunFiles(folder("same")).text("log.txt").contains("2 samples by number alone"))
      // Under another name it is the same data.
      try FileBytes.write(FileBytes.read(folder("d.npz")), to: folder("e.npz"))
      for (option, file) in [
        ("exclude", "r/ex.csv"), ("labels", "r/samples.csv"), ("clean-labels", "r/samples.csv"),
        ("noise", "labels:r/samples.csv"),
      ] {
        let renamed = try train("e.npz", "renamed-\(option)", "--\(option)", file, in: folder)
        #expect(renamed.code == 0, "\(option): \(renamed.errors)")
      }
      let given = try RunFiles(folder("r")).column("given_label", of: "samples.csv")
      for option in ["labels", "noise"] {
        let run = RunFiles(folder("renamed-\(option)"))
        #expect(try run.column("given_label", of: "samples.csv") == given, "\(option)")
      }
      for command in [
        "data info e.npz --labels r/samples.csv",
        "eval r/checkpoints/last.safetensors e.npz --split train --device cpu --labels r/samples.csv",
      ] {
        let ending = try CommandUnderTest.run(command.split(separator: " ").map(String.init), in: folder)
        #expect((ending.output + ending.errors).contains("40 samples by number alone"), "\(command): \(ending.errors)")
      }
      // Other images under the same name.
      try arrays("d.npz", seed: 99, in: folder)
      for (option, file) in [
        ("exclude", "r/ex.csv"), ("labels", "r/samples.csv"), ("labels", "r/noisy_labels.npy"),
        ("noise", "labels:r/noisy_labels.npy"),
      ] {
        let other = try train("d.npz", "other", "--\(option)", file, in: folder)
        #expect(other.code == 65 && other.errors.contains("made for other data"), "\(option) \(file): \(other.errors)")
      }
      // From elsewhere it is used, and said.
      #expect(try train("d.npz", "copy", "--exclude", "ex.csv", in: folder).code == 0)
      #expect(try RunFiles(folder("copy")).text("log.txt").contains("2 samples by number alone"))
    }

    @Test("positions are classes of the run beside the list; others that have its places are refused")
    func classes() throws {
      let folder = ScratchFolder()
      try manifest(["ape", "bee", "cat"], in: folder)
      #expect(try train("m/train.csv", "r", "--noise", "symmetric:0.3", "--seed", "3", in: folder).code == 0)
      let samples = try RunFiles(folder("r")).table("samples.csv")
      #expect(samples.header.suffix(2) == ["given_name", "clean_name"])
      let names = try RunFiles(folder("r")).column("given_name", of: "samples.csv")
      let matrix = ["--loss", "forward", "--transition", "r/noise_transition.csv"]
      let corrected = try CommandUnderTest.run(
        ["train", "m/train.csv", "--out", "forward"] + Self.quick + matrix, in: folder)
      #expect(corrected.code == 0, "\(corrected.errors)")
      // Another class, behind the others.
      try manifest(["yak", "bee", "cat"], in: folder)
      for (option, file) in [
        ("labels", "r/noisy_labels.npy"), ("labels", "r/samples.csv"), ("clean-labels", "r/samples.csv"),
        ("noise", "labels:r/noisy_labels.npy"), ("noise", "matrix:r/noise_transition.csv"),
      ] {
        let renamed = try train("m/train.csv", "renamed", "--\(option)", file, in: folder)
        #expect(
          renamed.code == 65 && renamed.errors.contains("no class 'ape'"), "\(option) \(file): \(renamed.errors)")
      }
      let refused = try CommandUnderTest.run(
        ["train", "m/train.csv", "--out", "refused"] + Self.quick + matrix, in: folder)
      #expect(refused.code == 65 && refused.errors.contains("no class 'ape'"), "\(refused.errors)")
      // A class more, which shifts the others' positions.
      try manifest(["ape", "bee", "cat"], last: "ant", in: folder)
      let more = try train("m/train.csv", "more", "--labels", "r/noisy_labels.npy", in: folder)
      #expect(more.code == 0, "\(more.errors)")
      #expect(try RunFiles(folder("more")).column("given_name", of: "samples.csv") == names)
    }

    @Test("the table beside an array says which row is which image, and is an input of the run")
    func tables() throws {
      let folder = ScratchFolder()
      try Stripes.write(to: folder)
      let values = NumPyArray(Self.pixels(240 * 6, seed: 5).map { Float($0) }, shape: [240, 6]).encoded()
      try AtomicFile.write(values, to: folder("f.npy"))
      let detect = Stripes.detect + ["--no-report", "--features"]
      try CommandUnderTest.output(detect + ["f.npy", "--out", "plain"], in: folder)
      #expect(try RunFiles(folder("plain")).text("log.txt").contains("240 samples by number alone"))
      #expect(try RunFiles(folder("plain")).record()["inputs"]?["features-2"] == nil)
      let rows = (0..<240).map { "x/train/\($0)\n" }
      try AtomicFile.write("path\n" + rows.joined(), to: folder("f.csv"))
      try CommandUnderTest.output(detect + ["f.npy", "--out", "named"], in: folder)
      #expect(try RunFiles(folder("named")).record()["inputs"]?["features-2"]?.string?.count == 64)
      #expect(
        try RunFiles(folder("named")).text("label_issues.csv") == RunFiles(folder("plain")).text("label_issues.csv"))
      try AtomicFile.write("path\n" + (rows.dropLast() + [rows[0]]).joined(), to: folder("f.csv"))
      let twice = try CommandUnderTest.run(detect + ["f.npy", "--out", "twice"], in: folder)
      #expect(twice.code == 65 && twice.errors.contains("about sample 0 again"), "\(twice.errors)")
      // What a run left can be looked at without them.
      try CommandUnderTest.output(["report", "named", "-q"], in: folder)
    }

    @Test("an array in the folder of a run has the rows and the columns of that run's data")
    func arraysBesideRuns() throws {
      let folder = ScratchFolder(), names = ["ape", "bee", "cat", "dog"]
      try arrays("d.npz", names: names, in: folder)
      #expect(try train("d.npz", "r", in: folder).code == 0)
      let rows = (0..<40).flatMap { id in (0..<4).map { $0 == id % 4 ? Float(0.85) : 0.05 } }
      try AtomicFile.write(NumPyArray(rows, shape: [40, 4]).encoded(), to: folder("r/p.npy"))
      let detect = ["detect", "d.npz", "--device", "cpu", "--no-report", "-q", "--pred-probs", "r/p.npy", "--out"]
      // The same images and classes, the latter in another order.
      let order = [2, 0, 3, 1]
      try arrays("d.npz", order: order, names: (0..<4).map { names[order.firstIndex(of: $0)!] }, in: folder)
      try CommandUnderTest.output(detect + ["moved"], in: folder)
      let kept = try NumPyArray(decoding: FileBytes.read(folder("moved/pred_probs.npy")), name: "pred_probs.npy")
      let values = try #require(kept.doubles)
      for id in 0..<40 { #expect(values[id * 4 + order[id % 4]] > 0.8, "\(id)") }
      try arrays("d.npz", names: ["ape", "bee", "cat", "eel"], in: folder)
      let renamed = try CommandUnderTest.run(detect + ["renamed"], in: folder)
      #expect(renamed.code == 65 && renamed.errors.contains("no class 'dog'"), "\(renamed.errors)")
      try arrays("d.npz", seed: 99, names: names, in: folder)
      let other = try CommandUnderTest.run(detect + ["other"], in: folder)
      #expect(other.code == 65 && other.errors.contains("made for other data"), "\(other.errors)")
    }

    @Test("files of a noise are found from any folder, and from the home folder")
    func files() throws {
      let folder = ScratchFolder(), elsewhere = ScratchFolder()
      try arrays("d.npz", in: folder)
      let matrix = (0..<16).map { $0 % 5 == 0 ? 0.7 : 0.1 }
      try AtomicFile.write(NumPyArray(matrix, shape: [4, 4]).encoded(), to: folder("m.npy"))
      let stopped = try train(
        "d.npz", "run", "--noise", "matrix:m.npy", "--epochs", "3", "--max-steps", "9", "--max-time", "0.001s",
        in: folder)
      #expect(stopped.code == 75, "\(stopped.errors)")
      let resumed = try CommandUnderTest.run(
        ["train", "--resume", folder("run"), "-q", "--max-time", "none"], in: elsewhere)
      #expect(resumed.code == 0, "\(resumed.errors)")
      let home = try CommandUnderTest.run(
        ["train", folder("d.npz"), "--noise", "matrix:~/m.npy", "--out", "home"] + Self.quick, in: elsewhere,
        environment: ["HOME": folder.path])
      #expect(home.code == 0, "\(home.errors)")
      let named = try CommandUnderTest.run(
        ["data", "info", "cifar10"], in: elsewhere, environment: ["HOME": folder.path, "GPUNOISY_DATA": "~/sets"])
      #expect(named.code == 66 && named.errors.contains("'\(folder.path)/sets/cifar10'"), "\(named.errors)")
    }
  }
}
