import Compute
import Datasets
import Failures
import FileFormats
import Glibc
import Methods
import Pages
import Reports
import Sessions
import Statistics

/// Gathers what the page about trained networks shows.
public enum RunComparison {
  /// Training samples of which features and confidence are shown, at most.
  public static let mostSamples = 2000

  /// How features become points in a plane.
  public enum Projection: String, Sendable, CaseIterable {
    case pca, tsne
  }

  /// What the tables of a run folder tell.
  ///
  /// - Throws: `.missingInput`, `.badInput` for a folder that is no run or whose tables are damaged.
  public static func run(folder: String, settings: RunSettings) throws -> ComparisonPage.Run {
    let history = try RunHistory.read(folder: folder, epochCount: settings.epochs)
    guard !history.epochs.isEmpty else {
      throw Failure(
        .badInput, "'\(folder)' has no finished epoch yet.", why: "its metrics.csv has no rows.",
        fix: "wait for the first epoch, or resume it: gpunoisy train --resume \(TerminalText.argument(folder))")
    }
    return ComparisonPage.Run(
      folder: folder, record: try RunRecord.read(folder: folder), model: settings.model.description,
      loss: settings.loss.description,
      noise: settings.noise.description, history: history)
  }

  /// What the network of a checkpoint predicts for the test set, or what was held out in its place; nil without both.
  ///
  /// - Throws: `.badInput` where the data do not fit the network.
  public static func confusion<D: Device>(
    checkpoint: String, data: RunData, on device: D
  ) throws -> ComparisonPage.Confusion? {
    guard let set = data.evaluation, !set.labelledIDs.isEmpty else { return nil }
    let score = try Evaluator(checkpoint: checkpoint, on: device).score(set)
    return .init(
      counts: score.confusion, part: data.dataset.test == nil ? "the samples that were held out" : "the test set")
  }

  /// The losses by which the networks of a checkpoint judged labels, and their mixtures; none where they judge none.
  ///
  /// - Throws: `.badInput` for a damaged checkpoint, or one of other data.
  public static func mixtures(checkpoint path: String, data: Dataset) throws -> [ComparisonPage.Mixture] {
    let file = try SafetensorsFile.read(path), train = data.train
    guard let networks = file[LossMixture.name]?.shape.first, networks <= 64 else { return [] }
    let ids = train.labelledIDs.map { Int($0) }.filter { id in train.trueLabels.map { $0[id] >= 0 } ?? true }
    let isRight = train.trueLabels.map { truth in ids.map { truth[$0] == train.labels[$0] } }
    return try LossMixture.read(file, networks: networks).enumerated().map { network, mixture in
      let name = Checkpoint.prefix(network) + "state.sample_loss"
      let all = try file.floats(name, shape: [train.count])
      guard all.allSatisfy(\.isFinite) else {
        throw Failure.damagedCheckpoint(file.path, why: "\(name) holds NaN or infinity.")
      }
      let range = mixture.most - mixture.least
      let losses = ids.map { range > 0 ? min(max((Double(all[$0]) - mixture.least) / range, 0), 1) : 0 }
      return .init(
        losses: losses, isRight: isRight,
        components: [mixture.low, mixture.high].compactMap { component in
          component.map { .init(weight: $0.weight, mean: $0.mean, variance: $0.variance) }
        })
    }
  }

  /// What the network of a checkpoint says of training samples: the same ones for every run on the same data.
  ///
  /// - Throws: `.badInput` where the data do not fit the network; `.numerical` for logits that are not finite.
  public static func samples<D: Device>(
    checkpoint: String, data: Dataset, projection: Projection = .pca, on device: D
  ) throws -> ComparisonPage.Samples {
    let train = data.train
    let usable = train.labelledIDs.filter { id in train.trueLabels.map { $0[Int(id)] >= 0 } ?? true }
    guard !usable.isEmpty else {
      throw Failure(
        .badInput, "no training sample of '\(data.name)' has a label whose truth is known.",
        why: "the list of true labels has none for them.", fix: "give another list with --clean-labels.")
    }
    let chosen = CounterRandom(seed: 1).permutation(of: usable.count, .reportSample, 0).prefix(mostSamples)
      .map { usable[Int($0)] }.sorted()
    let part = train.selecting(chosen)
    let evaluator = try Evaluator(checkpoint: checkpoint, on: device)
    let K = evaluator.model.classNames.count
    guard !part.labels.contains(where: { $0 >= K }) else {
      throw Failure(
        .badInput, "the data has more classes than '\(checkpoint)'.", why: "the network has \(K).",
        fix: "use the data that it was trained on.")
    }
    let logits = try evaluator.logits(part), (features, width) = try evaluator.features(part)
    guard logits.allSatisfy(\.isFinite), features.allSatisfy(\.isFinite) else {
      throw Failure(
        .numerical, "the outputs of '\(checkpoint)' are not finite.", why: "training diverged.",
        fix: "repeat the run with a lower --lr.")
    }
    let given = part.labels.map { Int($0) }
    let confidence = given.indices.map { index -> Double in
      let row = logits[index * K..<(index + 1) * K].map { Double($0) }, most = row.max() ?? 0
      return exp(row[given[index]] - most) / row.reduce(0) { $0 + exp($1 - most) }
    }
    let components = PrincipalComponents(features, width: width)
    var samples = ComparisonPage.Samples(
      given: given, truth: part.trueLabels.map { $0.map { Int($0) } }, confidence: confidence,
      points: components.coordinates(of: features).map { ($0[0], $0.count > 1 ? $0[1] : 0) },
      projection: .principalComponents(shares: components.shares))
    if projection == .tsne {
      let embedding = NeighbourEmbedding(features, width: width)
      samples.points = embedding.points(from: samples.points)
      samples.projection = .neighbours(perplexity: embedding.perplexity)
    }
    return samples
  }
}
