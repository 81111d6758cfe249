import Datasets
import Failures
import Testing

@Suite("Views of images")
struct ImageViewTests {
  /// Two images of 2 × 4 pixels in two channels, whose values are their positions.
  private let images = ImageSet(count: 2, height: 2, width: 4, channels: 2, pixels: (0..<32).map { UInt8($0) })

  @Test("are halves, or columns, of equal width")
  func parts() throws {
    let halves = try (0..<2).map { try images.view($0, of: .halves) }
    #expect(halves[0].width == 2 && halves[0].height == 2 && halves[0].channels == 2 && halves[0].count == 2)
    #expect(halves[0].pixels == [0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27])
    #expect(halves[1].pixels == [4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28, 29, 30, 31])
    let columns = try (0..<2).map { try images.view($0, of: .columns) }
    #expect(columns[0].pixels == [0, 1, 4, 5, 8, 9, 12, 13, 16, 17, 20, 21, 24, 25, 28, 29])
    #expect(Set(columns[0].pixels).isDisjoint(with: columns[1].pixels))
    #expect(try images.view(0, of: .whole) == images)
  }

  @Test("are refused with 78 for an odd width, and for features")
  func refusals() {
    let odd = ImageSet(count: 1, height: 2, width: 3, channels: 1, pixels: [0, 1, 2, 3, 4, 5])
    for set in [odd, ImageSet(features: [1, 2, 3, 4], width: 2)] {
      let failure = #expect(throws: Failure.self) { try set.view(0, of: .halves) }
      #expect(failure?.kind == .configuration)
    }
  }

  @Test("of an outline have no pixels either")
  func outline() throws {
    let set = LabelledSet(images: images, labels: [0, 1]).outline(PixelSize(width: 6, height: 5))
    let view = try set.images.view(1, of: .columns)
    #expect(view.width == 3 && view.height == 5 && view.count == 2 && view.pixels.isEmpty)
  }
}

@Suite("Pairs of images")
struct ImagePairTests {
  @Test("have two different images of one class side by side, and no image twice")
  func pairs() throws {
    let single = try Dataset.open("shapes"), pairs = try Dataset.open("pairs:shapes")
    #expect(pairs.name == "pairs-shapes" && pairs.kind == .other && pairs.classNames == single.classNames)
    let images = pairs.train.images
    #expect((images.height, images.width, images.channels) == (32, 64, 3))
    let counts = single.train.classCounts(10)
    #expect(pairs.train.classCounts(10) == counts.map { $0 / 2 })
    #expect(pairs.test?.count == single.test?.classCounts(10).reduce(0) { $0 + $1 / 2 })
    // The first pair is of the first image and the next of its class.
    let label = single.train.labels[0], other = try #require(single.train.labels.dropFirst().firstIndex(of: label))
    #expect(pairs.train.labels[0] == label)
    #expect(try images.view(0, of: .halves).image(0) == single.train.images.image(0))
    #expect(try images.view(1, of: .halves).image(0) == single.train.images.image(other))
    let halves = try (0..<2).flatMap { view in
      let set = try images.view(view, of: .halves)
      return (0..<set.count).map { set.image($0).pixels }
    }
    #expect(Set(halves).count >= Set((0..<single.train.count).map { single.train.images.image($0).pixels }).count - 20)
  }

  @Test("are resized whole, and limited as pairs")
  func sizes() throws {
    var options = DatasetOptions()
    options.imageSize = PixelSize(width: 16, height: 8)
    let pairs = try Dataset.open("pairs:shapes", options: options).limited(train: 7)
    #expect((pairs.train.images.height, pairs.train.images.width, pairs.train.count) == (8, 16, 7))
    #expect(Dataset.isName("pairs:mnist") && !Dataset.isName("pairs:nosuch") && !Dataset.isName("pairs"))
  }

  @Test("of what has no name are refused with 64, and of what is not there with 66")
  func refusals() throws {
    for text in ["pairs:nosuch", "pairs:", "pairs:pairs:shapes", "pairs:./photos"] {
      let failure = #expect(throws: Failure.self) { try Dataset.open(text) }
      #expect(failure?.kind == .usage && failure?.why.contains("the named data sets are shapes") == true)
    }
    var options = DatasetOptions()
    options.dataRoot = "/nonexistent"
    let failure = #expect(throws: Failure.self) { try Dataset.open("pairs:mnist", options: options) }
    #expect(failure?.kind == .missingInput)
  }
}

@Suite("Some classes of a named data set")
struct ClassSubsetTests {
  @Test("are its images of these classes, in their order, numbered anew")
  func subset() throws {
    let whole = try Dataset.open("shapes"), some = try Dataset.open("classes:7,0-2:shapes")
    let kept: [Int32] = [0, 1, 2, 7]
    #expect(some.classNames == kept.map { whole.classNames[Int($0)] })
    for (part, all) in [(some.train, whole.train), (try #require(some.test), try #require(whole.test))] {
      let ids = all.labels.indices.filter { kept.contains(all.labels[$0]) }
      #expect(part.labels == ids.map { Int32(kept.firstIndex(of: all.labels[$0]) ?? -1) } && part.count > 100)
      for place in [0, 5, part.count - 1] { #expect(part.images.image(place) == all.images.image(ids[place])) }
    }
    #expect(Dataset.isName("classes:0-4:mnist"))
    #expect(!Dataset.isName("classes:0-4:nosuch") && !Dataset.isName("classes:0-4"))
    #expect(try Dataset.open("pairs:classes:0,1:shapes").classNames == Array(whole.classNames.prefix(2)))
  }

  @Test(
    "that there are not are refused with 64",
    arguments: [
      "0-10:shapes", "3-1:shapes", ":shapes", "1,:shapes", "-1:shapes", "a:shapes", "4:shapes", "3-3:shapes",
      "1-2-3:shapes", "0-4:nosuch", "0-4:classes:0-2", "0-4", "",
    ])
  func refusals(text: String) throws {
    let failure = #expect(throws: Failure.self) { try Dataset.open("classes:\(text)") }
    #expect(failure?.kind == .usage)
    #expect(Dataset.isMadeOfAnother("classes:\(text)") && !Dataset.isMadeOfAnother("classes"))
  }
}
