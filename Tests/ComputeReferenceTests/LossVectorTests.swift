import Compute
import ComputeReference
import Losses
import TestSupport
import Testing

@Suite("The losses of the reference have the values that autograd gives")
struct LossVectorTests {
  @Test("for one row", arguments: LossVector.all)
  func row(vector: LossVector) throws {
    let row = ReferenceRow(logits: .init(LossVector.logits), label: vector.label)
    let result: ReferenceLoss.Result
    if vector.matrix.isEmpty {
      let loss = try #require(ReferenceLoss.table[vector.kernel])
      result = loss.evaluate(row, .init(vector.parameters))
    } else {
      result = try #require(ReferenceCorrection.table[vector.kernel]).evaluate(row, .init(vector.matrix))
    }
    // The table has ten digits behind the point.
    #expect(abs(result.loss.value - vector.loss) < 1e-10)
    for (actual, expected) in zip(result.dlogits.values, vector.gradient) { #expect(abs(actual - expected) < 1e-10) }
  }

  @Test("for every loss of the catalogue, with as many parameters", arguments: Loss.all.map(\.description))
  func catalogue(text: String) throws {
    let loss = try Loss(text), function = loss.function
    switch function.inputs {
    case .row:
      let reference = try #require(ReferenceLoss.table[function.kernel])
      #expect(reference.exampleParameters.count == loss.kernelParameters().count)
      #expect(loss.entry.isModifier || loss.entry.part == nil || reference.part == loss.entry.part)
    case .transition:
      #expect(ReferenceCorrection.table[function.kernel] != nil)
      #expect(loss.kernelParameters().isEmpty)
    case .determinant:
      #expect(function.kernel == ReferenceDeterminant.kernel)
      #expect(loss.kernelParameters().count == ReferenceDeterminant.exampleParameters.count)
    }
  }

  @Test("for the determinant of a batch")
  func determinantBatch() {
    let batch = DeterminantBatch()
    let rows = zip(batch.logits, batch.labels).map { ReferenceRow(logits: .init($0), label: $1) }
    let results = ReferenceDeterminant.evaluate(rows, [1e-3, 0])
    for (result, gradient) in zip(results, batch.gradient) {
      #expect(abs(result.loss.value - batch.loss) < 1e-10)
      for (actual, expected) in zip(result.dlogits.values, gradient) { #expect(abs(actual - expected) < 1e-10) }
    }
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
