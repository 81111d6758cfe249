import Datasets
import Failures
import FileFormats
import TestSupport
import Testing

@Suite("Trusted samples")
struct TrustedSamplesTests {
  private static let names = ["ant", "bee", "cow"]

  /// 60 samples of three classes, of which every fourth has another label; the true labels of the first three are not
  /// known, and the next two have no label.
  private func noisy() -> Dataset {
    let truth = (0..<60).map { Int32($0 % 3) }
    var data = labelled(truth.enumerated().map { $0 % 4 == 1 ? ($1 + 1) % 3 : $1 }, classNames: Self.names)
    data.train.trueLabels = truth.enumerated().map { $0 < 3 ? LabelledSet.noLabel : $1 }
    for id in 3..<5 { data.train.labels[id] = LabelledSet.noLabel }
    return data
  }

  @Test("are drawn evenly from all classes by the seed, and leave the training set without moving an id")
  func balance() throws {
    let data = noisy(), split = try data.trusting(30, seed: 4), trusted = try #require(split.trusted)
    #expect(trusted.ids.count == 30 && trusted.ids == trusted.ids.sorted() && Set(trusted.ids).count == 30)
    for label in Int32(0)..<3 { #expect(trusted.labels.count { $0 == label } == 10) }
    for (id, (label, given)) in zip(trusted.ids.map { Int($0) }, zip(trusted.labels, trusted.given)) {
      #expect(id >= 5 && label == Int32(id % 3) && given == data.train.labels[id])
      #expect(split.train.labels[id] == LabelledSet.noLabel)
    }
    #expect(split.train.count == 60 && split.train.labelledIDs.count == 58 - 30)
    #expect(split.train.trueLabels == data.train.trueLabels && split.givenLabels == data.train.labels)
    let wrong = zip(trusted.labels, trusted.given).count { $0 != $1 }
    #expect(
      wrong > 0
        && trusted.summary == "30 trusted samples leave the training set; \(wrong) of them had another label there")
    #expect(try data.trusting(30, seed: 4).trusted == trusted && data.trusting(30, seed: 5).trusted != trusted)
    // One more or less: the first classes get it.
    #expect(try data.trusting(31, seed: 4).trusted?.labels.count { $0 == 0 } == 11)
    #expect(
      try data.trusting(1, seed: 4).trusted?.summary.hasPrefix("1 trusted sample leaves the training set") == true)
  }

  @Test("are all that a small class has, and the others have more; a class without any is warned about")
  func smallClass() throws {
    var data = noisy()
    for id in 0..<60 where id % 3 == 2 && id > 14 { data.train.labels[id] = LabelledSet.noLabel }
    let trusted = try #require(try data.trusting(30, seed: 1).trusted)
    let few = (5...14).count { $0 % 3 == 2 }
    #expect(trusted.labels.count { $0 == 2 } == few && trusted.labels.count { $0 == 0 } == (30 - few + 1) / 2)
    #expect(try data.trusting(30, seed: 1).untrustedClassWarning == nil)
    #expect(data.untrustedClassWarning == nil)
    for id in 0..<60 where id % 3 == 2 { data.train.labels[id] = LabelledSet.noLabel }
    #expect(
      try data.trusting(4, seed: 1).untrustedClassWarning == "warning: 1 of 3 classes has no trusted samples: cow")
  }

  @Test("are never held out, and need true labels")
  func refusals() throws {
    let held = try noisy().holdingOut(.count(20), seed: 2), split = try held.trusting(20, seed: 2)
    #expect(Set(split.trusted!.ids).isDisjoint(with: held.heldOutIDs) && split.train.labelledIDs.count == 18)
    #expect(split.givenLabels == noisy().train.labels)
    #expect(failure { try held.trusting(39, seed: 2) }?.kind == .configuration)
    var unknown = noisy()
    unknown.train.trueLabels = nil
    let refusal = try #require(failure { try unknown.trusting(1, seed: 1) })
    #expect(refusal.kind == .configuration && refusal.what.contains("true labels"))
    // A list of them passes over what is held out, or is no sample.
    let first = Int(held.heldOutIDs[0]), other = Int(held.train.labelledIDs[0])
    let named = held.trusting([first: 1, other: 2, 60: 0, -1: 0]).trusted
    #expect(named?.ids == [Int32(other)] && named?.labels == [2])
    // A sample to which nobody gave a label may have a right one.
    let lone = noisy().trusting([3: 1])
    #expect(lone.trusted?.given == [LabelledSet.noLabel] && lone.trusted?.summary.contains("another") == false)
  }

  private static let lists: [(String, [Int: Int32])] = [
    ("sample_id,label\n7,2\n5,0\n", [7: 2, 5: 0]), ("sample_id,clean_label,label\n7,2,1\n", [7: 2]),
    ("sample_id,new_name\n9,cow\n", [9: 2]), ("sample_id,label\n7,ant\n8,\n9,-1\n", [7: 0]),
    ("sample_id,label,label_name\n4,1,bee\n", [4: 1]), ("sample_id,label\n", [:]),
  ]

  @Test("are read from lists that name some of the samples", arguments: lists)
  func list(text: String, expected: [Int: Int32]) throws {
    let folder = ScratchFolder(), data = noisy()
    try AtomicFile.write(text, to: folder("list.csv"))
    let (labels, matching) = try data.rightLabels(from: SampleList(folder("list.csv"), of: data))
    #expect(labels == expected && matching.byNumber == text.split(separator: "\n").count - 1)
  }

  @Test("are read from an array with a label for each sample, or none")
  func array() throws {
    let folder = ScratchFolder(), data = noisy()
    var labels = [Int64](repeating: -1, count: 60)
    (labels[10], labels[59]) = (2, 0)
    try AtomicFile.write(NumPyArray(labels).encoded(), to: folder("list.npy"))
    #expect(try data.rightLabels(from: SampleList(folder("list.npy"), of: data)).labels == [10: 2, 59: 0])
    try AtomicFile.write(NumPyArray([Int64](labels.prefix(50))).encoded(), to: folder("short.npy"))
    #expect(failureKind { try data.rightLabels(from: SampleList(folder("short.npy"), of: data)) } == .badInput)
  }

  @Test(
    "are not read from lists that are wrong",
    arguments: [
      "sample_id,label\n60,1\n", "sample_id,label\n1,3\n", "sample_id,label\n1,dog\n", "sample_id,label\n1,0\n1,0\n",
      "sample_id,other\n1,0\n", "label\n1\n", "path,label\nx.png,0\n", "sample_id,label,label_name\n4,1,ant\n",
    ])
  func damage(text: String) throws {
    let folder = ScratchFolder(), data = noisy()
    try AtomicFile.write(text, to: folder("list.csv"))
    #expect(failureKind { try data.rightLabels(from: SampleList(folder("list.csv"), of: data)) } == .badInput)
  }
}
