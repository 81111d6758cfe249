import Compute
import Datasets
import Failures
import FileFormats
import Losses
import Networks
import Reports

/// Why a run ended.
public enum RunEnding: Sendable, Equatable {
  case finished
  /// `--max-time` has passed; a checkpoint is saved.
  case timeIsUp
  /// A signal asked for it; a checkpoint is saved.
  case interrupted(Failure.Kind)
}

/// One run from its first step, or from a checkpoint, to its last: the loop, and what is written down.
public final class Trainer<D: Device> {
  /// The settings of the run.
  public let settings: RunSettings
  /// The data of the run.
  public let data: RunData
  /// The network in training.
  public let session: TrainingSession<D>
  private var folder: RunFolder?
  private var reporter: any ProgressReporter = ProgressReporters()
  /// What a signal has asked for; looked at after every step.
  private let interruption: () -> Failure.Kind?
  private var record: RunRecord?
  private let model: Checkpoint.Model
  private let transition: LabelTransition?

  private var position = Checkpoint.Position()
  private var best: (accuracy: Double, epoch: Int)?
  /// The epochs of this run so far, those before a resume included.
  public private(set) var history: RunHistory

  private let clock = ContinuousClock()
  private lazy var started = clock.now
  private lazy var lastCheckpoint = clock.now

  /// Prepares everything that is slow or can fail; nothing is written yet.
  ///
  /// - Parameters:
  ///   - interruption: what a signal has asked for, or nil; called after every step.
  public init(
    _ settings: RunSettings, data: RunData, on device: D, interruption: @escaping () -> Failure.Kind? = { nil }
  ) throws {
    (self.settings, self.data, self.interruption) = (settings, data, interruption)
    history = RunHistory()
    let images = data.dataset.train.images
    let network = try Network(settings.model)
    let augment = settings.augmentation(channels: images.channels)
    var session = TrainingSession<D>.Settings(
      network: network, loss: try Loss(settings.loss), batchSize: settings.batchSize,
      augmentation: Augmentation(crop: augment == .cropFlip ? 4 : 0, flip: augment != .none))
    session.precision = settings.numberPrecision
    (session.shuffles, session.dropsLast) = (settings.shuffle, settings.dropLast)
    (session.momentum, session.nesterov, session.l1) = (settings.momentum, settings.nesterov, settings.l1)
    (session.weightDecay, session.clipNorm, session.seed) = (settings.weightDecay, settings.clipNorm, settings.seed)
    transition = try settings.transition.map { try LabelTransition(parsing: $0) }
    if case .anchors = transition { session.evaluatesTraining = true }
    let usable = data.dataset.train.usableIDs.count
    guard !settings.dropLast || usable >= settings.batchSize else {
      throw Failure(
        .configuration, "--drop-last leaves no batch.",
        why: "there are \(usable) training samples and a batch has \(settings.batchSize).",
        fix: "use a --batch-size of at most \(usable), or leave --drop-last out.")
    }
    self.session = try TrainingSession(
      session, train: data.dataset.train, test: data.evaluation, validation: data.validation,
      classes: data.dataset.classCount, weights: data.weights,
      normalization: data.normalization, on: device)
    if let transition {
      try self.session.correct(by: transition.matrix(for: data.dataset.train, classes: data.dataset.classCount))
    }
    model = Checkpoint.Model(
      network: network.description, classNames: data.dataset.classNames, height: images.height, width: images.width,
      channels: images.channels, normalization: data.normalization)
  }

  /// Writes the run down in a folder whose tables are open, and tells a reporter how it goes.
  ///
  /// Without this call the run leaves nothing but its `history` and `session`.
  ///
  /// - Parameter record: run.json as it stands; updated as the run goes on.
  public func write(into folder: RunFolder, record: RunRecord, reporter: any ProgressReporter) {
    (self.folder, self.record, self.reporter) = (folder, record, reporter)
  }

  /// Starts from the weights of a safetensors file (`--init`) instead of random ones.
  ///
  /// Running statistics are taken where the file has them. The last layer stays as it is where the file's was made for
  /// another number of classes, as of networks that were trained on ImageNet.
  ///
  /// - Returns: the parameters that were not taken from the file.
  @discardableResult
  public func initialize(from path: String) throws -> [String] {
    let file = try SafetensorsFile.read(path)
    let running = session.running.entries, entries = session.parameters.entries
    let last = entries.suffix(2)
    let isOther = last.allSatisfy { entry in
      guard let shape = file[entry.name]?.shape, let outputs = shape.first else { return false }
      return outputs != entry.shape[0] && shape.dropFirst() == entry.shape.dropFirst()
    }
    let taken = isOther ? entries.dropLast(2) : entries[...]
    let kept = isOther ? try session.readState().parameters.suffix(2) : []
    try session.writeWeights(
      parameters: Checkpoint.tensors(taken.map { ($0.name, $0.shape) }, in: file) + kept,
      running: running.allSatisfy { file[$0.name] != nil }
        ? Checkpoint.tensors(running.map { ($0.name, $0.shape) }, in: file) : nil)
    return kept.map(\.name)
  }

  /// Goes on from a checkpoint of this run.
  public func resume(from path: String, history: RunHistory) throws {
    let checkpoint = try Checkpoint.read(path, for: session)
    guard checkpoint.model == model else {
      throw Failure(
        .badInput, "'\(path)' was made for another network or other data.",
        why: "it records \(checkpoint.model.network) with \(checkpoint.model.classNames.count) classes.",
        fix: "resume the run that wrote it.")
    }
    try session.write(checkpoint.state)
    position = checkpoint.position
    best = checkpoint.best
    // Epochs after the checkpoint are done again.
    self.history = RunHistory(epochs: Array(history.epochs.prefix(position.epoch)))
  }

  /// Trains to the end, or until something asks to stop; saves a checkpoint either way.
  public func run() throws -> RunEnding {
    reporter.began(outline)
    _ = (started, lastCheckpoint)
    // An epoch that a checkpoint was taken in the midst of is finished, and written down, even at the step limit.
    var isOpen = position.step > 0
    while position.epoch < settings.epochs, isOpen || !isAtStepLimit {
      isOpen = false
      let epoch = position.epoch, steps = session.batchSizes.count
      let rate = settings.schedule.rate(
        settings.learningRate, epoch: epoch, epochs: settings.epochs, milestones: settings.milestones,
        gamma: settings.gamma)
      if case .anchors(epoch) = transition, position.step == 0 { try estimateTransition() }
      // AUM leaves the first epoch out: margins of random weights say nothing (Pleiss et al.).
      try session.begin(
        epoch: epoch, step: position.step, learningRate: rate, recordsMargins: settings.aum && epoch > 0)
      var pace = Pace(clock: clock, epoch: epoch, firstStep: position.step)
      while position.step < steps, !isAtStepLimit {
        try session.run(step: position.step)
        position.step += 1
        position.totalSteps += 1
        if pace.shouldLook(atStep: position.step, of: steps) { try look(&pace) }
        if let ending = try pause() { return ending }
      }
      try finishEpoch(rate: session.rateInForce, pace)
    }
    try writeMargins()
    if case .epochs = settings.checkpointEvery, !isAtStepLimit {} else { try saveCheckpoint() }
    return .finished
  }

  /// From now on labels are corrected by what the network has learned of them.
  private func estimateTransition() throws {
    guard let logits = try session.trainingLogits() else { return }
    let K = session.classes
    try session.correct(
      by: LabelTransition.estimate(
        fromLogits: logits, classes: K, quantile: LabelTransition.quantile(classes: K)))
  }

  private var isAtStepLimit: Bool { settings.maxSteps.map { position.totalSteps >= $0 } ?? false }

  /// Waits for the device, checks that the numbers are finite, and reports how far the epoch is.
  private func look(_ pace: inout Pace) throws {
    guard try session.isFinite(afterStep: position.step - 1) else {
      throw Failure(
        .numerical, "the network's output is not finite after step \(position.step) of epoch \(position.epoch + 1).",
        why: "training diverged.",
        fix: "lower --lr, or use --clip-norm 5; the last good checkpoint is kept.")
    }
    pace.looked(atStep: position.step)
    let done = session.batchSizes[pace.firstStep..<position.step].reduce(0, +)
    reporter.step(
      StepProgress(
        epoch: position.epoch + 1, epochs: settings.epochs, step: position.step, steps: session.batchSizes.count,
        loss: history.epochs.last?.trainLoss, accuracy: history.epochs.last?.trainAccuracy,
        imagesPerSecond: Double(done) / max(pace.seconds, 1e-9)))
  }

  /// Between two steps: checkpoints that are due, signals, the time limit.
  private func pause() throws -> RunEnding? {
    if let kind = interruption() {
      try saveCheckpoint()
      return .interrupted(kind)
    }
    if let limit = settings.maxTime, seconds(since: started) >= limit {
      try saveCheckpoint()
      return .timeIsUp
    }
    switch settings.checkpointEvery {
    case .steps(let count) where position.totalSteps % count == 0: try saveCheckpoint()
    case .seconds(let interval) where seconds(since: lastCheckpoint) >= interval: try saveCheckpoint()
    default: break
    }
    return nil
  }

  private func seconds(since instant: ContinuousClock.Instant) -> Double { (clock.now - instant) / .seconds(1) }

  // MARK: - The end of an epoch

  private func finishEpoch(rate: Double, _ pace: Pace) throws {
    let results = try session.sampleResults()
    let seconds = pace.seconds
    // Samples that do not count do not count here either.
    var ids = session.ids(ofFirst: position.step)
    if let weights = data.weights { ids = ids.filter { weights[Int($0)] > 0 }[...] }
    let train = data.dataset.train
    let score = TrainingScore(ids, results, given: train.labels, true: train.trueLabels)
    let classes = data.dataset.classCount
    let test = try data.evaluation.map { TestScore(try session.evaluate(), $0.labels, classes: classes) }
    let validation = try data.validation.map { TestScore(try session.validate(), $0.labels, classes: classes) }
    let images = session.batchSizes[pace.firstStep..<position.step].reduce(0, +)
    if position.step == session.batchSizes.count {
      position.epoch += 1
      position.step = 0
    }
    let number = history.epochs.count + 1
    let report = EpochReport(
      epoch: number, epochs: settings.epochs, step: position.totalSteps, learningRate: rate,
      trainLoss: score.loss, trainAccuracy: score.accuracy, testLoss: test?.loss, testAccuracy: test?.accuracy,
      seconds: seconds, imagesPerSecond: Double(images) / max(seconds, 1e-9), cleanAccuracy: score.cleanAccuracy,
      wrongAccuracy: score.wrongAccuracy, validationLoss: validation?.loss, validationAccuracy: validation?.accuracy,
      perClass: test?.perClass ?? [])
    guard report.trainLoss.isFinite else {
      throw Failure(
        .numerical, "the training loss of epoch \(number) is \(report.trainLoss).", why: "training diverged.",
        fix: "lower --lr, or use --clip-norm 5; the last good checkpoint is kept.")
    }
    history.epochs.append(report)
    // Chosen by what was held out, where something was: choosing on the test set flatters.
    let judged = validation?.accuracy ?? test?.accuracy
    let isBest = judged.map { $0 > (best?.accuracy ?? -1) } ?? false
    if isBest, let judged { best = (judged, number) }
    // The table first: a resumed run cuts rows that its checkpoint does not know of.
    try folder?.append(report)
    // The best before the last: a crash between them repeats the epoch, and with it the best.
    if isBest, let folder { try checkpoint().write(to: folder.bestCheckpoint) }
    if case .epochs(let count) = settings.checkpointEvery, position.epoch % count == 0 || isEnd { try saveCheckpoint() }
    try update { $0.epoch = number }
    reporter.epoch(report)
  }

  private var isEnd: Bool { position.epoch >= settings.epochs || isAtStepLimit }

  // MARK: - What is written down

  private func checkpoint() throws -> Checkpoint {
    Checkpoint(model: model, position: position, best: best, state: try session.readState())
  }

  private func saveCheckpoint() throws {
    guard let folder else { return }
    try checkpoint().write(to: folder.lastCheckpoint)
    lastCheckpoint = clock.now
    try update { _ in }
  }

  private func update(_ change: (inout RunRecord) -> Void) throws {
    guard let folder, var changed = record else { return }
    changed.step = position.totalSteps
    changed.updated = .now
    changed.accuracy = history.accuracy
    change(&changed)
    record = changed
    try folder.write(changed)
  }

  /// Writes run.json with a status: running, or how the run ended.
  public func mark(_ status: RunRecord.Status, reason: String? = nil) throws {
    try update {
      $0.status = status
      $0.reason = reason
      $0.ended = status == .running ? nil : .now
    }
  }

  /// The AUM of every sample that was measured.
  public func margins() throws -> (ids: [Int], margins: [Double]) {
    let state = try session.readState()
    let ids = state.marginCount.indices.filter { state.marginCount[$0] > 0 }
    return (
      ids, ids.map { (Double(state.marginSum[$0]) - Double(state.marginLost[$0])) / Double(state.marginCount[$0]) }
    )
  }

  private func writeMargins() throws {
    guard let folder, settings.aum else { return }
    let (ids, values) = try margins()
    try folder.writeMargins(ids: ids, margins: values)
  }

  // MARK: - What is said at the start

  private var outline: RunOutline {
    let dataset = data.dataset
    var facts = [
      RunOutline.Fact("device", "\(session.device.name)  (\(session.device.driver))"),
      RunOutline.Fact(
        "data",
        "\(dataset.name)  train \(session.sampleIDs.count) · test \(data.evaluation?.count ?? 0) · "
          + "\(dataset.classCount) classes"),
    ]
    if let noise = data.noise {
      facts.append(.init("noise", noise.summary))
    }
    facts += [
      RunOutline.Fact("model", "\(settings.model)  \(session.parameters.count) parameters"),
      RunOutline.Fact("loss", "\(session.settings.loss)"),
      RunOutline.Fact(
        "recipe",
        "sgd lr \(settings.learningRate) momentum \(settings.momentum)"
          + "\(settings.nesterov ? " nesterov" : "") wd \(settings.weightDecay) · \(settings.schedule.rawValue)"
          + " · batch \(settings.batchSize) · \(settings.epochs) epochs · seed \(settings.seed)"),
    ]
    if let folder { facts.insert(.init("run", folder.path), at: 0) }
    if position.totalSteps > 0 {
      facts.append(.init("resume", "after epoch \(position.epoch), step \(position.step)"))
    }
    return RunOutline(facts: facts, epochs: settings.epochs)
  }
}

/// When to wait for the device: often enough for progress and signals, seldom enough to cost nothing.
struct Pace {
  /// Seconds between two looks; a step that takes longer is looked at by itself.
  static let interval = 0.2
  let clock: ContinuousClock
  let start: ContinuousClock.Instant
  let firstStep: Int
  private var nextLook: Int

  init(clock: ContinuousClock, epoch: Int, firstStep: Int) {
    self.clock = clock
    self.firstStep = firstStep
    start = clock.now
    nextLook = firstStep + 1
  }

  var seconds: Double { (clock.now - start) / .seconds(1) }

  func shouldLook(atStep step: Int, of steps: Int) -> Bool { step >= nextLook || step == steps }

  mutating func looked(atStep step: Int) {
    let perStep = seconds / Double(max(step - firstStep, 1))
    nextLook = step + max(1, Int(Self.interval / max(perStep, 1e-6)))
  }
}
