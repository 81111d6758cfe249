import CLayout
import Compute
import ComputeReference
import Testing

@Suite struct `The numbers of the kernels' header` {
  /// The reference has these two of its own, so that a mistake in the header does not pass on both sides.
  @Test func `are the reference's for batch norm`() {
    let inverse = ReferenceMath.inverseDeviation([0])[0].value
    #expect(Float(1 / (inverse * inverse)) == BATCHNORM_EPSILON)
    let moved = ReferenceMath.movedStatistics(
      runningMean: [0], runningVariance: [0], mean: [1], variance: [0], M: 2)
    #expect(Float(moved.mean[0].value) == BATCHNORM_MOMENTUM)
  }

  @Test func `place what changes from step to step`() {
    var state = StepState()
    (state.offset, state.epoch, state.seed, state.recordsMargins) = (10, 20, 0xffff_fff5_0000_0007, true)
    (state.countsDynamics, state.updates, state.member, state.imagesPerPart, state.view) = (true, 30, 2, 9, 3)
    #expect(state.counters == [10, 20, 7, -11, 1, 1, 30, 2, 9, 3])
    (state.learningRate, state.momentum, state.weightDecay, state.nesterov) = (0.5, 0.25, 0.125, true)
    (state.clipNorm, state.peerWeight, state.l1, state.secondDecay, state.epsilon) = (5, -1, 0.0625, 0.75, 0.03125)
    (state.lossParameters, state.methodNumbers) = ([2, 3], [4, 6, 8])
    (state.slowedCount, state.slowedRate) = (48, 0.375)
    let head: [Float] = [0.5, 0.25, 0.125, 1, 5, -1, 0.0625, 0, 2, 3]
    let tail: [Float] = [0.75, 0.03125, 3, 0.375, 4, 6, 8]
    #expect(state.numbers == head + [Float](repeating: 0, count: 14) + tail + [Float](repeating: 0, count: 9))
  }
}
