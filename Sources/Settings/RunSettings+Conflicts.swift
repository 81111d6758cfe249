import Detection
import Failures
import Losses
import Methods
import Sessions

/// Settings that contradict each other, and settings that nothing reads.
extension RunSettings {
  /// Checks what can be checked without data.
  ///
  /// - Throws: `.usage`, `.configuration`.
  public func validate() throws {
    if job == .detect { try validateLossOfDetection() }
    guard exclude == nil || excludeBy == .drop || !loss.dependsOnBatch else {
      throw Failure(
        .configuration, "--exclude-by weight-zero cannot be used with --loss \(loss).",
        why: "its gradient also depends on other samples.", fix: "use --exclude-by drop.")
    }
    guard !freezes || initialWeights != nil else {
      throw Failure(
        .configuration, "--freeze needs --init.", why: "only the last layer is trained: the others must be given.",
        fix: "add --init lite0, or a checkpoint, or remove --freeze.")
    }
    guard classWeights == .none || !loss.dependsOnBatch else {
      throw Failure(
        .configuration, "--class-weights \(classWeights.rawValue) cannot be used with --loss \(loss).",
        why: "it is one number for a batch, in which samples have no weights.", fix: "remove --class-weights.")
    }
    if job != .detect {
      // With --init the network may follow the weights.
      if initialWeights == nil { try validateNormalization() }
      try validateTransition()
      try validateMethod()
    }
    let milestones = optimizer.milestones
    guard milestones == milestones.sorted(), Set(milestones).count == milestones.count else {
      throw Failure(
        .usage, "--milestones \(milestones.map(String.init).joined(separator: ",")) are not in order.",
        why: "they must be increasing: the learning rate falls at each of them.",
        fix: "write them in increasing order, such as 150,225.")
    }
    if job == .detect { try validateDetection() }
  }

  /// Checks that there are weights whose inputs `--normalize network` means.
  func validateNormalization() throws {
    guard normalize == .network, model.entry.preprocessing == nil else { return }
    throw Failure(
      .configuration, "--normalize network cannot be used with --model \(model).",
      why: "no published weights of this network are known.", fix: "remove --normalize.")
  }

  private func validateTransition() throws {
    switch (loss.correction, transition) {
    case (nil, nil): break
    case (.some, .some(.anchors(let first))) where first >= epochs:
      throw Failure(
        .configuration, "--transition anchors:\(first) leaves no epoch for \(loss).",
        why: "there are \(epochs) epochs, and the matrix is estimated after \(first) of cross entropy.",
        fix: "use more --epochs, or anchors after fewer.")
    case (.some, .some): break
    case (.some, nil):
      throw Failure(
        .configuration, "--loss \(loss) needs a transition matrix.", why: "it corrects labels by their noise.",
        fix: "set --transition to true, anchors:40 or a file.")
    case (nil, .some):
      throw Failure(
        .configuration, "--transition cannot be used with --loss \(loss).", why: "only forward and backward read it.",
        fix: "use --loss forward, or remove --transition.")
    }
  }

  private func validateLossOfDetection() throws {
    let reason: String
    if loss.correction != nil {
      reason = "it corrects labels by a transition matrix, which does not cover the extra class."
    } else if loss.hasPeers {
      reason = "its second pass over other samples hides the margins of the first."
    } else if loss.dependsOnBatch {
      reason = "it is one number for a batch, and says nothing about single samples."
    } else {
      return
    }
    throw Failure(
      .configuration, "--loss \(loss.entry.name) cannot be used to detect.", why: reason, fix: "use --loss ce.")
  }

  private func validateDetection() throws {
    if detection.predictedProbabilities != nil, let choice = detection.choice,
      choice.usesMargins || !choice.usesFolds || choice.selection != nil
    {
      throw Failure(
        .configuration, "--pred-probs cannot be used with --detector \(choice.rawValue).",
        why: "probabilities are judged by confident learning.", fix: "use --detector cl, or remove --pred-probs.")
    }
    if detection.detector.usesMargins, detection.predictedProbabilities == nil {
      guard epochs >= 2 else {
        throw Failure(
          .configuration, "--epochs \(epochs) leaves no margins to average.",
          why: "the first epoch does not count, because its weights are nearly random.", fix: "use --epochs 2 or more.")
      }
      if let schedule = optimizer.schedule, schedule != .constant {
        throw Failure(
          .configuration, "--schedule \(schedule.rawValue) invalidates the area under the margin.",
          why: "once the learning rate falls, the network memorises wrong labels.",
          fix: "remove --schedule, or use --detector cl.")
      }
    }
    try validateSelection()
    try validateSplit()
    guard detection.retrain == nil || detection.verdicts == nil else {
      throw Failure(
        .configuration, "--retrain cannot be used with --verdicts.",
        why: "labels that a verdict corrects would be trained on as they were.",
        fix: "write the corrected data first, with gpunoisy apply, and train on that.")
    }
    guard detection.retrain == nil || exclude == nil else {
      throw Failure(
        .configuration, "--retrain cannot be used with --exclude.",
        why: "retraining already excludes the suspected samples, and accepts only one list.",
        fix: "train afterwards: gpunoisy train --exclude FILE.")
    }
  }

  /// Checks that the method selects samples, and has the epochs to.
  private func validateSelection() throws {
    guard let method = effectiveSelection ?? selectionMethod else { return }
    let name = method.entry.name, names = SelectionMethod.allCases.map(\.rawValue)
    guard names.contains(name) else {
      throw Failure(
        .configuration, "--selection \(name) is no method that detectors judge by.",
        why: "they judge by the suspicion of \(names.joined(separator: " or ")).",
        fix: "use one of these, or 'gpunoisy train --method \(name)', whose suspicion.csv 'gpunoisy apply' reads.")
    }
    if let choice = detection.choice, choice.selection?.rawValue != name {
      throw Failure(
        .configuration, "--selection \(name) cannot be used with --detector \(choice.rawValue).",
        why: "the detector judges by \(choice.selection?.rawValue ?? choice.rawValue).",
        fix: "use --detector \(name), or remove --selection.")
    }
    do {
      try method.check(loss)
    } catch {
      // The method was not asked for by --method.
      throw Failure(
        error.kind, "--detector \(detection.detector.rawValue) cannot be used with --loss \(loss.entry.name).",
        why: error.why, fix: "use --loss ce.")
    }
    guard exclude == nil || excludeBy == .drop else {
      throw Failure(
        .configuration, "--exclude-by weight-zero cannot be used with --detector \(detection.detector.rawValue).",
        why: method.entry.weightsConflict ?? "the method sets the weights of the samples itself.",
        fix: "use --exclude-by drop.")
    }
    if name == SelectionMethod.divideMix.rawValue, epochs < Int(method["warm"]) {
      throw Failure(
        .configuration, "with --epochs \(epochs), dividemix never gets to divide the labels.",
        why: "it begins with \(Int(method["warm"])) epochs of plain training.",
        fix: "use more --epochs, or a smaller warm in --selection, such as warm=\(max(epochs / 6, 1)).")
    }
  }

  /// Checks that other parts than the training part are judged by what can judge them.
  private func validateSplit() throws {
    let split = detection.split
    guard split != .train else { return }
    if let choice = detection.choice, detection.trainsNetworks {
      throw Failure(
        .configuration, "--split \(split.rawValue) cannot be used with --detector \(choice.rawValue).",
        why: "it trains networks, on the samples whose labels they judge.",
        fix: "use --detector features, or --pred-probs with probabilities that you have.")
    }
    guard detection.retrain == nil else {
      throw Failure(
        .configuration, "--retrain cannot be used with --split \(split.rawValue).",
        why: "it trains on the training samples that are not suspected, and these are not all that is judged.",
        fix: "remove it.")
    }
    let lists = [("labels", labels != nil), ("clean-labels", cleanLabels != nil), ("exclude", exclude != nil)]
    guard split != .all, let list = lists.first(where: \.1)?.0 else { return }
    throw Failure(
      .configuration, "--\(list) cannot be used with --split \(split.rawValue).",
      why: "it is about training samples, and these are not judged.", fix: "remove it, or use --split all.")
  }

  // MARK: - Settings that nothing reads

  /// Refuses settings that were given, but that nothing would read.
  ///
  /// - Parameter names: what the command line gave.
  /// - Throws: `.configuration`.
  public func refuseUnread(_ names: [String]) throws {
    for setting in names.compactMap(Self.setting(named:)) {
      try setting.requireReader(job)
      guard let (reader, fix) = missingReader(of: setting.name) else { continue }
      throw Failure(
        .configuration, "--\(setting.name) has no effect.", why: "it is read \(reader).", fix: fix)
    }
  }

  /// What would read a setting that these settings do not read: under which condition, and what to do about it.
  private func missingReader(of name: String) -> (reader: String, fix: String)? {
    let detector = detection.detector, isDetection = job == .detect
    let steps = optimizer.schedule == .step || optimizer.schedule == nil && !isDetection
    func unless(_ isRead: Bool, _ reader: String, _ fix: String) -> (String, String)? { isRead ? nil : (reader, fix) }
    let isOfNetworks =
      Self.readByNetworks.contains(name) || detection.retrain == nil && Self.readByTraining.contains(name)
    let isOfFolds = detection.predictedProbabilities != nil && name == "folds"
    if isDetection, !detection.trainsNetworks, isOfNetworks || isOfFolds {
      return ("only by detectors that train networks", "remove it, or use --detector aum.")
    }
    switch name {
    case "momentum", "nesterov":
      return unless(optimizer.kind == .sgd, "only by --optimizer sgd", "remove it; Adam has --beta1 and --beta2.")
    case "beta1", "beta2": return unless(optimizer.kind == .adam, "only by --optimizer adam", "remove it.")
    case "freeze": return unless(initialWeights != nil, "only with --init", "add --init lite0, or remove it.")
    case "pretrained-rate":
      return unless(
        initialWeights != nil && !freezes, "only with --init, and without --freeze", "add --init, or remove it.")
    case "batch-norm":
      return unless(
        batchNorm == .batch || initialWeights != nil && !freezes, "only with --init, and without --freeze", "remove it."
      )
    case "augment":
      return unless(!freezes, "only where images are changed: --freeze computes features once", "remove it.")
    case "milestones": return unless(steps, "only by --schedule step", "remove it, or add --schedule step.")
    case "gamma":
      let falls =
        optimizer.schedule == nil && isDetection && (detector.usesFolds || detector.selection != nil)
      return unless(steps || falls, "only by --schedule step", "remove it, or add --schedule step.")
    case "features", "weights":
      let isRead = detection.choice == nil || detector.usesFeatures
      return unless(isRead, "only by --detector \(DetectionSettings.Detector.names(with: "features"))", "remove it.")
    case "keep-margins":
      let isRead = detection.choice == nil || detector.usesMargins || detector.usesFolds
      return unless(isRead, "only by detectors with aum or cl", "remove it.")
    case "trust": return unless(exclude != nil || isDetection, "only with --exclude", "remove it.")
    case "retrain-epochs": return unless(detection.retrain != nil, "only with --retrain", "add --retrain.")
    case _ where Self.readByMargins.contains(name):
      let isRead = detection.choice == nil || detector.usesMargins
      return unless(isRead, "only by --detector \(DetectionSettings.Detector.names(with: "aum"))", "remove it.")
    case _ where Self.readByFolds.contains(name):
      let isRead = detection.choice == nil || detector.usesFolds
      return unless(isRead, "only by --detector \(DetectionSettings.Detector.names(with: "cl"))", "remove it.")
    default: return nil
    }
  }

  /// Settings of `detect` by what reads them: networks with threshold samples, folds, networks of any kind, and networks
  /// as well as the training after a detection.
  static let readByMargins = ["passes", "threshold-samples", "percentile", "combine", "margin"]
  static let readByFolds = ["folds", "cl-filter", "cl-score"]
  static let readByNetworks = ["epochs", "batch-size", "schedule", "keep-margins"]
  static let readByTraining = [
    "model", "loss", "optimizer", "lr", "warmup", "momentum", "nesterov", "beta1", "beta2", "weight-decay", "l1",
    "milestones", "gamma", "clip-norm", "augment", "shuffle", "drop-last",
  ]
}

extension Setting {
  /// Refuses a job that does not read the setting, for what it does not read.
  ///
  /// - Throws: `.configuration`.
  public func requireReader(_ job: JobKind) throws {
    guard !jobs.contains(job) else { return }
    throw Failure(
      .configuration, "--\(name) is not a setting of \(job.rawValue).",
      why: "\(job.rawValue) does not read it\(job == .detect && !absence.isEmpty ? ": \(absence)" : "").",
      fix: "remove it.")
  }
}
