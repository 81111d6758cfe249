import Compute
import ComputeReference
import Statistics

/// The loss of one batch as a function of the parameters, in double precision from the images to the mean: a second
/// reading of a graph, which knows nothing of programs, plans and gradients.
struct NetworkLoss {
  /// Images and labels that the network sees together, and how much their mean loss counts.
  private struct Pass {
    let images: [ReferenceNumber], labels: [Int]
    let weight: Double, isPeer: Bool
  }

  private let graph: Graph
  private let passes: [Pass]
  private let loss: ReferenceLoss
  private let parameters: [ReferenceNumber]
  private let seed: UInt64
  private static let epoch = 3

  /// The first batch of a bench, in epoch 3.
  ///
  /// - Parameter peer: adds the peer samples, images and labels drawn apart, by the bench's weight.
  init<D: Device>(_ bench: TrainingBench<D>, loss: String = "loss_sce_rows", peer: Bool = false) throws {
    guard let formula = ReferenceLoss.table[loss] else { preconditionFailure("no \(loss)") }
    self.loss = formula
    let reference = try TrainingBench(on: ReferenceDevice(), graph: bench.graph)
    try reference.begin(epoch: Self.epoch)
    (seed, graph) = (bench.state.seed, bench.graph)
    let weight = Double(bench.state.peerWeight)
    passes = try (peer ? [false, true] : [false]).map { isPeer in
      Pass(
        images: try Self.images(of: reference, peer: isPeer), labels: Self.labels(of: bench.graph, peer: isPeer),
        weight: isPeer ? weight : 1, isPeer: isPeer)
    }
    let given = bench.state.lossParameters
    parameters = (given + [Float](repeating: 0, count: 16 - given.count)).map { ReferenceNumber($0) }
  }

  /// The augmented images are the first operation's output; it has tests of its own.
  private static func images(of reference: TrainingBench<ReferenceDevice>, peer: Bool) throws -> [ReferenceNumber] {
    let graph = reference.graph, shape = graph[graph.images]
    let output = try reference.device.allocate(byteCount: shape.reduce(4, *))
    let augment = Augment(
      output: graph.images, shape: shape, augmentation: Augmentation(crop: 2, flip: true), peer: peer)
    let prepared = try reference.device.prepare(.augment(augment)) { operand in
      guard case .store(let store) = operand, let buffer = reference.stores[store] else { return output }
      return buffer
    }
    for launch in prepared { try reference.device.enqueue(launch) }
    return try reference.device.read(Float.self, count: shape.reduce(1, *), from: output).map { ReferenceNumber($0) }
  }

  private static func labels(of graph: Graph, peer: Bool) -> [Int] {
    let order = CounterRandom(seed: 7).permutation(
      of: TrainingBench<ReferenceDevice>.N, peer ? .peerLabel : .shuffle, 0)
    return order.prefix(graph[graph.images][0]).map { Int($0) * 5 % graph[graph.logits][1] }
  }

  /// The derivative for one element of one parameter.
  ///
  /// The step is small enough that hardly a ReLU switches, and large against the digits of a Double.
  func derivative(_ values: [[Double]], _ parameter: Int, _ element: Int) -> Double {
    let step = 1e-6
    var (above, below) = (values, values)
    above[parameter][element] += step
    below[parameter][element] -= step
    return (mean(above) - mean(below)) / (2 * step)
  }

  private func mean(_ values: [[Double]]) -> Double {
    let weights = values.map { [ReferenceNumber]($0) }
    return passes.reduce(0) { $0 + $1.weight * mean(of: $1, weights) }
  }

  private func mean(of pass: Pass, _ weights: [[ReferenceNumber]]) -> Double {
    var results: [Value: [ReferenceNumber]] = [graph.images: pass.images]
    func value(_ value: Value) -> [ReferenceNumber] {
      guard let known = results[value] else { preconditionFailure("value \(value.index) comes too early") }
      return known
    }
    for layer in graph.layers {
      switch layer {
      case .convolve(let input, let index, let window, let output):
        results[output] = ReferenceMath.convolve(value(input), weights: weights[index], window)
      case .depthwise(let input, let index, let window, let output):
        results[output] = ReferenceMath.depthwise(value(input), weights: weights[index], window)
      case .normalize(let input, let batchNorm, let residual, let rectify, let limit, let output):
        let C = graph[input].last ?? 1, M = graph[input].reduce(1, *) / C
        let (mean, variance) = ReferenceMath.batchStatistics(value(input), M: M, C: C)
        results[output] = ReferenceMath.normalize(
          value(input),
          by: .init(
            mean: mean, inverse: ReferenceMath.inverseDeviation(variance, epsilon: batchNorm.epsilon),
            gamma: weights[batchNorm.gamma], beta: weights[batchNorm.beta]), residual: residual.map(value),
          rectify: rectify, limit: limit)
      case .rectify(let input, let slope, let limit, let output):
        results[output] = ReferenceMath.rectify(value(input), slope: slope, limit: limit)
      case .bias(let input, let index, let output): results[output] = ReferenceMath.bias(value(input), weights[index])
      case .dropout(let input, let dropout, let output):
        let C = graph[input].last ?? 1, M = graph[input].dropFirst().reduce(1, *) / C
        results[output] = ReferenceMath.dropout(
          value(input), dropout, M: M, C: C, .init(seed: seed, epoch: Self.epoch, first: 0, peer: pass.isPeer))
      case .flatten(let input, let output):
        let C = graph[input].last ?? 1, M = graph[input].dropFirst().reduce(1, *) / C
        results[output] = ReferenceMath.flatten(value(input), M: M, C: C)
      case .add(let a, let b, let output): results[output] = ReferenceMath.add(value(a), value(b))
      case .shortcut(let input, let kind, let output):
        results[output] = ReferenceMath.shortcut(
          value(input), kind: kind, shape: graph[input], outputShape: graph[output])
      case .pool(let input, let window, let maximum, let output):
        results[output] = ReferenceMath.pool(value(input), maximum: maximum, window)
      case .globalAverage(let input, let output):
        let shape = graph[input]
        results[output] = ReferenceMath.globalAverage(value(input), B: shape[0], M: shape[1] * shape[2], C: shape[3])
      case .linear(let input, let index, let bias, let output):
        results[output] = ReferenceMath.linear(
          value(input), weights: weights[index], bias: weights[bias], M: graph[output][0], N: graph[output][1],
          K: graph[input][1])
      }
    }
    let logits = value(graph.logits), K = graph[graph.logits][1]
    let total = pass.labels.enumerated().reduce(0.0) { sum, row in
      let logits = Array(logits[row.offset * K..<(row.offset + 1) * K])
      return sum + loss.evaluate(ReferenceRow(logits: logits, label: row.element), parameters).loss.value
    }
    return total / Double(pass.labels.count)
  }
}
