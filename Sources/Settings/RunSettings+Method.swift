import Detection
import Failures
import Methods

/// Training methods and settings that contradict each other.
extension RunSettings {
  /// The method that selects samples for the detector; nil for a detector without one.
  ///
  /// Parameters that are not given follow: DivideMix has no term for samples whose labels it does not believe, as in its
  /// paper where a fifth of the labels is wrong, and its plain epochs are a sixth of all, since a thirtieth, as published,
  /// teaches a small set nothing; co-teaching's ramp is in proportion to its paper's 200 epochs.
  public var effectiveSelection: MethodChoice? {
    guard job == .detect, let selection = detection.detector.selection else { return nil }
    let usual: MethodChoice? =
      switch selection {
      case .divideMix: try? MethodChoice("dividemix:unlabelled=0,warm=\(max(epochs / 6, 1))")
      case .coTeaching: try? MethodChoice("co-teaching").scaled(by: Double(epochs) / 200)
      }
    return usual.map { selectionMethod?.completed(by: $0) ?? $0 }
  }

  /// The method that trains the most networks at a time: the training's, or that of a detector.
  public var largestMethod: MethodChoice { effectiveSelection ?? method }

  /// Checks that method, loss and the other settings go together.
  func validateMethod() throws {
    let entry = method.entry
    try method.check(loss)
    guard entry.needsTrustedSamples == (trusted != nil) else {
      throw trusted == nil
        ? Failure(
          .configuration, "--method \(entry.name) needs --trusted.",
          why: "it learns by samples whose labels are known to be right.",
          fix: "add --trusted with a number, such as 1000, or with a table of samples and their right labels.")
        : Failure(
          .configuration, "--trusted cannot be used with --method \(entry.name).",
          why: "only methods that need trusted samples read it: \(Self.trustingMethods).",
          fix: "remove it, or add --method \(Self.trustingMethods).")
    }
    guard entry.needsTeachers != teachers.paths.isEmpty else {
      throw entry.needsTeachers
        ? Failure(
          .configuration, "--method \(entry.name) needs --teacher.", why: "it learns from networks that are trained.",
          fix: "add --teacher with the folder of a run on the same classes and images, once for each teacher.")
        : Failure(
          .configuration, "--teacher cannot be used with --method \(entry.name).",
          why: "only methods that need teachers read it: \(Self.taughtMethods).",
          fix: "remove it, or add --method \(Self.taughtMethods).")
    }
    guard !entry.needsTeachers || !freezes else {
      throw Failure(
        .configuration, "--freeze cannot be used with --method \(entry.name).",
        why: "teachers see images, and the last layer alone sees their features.", fix: "remove --freeze.")
    }
    guard !method.namesNetworks || initialWeights == nil else {
      throw Failure(
        .configuration, "--init cannot be used with --method \(entry.name):with=\(method.text("with")).",
        why: "the file has the weights of one network, and the members have different ones.",
        fix: "remove --init, or with=.")
    }
    if entry.name == MethodEntry.coTraining { try validateRounds() }
    if let conflict = entry.weightsConflict {
      guard exclude == nil || excludeBy == .drop else {
        throw Failure(
          .configuration, "--exclude-by weight-zero cannot be used with --method \(entry.name).", why: conflict,
          fix: "use --exclude-by drop.")
      }
      guard classWeights == .none else {
        throw Failure(
          .configuration, "--class-weights \(classWeights.rawValue) cannot be used with --method \(entry.name).",
          why: conflict, fix: "remove --class-weights.")
      }
    }
  }

  /// Checks that the rounds of co-training have epochs, and nothing that reads what lies between them.
  private func validateRounds() throws {
    let rounds = Int(method["rounds"])
    guard epochs >= rounds else {
      throw Failure(
        .configuration, "--epochs \(epochs) are too few for \(rounds) rounds of --method co-training.",
        why: "the rounds share the epochs.", fix: "use --epochs \(10 * rounds), or fewer rounds.")
    }
    guard initialWeights == nil else {
      throw Failure(
        .configuration, "--init cannot be used with --method co-training.",
        why: "each round begins with random weights.", fix: "remove it.")
    }
    guard patience == nil else {
      throw Failure(
        .configuration, "--patience cannot be used with --method co-training.",
        why: "networks are evaluated once a round, and each round has its epochs.", fix: "remove it.")
    }
  }

  private static let trustingMethods = MethodEntry.catalogue.filter(\.needsTrustedSamples).map(\.name)
    .joined(separator: ", ")

  private static let taughtMethods = MethodEntry.catalogue.filter(\.needsTeachers).map(\.name).joined(separator: ", ")
}
