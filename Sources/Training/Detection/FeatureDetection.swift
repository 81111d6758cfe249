import Compute
import Datasets
import Detection
import Reports
import Settings

/// Computes features of a run's samples and judges its labels by them.
public struct FeatureDetection {
  private let settings: RunSettings, data: RunData, equal: EqualImages
  private let progress: @Sendable (_ done: Int, _ count: Int) -> Void
  /// The samples that are judged.
  private let ids: [Int]

  /// A detection in a run's data.
  ///
  /// - Parameters:
  ///   - equal: `RunData.equalImages`, which takes time to find.
  ///   - progress: told for how many images of how many features are computed.
  public init(
    _ settings: RunSettings, data: RunData, equal: EqualImages,
    progress: @escaping @Sendable (_ done: Int, _ count: Int) -> Void
  ) {
    (self.settings, self.data, self.equal, self.progress) = (settings, data, equal, progress)
    ids = data.fitted.labelledIDs.map { Int($0) }
  }

  /// What the features say; of several kinds, those that explain the labels better.
  ///
  /// - Throws: `.badInput` for a file of features that does not fit the data; `.missingInput` for weights that are not
  ///   there; what the device throws; where the process was asked to stop.
  public func findings<D: Device>(on device: D) throws -> FeatureFindings {
    let clock = ContinuousClock(), start = clock.now
    let computed = ImageFeatures(settings, data.dataset, ids, progress: progress)
    var best: FeatureFindings?
    let copies = equal.groups.map { $0.ids.map { Int($0) } }, directories = directories
    let labels = data.judged.labels, fitted = data.fitted
    let given = Dictionary(uniqueKeysWithValues: (data.reviewed?.labels ?? [:]).keys.map { ($0, Int(labels[$0])) })
    let trainCount = settings.detection.split == .all ? data.whole.train.count : nil
    for source in computed.sources {
      let (features, width, cosine) = try computed.features(source, on: device)
      let found = FeatureFindings(
        features, width: width, of: ids, in: fitted, classCount: data.dataset.classCount, source: source,
        groups: directories, copies: copies, given: given, trainCount: trainCount, cosine: cosine)
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
    // Those that are tried; the one that explains the labels better is judged by.
    let sources = ImageFeatures.sources(settings.detection)
    let source =
      sources.count > 1
      ? sources.map(\.title).joined(separator: ", or ") + ": whichever explains the labels better; --features"
      : settings.detection.features?.title
        ?? sources[0].title + ", since no pretrained weights are here; see gpunoisy weights"
    let parts = [
      settings.detection.predictedProbabilities.map { "confident learning by \($0)" },
      settings.detection.detector.usesFeatures ? "features: \(source)" : nil,
    ]
    let detector = parts.compactMap { $0 }.joined(separator: " · ")
    return RunOutline(
      facts: [.init("run", folder.path), .init("device", device)] + RunOutline.facts(settings, data)
        + [.init("detector", detector)], epochs: 0)
  }

  /// Samples in one directory below that of their class, such as the shots of one session.
  private var directories: [[Int]] {
    let paths = data.dataset.train.paths, names = Set(data.dataset.classNames)
    guard !paths.isEmpty else { return [] }
    var members: [String: [Int]] = [:]
    for id in ids {
      let parts = paths[id].split(separator: "/").dropLast()
      guard let place = parts.firstIndex(where: { names.contains(String($0)) }), place + 1 < parts.endIndex else {
        continue
      }
      members[parts.joined(separator: "/"), default: []].append(id)
    }
    return members.sorted { $0.key < $1.key }.map(\.value)
  }
}
