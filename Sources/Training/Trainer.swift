import Compute
import Datasets
import Detection
import Failures
import FileFormats
import Methods
import Reports
import Sessions
import Settings

/// One run from its first step, or from a checkpoint, to its last: the loop around every method.
///
/// The loop owns schedules, pace, the search for numbers that are not finite, checkpoints, evaluation and what the
/// journal writes down. The method owns the networks and what they learn from.
public final class Trainer<D: Device> {
  /// The settings of the run.
  public let settings: RunSettings
  /// The data of the run.
  public let data: RunData
  /// The network whose last layer alone is trained, on features in place of images; nil where all layers are.
  public let frozen: FrozenNetwork?
  /// What is trained, and on what.
  public let method: any Method<D>
  /// What is written down.
  public private(set) var journal: RunJournal

  /// Why this device was taken, for the head of the run; nil where it was asked for.
  public var deviceReason: String?
  /// The hash of the run's settings (`Checkpoint.settingsHash`), by which its files are known again; nil without a file.
  public var settingsHash: String?

  /// Bytes that the run takes of the device; nil where they were not counted.
  let memoryNeed: Int?
  var position = Checkpoint.Position()
  var best: (accuracy: Double, epoch: Int)?
  /// The epochs of this run so far, those before a resume included.
  public internal(set) var history = RunHistory()
  var isResumed = false
  /// Steps at the last checkpoint of a run that is resumed; nil where it has none.
  var resumedCheckpoint: Int?

  private let clock = ContinuousClock()
  private var forecast = Forecast()

  /// Prepares everything that is slow or can fail; nothing is written yet.
  ///
  /// - Throws: what the device throws; `.configuration` for data that do not fit the settings.
  public init(_ settings: RunSettings, data: RunData, frozen: FrozenNetwork? = nil, on device: D) throws {
    (self.settings, self.data, self.frozen) = (settings, data, frozen)
    let trained = frozen?.data ?? data
    guard settings.patience == nil || data.evaluation != nil else {
      throw Failure(
        .configuration, "--patience has nothing to go by.",
        why: "the data has no test set, and nothing is held out.", fix: "hold out a part, such as --val 0.1.")
    }
    journal = RunJournal()
    memoryNeed = try MemoryNeed(settings, trained, on: device).requireRoom()
    method = try MethodSetup(settings, trained, on: device).method(settings, trained)
    try begin(stage: 0)
  }

  /// The network that is evaluated and kept.
  public var session: TrainingSession<D> { method.members[0] }

  /// Epochs that all stages have together.
  public var epochs: Int { method.stages.reduce(0) { $0 + $1.epochs } }

  /// Writes the run down in a journal, which tells how it goes, too.
  ///
  /// Without this call the run leaves nothing but its `history` and its networks.
  public func write(into journal: RunJournal) { self.journal = journal }

  /// Opens the tables and says that the run is under way.
  ///
  /// Asked for by `run` where it was not before; a caller does so itself if it has more to write between.
  public func open() throws {
    let isStaged = method.stages.count > 1
    journal.resume(
      epoch: history.epochs.count, step: position.totalSteps, checkpoint: resumedCheckpoint, history)
    try journal.begin(
      data, figures: method.figures.map(\.name) + (isDeterminant ? [Self.vanished] : []),
      withValidation: data.heldOut != nil && !isStaged,
      after: isResumed ? history.epochs.count : nil)
  }

  /// The figure that the determinant loss adds: the share of samples in batches whose determinant vanished.
  private static var vanished: String { "determinant_vanished" }

  private var isDeterminant: Bool { settings.loss.isDeterminant(epoch: .max) && method.stages.count == 1 }

  /// The share of an epoch's samples in whose batches the determinant vanished, which leaves a loss of exactly 0 and no
  /// gradient; nil for epochs of another loss.
  private func vanishedShare(_ ids: ArraySlice<Int32>, _ losses: [Float]) -> Double? {
    guard settings.loss.isDeterminant(epoch: position.epoch), !ids.isEmpty else { return nil }
    let share = Double(ids.count { losses[Int($0)] == 0 }) / Double(ids.count)
    if share > 0 {
      journal.reporter.note(
        "warning: the determinant vanished for \(NumberFormatting.percent(share)) of the samples in epoch "
          + "\(history.epochs.count + 1): their loss is 0, and they teach nothing; use a larger --batch-size, or first "
          + "more epochs of cross entropy (dmi:warm=N)")
    }
    return share
  }

  // MARK: - The loop

  /// Trains to the end, or until something asks to stop; saves a checkpoint either way.
  public func run() throws -> RunOutcome {
    if journal.folder != nil, !journal.isOpen { try open() }
    journal.reporter.began(outline)
    while position.stage < method.stages.count {
      let stage = method.stages[position.stage]
      try begin(stage: position.stage)
      if method.stages.count > 1, position.epoch == 0, position.step == 0 {
        journal.reporter.note(
          "\(stage.name) starts: stage \(position.stage + 1) of \(method.stages.count)")
      }
      if let ending = try run(stage) { return ending }
      if isOutOfPatience, let best, position.epoch < stage.epochs {
        journal.reporter.note(
          "stopped after epoch \(history.epochs.count) of \(epochs): none of the last \(settings.patience ?? 0) was "
            + "better than epoch \(best.epoch)")
      }
      if case .epochs = settings.checkpointEvery, !isAtStepLimit {} else { try saveCheckpoint() }
      // Nothing follows from a stage that was not trained to its end.
      if isAtStepLimit, method.stages.count > 1 { return .finished }
      do {
        if var result = try method.result() {
          result.metadata[Checkpoint.settingsKey] = settingsHash
          try journal.save(result, ofStage: stage.name)
        }
      } catch let failure as Failure where failure.isStop {
        // The checkpoint of the stage's end is there: a resumed run begins with this.
        return RunOutcome(stopping: failure.kind)
      }
      (position.stage, position.epoch, position.step) = (position.stage + 1, 0, 0)
    }
    return .finished
  }

  func begin(stage: Int) throws {
    try method.begin(stage: stage)
    guard let member = method.members.first, member.batchSizes.isEmpty else { return }
    let count = member.sampleIDs.count,
      name = method.stages.count > 1 ? "\(method.stages[stage].name) has" : "there are"
    throw Failure(
      .configuration, "--drop-last leaves no batch.",
      why: "\(name) \(count) training samples, and a batch has \(settings.batchSize).",
      fix: "use a --batch-size of at most \(max(count, 1)), or remove --drop-last.")
  }

  /// Trains the networks of a stage; nil at its end.
  private func run(_ stage: Stage) throws -> RunOutcome? {
    // An epoch that a checkpoint was taken in the midst of is finished, and written down, even at the step limit.
    var isOpen = position.step > 0
    while position.epoch < stage.epochs, isOpen || !isAtStepLimit && !isOutOfPatience {
      isOpen = false
      let batches: [Int]
      do {
        batches = try method.begin(
          EpochStart(epoch: position.epoch, step: position.step, learningRate: stage.rate(position.epoch)))
      } catch let failure as Failure where failure.isStop {
        // What was to be decided is decided anew.
        try saveCheckpoint()
        return RunOutcome(stopping: failure.kind)
      }
      // Where epochs differ in their steps, the method knows only now how many this one has.
      try position.requirePossible(
        epochs: stage.epochs, steps: batches.count, in: journal.folder?.lastCheckpoint ?? "the checkpoint")
      var pace = Pace(clock: clock, firstStep: position.step)
      while position.step < batches.count, !isAtStepLimit {
        try method.step(position.step)
        position.step += 1
        position.totalSteps += 1
        if pace.shouldLook(atStep: position.step, of: batches.count) { try checkAndReport(&pace, batches) }
        if let ending = journal.stopRequest(after: settings.maxTime?.seconds, step: pace.perStep) {
          try saveCheckpoint()
          return ending
        }
        if journal.isCheckpointDue(settings.checkpointEvery, atStep: position.totalSteps) { try saveCheckpoint() }
      }
      do {
        try finishEpoch(stage, batches, pace)
      } catch let failure as Failure where failure.isStop {
        // Evaluation changes nothing: the checkpoint is that of an epoch whose steps are done.
        try saveCheckpoint()
        return RunOutcome(stopping: failure.kind)
      }
    }
    return nil
  }

  /// Whether so many epochs in a row were no better than the best before them as `--patience` allows.
  public var isOutOfPatience: Bool {
    guard let patience = settings.patience, let best else { return false }
    return history.epochs.count - best.epoch >= patience
  }

  var isAtStepLimit: Bool { settings.maxSteps.map { position.totalSteps >= $0 } ?? false }

  /// Epochs of the stages that are done.
  private var earlierEpochs: Int { method.stages[..<position.stage].reduce(0) { $0 + $1.epochs } }

  /// Waits for the device, checks that the numbers are finite, and reports how far the epoch is.
  private func checkAndReport(_ pace: inout Pace, _ batches: [Int]) throws {
    guard try method.isFinite(afterStep: position.step - 1) else {
      throw Failure.diverged(
        "the network's output is not finite after step \(position.step) of epoch \(position.epoch + 1)")
    }
    pace.looked(atStep: position.step)
    if position.epoch >= method.firstEvenEpoch,
      let perStep = forecast.secondsPerStep(at: clock.now, afterStep: position.totalSteps)
    {
      let left = secondsLeft(perStep, steps: batches.count)
      if left >= RunEstimate.minimumSeconds { journal.reporter.estimated(RunEstimate(seconds: left)) }
    }
    let done = batches[pace.firstStep..<position.step].reduce(0, +)
    journal.reporter.step(
      StepProgress(
        epoch: earlierEpochs + position.epoch + 1, epochs: epochs, step: position.step, steps: batches.count,
        loss: history.epochs.last?.trainLoss, accuracy: history.epochs.last?.trainAccuracy,
        imagesPerSecond: Double(done) / max(pace.seconds, 1e-9)))
  }

  /// The seconds from here to the end of the run, by those of a step.
  private func secondsLeft(_ perStep: Double, steps: Int) -> Double {
    if let limit = settings.maxSteps, limit <= position.totalSteps { return 0 }
    let done = position.epoch
    let stages = plannedStages[position.stage...].enumerated().map { index, stage in
      index == 0 ? (stage.epochs - done, max(0, stage.evaluations - done)) : stage
    }
    // An evaluation goes forwards only, a third of a step; it is part of what was measured over an epoch's end.
    let perImage = forecast.hasEvaluation ? 0 : perStep / Double(3 * settings.batchSize)
    let evaluated = (data.evaluation?.count ?? 0) + (method.stages.count == 1 ? data.heldOut?.count ?? 0 : 0)
    let whole = RunPace(stepSeconds: perStep, imageSeconds: perImage, steps: steps)
      .seconds(stages: stages, evaluated: evaluated)
    let left = whole - perStep * Double(position.step)
    return settings.maxSteps.map { min(left, perStep * Double($0 - position.totalSteps)) } ?? left
  }

  // MARK: - The end of an epoch

  private func finishEpoch(_ stage: Stage, _ batches: [Int], _ pace: Pace) throws {
    forecast.hasEvaluation = forecast.hasEvaluation || stage.evaluation == .everyEpoch
    try session.wait()
    let seconds = pace.seconds, ids = session.ids(ofFirst: position.step)
    // First what may be stopped midway, then what changes the method's state.
    let (test, validation) = try evaluate(stage)
    // A test set that was not held out of the training data must decide nothing.
    let heldOut = validation?.accuracy ?? (data.dataset.test == nil ? test?.accuracy : nil)
    let outcome = try method.finish(
      EpochEnd(
        epoch: position.epoch, ids: ids, heldOutAccuracy: heldOut, testAccuracy: test?.accuracy,
        testAccuracies: test?.ofEach ?? []))
    let results = try session.sampleResults()
    let score = TrainingScore(
      scored(ids, outcome)[...], results, given: data.dataset.train.labels, true: data.dataset.train.trueLabels)
    let vanished = vanishedShare(ids, results.losses)
    let images = batches[pace.firstStep..<position.step].reduce(0, +)
    if position.step == batches.count {
      position.epoch += 1
      position.step = 0
    }
    let number = history.epochs.count + 1
    for (name, score) in [("test", test), ("validation", validation)] where score?.notFinite ?? 0 > 0 {
      journal.reporter.note(
        "warning: after epoch \(number) the network's output is not finite for \(score!.notFinite) \(name) samples: "
          + "no accuracy; try a lower --lr or --clip-norm 1")
    }
    let report = EpochReport(
      epoch: number, epochs: epochs, step: position.totalSteps, learningRate: session.effectiveRate,
      trainLoss: score.loss, trainAccuracy: outcome.accuracy ?? score.accuracy, testLoss: test?.loss,
      testAccuracy: test?.accuracy,
      seconds: seconds, imagesPerSecond: Double(images) / max(seconds, 1e-9),
      cleanAccuracy: outcome.accuracy == nil ? score.cleanAccuracy : nil,
      wrongAccuracy: outcome.accuracy == nil ? score.wrongAccuracy : nil, validationLoss: validation?.loss,
      validationAccuracy: validation?.accuracy,
      perClass: test.map { Array($0.perClass.prefix(data.dataset.classCount)) } ?? [],
      figures: zip(method.figures, outcome.figures).map { .init($0.name, $1) }
        + (isDeterminant ? [.init(Self.vanished, vanished)] : []))
    guard report.trainLoss.isFinite else {
      throw Failure.diverged("the training loss of epoch \(number) is \(report.trainLoss)")
    }
    history.epochs.append(report)
    let isBest = noteBest(report)
    let isEnd = position.epoch >= stage.epochs || isAtStepLimit || isOutOfPatience
    try journal.append(report, history) {
      // The best before the last: a crash between them repeats the epoch, and with it the best.
      if isBest { try journal.saveBest(checkpoint) }
      if case .epochs(let count) = settings.checkpointEvery, position.epoch % count == 0 || isEnd {
        try saveCheckpoint()
      }
    }
  }

  /// Samples that do not count do not count in scores either.
  private func scored(_ ids: ArraySlice<Int32>, _ outcome: EpochOutcome) -> [Int32] {
    outcome.scored ?? ids.filter { id in data.weights.map { $0[Int(id)] > 0 } ?? true }
  }

  private func evaluate(_ stage: Stage) throws -> (test: TestScore?, validation: TestScore?) {
    let isEnd = position.epoch + 1 == stage.epochs
    guard stage.evaluation == .everyEpoch || stage.evaluation == .lastEpoch && isEnd else { return (nil, nil) }
    let test = try data.evaluation.map { TestScore(try method.evaluate(), $0.labels, classes: session.classes) }
    guard stage.evaluation == .everyEpoch, let validation = data.heldOut else { return (test, nil) }
    return (test, TestScore(try method.validate(), validation.labels, classes: session.classes))
  }
}
