import Compute

extension ReferenceMath {
  /// Calls `body` once for each product that a convolution sums: the positions of its input, weight and output.
  ///
  /// output[b, p, q, o] = Σ over c, kh, kw of input[b, p · stride + kh − padding, q · stride + kw − left, c] ·
  /// weights[o, c, kh, kw]; pixels outside of the image are zero, and left out.
  @inline(__always)
  private static func forEachProduct(
    of window: Window, _ body: (_ input: Int, _ weight: Int, _ output: Int) -> Void
  ) {
    for b in 0..<window.B {
      for p in 0..<window.P {
        for q in 0..<window.Q {
          for kh in 0..<window.KH {
            for kw in 0..<window.KW {
              let h = p * window.stride + kh - window.padding, w = q * window.stride + kw - window.left
              guard (0..<window.H).contains(h), (0..<window.W).contains(w) else { continue }
              let pixel = ((b * window.H + h) * window.W + w) * window.C
              let result = ((b * window.P + p) * window.Q + q) * window.O
              for o in 0..<window.O {
                for c in 0..<window.C {
                  body(pixel + c, ((o * window.C + c) * window.KH + kh) * window.KW + kw, result + o)
                }
              }
            }
          }
        }
      }
    }
  }

  /// The same for a convolution of every channel by itself: weight c, kh, kw belongs to channel c of input and output.
  @inline(__always)
  private static func forEachDepthwiseProduct(
    of window: Window, _ body: (_ input: Int, _ weight: Int, _ output: Int) -> Void
  ) {
    for b in 0..<window.B {
      for p in 0..<window.P {
        for q in 0..<window.Q {
          for kh in 0..<window.KH {
            for kw in 0..<window.KW {
              let h = p * window.stride + kh - window.padding, w = q * window.stride + kw - window.left
              guard (0..<window.H).contains(h), (0..<window.W).contains(w) else { continue }
              for c in 0..<window.C {
                body(
                  ((b * window.H + h) * window.W + w) * window.C + c, (c * window.KH + kh) * window.KW + kw,
                  ((b * window.P + p) * window.Q + q) * window.C + c)
              }
            }
          }
        }
      }
    }
  }

  /// `count` sums that begin at zero; a plain pointer, because these are the only loops that take long.
  @inline(__always)
  private static func sums(
    _ count: Int, _ body: (UnsafeMutableBufferPointer<ReferenceNumber>) -> Void
  ) -> [ReferenceNumber] {
    var sums = [ReferenceNumber].zeros(count)
    sums.withUnsafeMutableBufferPointer { body($0) }
    return sums
  }

  /// input `[B, H, W, C]` ∗ weights `[O, C, KH, KW]` → `[B, P, Q, O]`, as `torch.nn.functional.conv2d`.
  public static func convolve(
    _ input: [ReferenceNumber], weights: [ReferenceNumber], _ window: Window
  ) -> [ReferenceNumber] {
    sums(window.B * window.P * window.Q * window.O) { output in
      forEachProduct(of: window) { x, w, y in output[y].add(input[x] * weights[w]) }
    }
  }

  /// The gradient of `convolve` for its input: every product passes its output's gradient back.
  public static func convolveBackwardData(
    _ doutput: [ReferenceNumber], weights: [ReferenceNumber], _ window: Window
  ) -> [ReferenceNumber] {
    sums(window.B * window.H * window.W * window.C) { dinput in
      forEachProduct(of: window) { x, w, y in dinput[x].add(doutput[y] * weights[w]) }
    }
  }

  /// The gradient of `convolve` for its weights.
  public static func convolveBackwardWeights(
    _ doutput: [ReferenceNumber], input: [ReferenceNumber], _ window: Window
  ) -> [ReferenceNumber] {
    sums(window.O * window.C * window.KH * window.KW) { dweights in
      forEachProduct(of: window) { x, w, y in dweights[w].add(doutput[y] * input[x]) }
    }
  }

  // MARK: Every channel by itself

  /// input `[B, H, W, C]`, weights `[C, 1, KH, KW]` → `[B, P, Q, C]`, as `conv2d` with as many groups as channels.
  public static func depthwise(
    _ input: [ReferenceNumber], weights: [ReferenceNumber], _ window: Window
  ) -> [ReferenceNumber] {
    sums(window.B * window.P * window.Q * window.C) { output in
      forEachDepthwiseProduct(of: window) { x, w, y in output[y].add(input[x] * weights[w]) }
    }
  }

  /// The gradient of `depthwise` for its input.
  public static func depthwiseBackwardData(
    _ doutput: [ReferenceNumber], weights: [ReferenceNumber], _ window: Window
  ) -> [ReferenceNumber] {
    sums(window.B * window.H * window.W * window.C) { dinput in
      forEachDepthwiseProduct(of: window) { x, w, y in dinput[x].add(doutput[y] * weights[w]) }
    }
  }

  /// The gradient of `depthwise` for its weights.
  public static func depthwiseBackwardWeights(
    _ doutput: [ReferenceNumber], input: [ReferenceNumber], _ window: Window
  ) -> [ReferenceNumber] {
    sums(window.C * window.KH * window.KW) { dweights in
      forEachDepthwiseProduct(of: window) { x, w, y in dweights[w].add(doutput[y] * input[x]) }
    }
  }
}
