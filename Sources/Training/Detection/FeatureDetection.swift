import Compute
import Datasets
import Detection
import Failures
import FileFormats
import Networks
import Reports
import Sessions
import Settings

/// Computes features of a run's samples and judges its labels by them.
public struct FeatureDetection {
  private let settings: RunSettings, data: RunData
  private let progress: @Sendable (_ done: Int, _ count: Int) -> Void
  /// The samples that are judged.
  private let ids: [Int]

  /// A detection in a run's data.
  ///
  /// - Parameter progress: told for how many images of how many features are computed.
  public init(
    _ settings: RunSettings, data: RunData, progress: @escaping @Sendable (_ done: Int, _ count: Int) -> Void
  ) {
    (self.settings, self.data, self.progress) = (settings, data, progress)
    ids = data.judged.labelledIDs.map { Int($0) }
  }

  /// What the features say; of several kinds, those that explain the labels better.
  ///
  /// - Throws: `.badInput` for a file of features that does not fit the data; `.missingInput` for weights that are not
  ///   there; what the device throws; where the process was asked to stop.
  public func findings<D: Device>(on device: D) throws -> FeatureFindings {
    let clock = ContinuousClock(), start = clock.now
    var best: FeatureFindings?
    let groups = data.judged.duplicateGroups.map { $0.ids.map { Int($0) } } + directories
    for source in try sources() {
      let (features, width, cosine) = try features(source, on: device)
      let found = FeatureFindings(
        features, width: width, of: ids, in: data.judged, classCount: data.dataset.classCount, source: source,
        groups: groups, cosine: cosine)
      let explained = found.judgement?.explained ?? -.infinity
      if best.map({ explained > $0.judgement?.explained ?? -.infinity }) ?? true { best = found }
    }
    guard var best else { preconditionFailure("there is always a source of features") }
    best.seconds = (clock.now - start) / .seconds(1)
    return best
  }

  /// The head of a detection by features alone.
  public static func outline(
    _ settings: RunSettings, _ data: RunData, device: String, folder: RunFolder
  ) -> RunOutline {
    let source = settings.detection.features?.title ?? "the best that there are; --features"
    let detector =
      [settings.detection.predictedProbabilities.map { "confident learning by \($0)" },
       settings.detection.detector.usesFeatures ? "features: \(source)" : nil].compactMap { $0 }.joined(separator: " · ")
    return RunOutline(
      facts: [.init("run", folder.path), .init("device", device)] + RunOutline.facts(settings, data)
        + [.init("detector", detector)], epochs: 0)
  }

  /// The kinds of features to compute.
  private func sources() throws -> [FeatureSource] {
    if let source = settings.detection.features { return [source] }
    let isHere = settings.detection.weights != nil || KnownWeights.named("lite0")?.path() != nil
    return isHere ? [.lite0, .patches] : [.patches]
  }

  /// Samples in one directory below that of their class, such as the shots of one session.
  private var directories: [[Int]] {
    let paths = data.dataset.train.paths, labels = data.judged.labels, names = data.dataset.classNames
    guard !paths.isEmpty else { return [] }
    var members: [String: [Int]] = [:]
    for id in ids {
      let parts = paths[id].split(separator: "/").dropLast()
      guard let place = parts.firstIndex(where: { $0 == names[Int(labels[id])] }), place + 1 < parts.endIndex else {
        continue
      }
      members[parts.joined(separator: "/"), default: []].append(id)
    }
    return members.sorted { $0.key < $1.key }.map(\.value)
  }

  /// From which cosine of features on images are taken for shots of one scene, where features tell these apart.
  ///
  /// Measured with Lite0 on 600 photographs: two of them have 0.72 at most, and 95 % of pairs of a burst (cropped by 6 %,
  /// turned by 2 degrees, compressed again) 0.81 or more. Patches, and Lite0 on small grey images, tell no such thing.
  private static let burstCosine = 0.8

  private func features<D: Device>(
    _ source: FeatureSource, on device: D
  ) throws -> (values: [Float], width: Int, cosine: Double?) {
    switch source {
    case .patches:
      let isSmall = data.dataset.shorterSide <= ImageSizing.smallSide
      let kind = PatchFeatures(count: ids.count, isSmall: isSmall)
      let squares = try squares(ids, side: kind.side)
      return (try kind.features(squares, threads: threads, progress: progress), kind.width, nil)
    case .network(let name): return try features(ofWeights: settings.detection.weights ?? name, on: device)
    case .file(let path):
      let file = try SampleArrayFile(path, of: "features", for: data.dataset)
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
    let shorter = data.dataset.shorterSide, isSmall = shorter <= Self.smallSide
    let isGrey = data.dataset.train.images.channels == 1
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
    try data.dataset.squares(
      ids, side: side, share: share, usesFiles: settings.pixels == .none, threads: threads)
  }
}
