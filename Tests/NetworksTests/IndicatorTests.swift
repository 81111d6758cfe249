import Compute
import Networks
import Testing

@Suite("A second head")
struct IndicatorTests {
  @Test(
    "of any network is a number for each image, and leaves the others as they are",
    arguments: Network.catalogue.map(\.name))
  func head(name: String) throws {
    let plain = try Network(name).graph(batch: 3, height: 32, width: 32, channels: 3, classes: 10)
    let both = try #require(plain.withIndicator()), indicator = try #require(both.indicator)
    #expect(both[indicator] == [3, 1] && both[both.logits] == [3, 10] && plain.indicator == nil)
    let names = plain.parameters.entries.map(\.name)
    let expected = names.dropLast(2) + ["indicator.weight", "indicator.bias"] + names.suffix(2)
    #expect(both.parameters.entries.map(\.name) == Array(expected))
    #expect(both.running == plain.running && both.layers.count == plain.layers.count + 1)
    let last = zip(both.parameters.entries.suffix(2), plain.parameters.entries.suffix(2))
    #expect(last.allSatisfy { $0.shape == $1.shape && $0.initialization == $1.initialization })
    // What the head reads is what the last layer reads.
    guard case .linear(let input, _, _, _)? = both.layers.last,
      case .linear(let other, _, _, _) = both.layers[both.layers.count - 2]
    else {
      Issue.record("\(name) does not end with linear layers")
      return
    }
    #expect(input == other)
  }
}
