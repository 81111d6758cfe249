import Datasets
import Detection
import Failures
import FileFormats
import Sessions

/// A sample that a network has given a label.
public struct JoinedSample: Sendable, Equatable {
  /// The sample, its label, and the view by which it was chosen, from 0.
  public let id: Int32, label: Int32, view: Int32
  /// The probability that the network gave the label.
  public let probability: Double

  /// A sample with its label.
  public init(id: Int32, label: Int32, view: Int32, probability: Double) {
    (self.id, self.label, self.view, self.probability) = (id, label, view, probability)
  }

  /// Of each class the samples that a network is most confident of, among those that it takes for that class.
  ///
  /// - Parameters:
  ///   - pool: the samples, of which the first come first where probabilities are equal.
  ///   - probabilities: of each class [pool, K].
  ///   - count: samples of each class, at most.
  ///   - view: the network's view.
  public static func mostConfident(_ pool: [Int32], probabilities: [Double], count: Int, view: Int) -> [JoinedSample] {
    guard !pool.isEmpty else { return [] }
    let K = probabilities.count / pool.count
    var byClass = [[JoinedSample]](repeating: [], count: K)
    for (row, id) in pool.enumerated() {
      let own = probabilities[row * K..<(row + 1) * K]
      // A network whose output is not finite is not confident of anything.
      guard own.allSatisfy(\.isFinite), let top = own.indices.max(by: { own[$0] < own[$1] }) else { continue }
      let label = top - own.startIndex
      byClass[label].append(JoinedSample(id: id, label: Int32(label), view: Int32(view), probability: own[top]))
    }
    return byClass.flatMap { samples in
      samples.enumerated().sorted { ($1.element.probability, $0.offset) < ($0.element.probability, $1.offset) }
        .prefix(count).map(\.element)
    }
  }

  /// What several networks have chosen, by id.
  ///
  /// Where they have chosen the same sample, it gets the label of the more confident one, and of equally confident ones that
  /// of the first.
  public static func agreed(_ chosen: [[JoinedSample]]) -> [JoinedSample] {
    var best: [Int32: JoinedSample] = [:]
    for sample in chosen.joined() where sample.probability > best[sample.id]?.probability ?? -1 {
      best[sample.id] = sample
    }
    return best.values.sorted { $0.id < $1.id }
  }

  /// What is known of the rounds.
  static func figures(of views: ImageViews) -> [Figure] {
    [
      Figure("labelled", "samples with a label in the round"),
      Figure("joined_right", "share of the labels that rounds have given that are right"),
    ] + (views == .whole ? [] : (1...2).map { Figure("test_acc_view_\($0)", "accuracy of view \($0) on the test set") })
  }

  private static let schema = "gpunoisy.round/1"

  /// The file of a round.
  static func file(_ samples: [JoinedSample], of round: String) -> SafetensorsFile {
    var file = SafetensorsFile(metadata: ["gpunoisy.schema": schema, DetectionStageResult.stageKey: round])
    let shape = [samples.count]
    file["joined.id"] = .init(samples.map(\.id), shape: shape)
    file["joined.label"] = .init(samples.map(\.label), shape: shape)
    file["joined.view"] = .init(samples.map(\.view), shape: shape)
    file["joined.probability"] = .init(samples.map(\.probability), shape: shape)
    return file
  }

  /// Reads the file of a round.
  ///
  /// - Throws: `.badInput` for another file.
  static func read(_ file: SafetensorsFile, of round: String) throws -> [JoinedSample] {
    guard file.metadata["gpunoisy.schema"] == schema, file.metadata[DetectionStageResult.stageKey] == round else {
      throw Failure(
        .badInput, "'\(file.path)' is not the file of \(round).",
        why: "it belongs to \(file.metadata[DetectionStageResult.stageKey]?.prefix(40) ?? "no round").",
        fix: "restore the file from a copy, or start a new run.")
    }
    let shape = [file["joined.id"]?.shape.first ?? 0]
    let ids = try file.shortIntegers("joined.id", shape: shape),
      labels = try file.shortIntegers("joined.label", shape: shape)
    let views = try file.shortIntegers("joined.view", shape: shape)
    let probabilities = try file.doubles("joined.probability", shape: shape)
    guard probabilities.allSatisfy(Column.probabilities.contains), views.allSatisfy({ (0...1).contains($0) }) else {
      throw Failure.damagedCheckpoint(file.path, why: "a sample of \(round) has an impossible view or probability.")
    }
    return ids.indices.map {
      JoinedSample(id: ids[$0], label: labels[$0], view: views[$0], probability: probabilities[$0])
    }
  }
}
