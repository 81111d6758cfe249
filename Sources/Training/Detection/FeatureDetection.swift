import Compute
import Datasets
import Detection
import Failures
import FileFormats
import Reports
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
    return [.patches]
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
      let squares = try squares(side: kind.side)
      return (try kind.features(squares, threads: threads, progress: progress), kind.width, nil)
    case .lite0:
      throw Failure(
        .missingInput, "the weights of EfficientNet-Lite0 were not found.", why: "no --weights file was given.",
        fix: "see 'gpunoisy weights'.")
    case .file(let path):
      let file = try SampleArrayFile(path, of: "features", for: data.dataset)
      return (file.rows(ids).map { Float($0) }, file.width, nil)
    }
  }

  private var threads: Int { settings.threads ?? Processors.available }

  private func squares(side: Int, share: Double = 1) throws -> [UInt8] {
    // Images without what makes them images are what such a run is about.
    try data.dataset.squares(
      ids, side: side, share: share, usesFiles: settings.pixels == .none, threads: threads)
  }
}
