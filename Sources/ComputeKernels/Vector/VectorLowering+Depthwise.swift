import CLayout
import Compute

/// Convolutions of every channel by itself.
extension VectorLowering {
  func lower(_ depthwise: Depthwise) -> Lowered {
    let window = depthwise.window
    return Lowered([
      Launch("depthwise_forward", global: [window.P, window.B], ["rotated180": .flag(false)])
    ])
  }

  func lower(_ backward: DepthwiseBackwardData) -> Lowered {
    let window = backward.window
    guard window.stride == 1 else {
      return Lowered([Launch("depthwise_backward_data", global: [window.H, window.B])])
    }
    // With stride 1 it is the forward kernel on rotated filters.
    return Lowered([
      Launch(
        "depthwise_forward", global: [window.H, window.B],
        [
          "input": .value(backward.doutput), "output": .value(backward.dinput), "rotated180": .flag(true),
          "H": .int(window.P), "W": .int(window.Q), "P": .int(window.H), "Q": .int(window.W),
          "padding": .int(window.KH - 1 - window.padding), "left": .int(window.KW - 1 - window.left),
          "addend": .noBuffer, "mean": .noBuffer, "inverse": .noBuffer, "gamma_at": .int(0), "beta_at": .int(0),
          "finished": .flag(false), "has_addend": .flag(false), "rectify": .flag(false), "limit": .float(.infinity),
        ])
    ])
  }

  func lower(_ backward: DepthwiseBackwardWeights) -> Lowered {
    let window = backward.window
    let images = imagesPerChunk(window), chunks = ceilDivide(window.B, images)
    let count = Parameter.padded(window.C) * window.KH * window.KW
    let partial = Launch(
      "depthwise_backward_weights", global: [ceilDivide(window.C, DEPTHWISE_CHANNELS), chunks],
      ["partials": .store(.workspace), "images": .int(images)])
    return Lowered([partial, reducePartials(count: count, chunks: chunks)], workspace: chunks * count)
  }
}
