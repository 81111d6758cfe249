import Compute

extension Window {
  /// A square window, for tables.
  init(_ B: Int, _ H: Int, _ W: Int, _ C: Int, _ O: Int, _ size: Int = 3, stride: Int = 1, padding: Int = 1) {
    self.init(B: B, H: H, W: W, C: C, O: O, KH: size, KW: size, stride: stride, padding: padding)
  }
}

extension OperationCase {
  /// The parameter's place in the flat buffer: not at its beginning, so that a forgotten offset shows.
  private static let weightsAt = 48

  private static func text(_ window: Window, _ variants: [(Bool, String)]) -> String {
    var words = [
      "\(text([window.B, window.H, window.W, window.C])) → \(window.O), \(window.KH)×\(window.KW)"
    ]
    if window.stride != 1 { words[0] += " / \(window.stride)" }
    if window.padding != 0 || window.left != 0 { words[0] += " + \(window.padding)" }
    if window.left != window.padding { words[0] += ", \(window.left)" }
    for (isOn, name) in variants where isOn { words.append(name) }
    return words.joined(separator: ", ")
  }

  private static func packed(_ window: Window) -> Packed {
    Packed(offset: weightsAt, outputs: window.O, inputs: window.C * window.KH * window.KW)
  }

  private static func input(_ window: Window) -> Content { .normal(window.inputCount) }

  private static func doutput(_ window: Window) -> Content { .normal(window.outputCount) }

  static func convolve(_ window: Window, statistics isMeasured: Bool) -> OperationCase {
    let statistics = isMeasured ? Self.statistics(C: window.O) : nil
    var contents: [Operand: Content] = [
      operand(0): input(window), operand(1): written(window.outputCount),
      .store(.parameters): .parameters(packed(window).end + margin, [packed(window)]),
    ]
    var meaningful: [Operand: [Range<Int>]] = [:]
    if isMeasured { addWritten(C: window.O, to: &contents, &meaningful) }
    return OperationCase(
      .convolve(
        Convolve(window: window, input: value(0), weightsAt: weightsAt, output: value(1), statistics: statistics)),
      shape: text(window, [(isMeasured, "statistics")]), contents: contents, meaningful: meaningful)
  }

  static func convolveBackwardData(_ window: Window, addend hasAddend: Bool) -> OperationCase {
    let count = window.inputCount
    var contents: [Operand: Content] = [
      operand(0): doutput(window), operand(1): written(count),
      .store(.parameters): .parameters(packed(window).end + margin, [packed(window)]),
    ]
    if hasAddend { contents[operand(2)] = .normal(count) }
    return OperationCase(
      .convolveBackwardData(
        ConvolveBackwardData(
          window: window, doutput: value(0), weightsAt: weightsAt, addend: hasAddend ? value(2) : nil,
          dinput: value(1))),
      shape: text(window, [(hasAddend, "addend")]), contents: contents)
  }

  static func convolveBackwardWeights(_ window: Window, accumulate: Bool) -> OperationCase {
    let count = packed(window).end + margin
    return OperationCase(
      .convolveBackwardWeights(
        ConvolveBackwardWeights(
          window: window, input: value(0), doutput: value(1), weightsAt: weightsAt, accumulate: accumulate)),
      shape: text(window, [(accumulate, "accumulate")]),
      contents: [
        operand(0): input(window), operand(1): doutput(window),
        .store(.gradients): accumulate ? .normal(count) : .nothing(count),
      ])
  }

  /// The convolutions of ResNet-32 on 32×32 colour and 28×28 grey images, and odd ones.
  static let windows: [Window] = {
    [
      Window(2, 32, 32, 3, 16), Window(2, 32, 32, 16, 16), Window(2, 32, 32, 16, 32, stride: 2),
      Window(2, 16, 16, 32, 32), Window(2, 16, 16, 32, 64, stride: 2), Window(2, 8, 8, 64, 64),
      Window(2, 28, 28, 1, 16), Window(2, 28, 28, 16, 16), Window(2, 28, 28, 16, 32, stride: 2),
      Window(2, 14, 14, 32, 32), Window(2, 14, 14, 32, 64, stride: 2), Window(2, 7, 7, 64, 64),
      // Every odd size and number of channels.
      Window(1, 1, 1, 1, 1), Window(3, 5, 5, 3, 5), Window(7, 7, 7, 5, 3), Window(1, 13, 7, 10, 17),
      Window(3, 7, 13, 17, 31), Window(1, 5, 1, 31, 33), Window(1, 1, 5, 33, 48), Window(7, 1, 13, 48, 10),
      Window(1, 13, 5, 48, 16), Window(3, 7, 7, 8, 32), Window(2, 9, 9, 24, 48), Window(1, 5, 7, 40, 16),
      // Uneven shares of the images among partial sums.
      Window(37, 5, 5, 8, 16), Window(20, 4, 4, 64, 64), Window(33, 3, 3, 5, 17),
      // Other filters.
      Window(3, 7, 7, 17, 33, 1, padding: 0), Window(1, 13, 13, 48, 5, 1, stride: 2, padding: 0),
      Window(2, 8, 8, 16, 32, 1, stride: 2, padding: 0), Window(1, 13, 13, 3, 10, 5, padding: 2),
      Window(3, 7, 5, 5, 17, 5, padding: 0), Window(1, 5, 5, 31, 1, 5, padding: 0),
      Window(1, 13, 13, 3, 17, 7, stride: 2, padding: 3), Window(2, 32, 32, 3, 33, 7, stride: 2, padding: 3),
      Window(3, 7, 13, 10, 31, padding: 0), Window(1, 13, 7, 16, 16, padding: 0),
      Window(1, 13, 13, 17, 5, stride: 2, padding: 0), Window(1, 13, 13, 5, 16, stride: 3),
      Window(1, 5, 7, 3, 16, padding: 2), Window(2, 8, 8, 16, 16, 2, stride: 2, padding: 0),
      Window(1, 7, 7, 3, 5, 4, stride: 3, padding: 1),
      Window(B: 1, H: 7, W: 13, C: 5, O: 17, KH: 1, KW: 3, stride: 1, padding: 0),
      Window(B: 1, H: 13, W: 5, C: 17, O: 16, KH: 5, KW: 2, stride: 2, padding: 1),
      // TensorFlow's padding: one row or column more behind than before, where the side is even.
      Window(same: 3, B: 2, H: 8, W: 8, C: 3, O: 32, stride: 2),
      Window(same: 3, B: 1, H: 9, W: 8, C: 3, O: 17, stride: 2),
      Window(same: 3, B: 3, H: 6, W: 7, C: 17, O: 5, stride: 2),
      Window(same: 5, B: 1, H: 13, W: 6, C: 10, O: 16, stride: 2),
      Window(same: 3, B: 1, H: 1, W: 2, C: 3, O: 16, stride: 2), Window(same: 2, B: 2, H: 5, W: 7, C: 5, O: 16),
      Window(same: 3, B: 1, H: 3, W: 700, C: 3, O: 16, stride: 2),
      // Wide images, whose rows are staged in pieces of their channels.
      Window(1, 3, 700, 3, 16), Window(1, 2, 2000, 3, 17), Window(1, 4, 300, 48, 16),
      Window(1, 3, 301, 33, 31, stride: 2),
      // Few channels: more rows than are staged together; more outputs than a work-item has.
      Window(1, 8, 700, 3, 16), Window(2, 8, 7, 2, 83),
      // Many channels, for which Winograd's kernels for CPUs choose tiles by the shape: tails of tiles and channels, groups
      // over several images, more tiles than a gradient of weights takes together, other paddings.
      Window(2, 12, 11, 80, 48), Window(1, 23, 23, 96, 33), Window(1, 14, 15, 100, 68), Window(13, 2, 2, 64, 80),
      Window(16, 3, 3, 48, 80), Window(12, 4, 4, 80, 64), Window(5, 2, 61, 80, 33),
      Window(2, 12, 12, 80, 33, padding: 0), Window(1, 13, 9, 33, 80, padding: 2),
      // And others whose taps are gathered there: phases of unlike sizes, without taps, and groups over several images.
      Window(2, 9, 7, 32, 80, stride: 2), Window(3, 8, 5, 80, 48, stride: 2), Window(1, 7, 8, 80, 33, stride: 2),
      Window(2, 6, 5, 144, 160, 1, stride: 2, padding: 0), Window(1, 11, 10, 80, 32, 5, stride: 3),
      Window(same: 3, B: 2, H: 8, W: 7, C: 48, O: 80, stride: 2), Window(17, 2, 2, 16, 96, 2, padding: 0),
      Window(1, 6, 7, 130, 37, stride: 2), Window(1, 5, 6, 20, 261, stride: 2),
    ]
  }()

  static let convolutions: [OperationCase] = windows.flatMap { window in
    [
      convolve(window, statistics: false), convolve(window, statistics: true),
      convolveBackwardData(window, addend: false), convolveBackwardData(window, addend: true),
      convolveBackwardWeights(window, accumulate: false), convolveBackwardWeights(window, accumulate: true),
    ]
  }
}
