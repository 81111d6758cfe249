import Compute

extension ReferenceMath {
  /// The pixels of one window of `[B, H, W, C]` that lie within the image, in reading order, as positions.
  private static func pixels(_ window: Window, _ b: Int, _ p: Int, _ q: Int, _ c: Int) -> [Int] {
    var positions: [Int] = []
    for kh in 0..<window.KH {
      for kw in 0..<window.KW {
        let h = p * window.stride + kh - window.padding, w = q * window.stride + kw - window.padding
        guard (0..<window.H).contains(h), (0..<window.W).contains(w) else { continue }
        positions.append(((b * window.H + h) * window.W + w) * window.C + c)
      }
    }
    return positions
  }

  /// Calls `body` for each output of a pooling, in order, with the pixels that it is made from.
  private static func forEachWindow(_ window: Window, _ body: (_ output: Int, _ pixels: [Int]) -> Void) {
    var output = 0
    for b in 0..<window.B {
      for p in 0..<window.P {
        for q in 0..<window.Q {
          for c in 0..<window.C {
            body(output, pixels(window, b, p, q, c))
            output += 1
          }
        }
      }
    }
  }

  /// `torch.nn.functional.max_pool2d` (padding never wins) or `avg_pool2d` (padding counts as zeros).
  public static func pool(_ input: [ReferenceNumber], maximum: Bool, _ window: Window) -> [ReferenceNumber] {
    var output = [ReferenceNumber].zeros(window.B * window.P * window.Q * window.C)
    let size = ReferenceNumber(Double(window.KH * window.KW))
    forEachWindow(window) { position, pixels in
      let values = pixels.map { input[$0] }
      let largest = values.max { $0.value < $1.value } ?? ReferenceNumber(-Double.infinity)
      output[position] = maximum ? largest : values.sum / size
    }
    return output
  }

  /// The gradient of `pool`; of equal largest pixels the first in reading order takes it all.
  public static func poolBackward(
    _ doutput: [ReferenceNumber], input: [ReferenceNumber], maximum: Bool, _ window: Window
  ) -> [ReferenceNumber] {
    var dinput = [ReferenceNumber].zeros(window.B * window.H * window.W * window.C)
    let size = ReferenceNumber(Double(window.KH * window.KW))
    forEachWindow(window) { position, pixels in
      if maximum {
        guard var winner = pixels.first else { return }
        for pixel in pixels where input[pixel].value > input[winner].value { winner = pixel }
        dinput[winner].add(doutput[position])
      } else {
        for pixel in pixels { dinput[pixel].add(doutput[position] / size) }
      }
    }
    return dinput
  }

  /// Mean over M pixels: `[B, M, C]` → `[B, C]`.
  public static func globalAverage(_ input: [ReferenceNumber], B: Int, M: Int, C: Int) -> [ReferenceNumber] {
    var output = [ReferenceNumber].zeros(B * C)
    for b in 0..<B {
      for c in 0..<C {
        output[b * C + c] = (0..<M).map { input[(b * M + $0) * C + c] }.sum / ReferenceNumber(Double(M))
      }
    }
    return output
  }

  /// The gradient of `globalAverage`: an equal share for every pixel.
  public static func globalAverageBackward(
    _ doutput: [ReferenceNumber], B: Int, M: Int, C: Int
  ) -> [ReferenceNumber] {
    var dinput = [ReferenceNumber].zeros(B * M * C)
    for b in 0..<B {
      for m in 0..<M {
        for c in 0..<C { dinput[(b * M + m) * C + c] = doutput[b * C + c] / ReferenceNumber(Double(M)) }
      }
    }
    return dinput
  }

  /// The pixels of `[B, H, W, C]` whose mean is pixel p, q of a shortcut's output.
  private static func sources(
    _ kind: Shortcut, _ shape: [Int], _ b: Int, _ p: Int, _ q: Int, _ c: Int
  ) -> [Int] {
    let steps = kind == .average ? [(0, 0), (0, 1), (1, 0), (1, 1)] : [(0, 0)]
    return steps.map { ((b * shape[1] + 2 * p + $0) * shape[2] + 2 * q + $1) * shape[3] + c }
  }

  /// Halves the image `[B, H, W, C]` and doubles its channels to `[B, P, Q, 2C]`, the new ones zero.
  public static func shortcut(
    _ input: [ReferenceNumber], kind: Shortcut, shape: [Int], outputShape: [Int]
  ) -> [ReferenceNumber] {
    let (P, Q, C) = (outputShape[1], outputShape[2], shape[3])
    var output = [ReferenceNumber].zeros(shape[0] * P * Q * 2 * C)
    for b in 0..<shape[0] {
      for p in 0..<P {
        for q in 0..<Q {
          for c in 0..<C {
            let values = sources(kind, shape, b, p, q, c).map { input[$0] }
            output[((b * P + p) * Q + q) * 2 * C + c] = values.count == 1 ? values[0] : values.sum / 4
          }
        }
      }
    }
    return output
  }

  /// The gradient of `shortcut`: `[B, P, Q, 2C]` → `[B, H, W, C]`.
  public static func shortcutBackward(
    _ doutput: [ReferenceNumber], kind: Shortcut, shape: [Int], outputShape: [Int]
  ) -> [ReferenceNumber] {
    let (P, Q, C) = (outputShape[1], outputShape[2], shape[3])
    var dinput = [ReferenceNumber].zeros(shape.reduce(1, *))
    for b in 0..<shape[0] {
      for p in 0..<P {
        for q in 0..<Q {
          for c in 0..<C {
            let gradient = doutput[((b * P + p) * Q + q) * 2 * C + c]
            let pixels = sources(kind, shape, b, p, q, c)
            for pixel in pixels { dinput[pixel] = pixels.count == 1 ? gradient : gradient / 4 }
          }
        }
      }
    }
    return dinput
  }
}
