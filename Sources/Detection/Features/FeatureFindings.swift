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
  /// From which cosine of their features on samples count as nearly the same; nil where features do not say that.
  public let cosine: Double?
  /// Of these, the copies and those whose features are nearly the same, without directories.
  public let nearDuplicates: [[Int]]
  /// The samples outside the training part that are nearly the same as a training sample, each with the nearest one.
  public let twins: [Twin]
  /// How long it took to compute features and to judge them.
  public var seconds: Double

  /// A sample, by id, and the training sample whose features are nearest.
  public struct Twin: Sendable, Equatable {
    /// The ids, and the cosine of the features.
    public let id: Int, training: Int, cosine: Double
  }

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
  ///   - groups: samples that belong together, by id, as those of one directory.
  ///   - copies: samples that are the same image, by id.
  ///   - given: the labels that samples were given whose right label, which the set has, is known, by id.
  ///   - trainCount: ids from this on are samples of other parts than the training part; nil for none.
  ///   - cosine: from which cosine of their features on samples belong together, too; nil for none.
  public init(
    _ features: [Float], width: Int, of samples: [Int], in set: LabelledSet, classCount: Int, source: FeatureSource,
    groups: [[Int]] = [], copies: [[Int]] = [], given: [Int: Int] = [:], trainCount: Int? = nil, cosine: Double? = nil,
    seconds: Double = 0
  ) {
    let counts = set.classCounts(classCount)
    classes = (0..<classCount).filter { counts[$0] >= Self.leastJudged }
    tooSmall = (0..<classCount).filter { (1..<Self.leastJudged).contains(counts[$0]) }
    small = (0..<classCount).filter { (Self.leastJudged..<Self.fewSamples).contains(counts[$0]) }
    var position = [Int?](repeating: nil, count: classCount)
    for (index, label) in classes.enumerated() { position[label] = index }
    func label(_ id: Int) -> Int? { set.labels[id] < 0 ? nil : position[Int(set.labels[id])] }
    let rows = samples.indices.filter { label(samples[$0]) != nil }, ids = rows.map { samples[$0] }
    (self.ids, self.source, self.seconds, self.cosine) = (ids, source, seconds, cosine)
    let chosen = rows.count == samples.count ? features : rows.flatMap { features[$0 * width..<($0 + 1) * width] }
    guard classes.count > 1, let table = FeatureTable(chosen, width: width, takesRoots: source.takesRoots) else {
      (judgement, self.groups, nearDuplicates, twins) = (nil, [], [], [])
      return
    }
    let place = Dictionary(uniqueKeysWithValues: ids.enumerated().map { ($1, $0) })
    // Training samples come first.
    let training = trainCount.map { count in ids.count { $0 < count } } ?? ids.count
    let duplicates = cosine.map { NearDuplicates(table, cosine: $0, firstPart: training) }
    // Without a part of the set that is too large, the rest says nothing of it.
    let most = min(ids.count / 2, max(Self.mostOfGroup, Int(Double(ids.count) * Self.mostOfSet)))
    func joined(_ groups: [[Int]]) -> [[Int]] {
      NearDuplicates.joined(groups, count: ids.count).filter { $0.count <= most }
    }
    let near = (duplicates?.links ?? []) + copies.map { $0.compactMap { place[$0] } }
    let together = joined(near + groups.map { $0.compactMap { place[$0] } })
    self.groups = together.map { $0.map { ids[$0] } }
    nearDuplicates = joined(near).map { $0.map { ids[$0] } }
    twins = (duplicates?.nearest ?? []).map {
      Twin(id: ids[$0.second], training: ids[$0.first], cosine: $0.cosine)
    }
    let labels = ids.compactMap(label)
    var known: [Int: Int] = [:]
    for (row, id) in ids.enumerated() {
      // A label of a class that is not judged says nothing of the others' errors.
      if let label = given[id] { known[row] = position[label] ?? labels[row] }
    }
    judgement = FeatureJudgement(
      table, labels: labels, classes: classes.count, groups: together, given: known, countsMost: source != .patches)
  }

  /// The verdict; that nothing can be told where nothing could be judged.
  public var verdict: DetectionVerdict { judgement?.verdict ?? .cannotTell }

  // MARK: - Files

  /// The name of its stage.
  public static let stage = "features"
  private static let schema = "gpunoisy.features/1"
  /// A hundred years: no detection takes longer.
  private static let mostSeconds = 3.2e9

  /// The file of the finished stage.
  public var file: SafetensorsFile {
    var file = SafetensorsFile(metadata: [
      "gpunoisy.schema": Self.schema, DetectionStageResult.stageKey: Self.stage, "features": source.description,
      "seconds": NumberFormatting.shortest(seconds),
    ])
    if let cosine { file.metadata["cosine"] = NumberFormatting.shortest(cosine) }
    func integers(_ values: [Int]) -> SafetensorsFile.Tensor { .init(values.map { Int32($0) }, shape: [values.count]) }
    file["ids"] = integers(ids)
    file["classes"] = integers(classes)
    file["too_small"] = integers(tooSmall)
    file["small"] = integers(small)
    file["groups"] = integers(groups.flatMap { $0 })
    file["group_sizes"] = integers(groups.map(\.count))
    file["near"] = integers(nearDuplicates.flatMap { $0 })
    file["near_sizes"] = integers(nearDuplicates.map(\.count))
    file["twins"] = integers(twins.flatMap { [$0.id, $0.training] })
    file["twin_cosines"] = .init(twins.map(\.cosine), shape: [twins.count])
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
    /// A number of the metadata; nil where it has none.
    func number(_ name: String, in range: ClosedRange<Double>) throws -> Double? {
      try file.metadata[name].map { text in
        guard let value = Double(text), range.contains(value) else {
          throw Failure(
            .badInput, "'\(file.path)' is damaged.", why: "its '\(name)' is '\(text.prefix(40))'.",
            fix: "restore the file from a copy, or repeat the detection.")
        }
        return value
      }
    }
    guard file.metadata[DetectionStageResult.stageKey] == Self.stage,
      let source = file.metadata["features"].map(FeatureSource.init),
      let seconds = try number("seconds", in: 0...Self.mostSeconds)
    else { throw foreign("it is not what a detection by features leaves.") }
    func integers(_ name: String) throws -> [Int] {
      try file.integers(name, shape: file[name]?.shape ?? [0]).map { Int($0) }
    }
    (self.source, self.seconds, cosine) = (source, seconds, try number("cosine", in: -1...1))
    (ids, classes, tooSmall, small) = (
      try integers("ids"), try integers("classes"), try integers("too_small"), try integers("small")
    )
    let known = Set(ids)
    func lists(_ name: String, sizes: String) throws -> [[Int]] {
      let members = try integers(name)
      var end = 0
      guard known.isSuperset(of: members) else { throw foreign("its groups have other samples.") }
      return try integers(sizes).map { size in
        guard size > 1, size <= members.count - end else { throw foreign("its groups have other sizes.") }
        end += size
        return Array(members[end - size..<end])
      }
    }
    groups = try lists("groups", sizes: "group_sizes")
    // Versions before this one did not keep the rest.
    nearDuplicates = file["near"] == nil ? [] : try lists("near", sizes: "near_sizes")
    let pairs = file["twins"] == nil ? [] : try integers("twins")
    let cosines = pairs.isEmpty ? [] : try file.doubles("twin_cosines", shape: [pairs.count / 2])
    guard known.isSuperset(of: pairs), pairs.count == 2 * cosines.count,
      cosines.allSatisfy((-1.001...1.001).contains)
    else {
      throw foreign("its pairs have other samples.")
    }
    twins = cosines.enumerated().map { Twin(id: pairs[2 * $0], training: pairs[2 * $0 + 1], cosine: $1) }
    let labels = Set(classes)
    guard labels.count == classes.count,
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
