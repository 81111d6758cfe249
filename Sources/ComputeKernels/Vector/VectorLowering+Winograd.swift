import Compute

/// What Winograd's forms with few and with many channels launch alike; see winograd_weights.cl.
extension VectorLowering {
  /// Transformed weights of a convolution from `reading` channels to `writing`, of which the filters may be rotated.
  ///
  /// - Parameter streams: whether they are too many for a cache.
  func winogradWeights(reading: Int, writing: Int, tile: Int, rotated180: Bool, streams: Bool) -> Launch {
    Launch(
      "winograd_weights",
      global: [ceilDivide(reading, Parameter.lanes), ceilDivide(writing, Parameter.lanes)],
      [
        "transformed": .store(.workspace), "rotated180": .flag(rotated180), "tile": .int(tile),
        "streams": .flag(streams),
      ])
  }

  /// The gradient of weights of the sums of its chunks.
  func winogradReduce(C: Int, O: Int, tile: Int, chunks: Int) -> Launch {
    Launch(
      "winograd_reduce_weights", global: [C, ceilDivide(O, Parameter.lanes)],
      ["sums": .store(.workspace), "tile": .int(tile), "chunks": .int(chunks)])
  }
}
