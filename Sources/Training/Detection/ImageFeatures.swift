import Compute
import Datasets
import Detection
import FileFormats
import Networks
import Sessions
import Settings

/// Fixed features of training images: by a network with published weights, by patches, or from a file.
public struct ImageFeatures {
  private let settings: RunSettings, dataset: Dataset
  /// The samples.
  private let ids: [Int]
  private let progress: @Sendable (_ done: Int, _ count: Int) -> Void

  /// Features of some samples of a data set.
  ///
  /// - Parameters:
  ///   - settings: where features and weights come from, and how many threads there are.
  ///   - progress: told for how many images of how many they are computed.
  public init(
    _ settings: RunSettings, _ dataset: Dataset, _ ids: [Int],
    progress: @escaping @Sendable (_ done: Int, _ count: Int) -> Void
  ) {
    (self.settings, self.dataset, self.ids, self.progress) = (settings, dataset, ids, progress)
  }

  /// The kinds of features to compute: the one that was asked for, or all that there are.
  public var sources: [FeatureSource] { Self.sources(settings.detection) }

  /// The same by the settings alone.
  static func sources(_ detection: DetectionSettings) -> [FeatureSource] {
    if let source = detection.features { return [source] }
    let isHere = detection.weights != nil || KnownWeights.named("lite0")?.path() != nil
    return isHere ? [.lite0, .patches] : [.patches]
  }

  /// From which cosine of features on images are taken for shots of one scene, where features tell these apart.
  ///
  /// Measured with Lite0 on 600 photographs: two of them have 0.72 at most, and 95 % of pairs of a burst (cropped by 6 %,
  /// turned by 2 degrees, compressed again) 0.81 or more. Patches, and Lite0 on small grey images, tell no such thing.
  private static let burstCosine = 0.8

  /// The features [ids, D] of one kind, D, and from which cosine of two of them on images show one scene.
  ///
  /// - Throws: `.badInput` for a file that does not fit the data; `.missingInput` for weights that are not there; what the
  ///   device throws; where the process was asked to stop.
  public func features<D: Device>(
    _ source: FeatureSource, on device: D
  ) throws -> (values: [Float], width: Int, cosine: Double?) {
    switch source {
    case .patches:
      let isSmall = dataset.shorterSide <= ImageSizing.smallSide
      let kind = PatchFeatures(count: ids.count, isSmall: isSmall)
      let squares = try squares(ids, side: kind.side)
      return (try kind.features(squares, threads: threads, progress: progress), kind.width, nil)
    case .network(let name): return try features(ofWeights: settings.detection.weights ?? name, on: device)
    case .file(let path):
      let file = try SampleArrayFile(path, of: "features", for: dataset)
      return (file.rows(ids).map { Float($0) }, file.width, nil)
    }
  }

  /// Images of a portion that is read and computed at a time, in bytes.
  private static let portionBytes = 64 << 20

  /// The features by a network with published weights: of squares at the size that it is for, or less for small images.
  private func features<D: Device>(
    ofWeights text: String, on device: D
  ) throws -> (values: [Float], width: Int, cosine: Double?) {
    let choice = try WeightsChoice(text)
    let network = try Network(choice.known?.network ?? "efficientnet-lite0")
    let shorter = dataset.shorterSide, isSmall = shorter <= Self.smallSide
    let isGrey = dataset.train.images.channels == 1
    let side =
      !isSmall ? network.entry.imageSide : isGrey && shorter <= 28 ? 64 : ids.count > Self.manyImages ? 128 : 160
    let graph = try network.graph(batch: 1, height: side, width: side, channels: 3, classes: 2)
    let names = (graph.parameters.entries + graph.running.entries).map(\.name)
    let extractor = try FeatureExtractor(
      network: network, weights: WeightsFile(reading: choice.path, for: names).tensors, device: device, height: side,
      width: side, channels: 3)
    var features: [Float] = []
    features.reserveCapacity(ids.count * extractor.width)
    let portion = max(1, Self.portionBytes / (side * side * 3))
    for first in Swift.stride(from: 0, to: ids.count, by: portion) {
      let some = Array(ids[first..<min(first + portion, ids.count)])
      // Photographs have their subject in the middle; small images have nothing else.
      let squares = try squares(some, side: side, share: isSmall ? 1 : 0.875)
      features += try extractor.features(of: squares) { done, _ in progress(first + done, ids.count) }
    }
    return (features, extractor.width, side >= 128 ? Self.burstCosine : nil)
  }

  /// Images with a shorter side of at most this many pixels are taken whole; of more of them than this, less is enough.
  private static let smallSide = 64, manyImages = 1_500

  private var threads: Int { settings.threads ?? Processors.available }

  private func squares(_ ids: [Int], side: Int, share: Double = 1) throws -> [UInt8] {
    // Images without what makes them images are what such a run is about.
    try dataset.squares(
      ids, side: side, share: share, usesFiles: settings.pixels == .none, threads: threads)
  }
}
