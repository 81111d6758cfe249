import Glibc
import Sessions
import Statistics

/// How much a network takes over of another one's weights, layer by layer.
///
/// With the entropies H of a layer's weights, W ← α W + (1 − α) W', α = A/π · arctan(c (H − H')) + 1/2, rounded to hundredths:
/// the network with more information in the layer keeps more of it. What follows the layer, up to the next one, has the
/// same α: batch norm with its running statistics, and a last linear layer. Layers are the convolutions, shortcuts with
/// weights among them; in a network without any they are the linear layers.
public struct Grafting: Sendable {
  /// A: α lies within 1/2 ± A/2.
  let amplitude: Double
  /// c.
  let steepness: Double

  /// A grafting with amplitude A and steepness c.
  public init(amplitude: Double, steepness: Double) { (self.amplitude, self.steepness) = (amplitude, steepness) }

  /// 100 α.
  ///
  /// Halves are rounded to even, so that two networks' α sum to 1.
  public func hundredths(entropy own: Double, other: Double) -> Int {
    Int((100 * (amplitude / .pi * atan(steepness * (own - other)) + 0.5)).rounded(.toNearestOrEven))
  }

  /// The networks' accuracies, and what their filters are like.
  static func figures(of count: Int) -> [Figure] {
    let filters = [
      Figure("invalid_filters", "share of the filters whose weights' sizes sum to less than 0.1, mean of the networks"),
      Figure("invalid_filters_grafted", "the same of what grafting makes of these weights"),
    ]
    return MemberAccuracies.figures(of: count) + filters
      + (1...count).map {
        Figure($0 == 1 ? "entropy" : "entropy_\($0)", "mean entropy of the layers' weights, network \($0)")
      }
  }

  /// What becomes of each network that takes from the one before it, and the first from the last.
  public func ring(_ networks: [LayerWeights]) -> [LayerWeights] {
    networks.indices.map { index in
      mix(networks[index], with: networks[(index + networks.count - 1) % networks.count])
    }
  }

  private func mix(_ own: LayerWeights, with other: LayerWeights) -> LayerWeights {
    var mixed = own, hundredths = 50, layers = zip(own.entropies, other.entropies).makeIterator()
    // By module, such as `layer1.0.bn1`, which is what running statistics have in common with parameters.
    var ofModule: [Substring: Int] = [:]
    for index in own.parameters.indices {
      if own.isLayer(own.parameters[index]), let (entropy, others) = layers.next() {
        hundredths = self.hundredths(entropy: entropy, other: others)
      }
      ofModule[own.parameters[index].module] = hundredths
      mixed.parameters[index].values = mix(own.parameters[index], other.parameters[index], hundredths)
    }
    for index in own.running.indices {
      mixed.running[index].values = mix(
        own.running[index], other.running[index], ofModule[own.running[index].module] ?? 50)
    }
    return mixed
  }

  /// Hundredths of floats are exact in double precision, so that two networks with shares that sum to 1 become equal.
  private func mix(_ own: SessionState.Tensor, _ other: SessionState.Tensor, _ hundredths: Int) -> [Float] {
    let share = Double(hundredths), rest = Double(100 - hundredths)
    return zip(own.values, other.values).map { Float((share * Double($0) + rest * Double($1)) / 100) }
  }
}

/// The weights of a network, in the order in which it declares them, and its running statistics.
public struct LayerWeights: Sendable {
  /// What is learned.
  public var parameters: [SessionState.Tensor]
  /// Batch norm's running means and variances.
  public var running: [SessionState.Tensor]
  private let hasConvolutions: Bool

  /// The size below which a filter counts as invalid: the sum of its weights' absolute values.
  public static let invalidSize = 0.1

  /// Weights; see the properties.
  public init(parameters: [SessionState.Tensor], running: [SessionState.Tensor]) {
    (self.parameters, self.running) = (parameters, running)
    hasConvolutions = parameters.contains { $0.shape.count == 4 }
  }

  /// Whether a parameter is the weight of a layer that has filters: of a convolution, or where there is none, of a linear
  /// layer.
  func isLayer(_ tensor: SessionState.Tensor) -> Bool { tensor.shape.count == (hasConvolutions ? 4 : 2) }

  /// The entropy of each layer's weights.
  public var entropies: [Double] { parameters.filter(isLayer).map { FilterEntropy.nats(of: $0.values) } }

  /// The share of filters, over all layers, that are smaller than `invalidSize`.
  public var invalidShare: Double {
    var filters = 0, invalid = 0
    for layer in parameters where isLayer(layer) {
      let width = layer.values.count / layer.shape[0]
      filters += layer.shape[0]
      invalid += (0..<layer.shape[0]).count { filter in
        let size = layer.values[filter * width..<(filter + 1) * width].reduce(0.0) { $0 + Double(abs($1)) }
        return size < Self.invalidSize
      }
    }
    return filters > 0 ? Double(invalid) / Double(filters) : 0
  }
}

extension SessionState.Tensor {
  /// The name of the layer that the tensor belongs to: `bn1` of `bn1.weight`.
  fileprivate var module: Substring { name.lastIndex(of: ".").map { name[..<$0] } ?? name[...] }
}
