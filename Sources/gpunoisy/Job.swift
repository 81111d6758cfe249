import ArgumentParser
import Autotuning
import Compute
import ComputeKernels
import Datasets
import Detection
import Failures
import FileFormats
import Losses
import Methods
import Reports
import Training

/// One run of any kind on the device that was chosen: everything between the settings and what the run leaves.
struct Job: DeviceWork {
  let settings: RunSettings
  let data: RunData
  let resumed: String?
  let out: String?
  let runsFolder: String
  let force: Bool
  let talk: any ProgressReporter
  let isVerbose: Bool

  func run<D: TunableDevice>(on device: D) throws -> JobOutcome {
    var record = record(of: device)
    // Everything that can fail without a folder comes first, so that a failure leaves none behind.
    let trainer = try Trainer(settings, data: data, on: device)
    if resumed == nil { try initialize(trainer) }
    let folder = try folder()
    if let resumed {
      let before = try RunRecord.read(folder: resumed)
      try Self.requireSameData(resumed, before, data, settings.job)
      record.started = before.started
      // A run that was stopped before its first checkpoint begins again: seed and settings repeat it exactly.
      if try !trainer.resume(from: folder) { try initialize(trainer) }
    }
    let reporter = ProgressReporters([talk, folder.log()])
    defer { reporter.ended() }
    trainer.write(
      into: RunJournal(folder: folder, record: record, reporter: reporter, interruption: { Signals.request }))
    try trainer.open()
    try noteBeginning(trainer, folder, reporter)
    do {
      var outcome = JobOutcome(ending: try trainer.run(), folder: folder.path, history: trainer.history)
      if outcome.ending == .finished {
        if let finished = trainer.finishedDetection {
          try finish(finished, folder, reporter, &outcome, on: device)
        } else {
          try finish(trainer, folder, reporter, &outcome)
        }
      }
      if outcome.retrained?.outcome.ending ?? .finished == .finished {
        try trainer.journal.end(outcome.ending)
      } else {
        try trainer.journal.mark(.stopped, reason: "stopped while training again")
      }
      return outcome
    } catch {
      try? trainer.journal.mark(.failed, reason: ErrorMessages.failure(for: error).what)
      throw error
    }
  }

  // MARK: - The beginning

  private func record<D: TunableDevice>(of device: D) -> RunRecord {
    let dataset = data.dataset
    var record = RunRecord(
      command: settings.job.rawValue, version: GPUNoisy.version, arguments: CommandLine.arguments, device: device.name,
      driver: device.driver, tuning: TuningRecord.json(device.tuning),
      seeds: ["seed": settings.seed, "noise": settings.noiseSeed ?? settings.seed],
      data: .init(
        name: dataset.name, layout: dataset.source, trainCount: dataset.train.count,
        testCount: data.evaluation?.count ?? 0, classCount: dataset.classCount, fingerprint: data.fingerprint))
    record.recipe = settings.recipe
    record.method = settings.job == .train ? (try? MethodChoice(settings.method))?.description : nil
    record.optimizer = settings.optimizer.rawValue
    return record
  }

  private func initialize<D: Device>(_ trainer: Trainer<D>) throws {
    guard let weights = settings.initialWeights else { return }
    let random = try trainer.initialize(from: weights)
    guard !random.isEmpty else { return }
    talk.note(
      "\(random.joined(separator: " and ")) are initialised randomly: \(weights) was made for another number of classes"
    )
  }

  /// - Throws: `.badInput` where the data is not what the run's record says.
  static func requireSameData(_ run: String, _ record: RunRecord, _ data: RunData, _ job: JobKind) throws {
    try record.require(
      data, of: run,
      fix: job == .train
        ? "restore the data, or start a new run from the weights with --init \(run)/checkpoints/last.safetensors"
        : "restore the data, or start a new run.")
  }

  private func folder() throws -> RunFolder {
    if let resumed { return try RunFolder.resume(resumed) }
    if let out { return try RunFolder.create(at: out, force: force) }
    let method = try MethodChoice(settings.method).entry.name
    let kind =
      try settings.detection?.detector.rawValue ?? (method == "plain" ? Loss(settings.loss).entry.name : method)
    return try RunFolder.create(
      under: runsFolder,
      named: RunName(dataset: data.dataset.name, network: settings.model, loss: kind, seed: settings.seed))
  }

  /// The files that do not change during the run, and what is worth a note.
  private func noteBeginning<D: TunableDevice>(
    _ trainer: Trainer<D>, _ folder: RunFolder, _ reporter: any ProgressReporter
  ) throws {
    let train = data.dataset.train, device = trainer.session.device
    if resumed == nil {
      if let name = settings.recipe {
        for line in try Recipe(named: name).lines(inForce: settings) { reporter.note(line) }
      }
      try folder.write(settings.resolved(for: data, on: device).configuration)
      try folder.writeSamples(
        paths: data.dataset.trainPaths, givenLabels: train.labels.map(Int.init),
        cleanLabels: train.trueLabels?.map(Int.init))
      if let noise = data.noise {
        try NoiseFiles.write(noise, labels: train.labels, to: folder)
        if data.dataset.classCount <= 20, settings.job == .train {
          noise.table.split(separator: "\n").forEach { reporter.note(String($0)) }
        }
      }
    }
    if settings.job == .detect { try warn(reporter) }
    if device.tuning == .standard { reporter.note(TuningSource.absence) }
    if isVerbose, let plan = trainer.session.wholeBatches {
      let launches = plan.prepared.reduce(0) { $0 + $1.count }
      reporter.note("plan: \(launches) launches a step, \(plan.byteCount / 1_000_000) MB for activations")
    }
  }

  /// What may mislead a detection.
  private func warn(_ reporter: any ProgressReporter) throws {
    let loss = try Loss(settings.loss)
    if loss.entry.name != "ce" {
      reporter.note("warning: --loss \(loss.entry.name) weakens the signal; margins are best with cross entropy")
    }
    for (label, count) in data.judged.classCounts(data.dataset.classCount).enumerated() where count < 10 {
      reporter.note(
        "warning: '\(data.dataset.classNames[label])' has \(count) samples, too few to judge its labels by")
    }
  }

  // MARK: - The end

  private func finish<D: Device>(
    _ trainer: Trainer<D>, _ folder: RunFolder, _ reporter: any ProgressReporter, _ outcome: inout JobOutcome
  ) throws {
    if settings.aum {
      let (ids, margins) = try trainer.margins()
      try folder.writeMargins(ids: ids, margins: margins)
    }
    if let suspicion = try trainer.suspicion() {
      try suspicion.write(to: folder)
      outcome.suspicion = suspicion.score
    }
  }

  private func finish<D: TunableDevice>(
    _ finished: FinishedDetection, _ folder: RunFolder, _ reporter: any ProgressReporter, _ outcome: inout JobOutcome,
    on device: D
  ) throws {
    // A detection that was stopped while training again has its tables, and perhaps somebody has edited them since.
    if resumed == nil || FileBytes.kind(of: folder.file("detect.json")) != .file {
      try DetectionFiles.write(finished, to: folder)
      try folder.write(DetectionDocument.json(finished), named: "detect.json")
    }
    if settings.detection?.report != false { try folder.writePage(DetectionReport.page(finished).html) }
    outcome.detection = finished
    guard settings.detection?.retrain != nil else { return }
    let kept = finished.result.samples.count { !$0.isIssue }
    if kept < 2 {
      reporter.note("warning: \(kept) samples are left, too few to train again; see label_issues.csv")
    } else {
      outcome.retrained = .init(outcome: try retrain(folder, on: device))
    }
  }

  /// Trains on what is left, with the defaults of `train`, in a run folder within this one.
  private func retrain<D: TunableDevice>(_ folder: RunFolder, on device: D) throws -> JobOutcome {
    let path = folder.file("retrain"), defaults = RunSettings(), epochs = settings.detection?.retrainEpochs ?? 300
    var again = settings
    again.detection = nil
    (again.epochs, again.batchSize, again.schedule) = (epochs, defaults.batchSize, defaults.schedule)
    // 150 and 225 of 300.
    again.milestones = Set([epochs / 2, epochs * 3 / 4]).filter { $0 > 0 }.sorted()
    (again.exclude, again.excludeAbove) = (folder.file("label_issues.csv"), nil)
    again.excludeBy = settings.detection?.retrain ?? .weightZero
    let isBegun = resumed != nil && FileBytes.kind(of: path + "/config.toml") == .file
    return try Job(
      settings: again, data: RunData(again), resumed: isBegun ? path : nil, out: isBegun ? nil : path,
      runsFolder: runsFolder, force: true, talk: talk, isVerbose: isVerbose
    ).run(on: device)
  }
}

/// What a run came to.
struct JobOutcome {
  /// A run within a run.
  final class Inner {
    let outcome: JobOutcome
    init(outcome: JobOutcome) { self.outcome = outcome }
  }

  var ending: RunOutcome
  let folder: String
  let history: RunHistory
  /// What a detection found.
  var detection: FinishedDetection?
  /// The training on what a detection left.
  var retrained: Inner?
  /// How well a method's suspicion fits, where the true labels are known.
  var suspicion: DetectionScore?

  /// Why the whole of it ended.
  var wholeEnding: RunOutcome { ending == .finished ? retrained?.outcome.ending ?? .finished : ending }

  /// Ends the process with the exit code of a run that was stopped.
  func requireEnd() throws {
    switch wholeEnding {
    case .finished: break
    case .timeIsUp: throw ExitCode(Failure.Kind.stoppedEarly.rawValue)
    case .interrupted(let kind): throw ExitCode(kind.rawValue)
    }
  }
}
