import Compute

extension Lowering {
  /// The arguments of `weights_scale_rows`, which is the same on all devices.
  func weighArguments(_ dlogits: Value, _ B: Int, _ K: Int) -> KeyValuePairs<String, KernelLaunch.Argument> {
    [
      "weights": .store(.sampleWeights), "order": .store(.order), "counters": .store(.counters),
      "dlogits": .value(dlogits), "B": .int(B), "K": .int(K),
    ]
  }
}
