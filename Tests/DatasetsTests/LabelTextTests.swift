import Datasets
import FileFormats
import TestSupport
import Testing

/// Labels as tables and arrays of other programs have them.
@Suite("Labels as they are")
struct LabelTextTests {
  private let data = labelled([0, 1, 2, 0], classNames: ["a", "b", "c"])

  private func manifest(_ labels: [String], header: String = "path,label") throws -> Dataset {
    let scratch = ScratchFolder()
    var text = header + "\n", files: [String: [UInt8]] = [:]
    for (index, label) in labels.enumerated() {
      files["\(index).png"] = try png(seed: UInt32(index + 1))
      text += "\(index).png,\(label)\n"
    }
    files["m.csv"] = Array(text.utf8)
    try write(files, below: scratch)
    return try Dataset.open(scratch("m.csv"))
  }

  @Test("whole floats are numbers in the order of numbers, and their true labels agree with them")
  func floats() throws {
    let data = try manifest((0..<12).map { "\($0).0" })
    #expect(data.classNames == (0..<12).map(String.init) && data.train.labels == Array(0..<12))
    let mixed = try manifest(["1.0,1", "0,0.0", "2.00e+00,2"], header: "path,label,clean_label")
    #expect(mixed.train.labels == [1, 0, 2] && mixed.train.trueLabels == [1, 0, 2])
  }

  @Test("NaN, None, -1 and nothing mean that there is no label, which is said")
  func missing() throws {
    let data = try manifest(["1.0", "NaN", "0.0", "nan", "None", "", " ", "-1", "-1.0", "<NA>", "10.0"])
    #expect(data.train.labels == [1, -1, 0, -1, -1, -1, -1, -1, -1, -1, 10] && data.classCount == 11)
    #expect(data.notes.first?.contains("8 of 11 samples have no label") == true && data.train.unreadable.isEmpty)
    let names = try manifest(["cat,cat", "NaN,dog", "dog,None"], header: "path,label,clean_label")
    #expect(names.classNames == ["cat", "dog"] && names.train.labels == [0, -1, 1])
    #expect(names.train.trueLabels == [0, 1, -1])
    // A class called none, and one with NaN in its name.
    #expect(try manifest(["none", "banan", "nano"]).classNames == ["banan", "nano", "none"])
    #expect(failureKind { try manifest(["NaN", "-1", ""]) } == .badInput)
  }

  @Test("blanks around names, paths, splits and columns do not count")
  func blanks() throws {
    let data = try manifest(
      [" cat, train", "\"cat \", train ", "dog\t,TEST", "\u{A0}dog,"], header: "path, label ,split")
    #expect(data.classNames == ["cat", "dog"] && data.train.labels == [0, 0, 1] && data.test?.labels == [1])
    #expect(try manifest(["cat", "dog"], header: "Path,Label").classNames == ["cat", "dog"])
  }

  @Test(
    "what is neither is refused in a few words, with the line",
    arguments: [
      (["0.5", "1.0"], "'0.5' is not a whole number: line 2"), (["cat", "1.0"], "floats and names"),
      (["-2", "0"], "'-2' is out of range: line 2"), (["0", "70000"], "'70000' is out of range: line 3"),
      (["0", "70000.0"], "out of range: line 3"),
    ])
  func refused(labels: [String], words: String) throws {
    let failure = failure { try manifest(labels) }
    #expect(failure?.kind == .badInput && failure?.what.contains(words) == true, "\(failure?.what ?? "")")
  }

  @Test("messages are short, whatever the file")
  func short() throws {
    let long = String(repeating: "x", count: 100_000)
    let wide = (["path"] + (0..<785).map { "pixel\($0)" }).joined(separator: ",")
    for failure in [
      failure { try manifest(["\(long),split"], header: "path,\(long),b") },
      failure { try manifest(["a,\(long)"], header: "path,label,split") }, failure { try manifest([], header: wide) },
      failure { try replaced("sample_id,label\n0,\(long)\n1,0\n2,0\n3,0\n") },
      failure { try replaced("sample_id,label\n0,\(long).5\n1,0\n2,0\n3,0\n") },
    ] { #expect((failure?.description.utf8.count ?? .max) < 1200) }
  }

  @Test("line ends of old Macs are line ends")
  func returns() throws {
    #expect(try replaced("sample_id,label\r0,1\r1,1\r2,0\r3,2\r") == [1, 1, 0, 2])
  }

  // MARK: - Files of labels

  private func replaced(_ text: String) throws -> [Int32] {
    let scratch = ScratchFolder()
    try AtomicFile.write(text, to: scratch("labels.csv"))
    return try data.replacingLabels(fromFile: scratch("labels.csv")).train.labels
  }

  private func replaced(_ array: NumPyArray, of data: Dataset? = nil) throws -> Dataset {
    let scratch = ScratchFolder()
    try FileBytes.write(array.encoded(), to: scratch("labels.npy"))
    return try (data ?? self.data).replacingLabels(fromFile: scratch("labels.npy"))
  }

  @Test("tables: floats, names with blanks, and no label")
  func tables() throws {
    #expect(try replaced("sample_id, label\n0,2.0\n1,NaN\n2, a \n3,-1\n") == [2, -1, 0, -1])
    #expect(try replaced("sample_id,label\n0.0,2\n1.0,1\n 2,0\n3.000e+00,1\n") == [2, 1, 0, 1])
    #expect(try replaced("sample_id,label,given_name\n0,2.0,c\n1,,\n2,None,b\n3,0.0,NaN\n") == [2, -1, 1, 0])
    for wrong in ["1.5", "3.0", "d", "-2"] {
      #expect(failureKind { try replaced("sample_id,label\n0,\(wrong)\n1,0\n2,0\n3,0\n") } == .badInput, "\(wrong)")
    }
  }

  @Test("a number, also as a float, that is the name of another class is refused")
  func ambiguous() throws {
    let digits = labelled([0, 1, 2, 0], classNames: ["1", "2", "10"])
    for array in [NumPyArray([0, 1, 2, 0] as [Double]), NumPyArray(["0", "1.0", "2", "0"])] {
      #expect(failure { try replaced(array, of: digits) }?.what.contains("may mean two classes") == true)
    }
    let floats = labelled([0, 1, 2, 0], classNames: ["0.0", "2.0", "nan"])
    #expect(try replaced(NumPyArray(["nan", "0.0", "0", "NaN"]), of: floats).train.labels == [2, 0, 0, -1])
    #expect(failureKind { try replaced(NumPyArray(["1.0", "2", "2", "2"]), of: floats) } == .badInput)
  }

  @Test("arrays: floats, names, one-hot, [N, 1] and [1, N]")
  func arrays() throws {
    let oneHot: [Float] = [0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 1, 0]
    for (array, labels) in [
      (NumPyArray([2, .nan, -1, 0] as [Double]), [2, -1, -1, 0]),
      (NumPyArray([2, 0, -1, 0] as [Int8]), [2, 0, -1, 0]),
      (NumPyArray(["c", " a", "None", "1.0"]), [2, 0, -1, 1]), (NumPyArray(oneHot, shape: [4, 3]), [2, 0, -1, 1]),
      (NumPyArray([0, 0, 1, 1, 0, 0, 0, 1, 0, 0, 1, 0] as [UInt8], shape: [4, 3]), [2, 0, 1, 1]),
      (NumPyArray([2, 1, 0, 0] as [Int64], shape: [1, 4]), [2, 1, 0, 0]),
      (NumPyArray([2, 1, 0, 0] as [Float], shape: [4, 1]), [2, 1, 0, 0]),
    ] as [(NumPyArray, [Int32])] { #expect(try replaced(array).train.labels == labels) }
    for (array, words) in [
      (NumPyArray([0.2, 0.8, 1, 0, 1, 0, 1, 0] as [Double], shape: [4, 2]), "argmax(axis=1)"),
      (NumPyArray([1, 1, 1, 0, 1, 0, 1, 0] as [Int64], shape: [4, 2]), "one label"),
      (NumPyArray([0, 1, 0.5, 0] as [Double]), "whole numbers"), (NumPyArray([0, 1, 2] as [Int64]), "4 samples"),
      (NumPyArray([0, 1, 2, 3] as [Int64]), "3 classes"), (NumPyArray([0, 1, 2, -2] as [Int64]), "3 classes"),
    ] {
      let failure = failure { try replaced(array) }
      let text = failure?.description ?? ""
      #expect(failure?.kind == .badInput && text.contains(words) && !text.contains("reshape"), "\(text)")
    }
  }

  @Test("images that could not be read stay without a label, samples without one get it")
  func unreadable() throws {
    let scratch = ScratchFolder()
    try write(
      [
        "0.png": png(), "1.png": [1], "2.png": png(seed: 2),
        "m.csv": Array("path,label\n0.png,a\n1.png,b\n2.png,\n".utf8),
      ],
      below: scratch)
    let data = try Dataset.open(scratch("m.csv"), options: DatasetOptions(onBadImage: .skip))
    #expect(data.train.labels == [0, -1, -1] && data.train.unreadable == [1])
    try LabelFile.write([0, 0, 0], to: scratch("l.npy"))
    let replaced = try data.replacingLabels(fromFile: scratch("l.npy"))
    #expect(replaced.train.labels == [0, -1, 0] && !replaced.notes.contains { $0.contains("no label") })
    // The label of an image that could not be read stays the name of a class.
    #expect(data.classNames == ["a", "b"] && data.notes.contains { $0.contains("no training samples: b") })
    // What noise writes for this set is read again.
    try LabelFile.write(data.train.labels, to: scratch("own.npy"))
    #expect(try data.replacingLabels(fromFile: scratch("own.npy")).train.labels == data.train.labels)
    #expect(data.train.first(2).unreadable == [1] && data.train.selecting([2, 1]).unreadable == [1])
  }

  @Test("how many labels differ is said, with a warning where they agree no better than by chance")
  func differences() throws {
    let own: [Int32] = (0..<60).map { $0 % 3 }, data = labelled(own, classNames: ["a", "b", "c"])
    let few = own.enumerated().map { $0 < 6 ? ($1 + 1) % 3 : $1 }, sorted = own.sorted()
    let some = try replaced(NumPyArray(few), of: data)
    #expect(some.notes.contains { $0.hasSuffix("6 of 60 labels differ from the data's own, 10.00%") })
    #expect(!some.notes.contains { $0.contains("by chance") })
    let other = try replaced(NumPyArray(sorted), of: data)
    #expect(other.notes.contains { $0.contains("hardly more often than by chance") })
  }
}
