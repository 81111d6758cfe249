import Compute
import Detection
import Failures
import FileFormats
import Methods
import Reports
import Sessions

/// Where a run begins: other weights than random ones, or what a run before has left.
extension Trainer {
  /// Starts from the weights of a file (`--init`) instead of random ones: safetensors, or what `torch.save` writes.
  ///
  /// Running statistics are taken where the file has them. The last layer stays as it is where the file has none, or one
  /// for another number of classes, as of networks that were trained on ImageNet. A method's networks begin alike but for
  /// that layer.
  ///
  /// - Returns: where in the file the weights were, as `WeightsFile.place` says it, and the parameters that were not taken
  ///   from it.
  /// - Throws: `.badInput` for a file that does not fit; `.configuration` for a method whose networks would all be equal.
  @discardableResult
  public func initialize(from path: String) throws -> (place: String?, random: [String]) {
    let running = session.running.entries, entries = session.parameters.entries
    let weights = try WeightsFile(reading: path, for: (entries + running).map(\.name)), file = weights.tensors
    let last = entries.suffix(2)
    let isOther = last.allSatisfy { entry in
      guard let shape = file[entry.name]?.shape else { return last.allSatisfy { file[$0.name] == nil } }
      return shape.first != entry.shape[0] && shape.dropFirst() == entry.shape.dropFirst()
    }
    // A method's second head is in no file but its own checkpoints.
    let random = Set(
      (entries.filter { $0.name.hasPrefix("indicator.") && file[$0.name] == nil } + (isOther ? last : [])).map(\.name))
    guard isOther || method.members.count == 1 || settings.method.findsClasses else {
      throw Failure(
        .configuration, "--init \(path) cannot be used with --method \(settings.method.entry.name).",
        why:
          "its \(method.members.count) networks must differ in their initial weights, and the file has a last layer, too.",
        fix: "use weights of other classes, such as --init lite0, or remove --init.")
    }
    let taken = try Checkpoint.tensors(
      entries.filter { !random.contains($0.name) }.map { ($0.name, $0.shape) }, in: file)
    let statistics =
      running.allSatisfy { file[$0.name] != nil }
      ? try Checkpoint.tensors(running.map { ($0.name, $0.shape) }, in: file) : nil
    for member in method.members {
      var rest = taken[...]
      let parameters = try member.readState().parameters.map { tensor in
        random.contains(tensor.name) ? tensor : rest.removeFirst()
      }
      try member.writeWeights(parameters: parameters, running: statistics)
    }
    return (weights.place, entries.map(\.name).filter(random.contains))
  }

  /// Takes up what the folder of a stopped run holds: the stages that are done, and the checkpoint of the one under way.
  ///
  /// - Returns: whether there was anything to take up.
  /// - Throws: `.badInput` for files that are missing, are damaged, or belong to other settings.
  @discardableResult
  public func resume(from folder: RunFolder) throws -> Bool {
    let isStaged = method.stages.count > 1, isCheckpointed = FileBytes.kind(of: folder.lastCheckpoint) == .file
    let file = isCheckpointed ? try SafetensorsFile.read(folder.lastCheckpoint) : nil
    if let file {
      try Checkpoint.requireSameRun(file, settings, hash: settingsHash)
      resumedCheckpoint = try Checkpoint.position(of: file).totalSteps
    }
    if isStaged { try restoreStages(folder, last: file) }
    isResumed = true
    let stage = position.stage
    var isWithin = false
    if let file, stage < method.stages.count,
      !isStaged || file.metadata[DetectionStageResult.stageKey] == method.stages[stage].name
    {
      try restore(file, stage: stage)
      isWithin = true
    }
    // Epochs after the checkpoint are done again.
    let kept = method.stages[..<stage].reduce(0) { $0 + $1.epochs } + position.epoch
    let before =
      FileBytes.kind(of: folder.file("metrics.csv")) == .missing
      ? RunHistory() : try RunHistory.read(folder: folder.path, epochCount: epochs)
    history = RunHistory(epochs: Array(before.epochs.prefix(kept)))
    try requireEpochs(kept, of: before, in: folder)
    if isWithin, let path = file?.path {
      try requireSteps(path)
      if FileBytes.kind(of: folder.file(RunFolder.recordName)) == .file {
        try position.requireKnown(to: RunRecord.read(folder: folder.path), epochs: kept, in: path)
      }
    } else {
      position.totalSteps = history.epochs.last?.step ?? 0
    }
    // The checkpoint is of a stage that is done, or of none: what was best so far is in the table.
    if isStaged, best == nil { for epoch in history.epochs { noteBest(epoch) } }
    return isCheckpointed || stage > 0
  }

  /// Takes up the files of the stages that are done.
  ///
  /// - Parameter last: the last checkpoint; nil where there is none yet.
  /// - Throws: `.badInput` where the file of a stage is missing although one that comes after it was begun.
  private func restoreStages(_ folder: RunFolder, last: SafetensorsFile?) throws {
    let names = method.stages.map(\.name), paths = names.map { folder.file(DetectionStage.file(named: $0)) }
    let done = paths.prefix { FileBytes.kind(of: $0) == .file }.count
    var begun = paths.lastIndex { FileBytes.kind(of: $0) == .file } ?? 0
    if let last {
      let name = last.metadata[DetectionStageResult.stageKey]
      guard let stage = name.flatMap({ names.firstIndex(of: $0) }) else {
        throw Failure(
          .badInput, "'\(last.path)' belongs to another run.",
          why: "it is of \(name.map { "stage '\($0.prefix(40))'" } ?? "no stage"), which this run does not have.",
          fix: "restore the file from a copy, or start a new run.")
      }
      begun = max(begun, stage)
    }
    // A stage begins when the file of the one before it is there.
    guard done >= begun else {
      throw Failure(
        .badInput, "'\(paths[done])' is missing.",
        why: "the run has come to \(names[begun]), which needs what \(names[done]) found.",
        fix: "restore the file from a copy, or start a new run with --config \(folder.file("config.toml"))")
    }
    for path in paths[..<done] {
      let file = try SafetensorsFile.read(path)
      try Checkpoint.requireSameRun(file, settings, hash: settingsHash)
      try method.restore(stage: position.stage, from: file)
      position.stage += 1
    }
  }

  /// Takes up the checkpoint of a stage.
  ///
  /// - Throws: `.badInput` for one that is damaged, or of another network or data.
  private func restore(_ file: SafetensorsFile, stage: Int) throws {
    try begin(stage: stage)
    let checkpoint = try Checkpoint.read(file, for: method.members)
    guard checkpoint.model == model else {
      throw Failure(
        .badInput, "'\(file.path)' belongs to another network or other data.",
        why: "it records \(checkpoint.model.network) with \(checkpoint.model.classNames.count) classes.",
        fix: "resume the run that wrote it.")
    }
    try requirePossible(checkpoint, of: method.stages[stage], in: file.path)
    for (member, state) in zip(method.members, checkpoint.states) { try member.write(state) }
    try method.restore(from: file)
    (position, best) = (checkpoint.position, checkpoint.best)
    position.stage = stage
  }

  /// Checks that metrics.csv has a row for each epoch that is done: a row is written before the checkpoint of its epoch.
  ///
  /// - Throws: `.badInput`.
  private func requireEpochs(_ kept: Int, of before: RunHistory, in folder: RunFolder) throws {
    guard history.epochs.count < kept || history.epochs.enumerated().contains(where: { $1.epoch != $0 + 1 }) else {
      return
    }
    throw Failure(
      .badInput, "'\(folder.file("metrics.csv"))' is not complete.",
      why: "it has \(before.epochs.count) rows; each of the \(kept) epochs that are done must have one, in order.",
      fix: "restore the file from a copy, or start a new run with --config \(folder.file("config.toml"))")
  }

  /// Checks that a checkpoint counts its steps from where metrics.csv says that its epoch began.
  ///
  /// - Throws: `.badInput`.
  private func requireSteps(_ path: String) throws {
    let start = history.epochs.last?.step ?? 0
    guard position.totalSteps != start + position.step else { return }
    throw Failure(
      .badInput, "'\(path)' and metrics.csv do not agree.",
      why: "it was written after \(position.totalSteps) steps, \(position.step) of them in epoch "
        + "\(history.epochs.count + 1), which began after \(start).",
      fix: "restore both from one copy of the run, or start a new run from the weights with --init \(path)")
  }

  /// Checks that a checkpoint was taken within the stage that the settings make.
  ///
  /// - Throws: `.badInput` for a step beyond the epoch, an epoch beyond the stage, or samples that were seen more often
  ///   than there were epochs.
  private func requirePossible(_ checkpoint: Checkpoint, of stage: Stage, in path: String) throws {
    let position = checkpoint.position, steps = method.stepLimit
    let counts = checkpoint.states.flatMap(\.marginCount)
    try position.requirePossible(epochs: stage.epochs, steps: steps, in: path)
    guard counts.allSatisfy({ $0 >= 0 && Int($0) <= position.epoch + 1 }) else {
      throw Failure.damagedCheckpoint(
        path, why: "it counts \(counts.max() ?? 0) margins of a sample after \(position.epoch) epochs.")
    }
  }
}
