import CLayout
import Compute

/// Convolutions of every channel by itself.
extension WorkGroupLowering {
  private func quads(of window: Window) -> Int { ceilDivide(window.C, 4) }

  func lower(_ depthwise: Depthwise) -> Lowered? {
    let window = depthwise.window
    guard depthwise.finished == nil else { return nil }
    return Lowered([items("depthwise_forward", window.B * window.P * window.Q * quads(of: window))])
  }

  func lower(_ backward: DepthwiseBackwardData) -> Lowered {
    let window = backward.window
    return Lowered([items("depthwise_backward_data", window.B * window.H * window.W * quads(of: window))])
  }

  func lower(_ backward: DepthwiseBackwardWeights) -> Lowered {
    let window = backward.window, taps = window.KH * window.KW
    // Some 512 groups in all, of at least 256 pixels each.
    let units = taps * ceilDivide(window.C, Parameter.lanes), wanted = max(1, 512 / units)
    let images = min(window.B, max(ceilDivide(window.B, wanted), ceilDivide(256, window.P * window.Q)))
    let chunks = ceilDivide(window.B, images), count = Parameter.padded(window.C) * taps
    let partial = groups(
      "depthwise_backward_weights", [units, chunks], ["partials": .store(.workspace), "images": .int(images)])
    return Lowered([partial, reducePartials(count: count, chunks: chunks)], workspace: chunks * count)
  }
}
