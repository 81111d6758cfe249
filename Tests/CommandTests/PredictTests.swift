import FileFormats
import Glibc
import Images
import TestSupport
import Testing

extension CommandTests {
  @Suite("Prediction of images without labels")
  struct Prediction {
    private static let cpu = ["--device", "cpu"]

    /// A photograph of 60 × 45 pixels that differs by class and number; the third one of each is grey.
    private static func photograph(_ label: Int, _ number: Int) throws -> [UInt8] {
      let channels = number == 2 ? 1 : 3
      let pixels = (0..<45 * 60 * channels).map {
        UInt8(truncatingIfNeeded: $0 / (60 * channels) * (label * 4 + 1) + number * 19 + $0 % channels * 40 * label)
      }
      return try JPEG.encode(Image(height: 45, width: 60, channels: channels, pixels: pixels))
    }

    /// `photos/{cat,dog}/{0…3}.jpg`, the same below other folders in `new`, and a run on the former of 16×16 pixels.
    private static func trained(fit: String = "pad") throws -> ScratchFolder {
      let folder = ScratchFolder()
      for (label, (name, album)) in [("cat", "2019/summer"), ("dog", "2020")].enumerated() {
        try FileBytes.makeFolder(folder("photos/" + name))
        try FileBytes.makeFolder(folder("new/" + album))
        for number in 0..<4 {
          let bytes = try photograph(label, number)
          try FileBytes.write(bytes, to: folder("photos/\(name)/\(number).jpg"))
          try FileBytes.write(bytes, to: folder("new/\(album)/\(number).jpg"))
        }
      }
      try CommandUnderTest.output(
        ["train", "photos", "--out", "run", "--model", "mlp", "--image-size", "16", "--fit", fit, "--epochs", "2"]
          + ["--batch-size", "4", "--lr", "0.01", "-q"] + cpu, in: folder)
      return folder
    }

    private static func table(_ arguments: [String], in folder: ScratchFolder) throws -> CSV {
      let text = try CommandUnderTest.output(["predict", "run"] + arguments + cpu, in: folder)
      return try CSV(decoding: Array(text.utf8), name: "standard output")
    }

    /// What labelled data gets: the oracle of everything here.
    private static func probabilities(_ data: [String], in folder: ScratchFolder) throws -> NumPyArray {
      let ending = try CommandUnderTest.run(["predict", "run"] + data + ["--probs", "p.npy"] + cpu, in: folder)
      #expect(ending.code == 0 && ending.output.isEmpty, "\(ending.errors)")
      return try NumPyArray(decoding: FileBytes.read(folder("p.npy")), name: "p.npy")
    }

    private static let paths =
      (0..<4).map { "2019/summer/\($0).jpg" } + (0..<4).map { "2020/\($0).jpg" }

    @Test("a folder, nested or flat, one image, a table and an array get the probabilities of a labelled folder")
    func forms() throws {
      let folder = try Self.trained()
      let truth = try Self.probabilities(["photos", "--split", "train"], in: folder)
      let p = try #require(truth.doubles)
      #expect(truth.shape == [8, 2])

      // Nested, with what is passed over.
      for (name, text) in [(".DS_Store", "x"), ("notes.txt", "x"), ("2020/Thumbs.db", "x")] {
        try FileBytes.write(Array(text.utf8), to: folder("new/" + name))
      }
      let ending = try CommandUnderTest.run(["predict", "run", "new", "--top", "2"] + Self.cpu, in: folder)
      #expect(ending.code == 0, "\(ending.errors)")
      #expect(ending.errors.contains("ignored 3 files: 1 not an image"), "\(ending.errors)")
      #expect(ending.errors.contains("predicted 8 images in 'new' without labels: "), "\(ending.errors)")
      let nested = try CSV(decoding: Array(ending.output.utf8), name: "nested")
      #expect(nested.header == ["path", "class", "probability", "class_2", "probability_2"])
      #expect(nested.rows.map { $0[0] } == Self.paths)
      for (index, row) in nested.rows.enumerated() {
        let best = p[2 * index] >= p[2 * index + 1] ? 0 : 1
        #expect(row[1] == ["cat", "dog"][best] && row[3] == ["cat", "dog"][1 - best])
        #expect(Float(row[2]) == Float(p[2 * index + best]) && Float(row[4]) == Float(p[2 * index + 1 - best]))
      }
      #expect(try Self.probabilities(["new"], in: folder) == truth)
      #expect(try Self.table(["new"], in: folder).rows == nested.rows.map { Array($0.prefix(3)) })

      // Flat, with an image of no suffix.
      try FileBytes.makeFolder(folder("flat"))
      for (index, path) in Self.paths.enumerated() {
        try FileBytes.write(
          FileBytes.read(folder("new/" + path)), to: folder("flat/\(index)\(index == 3 ? "" : ".jpg")"))
      }
      #expect(try Self.probabilities(["flat/"], in: folder) == truth)

      // One image.
      let one = try Self.table(["new/2020/1.jpg"], in: folder)
      #expect(one.rows == [["1.jpg"] + nested.rows[5][1...2]])

      // A table in an order of its own, with paths from the root on and out of its folder.
      try FileBytes.makeFolder(folder("lists"))
      let listed = ["../new/2020/0.jpg", folder("new/2019/summer/2.jpg")]
      try AtomicFile.write("id,path\n7," + listed.joined(separator: "\n8,") + "\n", to: folder("lists/l.csv"))
      let fromTable = try Self.table(["lists/l.csv"], in: folder)
      #expect(fromTable.rows == zip(listed, [4, 2]).map { [$0] + nested.rows[$1][1...2] })
      try AtomicFile.write("{\"path\": \"\(listed[1])\"}\n", to: folder("lists/l.jsonl"))
      #expect(try Self.table(["lists/l.jsonl"], in: folder).rows == [fromTable.rows[1]])

      // An array of images alone, whatever it is called.
      try CommandUnderTest.output(
        ["data", "convert", "photos", "--image-size", "16", "--fit", "pad", "--to", "npz", "--out", "labelled.npz"],
        in: folder)
      let archive = try ZipArchive(decoding: FileBytes.read(folder("labelled.npz")), name: "labelled.npz")
      let member = try #require(archive["images.npy"])
      let bytes = try archive.contents(of: member, limit: member.size)
      for name in ["images", "arr_0"] {
        try FileBytes.write(ZipArchive.stored([(name + ".npy", bytes)]), to: folder("u.npz"))
        #expect(try Self.probabilities(["u.npz"], in: folder) == truth)
      }
      #expect(try Self.table(["u.npz"], in: folder).rows.map { $0[0] } == (0..<8).map { "u.npz/\($0)" })
    }

    @Test("a network for grey images takes colour as it does in a labelled folder, by each --fit of its training")
    func grey() throws {
      let folder = try Self.trained()
      for name in ["cat", "dog"] {
        try FileBytes.makeFolder(folder("grey/" + name))
        for number in [2, 7] {
          let bytes = try FileBytes.read(folder("photos/\(name)/2.jpg"))
          try FileBytes.write(bytes, to: folder("grey/\(name)/\(number).jpg"))
        }
      }
      for fit in ["crop", "stretch", "pad"] {
        try CommandUnderTest.output(
          ["train", "grey", "--out", "run", "--force", "--model", "mlp", "--image-size", "12x10", "--fit", fit]
            + ["--epochs", "1", "--batch-size", "4", "-q"] + Self.cpu, in: folder)
        let truth = try Self.probabilities(["photos", "--split", "train"], in: folder)
        #expect(try Self.probabilities(["new"], in: folder) == truth, "\(fit)")
      }
    }

    @Test("what DATA is decides, unless an option does: class folders of the checkpoint are labels")
    func rule() throws {
      let folder = try Self.trained()
      let labelled = "sample_id,path,label,predicted,name,probability"
      func header(_ rest: String) throws -> (Int32, String, String) {
        let ending = try CommandUnderTest.run(
          ["predict", "run"] + rest.split(separator: " ").map(String.init) + Self.cpu, in: folder)
        return (ending.code, ending.output.lines.first ?? "", ending.errors)
      }
      #expect(try header("photos --split train").1 == labelled)
      // As before: a folder of classes has no test set, and the fix says what takes all images.
      let noTest = try header("photos")
      #expect(noTest.0 == 65 && noTest.2.contains("no test set") && noTest.2.contains("--out"), "\(noTest)")
      // Asked for as images, they lie in the same order.
      let all = try Self.table(["photos", "--top", "1"], in: folder)
      #expect(all.header == ["path", "class", "probability"] && all.rows.count == 8)
      #expect(all.rows.map { Array($0[1...]) } == (try Self.table(["new"], in: folder)).rows.map { Array($0[1...]) })
      // One folder that is no class makes the whole unlabelled; asked for a part, it is data with labels.
      try FileBytes.makeFolder(folder("photos/emu"))
      try FileBytes.write(FileBytes.read(folder("photos/cat/0.jpg")), to: folder("photos/emu/0.jpg"))
      #expect(try Self.table(["photos"], in: folder).rows.count == 9)
      let strange = try header("photos --split train")
      #expect(strange.0 == 65 && strange.2.contains("'emu'"), "\(strange)")
      // Parts with classes; parts of which train is missing.
      for path in ["train/cat", "train/dog", "test/dog"] {
        try FileBytes.makeFolder(folder("parts/" + path))
        try FileBytes.write(FileBytes.read(folder("photos/dog/1.jpg")), to: folder("parts/\(path)/1.jpg"))
      }
      #expect(try header("parts").1 == labelled)
      #expect(try Self.table(["parts", "--below", "0.5"], in: folder).rows.count == 3)
      _ = try SpawnedProgram("/bin/rm", ["-r", folder("parts/train")], in: folder.path).end()
      #expect(try Self.table(["parts"], in: folder).rows.map { $0[0] } == ["test/dog/1.jpg"])
      // A table with labels.
      try AtomicFile.write("path,label,split\ncat/0.jpg,cat,train\ndog/1.jpg,dog,test\n", to: folder("photos/m.csv"))
      #expect(try header("photos/m.csv").1 == labelled)
      #expect(
        try Self.table(["photos/m.csv", "--top", "2"], in: folder).rows.map { $0[0] } == ["cat/0.jpg", "dog/1.jpg"])
    }

    @Test("--below marks the unsure, --out takes the table, and --json is one document with the same numbers")
    func table() throws {
      let folder = try Self.trained()
      let plain = try Self.table(["new"], in: folder)
      let values = plain.rows.compactMap { Double($0[2]) }.sorted()
      // The median is itself not below.
      let limit = "\(values[4])"
      let ending = try CommandUnderTest.run(
        ["predict", "run", "new", "--below", limit, "--out", "t.csv"] + Self.cpu, in: folder)
      #expect(ending.code == 0 && ending.output.isEmpty)
      let unsure = values.count { $0 < values[4] }
      #expect(ending.errors.contains("\(unsure) of 8 unsure: the probability is below \(limit)"), "\(ending.errors)")
      let table = try CSV(decoding: FileBytes.read(folder("t.csv")), name: "t.csv")
      #expect(table.header == ["path", "class", "probability", "unsure"])
      #expect(table.rows.map { Array($0.prefix(3)) } == plain.rows)
      #expect(table.rows.allSatisfy { $0[3] == "\(Double($0[2])! < values[4])" })

      let text = try CommandUnderTest.output(
        ["predict", "run", "new", "--below", limit, "--top", "2", "--json"] + Self.cpu, in: folder)
      let document = try JSONText.parse(Array(text.utf8), named: "standard output")
      #expect(document["schema"] == "gpunoisy.predict/1" && document["images"] == 8)
      #expect(document["unsure"]?.integer == unsure && document["data"] == "new")
      let rows = try #require(document["predictions"]?.array)
      #expect(rows.map { $0["path"]?.string } == Self.paths)
      #expect(rows.map { $0["class"]?.string } == plain.rows.map { $0[1] })
      #expect(rows.map { $0["probability"]?.double } == plain.rows.map { Double($0[2]) })
      #expect(rows.allSatisfy { $0["top"]?.array?.count == 2 && $0["unsure"] != nil })

      // Of samples with labels, too, and with files besides.
      let labelled = try CommandUnderTest.output(
        ["predict", "run", "photos", "--split", "train", "--json", "--classes", "c.csv"] + Self.cpu, in: folder)
      let samples = try JSONText.parse(Array(labelled.utf8), named: "standard output")
      let classes = try CSV(decoding: FileBytes.read(folder("c.csv")), name: "c.csv")
      #expect(samples["samples"] == 8 && samples["split"] == "train")
      #expect(samples["predictions"]?.array?.map { $0["name"]?.string } == classes.rows.map { $0[4] })
    }

    @Test("an image that cannot be read stops with the list, or keeps its row empty, or is repaired")
    func badImages() throws {
      let folder = try Self.trained()
      let whole = try Self.table(["new"], in: folder)
      let half = try FileBytes.read(folder("new/2019/summer/1.jpg"))
      try FileBytes.write(Array(half.prefix(half.count * 9 / 10)), to: folder("new/2019/summer/1.jpg"))
      try FileBytes.write([1, 2, 3], to: folder("new/2020/3.jpg"))
      let refused = try CommandUnderTest.run(["predict", "run", "new", "--out", "t.csv"] + Self.cpu, in: folder)
      #expect(refused.code == 65 && refused.errors.contains("2 of 8 images in 'new' cannot be read"))
      #expect(refused.errors.contains("summer/1.jpg") && refused.errors.contains("2020/3.jpg"), "\(refused.errors)")
      #expect(FileBytes.kind(of: folder("t.csv")) == .missing)
      let skip = ["predict", "run", "new", "--on-bad-image", "skip", "--below", "0.1"] + Self.cpu
      let skipped = try CommandUnderTest.run(
        skip + ["--sort-into", "sorted", "--out", "t.csv", "--probs", "p.npy"], in: folder)
      #expect(skipped.code == 0 && skipped.errors.contains("skipped 2 images that cannot be read"), "\(skipped.errors)")
      #expect(skipped.errors.contains("linked 6 images"), "\(skipped.errors)")
      let table = try CSV(decoding: FileBytes.read(folder("t.csv")), name: "t.csv")
      for (index, row) in table.rows.enumerated() {
        let isBad = index == 1 || index == 7
        #expect(row == (isBad ? [Self.paths[index], "", "", ""] : whole.rows[index] + ["false"]))
      }
      let p = try #require(NumPyArray(decoding: FileBytes.read(folder("p.npy")), name: "p.npy").doubles)
      #expect(p.indices.filter { p[$0].isNaN } == [2, 3, 14, 15])
      let repair = try CommandUnderTest.run(
        ["predict", "run", "new/2019", "--on-bad-image", "repair"] + Self.cpu, in: folder)
      #expect(repair.code == 0 && repair.output.lines.count == 5 && repair.errors.contains("damaged"))
      #expect(try CommandUnderTest.run(["predict", "run", "new/2020/3.jpg"] + Self.cpu, in: folder).code == 65)
    }

    @Test("--sort-into links the images by class with absolute targets, and changes nothing that is there")
    func sorting() throws {
      let folder = try Self.trained()
      func links(_ below: String) throws -> [String: String] {
        var found: [String: String] = [:]
        for name in try FileBytes.names(in: folder(below)) {
          for link in try FileBytes.names(in: folder("\(below)/\(name)")) {
            let path = folder("\(below)/\(name)/\(link)")
            #expect(FileBytes.isLink(path))
            found["\(name)/\(link)"] = try SpawnedProgram("/usr/bin/readlink", ["-n", path], in: folder.path).end()
              .output
          }
        }
        return found
      }
      let sort = ["predict", "run", "new", "--sort-into", "sorted", "--out", "t.csv"] + Self.cpu
      #expect(try CommandUnderTest.run(sort, in: folder).code == 0)
      let table = try CSV(decoding: FileBytes.read(folder("t.csv")), name: "t.csv")
      let root = try #require(FileBytes.resolved(folder.path))
      var first = try links("sorted")
      #expect(first.count == 8)
      for row in table.rows {
        let target = "\(root)/new/\(row[0])"
        let name = try #require(row[0].split(separator: "/").last).split(separator: ".")[0]
        #expect(
          [first["\(row[1])/\(name).jpg"], first["\(row[1])/\(name)-2.jpg"]].contains(target), "\(row): \(first)")
      }
      // Not again, but with --force; then what is the same stays, and what has another meaning gets another name.
      let again = try CommandUnderTest.run(sort, in: folder)
      #expect(again.code == 73 && again.errors.lines.count == 3 && again.errors.contains("--force"), "\(again.errors)")
      #expect(try CommandUnderTest.run(sort + ["--force"], in: folder).code == 0)
      #expect(try links("sorted") == first)
      try FileBytes.makeFolder(folder("other"))
      try FileBytes.write(FileBytes.read(folder("new/2020/0.jpg")), to: folder("other/0.jpg"))
      #expect(
        try CommandUnderTest.run(
          ["predict", "run", "other", "--sort-into", "sorted", "--force"] + Self.cpu, in: folder
        ).code == 0)
      let more = try links("sorted")
      #expect(more.count == 9 && more.filter { first[$0.key] != nil } == first)
      first = [:]

      // All are unsure: in one folder, which is named like no class.
      let below = ["predict", "run", "new", "--below", "1", "-q"] + Self.cpu
      let unsure = try CommandUnderTest.run(below + ["--sort-into", "all", "--json"], in: folder)
      #expect(unsure.code == 0 && unsure.errors.isEmpty, "\(unsure.errors)")
      let sure = try JSONText.parse(Array(unsure.output.utf8), named: "-")["unsure"]?.integer
      #expect(try links("all").count { $0.key.hasPrefix("unsure/") } == sure)
      _ = try SpawnedProgram("/bin/mv", ["photos/cat", "photos/unsure"], in: folder.path).end()
      try CommandUnderTest.output(
        ["train", "photos", "--out", "run", "--force", "--model", "mlp", "--image-size", "16", "--lr", "0.0001"]
          + ["--epochs", "1", "--batch-size", "4", "-q"] + Self.cpu, in: folder)
      try CommandUnderTest.output(below + ["--sort-into", "apart"], in: folder)
      #expect(try links("apart").keys.contains { $0.hasPrefix("_unsure/") })

      // Within the data, the links would be images of it.
      for (data, place) in [("new", "new/sorted"), ("new", "."), ("new", "new")] {
        let ending = try CommandUnderTest.run(
          ["predict", "run", data, "--sort-into", place, "--force"] + Self.cpu, in: folder)
        #expect(ending.code == 73, "\(place): \(ending.errors)")
      }
    }

    /// What cannot be done: the rest of a command line, its code and a word of the message.
    private static let mistakes: [(String, Int32, String)] = [
      ("predict run missing", 66, "missing"), ("predict missing new", 66, "missing"),
      ("predict run empty", 65, "no images"), ("predict run new/notes.txt", 65, "no images"),
      ("predict run other.csv", 65, "path"), ("predict run two.npz", 65, "2 arrays"),
      ("predict run data.pkl", 65, "pickle"), ("predict run wide.npz", 65, "5×4"),
      ("predict run new --top 3", 64, "--top"), ("predict run new --top 0", 64, "--top"),
      ("predict run new --below 1.5", 64, "--below"), ("predict run new --below nan", 64, "--below"),
      ("predict run new --force", 64, "--sort-into"), ("predict run shapes --out t.csv", 64, "shapes"),
      ("predict run new --top 2 --split test", 64, "--split"),
      ("predict run new --out x.csv --classes y.csv", 64, "--out"),
      ("predict run new --split test", 65, "leave out --split"),
      ("train new", 65, "no folder for each class"), ("predict run new --classes c.csv", 65, "leave out --classes"),
      ("predict run wide.npz --sort-into s", 64, "--sort-into"),
      ("predict run new --out nowhere/t.csv", 73, "nowhere"), ("predict run list.csv --out list.csv", 73, "list.csv"),
      ("predict run new --sort-into list.csv", 73, "list.csv"),
      ("predict run new --out new/a1.jpg", 73, "a file of the data"),
      ("predict new run", 64, "gpunoisy predict run new"), ("eval photos run", 64, "gpunoisy eval run photos"),
      ("eval shapes run/checkpoints/last.safetensors", 64, "before the checkpoint"),
      ("eval missing run", 66, "missing"),
      ("predict new/2020/1.jpg run", 64, "gpunoisy predict run new/2020/1.jpg"),
    ]

    @Test("mistakes are three lines with their code, and leave nothing behind; exchanged arguments are named")
    func wrong() throws {
      let folder = try Self.trained()
      try FileBytes.makeFolder(folder("empty"))
      // Nothing else may be among the images of the flat folder.
      try FileBytes.write(Array("x".utf8), to: folder("new/notes.txt"))
      try FileBytes.write(Array("name\nx\n".utf8), to: folder("other.csv"))
      try FileBytes.write(Array("path\nnew/2020/1.jpg\n".utf8), to: folder("list.csv"))
      try FileBytes.write([0x80, 2, 1], to: folder("data.pkl"))
      let array = NumPyArray(.unsigned(1), shape: [2, 4, 5], bytes: [UInt8](repeating: 9, count: 40)).encoded()
      try FileBytes.write(ZipArchive.stored([("x_train.npy", array), ("x_test.npy", array)]), to: folder("two.npz"))
      try FileBytes.write(ZipArchive.stored([("x.npy", array)]), to: folder("wide.npz"))
      for name in try FileBytes.names(in: folder("new/2019/summer")) {
        _ = rename(folder("new/2019/summer/" + name), folder("new/a" + name))
      }
      _ = try SpawnedProgram("/bin/mv", ["new/2020", "kept"], in: folder.path).end()
      let before = try FolderState(folder.path)
      for (command, code, word) in Self.mistakes {
        let arguments = command.replacing("new/2020/1.jpg", with: "kept/1.jpg").split(separator: " ").map(String.init)
        let ending = try CommandUnderTest.run(arguments + Self.cpu, in: folder)
        #expect(ending.code == code, "\(command): \(ending.errors)")
        #expect(
          ending.errors.contains(word.replacing("new/2020/1.jpg", with: "kept/1.jpg")), "\(command): \(ending.errors)")
        #expect(ending.errors.lines.contains { $0.hasPrefix("error: ") }, "\(command): \(ending.errors)")
        #expect(ending.errors.contains("  why: ") && ending.errors.contains("  fix: "))
      }
      let differences = try FolderState(folder.path).differences(from: before)
      #expect(differences.isEmpty, "\(differences)")
    }
  }
}
