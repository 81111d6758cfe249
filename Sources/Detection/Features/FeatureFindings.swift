import Datasets
import Failures
import FileFormats
import Statistics

/// What features said of the samples of a training set.
public struct FeatureFindings: Sendable {
  /// Where the features came from.
  public let source: FeatureSource
  /// The samples that were judged, in order.
  public let ids: [Int]
  /// The classes that were judged, in order; the judgement numbers them from 0.
  public let classes: [Int]
  /// What was found; nil where fewer than two classes are left to be judged.
  public let judgement: FeatureJudgement?
  /// Classes with too few samples to be judged, and with few samples.
  public let tooSmall: [Int], small: [Int]
  /// Samples that were left out together, by id: copies, images of one directory below that of their class, and those
  /// whose features are nearly the same.
  public let groups: [[Int]]
  /// How long it took to compute features and to judge them.
  public var seconds: Double

  /// Classes of fewer samples are left out, and are named.
  public static let leastJudged = 5, fewSamples = 20
  /// Groups of more samples, and of a larger share of the set, are none.
  private static let mostOfGroup = 20, mostOfSet = 0.1

  /// Judges the labels of a set's samples by features.
  ///
  /// - Parameters:
  ///   - features: the features [M, D] of M samples.
  ///   - samples: these samples' ids, in order; those without a label are left out.
  ///   - set: the labels.
  ///   - groups: samples that belong together, by id.
  ///   - cosine: from which cosine of their features on samples belong together, too; nil for none.
  public init(
    _ features: [Float], width: Int, of samples: [Int], in set: LabelledSet, classCount: Int, source: FeatureSource,
    groups: [[Int]] = [], cosine: Double? = nil, seconds: Double = 0
  ) {
    let counts = set.classCounts(classCount)
    classes = (0..<classCount).filter { counts[$0] >= Self.leastJudged }
    tooSmall = (0..<classCount).filter { (1..<Self.leastJudged).contains(counts[$0]) }
    small = (0..<classCount).filter { (Self.leastJudged..<Self.fewSamples).contains(counts[$0]) }
    var position = [Int?](repeating: nil, count: classCount)
    for (index, label) in classes.enumerated() { position[label] = index }
    func label(_ id: Int) -> Int? { set.labels[id] < 0 ? nil : position[Int(set.labels[id])] }
    let rows = samples.indices.filter { label(samples[$0]) != nil }, ids = rows.map { samples[$0] }
    (self.ids, self.source, self.seconds) = (ids, source, seconds)
    let chosen = rows.count == samples.count ? features : rows.flatMap { features[$0 * width..<($0 + 1) * width] }
    guard classes.count > 1, let table = FeatureTable(chosen, width: width, takesRoots: source.takesRoots) else {
      (judgement, self.groups) = (nil, [])
      return
    }
    let place = Dictionary(uniqueKeysWithValues: ids.enumerated().map { ($1, $0) })
    let near = cosine.map { NearDuplicates.groups(table, cosine: $0) } ?? []
    // Without a part of the set that is too large, the rest says nothing of it.
    let most = min(ids.count / 2, max(Self.mostOfGroup, Int(Double(ids.count) * Self.mostOfSet)))
    let joined = NearDuplicates.joined(near + groups.map { $0.compactMap { place[$0] } }, count: ids.count)
      .filter { $0.count <= most }
    self.groups = joined.map { $0.map { ids[$0] } }
    judgement = FeatureJudgement(
      table, labels: ids.compactMap(label), classes: classes.count, groups: joined, countsMost: source != .patches)
  }

  /// The verdict; that nothing can be told where nothing could be judged.
  public var verdict: DetectionVerdict { judgement?.verdict ?? .cannotTell }

  // MARK: - Files

  /// The name of its stage.
  public static let stage = "features"
  private static let schema = "gpunoisy.features/1"

  /// The file of the finished stage.
  public var file: SafetensorsFile {
    var file = SafetensorsFile(metadata: [
      "gpunoisy.schema": Self.schema, DetectionStageResult.stageKey: Self.stage, "features": source.description,
      "seconds": NumberFormatting.shortest(seconds),
    ])
    func integers(_ values: [Int]) -> SafetensorsFile.Tensor { .init(values.map { Int32($0) }, shape: [values.count]) }
    file["ids"] = integers(ids)
    file["classes"] = integers(classes)
    file["too_small"] = integers(tooSmall)
    file["small"] = integers(small)
    file["groups"] = integers(groups.flatMap { $0 })
    file["group_sizes"] = integers(groups.map(\.count))
    judgement?.store(in: &file)
    return file
  }

  /// Reads the file of a finished stage.
  ///
  /// - Parameters:
  ///   - set: the samples, with the labels that were judged.
  ///   - classCount: the data set's classes.
  /// - Throws: `.badInput` for a file that is damaged, or belongs to other data.
  public init(_ file: SafetensorsFile, of set: LabelledSet, classCount: Int) throws {
    func foreign(_ why: String) -> Failure {
      Failure(
        .badInput, "'\(file.path)' does not belong to this detection.", why: why,
        fix: "restore the file from a copy, or repeat the detection.")
    }
    guard file.metadata[DetectionStageResult.stageKey] == Self.stage,
      let source = file.metadata["features"].map(FeatureSource.init),
      let seconds = file.metadata["seconds"].flatMap(Double.init)
    else { throw foreign("it is not what a detection by features leaves.") }
    func integers(_ name: String) throws -> [Int] {
      try file.integers(name, shape: file[name]?.shape ?? [0]).map { Int($0) }
    }
    (self.source, self.seconds) = (source, seconds)
    (ids, classes, tooSmall, small) = (
      try integers("ids"), try integers("classes"), try integers("too_small"), try integers("small")
    )
    let members = try integers("groups")
    var end = 0
    groups = try integers("group_sizes").map { size in
      guard size > 1, end + size <= members.count else { throw foreign("its groups have other sizes.") }
      end += size
      return Array(members[end - size..<end])
    }
    let labels = Set(classes)
    guard Set(members).isSubset(of: ids), labels.count == classes.count,
      (classes + tooSmall + small).allSatisfy((0..<classCount).contains),
      ids == set.labelledIDs.map({ Int($0) }).filter({ labels.contains(Int(set.labels[$0])) })
    else { throw foreign("it is about other samples or classes.") }
    judgement = try FeatureJudgement(fromFile: file, samples: ids.count, classes: classes.count)
  }
}

extension FeatureSource {
  /// Whether features are sums of rectified responses, of which roots are taken.
  var takesRoots: Bool { self == .patches }
}
