import Compute
import Datasets
import Detection
import Failures
import FileFormats
import Losses
import Networks
import Reports
import Statistics

/// A search for wrong labels from its first step, or from where it was stopped, to its result.
///
/// Trains the networks of `DetectionStage.stages` one after the other. What a stage found is kept in a file of its own
/// as soon as it is done; within a stage the checkpoint holds network and statistics together.
public final class Detector<D: Device> {
  /// The settings of the run.
  public let settings: RunSettings
  /// The data of the run.
  public let data: RunData
  /// The device that the networks are trained on.
  public let device: D
  let stages: [DetectionStage]
  var results: [DetectionStageResult] = []
  let detection: DetectionSettings
  private let interruption: () -> Failure.Kind?
  var folder: RunFolder?
  private var reporter: any ProgressReporter = ProgressReporters()
  var record: RunRecord?

  /// The stage in training, if any.
  private var session: TrainingSession<D>?
  private var current: DetectionStageResult?
  var position = Checkpoint.Position()
  /// The epochs of all stages so far.
  public private(set) var history = RunHistory()

  let clock = ContinuousClock()
  private lazy var started = clock.now
  lazy var lastCheckpoint = clock.now

  /// Prepares the first stage, so that what cannot work fails here; nothing is written yet.
  ///
  /// - Parameter interruption: what a signal has asked for, or nil; called after every step.
  public init(
    _ settings: RunSettings, data: RunData, on device: D, interruption: @escaping () -> Failure.Kind? = { nil }
  ) throws {
    (self.settings, self.data, self.device, self.interruption) = (settings, data, device, interruption)
    detection = settings.detection ?? DetectionSettings()
    stages = try DetectionStage.stages(
      detection, seed: settings.seed, train: data.dataset.train, classes: data.dataset.classCount)
    session = try makeSession(stages[0])
  }

  /// Writes the run down in a folder whose tables are open, and tells a reporter how it goes.
  public func write(into folder: RunFolder, record: RunRecord, reporter: any ProgressReporter) {
    (self.folder, self.record, self.reporter) = (folder, record, reporter)
  }

  /// Epochs that all stages have together.
  public var epochs: Int { stages.count * settings.epochs }

  // MARK: - Resuming

  /// Takes up what the folder of a stopped run holds.
  ///
  /// - Throws: `.badInput` for files that are damaged or belong to other settings.
  public func resume(from folder: RunFolder, history: RunHistory) throws {
    for stage in stages {
      let path = folder.file(stage.file)
      guard FileBytes.kind(of: path) == .file else { break }
      results.append(
        try DetectionStageResult.read(path, of: stage, like: emptyDynamics(stage), epochs: settings.epochs))
    }
    // The session that was prepared is the first stage's.
    if !results.isEmpty { session = nil }
    if results.count < stages.count, FileBytes.kind(of: folder.lastCheckpoint) == .file {
      let stage = stages[results.count], file = try SafetensorsFile.read(folder.lastCheckpoint)
      if file.metadata[DetectionStageResult.stageKey] == stage.name {
        let session = try makeSession(stage)
        let checkpoint = try Checkpoint.read(folder.lastCheckpoint, for: session)
        try session.write(checkpoint.state)
        position = checkpoint.position
        current = try DetectionStageResult(from: file, like: emptyDynamics(stage))
        self.session = session
      }
    }
    // Epochs after the checkpoint are done again.
    let done = results.count * settings.epochs + (current == nil ? 0 : position.epoch)
    self.history = RunHistory(epochs: Array(history.epochs.prefix(done)))
    if current == nil { position.totalSteps = self.history.epochs.last?.step ?? 0 }
  }

  // MARK: - Stages

  private func makeSession(_ stage: DetectionStage) throws -> TrainingSession<D> {
    let train = data.dataset.train, classes = data.dataset.classCount
    let labelled = LabelledSet(images: train.images, labels: stage.labels(train.labels, classes: classes))
    let augment = settings.augmentation(channels: train.images.channels)
    var session = TrainingSession<D>.Settings(
      network: try Network(settings.model), loss: try Loss(settings.loss), batchSize: settings.batchSize,
      augmentation: Augmentation(crop: augment == .cropFlip ? 4 : 0, flip: augment != .none))
    session.precision = settings.numberPrecision
    (session.shuffles, session.dropsLast) = (settings.shuffle, settings.dropLast)
    (session.momentum, session.nesterov, session.l1) = (settings.momentum, settings.nesterov, settings.l1)
    (session.weightDecay, session.clipNorm, session.seed) = (settings.weightDecay, settings.clipNorm, stage.seed)
    let usable = labelled.usableIDs.count
    guard usable >= 2, !settings.dropLast || usable >= settings.batchSize else {
      throw Failure(
        .configuration, "\(stage.name) has too few samples to train on.",
        why: "\(usable) are left\(settings.dropLast ? ", fewer than a batch" : "").",
        fix: "give more data, or leave --drop-last out.")
    }
    let evaluation: LabelledSet?
    switch stage.kind {
    case .pass: evaluation = data.evaluation
    case .fold(let heldOut): evaluation = train.selecting(heldOut)
    }
    return try TrainingSession(
      session, train: labelled, test: evaluation, classes: stage.outputs(classes: classes),
      weights: data.weights, normalization: data.normalization, on: device)
  }

  private func emptyDynamics(_ stage: DetectionStage) -> SampleDynamics {
    stage.emptyDynamics(
      samples: data.dataset.train.count, classes: data.dataset.classCount, margin: detection.margin)
  }

  /// The learning rate of a stage's epoch.
  ///
  /// Passes keep it, or margins would lose their meaning; folds are to predict well, so that the rate falls at half and
  /// at three quarters of the epochs, as it does in the paper's 300.
  private func rate(_ stage: DetectionStage, epoch: Int) -> Double {
    guard case .fold = stage.kind, settings.schedule == .constant else {
      return settings.schedule.rate(
        settings.learningRate, epoch: epoch, epochs: settings.epochs, milestones: settings.milestones,
        gamma: settings.gamma)
    }
    return Schedule.step.rate(
      settings.learningRate, epoch: epoch, epochs: settings.epochs,
      milestones: [settings.epochs / 2, settings.epochs * 3 / 4], gamma: settings.gamma)
  }

  /// Trains what is left to train, until the end or until something asks to stop; saves a checkpoint either way.
  public func run() throws -> RunEnding {
    reporter.began(outline)
    _ = (started, lastCheckpoint)
    while results.count < stages.count {
      if let ending = try run(stages[results.count]) { return ending }
    }
    return .finished
  }

  private func run(_ stage: DetectionStage) throws -> RunEnding? {
    let session = try self.session ?? makeSession(stage)
    self.session = session
    var result = current ?? DetectionStageResult(emptyDynamics(stage))
    current = nil
    let labels = stage.labels(data.dataset.train.labels, classes: data.dataset.classCount)
    if position.epoch == 0, position.step == 0 {
      reporter.note("\(stage.name) begins: network \(results.count + 1) of \(stages.count)")
    }
    while position.epoch < settings.epochs {
      let steps = session.batchSizes.count, epoch = position.epoch, rate = rate(stage, epoch: epoch)
      if position.step == 0 { result.dynamics.beginEpoch() }
      try session.begin(epoch: epoch, step: position.step, learningRate: rate, recordsMargins: false)
      var pace = Pace(clock: clock, epoch: epoch, firstStep: position.step)
      while position.step < steps {
        let step = position.step
        try session.run(step: step)
        let ids = session.ids(ofFirst: step + 1).suffix(session.batchSizes[step])
        guard
          result.dynamics.add(logits: try session.logits(ofStep: step), ids: ids, labels: labels, counts: epoch > 0)
        else { throw diverged("the network's output is not finite after step \(step + 1) of epoch \(epoch + 1)") }
        position.step += 1
        position.totalSteps += 1
        if pace.shouldLook(atStep: position.step, of: steps) { report(session, &pace) }
        if position.step < steps, let ending = try pause(result, session, stage) { return ending }
      }
      try finishEpoch(stage, session, &result, rate: session.rateInForce, pace)
      if position.epoch < settings.epochs, let ending = try pause(result, session, stage) { return ending }
    }
    try finish(stage, session, &result)
    return nil
  }

  private func diverged(_ what: String) -> Failure {
    Failure(
      .numerical, "\(what).", why: "training diverged.",
      fix: "lower --lr, or use --clip-norm 5; the last good checkpoint is kept.")
  }

  private func report(_ session: TrainingSession<D>, _ pace: inout Pace) {
    pace.looked(atStep: position.step)
    let done = session.batchSizes[pace.firstStep..<position.step].reduce(0, +)
    reporter.step(
      StepProgress(
        epoch: results.count * settings.epochs + position.epoch + 1, epochs: epochs, step: position.step,
        steps: session.batchSizes.count, loss: history.epochs.last?.trainLoss,
        accuracy: history.epochs.last?.trainAccuracy, imagesPerSecond: Double(done) / max(pace.seconds, 1e-9)))
  }

  /// Between two steps: checkpoints that are due, signals, the time limit.
  private func pause(
    _ result: DetectionStageResult, _ session: TrainingSession<D>, _ stage: DetectionStage
  ) throws -> RunEnding? {
    if let kind = interruption() {
      try saveCheckpoint(result, session, stage)
      return .interrupted(kind)
    }
    if let limit = settings.maxTime, seconds(since: started) >= limit {
      try saveCheckpoint(result, session, stage)
      return .timeIsUp
    }
    switch settings.checkpointEvery {
    case .steps(let count) where position.totalSteps % count == 0: try saveCheckpoint(result, session, stage)
    case .seconds(let interval) where seconds(since: lastCheckpoint) >= interval:
      try saveCheckpoint(result, session, stage)
    default: break
    }
    return nil
  }

  private func seconds(since instant: ContinuousClock.Instant) -> Double { (clock.now - instant) / .seconds(1) }

  private func finishEpoch(
    _ stage: DetectionStage, _ session: TrainingSession<D>, _ result: inout DetectionStageResult, rate: Double,
    _ pace: Pace
  ) throws {
    let train = data.dataset.train, classes = data.dataset.classCount, seconds = pace.seconds
    let images = session.batchSizes[pace.firstStep...].reduce(0, +)
    // Samples that pose as an extra class say nothing of how well the data is learned.
    let own = stage.hasOwnLabel(train.labels)
    let ids = session.ids(ofFirst: position.step).filter { own[Int($0)] }
    let score = TrainingScore(ids[...], try session.sampleResults(), given: train.labels, true: train.trueLabels)
    position.epoch += 1
    position.step = 0
    if detection.keepMargins { result.marginHistory += result.dynamics.epochMargins }
    if detection.report { result.sketch.add(result.dynamics.epochMargins, epoch: position.epoch) }
    var test: TestScore?
    if case .pass = stage.kind, position.epoch == settings.epochs, let evaluation = data.evaluation {
      test = TestScore(try session.evaluate(), evaluation.labels, classes: classes + 1)
      test?.perClass.removeLast()
    }
    let number = results.count * settings.epochs + position.epoch
    let report = EpochReport(
      epoch: number, epochs: epochs, step: position.totalSteps, learningRate: rate, trainLoss: score.loss,
      trainAccuracy: score.accuracy, testLoss: test?.loss, testAccuracy: test?.accuracy, seconds: seconds,
      imagesPerSecond: Double(images) / max(seconds, 1e-9), cleanAccuracy: score.cleanAccuracy,
      wrongAccuracy: score.wrongAccuracy, perClass: test?.perClass ?? [])
    guard report.trainLoss.isFinite else {
      throw diverged("the training loss of epoch \(number) is \(report.trainLoss)")
    }
    history.epochs.append(report)
    // The table first: a resumed run cuts rows that its checkpoint does not know of.
    try folder?.append(report)
    if position.epoch == settings.epochs {
      try saveCheckpoint(result, session, stage)
    } else if case .epochs(let count) = settings.checkpointEvery, position.epoch % count == 0 {
      try saveCheckpoint(result, session, stage)
    }
    try update { $0.epoch = number }
    reporter.epoch(report)
  }

  private func finish(
    _ stage: DetectionStage, _ session: TrainingSession<D>, _ result: inout DetectionStageResult
  ) throws {
    if case .fold = stage.kind {
      guard let logits = try session.testLogits(), logits.allSatisfy(\.isFinite) else {
        throw diverged("\(stage.name) does not predict finite numbers")
      }
      result.probabilities = Softmax.rows(logits, classes: data.dataset.classCount)
    }
    if let folder {
      try FileBytes.makeFolder(folder.file("stages"))
      try result.write(to: folder.file(stage.file), of: stage)
    }
    results.append(result)
    self.session = nil
    (position.epoch, position.step) = (0, 0)
  }
}
