import CLayout

/// A tensor of a graph: a name for a result, without memory.
public struct Value: Hashable, Sendable {
  /// Position in the graph's list of shapes.
  public let index: Int

  /// The value at a position; graphs make their own.
  public init(index: Int) { self.index = index }
}

/// The geometry of a convolution or pooling: `[B, H, W, C]` → `[B, P, Q, O]`.
public struct Window: Hashable, Sendable {
  public let B: Int, H: Int, W: Int, C: Int
  public let P: Int, Q: Int, O: Int
  public let KH: Int, KW: Int, stride: Int
  /// Zero rows above the image, and zero columns on its left; how many lie below and on the right follows from P and Q.
  public let padding: Int, left: Int

  /// Derives the output size: P = ⌊(H + 2 · padding − KH) / stride⌋ + 1, Q likewise.
  public init(B: Int, H: Int, W: Int, C: Int, O: Int, KH: Int, KW: Int, stride: Int, padding: Int) {
    precondition(
      stride >= 1 && padding >= 0 && H + 2 * padding >= KH && W + 2 * padding >= KW,
      "a \(KH)×\(KW) window with padding \(padding) does not fit on \(H)×\(W)")
    (self.B, self.H, self.W, self.C, self.O) = (B, H, W, C, O)
    (self.KH, self.KW, self.stride, self.padding, left) = (KH, KW, stride, padding, padding)
    P = (H + 2 * padding - KH) / stride + 1
    Q = (W + 2 * padding - KW) / stride + 1
  }

  /// A square window with TensorFlow's padding `SAME`: P = ⌈H / stride⌉, Q = ⌈W / stride⌉.
  ///
  /// Of the max(0, (P − 1) · stride + size − H) zero rows the smaller half is above, of the columns on the left: with
  /// stride 2 and an even side there is one more below and on the right.
  public init(same size: Int, B: Int, H: Int, W: Int, C: Int, O: Int, stride: Int = 1) {
    precondition(size >= 1 && stride >= 1, "a window of \(size) with stride \(stride)")
    (self.B, self.H, self.W, self.C, self.O) = (B, H, W, C, O)
    (KH, KW, self.stride) = (size, size, stride)
    (P, Q) = ((H + stride - 1) / stride, (W + stride - 1) / stride)
    padding = max(0, (P - 1) * stride + size - H) / 2
    left = max(0, (Q - 1) * stride + size - W) / 2
  }

  /// Whether there are as many zeros on every side, so that one number says how many.
  public var isPaddedAlike: Bool {
    left == padding && H + 2 * padding >= KH && W + 2 * padding >= KW && P == (H + 2 * padding - KH) / stride + 1
      && Q == (W + 2 * padding - KW) / stride + 1
  }

  /// The same window over another number of images.
  public init(_ window: Window, B: Int) {
    (self.B, H, W, C) = (B, window.H, window.W, window.C)
    (P, Q, O, KH, KW) = (window.P, window.Q, window.O, window.KH, window.KW)
    (stride, padding, left) = (window.stride, window.padding, window.left)
  }
}

/// The parameter-free shortcut where a ResNet halves the image and doubles the channels.
public enum Shortcut: String, Sendable, CaseIterable {
  /// Mean of 2 × 2 pixels, zero channels behind (Pleiss et al., 2020).
  case average
  /// Every second pixel, zero channels behind (He et al., 2015, option A).
  case stride
}

/// The four vectors of one batch norm: indices into the graph's parameters and running statistics.
public struct BatchNorm: Hashable, Sendable {
  /// What is added to a variance before its root is taken, unless a network says otherwise: PyTorch's default.
  public static let epsilon: Float = BATCHNORM_EPSILON

  public let gamma: Int, beta: Int
  public let runningMean: Int, runningVariance: Int
  /// What is added to the variance.
  public let epsilon: Float
}

/// What a dropout layer drops.
public struct Dropout: Hashable, Sendable {
  /// The probability of each number, or channel, to become zero; the others grow by 1 / (1 − rate).
  public let rate: Float
  /// Whether a channel of an image is dropped as a whole.
  public let dropsChannels: Bool
  /// Distinguishes the layers of one network: each draws numbers of its own.
  public let layer: Int

  /// A layer, 0 <= rate < 1, 0 <= layer < 256.
  public init(rate: Float, dropsChannels: Bool, layer: Int) {
    precondition((0..<1).contains(rate) && (0..<256).contains(layer), "dropout of \(rate) in layer \(layer)")
    (self.rate, self.dropsChannels, self.layer) = (rate, dropsChannels, layer)
  }
}

/// How the weights of a network begin, as its authors' code has it.
public enum LayerInitialization: Sendable, Hashable {
  /// Convolutions normal with variance 2 / fan-out (He et al., 2015); linear layers as `uniform`.
  case fanOut
  /// Weights and biases uniform in ±1/√fan-in, PyTorch's default.
  case uniform
  /// Weights normal with variance 2 / fan-in, without what is further than two deviations off: Keras' `he_normal`. Biases
  /// are zero.
  case heNormal

  func weights(inputs: Int) -> Parameter.Initialization {
    self == .heNormal ? .truncatedNormal(inputs: inputs) : .uniformFanIn(inputs)
  }

  func biases(inputs: Int) -> Parameter.Initialization { self == .heNormal ? .constant(0) : .uniformFanIn(inputs) }
}

/// What one step computes from images to logits: values with shapes, no memory.
///
/// A network is a function that adds layers to a graph. The same function called with another batch size declares the
/// same parameters in the same order, so that plans of several batch sizes share one set of parameters.
public struct Graph: Sendable {
  /// One layer.
  ///
  /// Outputs are new values; a value is never written twice.
  public enum Layer: Sendable, Hashable {
    case convolve(input: Value, weights: Int, window: Window, output: Value)
    case depthwise(input: Value, weights: Int, window: Window, output: Value)
    /// `limit` is what a ReLU gives at most.
    case normalize(
      input: Value, batchNorm: BatchNorm, residual: Value?, rectify: Bool, limit: Float, output: Value)
    case rectify(input: Value, slope: Float, limit: Float, output: Value)
    case bias(input: Value, bias: Int, output: Value)
    case dropout(input: Value, dropout: Dropout, output: Value)
    case flatten(input: Value, output: Value)
    case add(Value, Value, output: Value)
    case shortcut(input: Value, kind: Shortcut, output: Value)
    case pool(input: Value, window: Window, maximum: Bool, output: Value)
    case globalAverage(input: Value, output: Value)
    case linear(input: Value, weights: Int, bias: Int, output: Value)
  }

  /// B, the images of one batch.
  public let batch: Int
  /// Shapes of all values, `[B, H, W, C]` or `[B, C]`.
  public private(set) var shapes: [[Int]] = []
  /// The layers in order of computation.
  public internal(set) var layers: [Layer] = []
  /// What is learned.
  public internal(set) var parameters = ParameterTable()
  /// The running means and variances of batch norm.
  public private(set) var running = ParameterTable()
  /// The images, `[B, H, W, C]`.
  public let images: Value
  /// Whether the data set has rows of floats, such as features, in place of images: `[B, 1, 1, C]`.
  public let readsFloats: Bool
  /// The result, `[B, K]`; set by the last layer.
  public internal(set) var logits: Value
  /// A second result, a number for each image [B, 1]; nil where there is none (`withIndicator`).
  public internal(set) var indicator: Value?
  /// How the weights of the layers that follow begin.
  public var initialization = LayerInitialization.fanOut

  /// A graph whose input is `batch` images.
  public init(batch: Int, height: Int, width: Int, channels: Int, readsFloats: Bool = false) {
    (self.batch, self.readsFloats) = (batch, readsFloats)
    shapes = [[batch, height, width, channels]]
    images = Value(index: 0)
    logits = images
  }

  /// The shape of a value.
  public subscript(_ value: Value) -> [Int] { shapes[value.index] }

  mutating func value(_ shape: [Int]) -> Value {
    shapes.append(shape)
    return Value(index: shapes.count - 1)
  }

  private mutating func append(_ layer: Layer, _ output: Value) -> Value {
    layers.append(layer)
    logits = output
    return output
  }

  /// A convolution without a bias; weights `name.weight [O, C, size, size]`.
  public mutating func convolve(
    _ input: Value, _ name: String, channels O: Int, size: Int, stride: Int = 1, padding: Int
  ) -> Value {
    let from = self[input]
    return convolve(
      input, name,
      Window(
        B: from[0], H: from[1], W: from[2], C: from[3], O: O, KH: size, KW: size, stride: stride, padding: padding))
  }

  /// A convolution without a bias and with TensorFlow's padding `SAME`; weights `name.weight [O, C, size, size]`.
  public mutating func convolveSame(
    _ input: Value, _ name: String, channels O: Int, size: Int, stride: Int = 1
  ) -> Value {
    let from = self[input]
    return convolve(
      input, name, Window(same: size, B: from[0], H: from[1], W: from[2], C: from[3], O: O, stride: stride))
  }

  private mutating func convolve(_ input: Value, _ name: String, _ window: Window) -> Value {
    let inputs = window.C * window.KH * window.KW
    let weights = parameters.add(
      "\(name).weight", shape: [window.O, window.C, window.KH, window.KW],
      initialization: initialization == .fanOut ? .normalFanOut : initialization.weights(inputs: inputs))
    let output = value([window.B, window.P, window.Q, window.O])
    return append(.convolve(input: input, weights: weights, window: window, output: output), output)
  }

  /// A convolution of every channel by itself, without a bias and with TensorFlow's padding `SAME`; weights
  /// `name.weight [C, 1, size, size]`, which begin with variance 2 / size².
  public mutating func depthwiseSame(_ input: Value, _ name: String, size: Int, stride: Int = 1) -> Value {
    let from = self[input], C = from[3]
    let window = Window(same: size, B: from[0], H: from[1], W: from[2], C: C, O: C, stride: stride)
    let weights = parameters.add(
      "\(name).weight", shape: [C, 1, size, size],
      initialization: initialization == .fanOut
        ? .truncatedNormal(inputs: size * size) : initialization.weights(inputs: size * size))
    let output = value([from[0], window.P, window.Q, C])
    return append(.depthwise(input: input, weights: weights, window: window, output: output), output)
  }

  /// A convolution of stride 1 with a bias: `name.weight [O, C, size, size]`, `name.bias [O]`.
  public mutating func convolveWithBias(
    _ input: Value, _ name: String, channels O: Int, size: Int, padding: Int
  ) -> Value {
    let output = convolve(input, name, channels: O, size: size, padding: padding)
    let inputs = self[input][3] * size * size
    let biases = parameters.add("\(name).bias", shape: [O], initialization: initialization.biases(inputs: inputs))
    let sum = value(self[output])
    return append(.bias(input: output, bias: biases, output: sum), sum)
  }

  /// Batch normalisation: gamma · (x − mean) / sqrt(variance + epsilon) + beta (Ioffe and Szegedy, 2015).
  public mutating func normalize(_ input: Value, _ name: String, epsilon: Float = BatchNorm.epsilon) -> Value {
    let shape = self[input], C = [shape[shape.count - 1]]
    let batchNorm = BatchNorm(
      gamma: parameters.add("\(name).weight", shape: C, initialization: .constant(1)),
      beta: parameters.add("\(name).bias", shape: C, initialization: .constant(0)),
      runningMean: running.add("\(name).running_mean", shape: C, initialization: .constant(0)),
      runningVariance: running.add("\(name).running_var", shape: C, initialization: .constant(1)), epsilon: epsilon)
    let output = value(shape)
    return append(
      .normalize(
        input: input, batchNorm: batchNorm, residual: nil, rectify: false, limit: .infinity, output: output), output)
  }

  /// max(0, x), or below zero `slope` · x, 0 <= slope < 1; and at most `limit`, which is 6 for ReLU6.
  public mutating func rectify(_ input: Value, slope: Float = 0, limit: Float = .infinity) -> Value {
    precondition((0..<1).contains(slope) && limit > 0, "a rectifier of slope \(slope) and limit \(limit)")
    let output = value(self[input])
    return append(.rectify(input: input, slope: slope, limit: limit, output: output), output)
  }

  /// Dropout (Srivastava et al., 2014) of numbers or, with `channels`, of whole channels of an image; training only.
  public mutating func dropout(_ input: Value, rate: Float, channels: Bool = false) -> Value {
    let count = layers.count { if case .dropout = $0 { true } else { false } }, shape = self[input]
    precondition(shape.dropFirst().reduce(1, *) <= 1 << 26, "dropout counts 2²⁶ numbers of an image")
    let output = value(shape)
    return append(
      .dropout(input: input, dropout: Dropout(rate: rate, dropsChannels: channels, layer: count), output: output),
      output)
  }

  /// `[B, H, W, C]` → `[B, C · H · W]`, channel by channel as PyTorch flattens.
  public mutating func flatten(_ input: Value) -> Value {
    let from = self[input], output = value([from[0], from.dropFirst().reduce(1, *)])
    return append(.flatten(input: input, output: output), output)
  }

  /// a + b, of equal shapes.
  public mutating func add(_ a: Value, _ b: Value) -> Value {
    precondition(self[a] == self[b], "cannot add \(self[a]) and \(self[b])")
    let output = value(self[a])
    return append(.add(a, b, output: output), output)
  }

  /// Halves the image, doubles the channels.
  public mutating func shortcut(_ input: Value, _ kind: Shortcut) -> Value {
    let from = self[input]
    // Averages need whole pairs; every second pixel begins with the first.
    let round = kind == .average ? 0 : 1
    let output = value([from[0], (from[1] + round) / 2, (from[2] + round) / 2, 2 * from[3]])
    return append(.shortcut(input: input, kind: kind, output: output), output)
  }

  /// The largest, or the mean, of size × size pixels.
  public mutating func pool(_ input: Value, size: Int, stride: Int, padding: Int = 0, maximum: Bool) -> Value {
    let from = self[input]
    let window = Window(
      B: from[0], H: from[1], W: from[2], C: from[3], O: from[3], KH: size, KW: size, stride: stride, padding: padding)
    let output = value([from[0], window.P, window.Q, from[3]])
    return append(.pool(input: input, window: window, maximum: maximum, output: output), output)
  }

  /// The mean over all pixels: `[B, H, W, C]` → `[B, C]`.
  public mutating func globalAverage(_ input: Value) -> Value {
    let from = self[input]
    let output = value([from[0], from[3]])
    return append(.globalAverage(input: input, output: output), output)
  }

  /// x · weightsᵀ + bias: `[B, K]` → `[B, N]`.
  public mutating func linear(_ input: Value, _ name: String, outputs N: Int) -> Value {
    let from = self[input]
    precondition(from.count == 2, "a linear layer takes [B, K], got \(from)")
    let weights = parameters.add(
      "\(name).weight", shape: [N, from[1]], initialization: initialization.weights(inputs: from[1]))
    let bias = parameters.add(
      "\(name).bias", shape: [N], initialization: initialization.biases(inputs: from[1]))
    let output = value([from[0], N])
    return append(.linear(input: input, weights: weights, bias: bias, output: output), output)
  }
}
