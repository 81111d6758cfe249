import Datasets
import Testing

@Suite("Shapes")
struct ShapesTests {
  @Test("has the promised form, balanced, with names in alphabetical order")
  func form() throws {
    let data = try Dataset.open("shapes")
    #expect(data.kind == .shapes && data.classNames.sorted() == data.classNames)
    #expect(data.train.classCounts(10) == [Int](repeating: 1000, count: 10))
    #expect(data.test?.classCounts(10) == [Int](repeating: 200, count: 10))
    #expect(data.train.images.height == 32 && data.train.images.width == 32 && data.train.images.channels == 3)
  }

  /// Recorded once; any change of it changes results that people have published.
  @Test("gives the recorded bytes")
  func golden() {
    #expect(Shapes.dataset(seed: 1).fingerprint == "c8fcc0084009d443")
  }

  @Test("is a function of the seed, and a part is the beginning of the whole")
  func seeds() {
    let some = Shapes.samples(seed: 1, count: 20, isTest: false)
    #expect(some == Shapes.samples(seed: 1, count: 30, isTest: false).first(20))
    #expect(some.images != Shapes.samples(seed: 2, count: 20, isTest: false).images)
    #expect(some.images != Shapes.samples(seed: 1 << 40 | 1, count: 20, isTest: false).images)
    #expect(some.images != Shapes.samples(seed: 1, count: 20, isTest: true).images)
  }

  @Test("colour says nothing: the mean colours of the classes are alike")
  func colours() {
    let data = Shapes.samples(seed: 1, count: 10_000, isTest: false)
    var sums = [Double](repeating: 0, count: 10)
    for id in 0..<data.count {
      sums[Int(data.labels[id])] += data.images.image(id).pixels.reduce(0) { $0 + Double($1) } / 3072
    }
    // An image's mean has a deviation of about 38; that of a thousand of them is 1.2.
    for sum in sums { #expect(abs(sum / 1000 - 127) < 8) }
  }
}
