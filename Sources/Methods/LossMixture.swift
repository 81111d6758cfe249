import Failures
import FileFormats
import Sessions
import Statistics

/// The mixture of two normal distributions that a network's losses were found to be, and how losses were normalised.
public struct LossMixture: Sendable, Equatable {
  /// The smallest and the largest loss, which are 0 and 1 to the mixture.
  public let least: Double, most: Double
  /// Weight, mean and variance of both components; nil where all losses are equal.
  public let low: GaussianMixture.Component?, high: GaussianMixture.Component?

  /// The name in a checkpoint, of numbers for each network [networks, count].
  public static let name = "method.mixture"
  /// Numbers of a mixture.
  public static let count = 8

  var numbers: [Double] {
    [least, most]
      + [low, high].flatMap { component in
        component.map { [$0.weight, $0.mean, $0.variance] } ?? [0, 0, 0]
      }
  }

  private init(least: Double, most: Double, low: GaussianMixture.Component?, high: GaussianMixture.Component?) {
    (self.least, self.most, self.low, self.high) = (least, most, low, high)
  }

  /// The mixtures that a checkpoint holds; none where it has none.
  ///
  /// - Throws: `.badInput` for other numbers than those of mixtures.
  public static func read(_ file: SafetensorsFile, networks: Int) throws -> [LossMixture] {
    guard file[name] != nil else { return [] }
    let all = try file.doubles(name, shape: [networks, count])
    return try (0..<networks).map { network in
      let numbers = Array(all[network * count..<(network + 1) * count])
      let components = [2, 5].map {
        GaussianMixture.Component(weight: numbers[$0], mean: numbers[$0 + 1], variance: numbers[$0 + 2])
      }
      let isEmpty = numbers[2...].allSatisfy { $0 == 0 }
      guard numbers[..<2].allSatisfy({ abs($0) <= Double(Float.greatestFiniteMagnitude) }), numbers[0] <= numbers[1],
        isEmpty || components.allSatisfy(isPossible) && abs(components.reduce(-1) { $0 + $1.weight }) <= rounding
      else { throw Failure.damagedCheckpoint(file.path, why: "\(name) is no mixture of two distributions.") }
      return LossMixture(
        least: numbers[0], most: numbers[1], low: isEmpty ? nil : components[0], high: isEmpty ? nil : components[1])
    }
  }

  /// What sums of weights and bounds of means may be off by.
  private static let rounding = 1e-6

  /// Whether a component can be one of normalised losses, which lie between 0 and 1.
  private static func isPossible(_ component: GaussianMixture.Component) -> Bool {
    (0...1 + rounding).contains(component.weight) && (-rounding...1 + rounding).contains(component.mean)
      && component.variance > 0 && component.variance <= 1
  }

  /// Fits a mixture to the losses of samples.
  ///
  /// - Parameters:
  ///   - losses: by id [N].
  ///   - ids: the samples that count.
  ///   - history: normalised losses of earlier epochs [N, epochs], the newest first, −1 where there is none.
  ///   - epochs: the number of epochs over which normalised losses are averaged; with 1 there is no history.
  /// - Returns: each sample's chance to be of the component with the smaller mean [N], −1 for those that do not count, and
  ///   the history with these losses.
  /// - Throws: where a loss is not finite.
  static func judge(
    _ losses: [Float], of ids: [Int32], history: [Float], epochs: Int
  ) throws -> (clean: [Float], history: [Float], mixture: LossMixture) {
    let own = ids.map { Double(losses[Int($0)]) }
    guard own.allSatisfy(\.isFinite), let least = own.min(), let most = own.max() else {
      throw Failure.diverged("a training loss by which samples are judged is not finite")
    }
    var values = own.map { most > least ? ($0 - least) / (most - least) : 0 }, moved = history
    for (place, id) in ids.lazy.map({ Int($0) }).enumerated() where epochs > 1 {
      let row = [Float(values[place])] + history[id * epochs..<(id + 1) * epochs - 1]
      moved.replaceSubrange(id * epochs..<(id + 1) * epochs, with: row)
      let known = row.filter { $0 >= 0 }
      values[place] = known.reduce(0) { $0 + Double($1) } / Double(known.count)
    }
    var clean = [Float](repeating: -1, count: losses.count)
    guard let first = values.first, values.contains(where: { $0 != first }) else {
      // Nothing tells one label from another.
      for id in ids { clean[Int(id)] = 1 }
      return (clean, moved, LossMixture(least: least, most: most, low: nil, high: nil))
    }
    let mixture = GaussianMixture(fitting: values)
    for (id, value) in zip(ids, values) { clean[Int(id)] = Float(mixture.chanceOfLow(value)) }
    return (clean, moved, LossMixture(least: least, most: most, low: mixture.low, high: mixture.high))
  }
}
