import CLayout
import Compute

/// Bias and dropout.
extension VectorLowering {
  func bias(_ input: Value, _ biasAt: Int, _ output: Value, _ M: Int, _ C: Int) -> KernelLaunch {
    KernelLaunch(
      "bias_forward",
      [
        "input": .value(input), "parameters": .store(.parameters), "output": .value(output), "bias_at": .int(biasAt),
        "M": .int(M), "C": .int(C), "rows": .int(Self.rows),
      ], global: [quotient(M, Self.rows)])
  }

  func biasBackward(_ doutput: Value, _ biasAt: Int, _ M: Int, _ C: Int, _ accumulate: Bool) -> [KernelLaunch] {
    let pieces = quotient(M, Self.rows)
    return [
      KernelLaunch(
        "bias_backward",
        [
          "doutput": .value(doutput), "partials": .store(.workspace), "M": .int(M), "C": .int(C),
          "rows": .int(Self.rows),
        ], global: [pieces]),
      KernelLaunch(
        "reduce_partials",
        [
          "partials": .store(.workspace), "gradients": .store(.gradients), "at": .int(biasAt),
          "n": .int(Parameter.padded(C)), "chunks": .int(pieces), "accumulate": .flag(accumulate),
        ], global: [quotient(Parameter.padded(C), REDUCE_PIECE)]),
    ]
  }

  func dropoutScale(
    _ input: Value, _ dropout: Dropout, _ output: Value, _ B: Int, _ M: Int, _ C: Int, _ peer: Bool
  ) -> KernelLaunch {
    KernelLaunch(
      "dropout_scale",
      [
        "input": .value(input), "counters": .store(.counters), "output": .value(output), "n": .int(M * C),
        "period": .int(dropout.dropsChannels ? C : M * C), "layer": .int(dropout.layer), "rate": .float(dropout.rate),
        "scale": .float(1 / (1 - dropout.rate)), "peer": .flag(peer),
      ], global: [B])
  }
}
