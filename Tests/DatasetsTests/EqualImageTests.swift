import Datasets
import Failures
import Testing

@Suite("Images that are the same, and parts that are judged")
struct EqualImageTests {
  /// Samples of four pixels each, by the number that fills them.
  private static func set(_ values: [UInt8], _ labels: [Int32], paths: [String] = []) -> LabelledSet {
    LabelledSet(
      images: ImageSet(
        count: values.count, height: 2, width: 2, channels: 1, pixels: values.flatMap { [$0, 1, 2, 3] }),
      labels: labels, paths: paths)
  }

  private static var dataset: Dataset {
    var dataset = Dataset(
      name: "made-up", classNames: ["ant", "bee"], train: set([7, 8, 7, 9], [0, 1, 1, 0]),
      test: set([9, 5, 7, 8], [0, 0, 0, -1]), source: "the test")
    dataset.heldOut = set([5, 8], [1, 1])
    return dataset
  }

  @Test("are found within a set and across parts, once each")
  func across() {
    let data = Self.dataset, others = data.parts.filter { $0.part != .train }
    let found = EqualImages(in: data.train, others: others)
    #expect(found.groups == [DuplicateGroup(ids: [0, 2], hasDifferentLabels: true)])
    // The last test image has no label, and the second one is only in the validation part.
    #expect(
      found.overlaps == [
        PartOverlap(part: .test, id: 0, twin: 3), PartOverlap(part: .test, id: 2, twin: 0),
        PartOverlap(part: .validation, id: 1, twin: 1),
      ])
    #expect(EqualImages(in: data.train).overlaps.isEmpty)
  }

  @Test("another part takes the place of the training samples, and keeps its names")
  func judging() throws {
    let data = Self.dataset
    let test = try data.judging(.test)
    #expect(test.train.labels == [0, 0, 0, -1] && test.test == nil)
    #expect(test.trainPaths == (0..<4).map { "made-up/test/\($0)" })
    #expect(test.sampleFingerprint() != data.sampleFingerprint())
    let all = try data.judging(.all)
    #expect(all.train.labels == [0, 1, 1, 0, 1, 1, 0, 0, 0, -1])
    #expect(all.train.images.pixels.count == 40 && all.train.images.image(6).pixels[0] == 9)
    #expect(all.trainPaths[3...6] == ["made-up/train/3", "made-up/val/0", "made-up/val/1", "made-up/test/0"])
    #expect(all.place(of: 7) == (.test, 1) && all.judgedParts.map(\.firstID) == [0, 4, 6])
    #expect(try data.judging(.train).trainPaths == data.trainPaths)
    // Together they are the same groups, and images in two parts.
    let found = EqualImages(in: all.train, place: { all.place(of: $0) })
    #expect(found.groups.map(\.ids) == [[0, 2, 8], [1, 5], [3, 6], [4, 7]])
    #expect(found.overlaps.count == 3)
  }

  @Test("a part that is not there is an error")
  func missing() {
    let alone = Dataset(
      name: "alone", classNames: ["ant", "bee"], train: Self.set([1, 2], [0, 1]), test: nil, source: "the test")
    for split in [JudgedSplit.test, .val] {
      let failure = #expect(throws: Failure.self) { try alone.judging(split) }
      #expect(failure?.kind == .badInput)
    }
    #expect(throws: Never.self) { try alone.judging(.all) }
  }
}
