import CLayout
import Compute

/// Bias and dropout.
extension WorkGroupLowering {
  func bias(_ input: Value, _ biasAt: Int, _ output: Value, _ M: Int, _ C: Int) -> KernelLaunch {
    quads(
      "bias_forward",
      [
        "input": .value(input), "parameters": .store(.parameters), "output": .value(output), "bias_at": .int(biasAt),
        "n": .int(M * C), "C": .int(C),
      ], M * C)
  }

  func biasBackward(_ doutput: Value, _ biasAt: Int, _ M: Int, _ C: Int, _ accumulate: Bool) -> [KernelLaunch] {
    let rows = pieceRows(M, C), pieces = quotient(M, rows)
    return [
      groups(
        "bias_backward",
        ["doutput": .value(doutput), "partials": .store(.workspace), "M": .int(M), "C": .int(C), "rows": .int(rows)],
        [pieces, quotient(C, Parameter.lanes)]),
      groups(
        "reduce_partials",
        [
          "partials": .store(.workspace), "gradients": .store(.gradients), "at": .int(biasAt),
          "n": .int(Parameter.padded(C)), "chunks": .int(pieces), "accumulate": .flag(accumulate),
        ], [quotient(Parameter.padded(C), REDUCE_GROUP_PIECE)]),
    ]
  }

  func dropoutScale(
    _ input: Value, _ dropout: Dropout, _ output: Value, _ B: Int, _ M: Int, _ C: Int, _ peer: Bool
  ) -> KernelLaunch {
    let quads = quotient(M * C, 4)
    return items(
      "dropout_scale",
      [
        "input": .value(input), "counters": .store(.counters), "output": .value(output), "B": .int(B),
        "quads": .int(quads), "n": .int(M * C), "period": .int(dropout.dropsChannels ? C : M * C),
        "layer": .int(dropout.layer), "rate": .float(dropout.rate), "scale": .float(1 / (1 - dropout.rate)),
        "peer": .flag(peer),
      ], B * quads)
  }
}
