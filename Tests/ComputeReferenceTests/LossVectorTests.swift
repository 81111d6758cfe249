import Compute
import ComputeReference
import Losses
import TestSupport
import Testing

@Suite("The losses of the reference have the values that autograd gives")
struct LossVectorTests {
  @Test("for one row", arguments: LossVector.all)
  func row(vector: LossVector) throws {
    let loss = try #require(ReferenceLoss.table[vector.kernel])
    let row = ReferenceRow(logits: .init(LossVector.logits), label: vector.label)
    let result = loss.evaluate(row, .init(vector.parameters))
    // The table has ten digits behind the point.
    #expect(abs(result.loss.value - vector.loss) < 1e-10)
    for (actual, expected) in zip(result.dlogits.values, vector.gradient) { #expect(abs(actual - expected) < 1e-10) }
  }

  @Test("for every loss of the catalogue, with as many parameters", arguments: Loss.catalogue.map(\.name))
  func catalogue(name: String) throws {
    let loss = try Loss(name)
    let reference = try #require(ReferenceLoss.table[loss.function.kernel])
    #expect(reference.exampleParameters.count == loss.values.count)
  }

  @Test("for peer loss over two batches")
  func peerBatch() throws {
    let loss = try #require(ReferenceLoss.table["loss_peer_rows"])
    let parameters: [ReferenceNumber] = [0.5, 1e-5]
    func mean(_ rows: [[Double]], _ labels: [Int]) -> Double {
      zip(rows, labels).reduce(0) {
        $0 + loss.evaluate(ReferenceRow(logits: .init($1.0), label: $1.1), parameters).loss.value
      } / Double(rows.count)
    }
    let peer = PeerBatch()
    let total = mean(peer.logits, peer.labels) - 0.5 * mean(peer.peerLogits, peer.peerLabels)
    #expect(abs(total - peer.loss) < 1e-10)
  }
}
