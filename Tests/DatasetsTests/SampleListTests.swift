import Datasets
import Failures
import FileFormats
import TestSupport
import Testing

@Suite("Lists of samples, and arrays with a row for each")
struct SampleListTests {
  private let scratch = ScratchFolder()

  /// Four training images, two of validation and three of test, without files.
  private var data: Dataset {
    var data = labelled([0, 1, 2, 0], classNames: ["a", "b", "c"])
    data.heldOut = labelled([1, 2], classNames: ["a", "b", "c"]).train
    data.test = labelled([2, 0, 1], classNames: ["a", "b", "c"]).train
    return data
  }

  /// Four images in files.
  private func files(_ paths: [String] = ["a/1.png", "a/2.png", "b/1.png", "b/2.png"]) -> Dataset {
    Dataset(
      name: "pets", classNames: ["a", "b"],
      train: LabelledSet(images: data.train.images, labels: [0, 0, 1, 1], paths: paths), test: nil, source: "a test")
  }

  /// What a list of all rows of a table says.
  private func read(
    _ text: String, _ data: Dataset, _ origin: ListOrigin? = nil
  ) throws -> (ids: [Int], matching: SampleList.Matching) {
    let table = try CSV(decoding: Array(text.utf8), name: "list.csv")
    return try SampleList("list.csv", of: data, origin: origin).ids(of: Array(table.rows.indices), in: table)
  }

  @Test("a path that was made up for data without files counts as a number, whatever the data was called")
  func madeUpPaths() throws {
    for name in ["test", "another", "with space", "x\\y"] {
      let (ids, matching) = try read("sample_id,path\n3,\(name)/train/3\n,\(name)/train/1\n0.0,\n", data)
      #expect(ids == [3, 1, 0] && matching.byNumber == 3 && matching.byPath == 0 && matching.moved == 0)
    }
    let text = "path\nd/train/1\n", samples = data.sampleFingerprint()
    #expect(try read(text, data, ListOrigin(run: "r", trainCount: 4, samples: samples)).ids == [1])
    let changed = failure {
      try read(text, data, ListOrigin(run: "r", trainCount: 4, samples: "0123456789abcdef"))
    }
    #expect(changed?.kind == .badInput && changed?.what.contains("made for other data") == true)
    for wrong in [
      "sample_id,path\n2,d/train/1\n", "path\nd/train/4\n", "path\nd/test/1\n", "path\nd/train/x\n", "path\ntrain/1\n",
      "path\na/1.png\n", "path\nd/train/-1\n", "path\nd/train/99999999999999999999\n",
    ] { #expect(failureKind { try read(wrong, data) } == .badInput, "\(wrong)") }
    // Where there are files, only these have paths.
    #expect(failureKind { try read("path\npets/train/1\n", files()) } == .badInput)
  }

  @Test("numbers count what the run counted that wrote them: other parts, and fewer samples")
  func parts() throws {
    let test = try data.judging(.test), all = try data.judging(.all)
    #expect(try read("sample_id,path\n1,d/test/1\n", test).ids == [1])
    #expect(try read("sample_id,path\n7,d/test/1\n3,d/train/3\n5,d/val/1\n", all).ids == [7, 3, 5])
    // A number of all parts, beside the path, in a list for one part.
    #expect(try read("sample_id,path\n7,d/test/1\n", test).ids == [1])
    let whole = ListOrigin(run: "r", trainCount: 9, samples: data.sampleFingerprint(of: .all), split: .all)
    #expect(try read("sample_id\n7\n8\n", test, whole).ids == [1, 2])
    #expect(try read("sample_id\n3\n", data, whole).ids == [3])
    #expect(failureKind { try read("sample_id\n4\n", data, whole) } == .badInput)
    let limited = ListOrigin(
      run: "r", trainCount: 6, samples: data.sampleFingerprint(of: .all, limitTrain: 2, limitTest: 2),
      split: .all, limitTrain: 2, limitTest: 2)
    #expect(try read("sample_id\n5\n", test, limited).ids == [1])
    #expect(failureKind { try read("sample_id\n2\n", data, limited) } == .badInput)
    let other = ListOrigin(run: "r", trainCount: 3, samples: "0123456789abcdef", split: .test)
    #expect(failureKind { try read("sample_id\n1\n", test, other) } == .badInput)
    // The hash of what is judged is that of the samples as they were opened.
    #expect(data.sampleFingerprint(of: .test) == test.sampleFingerprint())
    #expect(data.changingPixels(.random, seed: 3).sampleFingerprint(of: .train) == data.sampleFingerprint())
    #expect(data.limited(train: 2).sampleFingerprint(of: .train) == data.sampleFingerprint())
    #expect(try data.limited(train: 2).judging(.test).sampleFingerprint(of: .train) == data.sampleFingerprint())
    #expect(data.releasingOpened().sampleFingerprint(of: .train) == nil)
    #expect(files().releasingOpened().sampleFingerprint(of: .train) == files().sampleFingerprint())
  }

  @Test("rows of an array are not taken for those of another part with as many")
  func rowsOfArrays() throws {
    let list = { (data: Dataset, origin: ListOrigin) in SampleList("p.npy", of: data, origin: origin) }
    let train = ListOrigin(run: "r", trainCount: 4, samples: data.sampleFingerprint())
    try list(data, train).requireSameSamples(rows: 4)
    let test = try data.judging(.test)
    try list(test, train).requireSameSamples(rows: 3)
    #expect(failureKind { try list(test, train).requireSameSamples(rows: 4) } == .badInput)
    let own = ListOrigin(run: "r", trainCount: 3, samples: data.sampleFingerprint(of: .test), split: .test)
    try list(test, own).requireSameSamples(rows: 3)
    #expect(failureKind { try list(data, own).requireSameSamples(rows: 3) } == .badInput)
    // Where images were released, the run's own hash is compared.
    for (samples, kind) in [(train.samples, nil), ("0123456789abcdef", .badInput)] as [(String?, Failure.Kind?)] {
      let released = SampleList("v.csv", of: data.releasingOpened(), origin: train, samples: samples)
      #expect(failureKind { try released.requireSameSamples() } == kind)
    }
  }

  @Test("arrays that are brought to another size are the same samples")
  func sizes() throws {
    let images = NumPyArray(someBytes(4 * 64), shape: [4, 8, 8])
    try FileBytes.write(
      ZipArchive.stored([
        ("images.npy", images.encoded()), ("labels.npy", NumPyArray([0, 1, 0, 1] as [Int64]).encoded()),
      ]), to: scratch("d.npz"))
    let own = try Dataset.open(scratch("d.npz"))
    var options = DatasetOptions()
    options.imageSize = PixelSize(width: 16, height: 12)
    let large = try Dataset.open(scratch("d.npz"), options: options)
    #expect(large.train.images.width == 16 && large.sampleFingerprint() != own.sampleFingerprint())
    #expect(large.sampleFingerprint(of: .train) == own.sampleFingerprint())
    // By what runs record now, and by what earlier versions recorded.
    for samples in [own.sampleFingerprint(), large.sampleFingerprint()] {
      let origin = ListOrigin(run: "r", trainCount: 4, samples: samples)
      #expect(try read("sample_id\n2\n", large, origin).ids == [2])
    }
  }

  @Test("a table beside an array says which row is which image, in full or moved, and names none twice")
  func tables() throws {
    func places(_ text: String, _ data: Dataset) throws -> [Int] {
      let table = try CSV(decoding: Array(text.utf8), name: "f.csv")
      return try SampleList("f.csv", of: data).places(in: table).places
    }
    let rows = ["b/2.png", "a/1.png", "b/1.png", "a/2.png", "b/9.png"]
    #expect(try places("path\n" + rows.joined(separator: "\n"), files()) == [1, 3, 2, 0])
    #expect(try places("path\n" + rows.map { "./\($0)" }.joined(separator: "\n"), files()) == [1, 3, 2, 0])
    // Each row once, and each image a row.
    let twice = failure { try places("path\n" + (rows + ["a/1.png"]).joined(separator: "\n"), files()) }
    #expect(twice?.kind == .badInput && twice?.what == "line 7 of 'f.csv' is about sample 0 again.")
    #expect(failureKind { try places("path\n" + rows.dropFirst().joined(separator: "\n"), files()) } == .badInput)
    #expect(failureKind { try places("name\na/1.png\n", files()) } == .badInput)
    // A file that is two samples has one row for both, or a number in each.
    let double = files(["a/1.png", "a/1.png", "b/1.png", "b/2.png"])
    #expect(try places("path\nb/1.png\na/1.png\nb/2.png\n", double) == [1, 1, 0, 2])
    #expect(try places("sample_id,path\n1,a/1.png\n0,a/1.png\n2,b/1.png\n3,b/2.png\n", double) == [1, 0, 2, 3])
    // Numbers alone; those beyond a limit are passed over.
    #expect(try places("sample_id\n3\n1\n0\n2\n", data) == [2, 1, 3, 0])
    #expect(try places("sample_id,path\n3,d/train/3\n1,d/train/1\n0,d/train/0\n", data.limited(train: 2)) == [2, 1])
    #expect(failureKind { try places("sample_id\n3\n1\n0\n2\n9\n", data) } == .badInput)
  }

  @Test("in a folder, images may be named in full")
  func fullPaths() throws {
    for name in ["a/1.png", "b/1.png"] { try write([name: png(seed: name == "a/1.png" ? 1 : 2)], below: scratch) }
    let data = try Dataset.open(scratch.path)
    #expect(data.train.count == 2)
    let table = try CSV(decoding: Array("path\n\(scratch("b/1.png"))\n\(scratch("a/1.png"))\n".utf8), name: "f.csv")
    #expect(try SampleList("f.csv", of: data).places(in: table).places == [1, 0])
  }

  @Test("positions are those of the classes that the run had which wrote the list")
  func classes() throws {
    func labels(_ origin: [String]?, _ own: [String]) throws -> [Int32] {
      let data = labelled([0, 1, 2, 0], classNames: own)
      let run = ListOrigin(run: "r", trainCount: 4, classNames: origin)
      return try data.replacingLabels(from: SampleList(scratch("labels.npy"), of: data, origin: run)).dataset.train
        .labels
    }
    try LabelFile.write([0, 1, 2, -1], to: scratch("labels.npy"))
    let pets = ["ape", "bee", "cat"]
    #expect(try labels(pets, pets) == [0, 1, 2, -1] && labels(nil, pets) == [0, 1, 2, -1])
    #expect(try labels(pets, ["bee", "cat", "ape"]) == [2, 0, 1, -1])
    #expect(try labels(pets, ["ant", "ape", "bee", "cat"]) == [1, 2, 3, -1])
    let renamed = failure { try labels(pets, ["bee", "cat", "zebra"]) }
    #expect(renamed?.kind == .badInput && renamed?.what.contains("there is no class 'ape'") == true)
    #expect(failureKind { try labels(["ape", "bee"], pets) } == .badInput, "2 is no position there")
    // Classes that are called by their positions say nothing.
    #expect(try labels(["0", "1", "2"], pets) == [0, 1, 2, -1] && labels(pets, ["0", "1", "2"]) == [0, 1, 2, -1])
    #expect(failureKind { try labels(["0", "1", "2"], ["1", "2", "10"]) } == .badInput)
    // A name beside a number must be that of the class which the number meant.
    let reader = ClassReader(["bee", "cat", "ape"], counting: pets)
    #expect(try reader.label("0", named: "ape", "x") == 2 && reader.label("1.0", "x") == 0)
    #expect(failureKind { try reader.label("0", named: "bee", "x") } == .badInput)
  }

  @Test("verdicts are matched and read as lists are, whole floats among them")
  func verdicts() throws {
    let subjects = Dictionary(
      uniqueKeysWithValues: (0..<4).map { id in
        (id, Verdicts.Subject(id: id, path: "test/train/\(id)", given: Int(data.train.labels[id])))
      })
    func verdicts(_ text: String, _ origin: ListOrigin? = nil) throws -> Verdicts {
      try AtomicFile.write(text, to: scratch("v.csv"))
      return try Verdicts(from: SampleList(scratch("v.csv"), of: data, origin: origin), about: subjects, for: .data)
    }
    let floats = try verdicts("sample_id,path,given_label,verdict,new_label\n1.0,d/train/1,1.0,wrong,2.0\n")
    #expect(floats.byID[1]?.decision == .relabel(2) && floats.matching.byNumber == 1 && floats.translation == nil)
    #expect(failureKind { try verdicts("sample_id,given_label,verdict\n1,2.0,keep\n") } == .badInput)
    let samples = data.sampleFingerprint(), text = "sample_id,given_label,verdict,new_label\n1,2,other,0\n2,0,keep,\n"
    let moved = try verdicts(
      text, ListOrigin(run: "r", trainCount: 4, samples: samples, classNames: ["c", "a", "b"]))
    #expect(moved.byID.mapValues(\.decision) == [1: .relabel(2), 2: .keep])
    // What a run keeps of them says the same without that run beside it.
    #expect(try verdicts(#require(moved.translation)).byID.mapValues(\.decision) == [1: .relabel(2), 2: .keep])
    let other = ListOrigin(run: "r", trainCount: 4, samples: "0123456789abcdef")
    #expect(failureKind { try verdicts("sample_id,verdict\n1,keep\n", other) } == .badInput)
  }
}
