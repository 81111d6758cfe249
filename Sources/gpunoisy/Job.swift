import Autotuning
import Compute
import ComputeCPU
import ComputeKernels
import Datasets
import Detection
import Failures
import FileFormats
import Networks
import Reports
import Training

/// One run of any kind on the device that was chosen: everything between the settings and what the run leaves.
struct Job: DeviceWork {
  var draft: SettingsDraft
  let data: RunData
  let resumed: String?
  let out: String?
  let runsFolder: String
  let force: Bool
  let console: any ProgressReporter
  let isVerbose: Bool
  /// When the command was started.
  let began: ContinuousClock.Instant
  /// Why `--device auto` took this device, as soon as it has.
  let choice: DeviceReason

  var settings: RunSettings { draft.settings }

  func run<D: TunableDevice>(on device: D) throws -> JobOutcome {
    Signals.beginWithoutWork()
    var job = self
    job.draft.follow(device: device is CPUDevice ? "cpu" : device.name)
    return try job.runFilled(on: device)
  }

  /// Runs with settings in which nothing is left to be found out.
  private func runFilled<D: TunableDevice>(on device: D) throws -> JobOutcome {
    var record = try record(of: device)
    // Everything that can fail without a folder comes first, so that a failure leaves none behind.
    let probabilities = try FinishedDetection.probabilities(settings, data)
    let weights = try initialWeights()
    let frozen = try frozenNetwork(weights, on: device)
    let trainer = settings.trainsNetworks ? try trainer(frozen, on: device) : nil
    trainer?.deviceReason = choice.text
    var notes: [String] = []
    if resumed == nil, let trainer { notes = try initialize(trainer, weights) }
    let folder = try folder(), path = folder.file(Self.configurationName)
    Signals.mark(run: folder.path)
    // What config.toml says, or is going to say.
    let configuration = try resumed == nil ? Array(settings.configuration.text.utf8) : FileBytes.read(path)
    record.inputs[Self.configurationName] = "\(SHA256.digest(of: configuration))"
    trainer?.settingsHash = try Checkpoint.settingsHash(of: configuration, name: path)
    var deviceBefore: String?
    // A run that was killed at its very beginning has settings, and no record yet.
    if let resumed, FileBytes.kind(of: folder.file(RunFolder.recordName)) == .file {
      let before = try RunRecord.read(folder: resumed)
      try Self.requireSameData(resumed, before, data, settings.job)
      try requireSameInputs(before, record, resumed)
      try Self.requireSameSettings(resumed, before)
      try Self.requireCheckpoint(resumed, before, settings)
      if (before.device, before.driver) != (record.device, record.driver) {
        deviceBefore = before.device == record.device ? "\(before.device), driver \(before.driver)" : before.device
      }
      record.schemaNumber = before.schemaNumber
      (record.started, record.origins, record.checkpoint) = (before.started, before.origins, before.checkpoint)
      record.starts = before.starts + record.starts
      record.inputs.merge(before.inputs) { now, _ in now }
    }
    // A run that was stopped before its first checkpoint begins again: seed and settings repeat it exactly.
    if resumed != nil, let trainer, try !trainer.resume(from: folder) { notes = try initialize(trainer, weights) }
    // The first file of a run: from here on it can be resumed.
    if resumed == nil { try folder.write(settings.configuration) }
    // A run that was killed after its first file does not have the second one yet.
    let copy = folder.file(RunFolder.earlierVerdictsName)
    if settings.job == .detect, let verdicts = settings.detection.verdicts, FileBytes.kind(of: copy) == .missing {
      let own = data.reviewed?.verdicts.translation.map { Array($0.utf8) }
      try AtomicFile.write(own ?? FileBytes.read(verdicts), to: copy)
    }
    let log = folder.log()
    let reporter = ProgressReporters(
      [FirstStep(deadline: settings.maxTime.map { began + .seconds($0.seconds) }), console, log]
        + (trainer != nil && device.tuning == .standard ? [TuningAdvice(to: console)] : []))
    defer { reporter.ended() }
    let journal = RunJournal(
      folder: folder, record: record, reporter: reporter, since: began, interruption: { StopRequest.kind })
    if let trainer {
      trainer.write(into: journal)
      try trainer.open()
      if device.tuning == .standard { log.note(TuningSource.absence) }
    } else {
      try journal.mark(.running)
    }
    for note in notes { reporter.note(note) }
    try noteBeginning(trainer, folder, reporter)
    if let deviceBefore {
      reporter.note(
        "warning: the run was on \(deviceBefore) before; from here on its numbers are those of \(record.device)")
    }
    do {
      if trainer == nil {
        let name = device.name + (choice.text.map { "; auto: \($0)" } ?? "")
        reporter.began(FeatureDetection.outline(settings, data, device: name, folder: folder))
      }
      var outcome = JobOutcome(
        ending: try trainer?.run() ?? .finished, folder: folder.path, history: trainer?.history ?? RunHistory())
      if outcome.ending == .finished {
        if settings.job == .detect {
          let equal = data.equalImages, features = try features(journal, equal, on: device)
          let finished =
            trainer?.finishedDetection(features: features, equal: equal)
            ?? FinishedDetection(
              settings: settings, data: data, equal: equal, stages: [], results: [], features: features,
              probabilities: probabilities, history: RunHistory(), record: journal.record, folder: folder.path)
          try finish(finished, folder, reporter, &outcome, on: device)
        } else if let trainer {
          try finish(trainer, folder, reporter, &outcome)
        }
      }
      if outcome.retrained?.outcome.ending ?? .finished == .finished {
        try journal.end(outcome.ending)
      } else {
        try journal.mark(.stopped, reason: "stopped while training again")
      }
      return outcome
    } catch let failure as Failure where failure.isStop {
      try? journal.end(RunOutcome(stopping: failure.kind))
      throw failure
    } catch {
      try? journal.mark(.failed, reason: ErrorMessages.failure(for: error).what)
      guard let failure = error as? Failure, failure.kind == .deviceUnavailable else { throw error }
      throw Failure(
        failure.kind, failure.what, why: failure.why,
        fix: "\(failure.fix) To continue from the last checkpoint: gpunoisy \(settings.job.rawValue) --resume "
          + "\(folder.path)")
    }
  }

  // MARK: - The beginning

  /// The weights of `--init`; nil without.
  private func initialWeights() throws -> WeightsChoice? {
    // A run that has a checkpoint no longer needs them.
    if let resumed, FileBytes.kind(of: resumed + "/checkpoints/last.safetensors") == .file { return nil }
    return try settings.initialWeights.map { try WeightsChoice($0) }
  }

  /// With `--freeze`: the network but for its last layer, and its features of all images.
  private func frozenNetwork<D: Device>(_ weights: WeightsChoice?, on device: D) throws -> FrozenNetwork? {
    guard settings.freezes else { return nil }
    let path = weights?.path ?? resumed.map { $0 + "/checkpoints/last.safetensors" }
    guard let path else { preconditionFailure("--freeze is given with --init, or the run is resumed") }
    // Told by one thread at a time, while this one waits.
    let listener = console
    return try FrozenNetwork(settings, data, weights: path, on: device) { listener.computed($0, of: $1) }
  }

  private func trainer<D: TunableDevice>(_ frozen: FrozenNetwork?, on device: D) throws -> Trainer<D> {
    do {
      return try Trainer(settings, data: data, frozen: frozen, on: device)
    } catch let failure as Failure where failure.kind == .outOfMemory && resumed != nil {
      throw Failure(
        .outOfMemory, failure.what, why: failure.why,
        fix: "close other programs, or use another --device: a resumed run keeps its settings. For a new run: "
          + failure.fix)
    }
  }

  /// Takes the weights of `--init`.
  ///
  /// - Returns: what the head of the run says of them.
  private func initialize<D: Device>(_ trainer: Trainer<D>, _ choice: WeightsChoice?) throws -> [String] {
    guard let weights = settings.initialWeights, let choice else { return [] }
    let (place, random) = try trainer.frozen.map { ($0.place, []) } ?? trainer.initialize(from: choice.path)
    var notes: [String] = []
    if let known = choice.known { notes.append("weights: \(known.name), \(known.licence), \(KnownWeights.origin)") }
    if let place { notes.append("weights: of \(weights), those in \(place)") }
    guard !random.isEmpty else { return notes }
    let classes = data.dataset.classCount
    return notes + [
      "\(random.joined(separator: " and ")) are initialised randomly: \(weights) has no last layer for \(classes) classes"
    ]
  }

  private func folder() throws -> RunFolder {
    if let resumed { return try RunFolder.resume(resumed) }
    if let out { return try RunFolder.create(at: out, force: force) }
    let method = settings.method.entry.name
    let kind =
      settings.job == .detect
      ? settings.detection.detector.rawValue : method == "plain" ? settings.loss.entry.name : method
    return try RunFolder.create(
      under: runsFolder,
      named: RunName(
        dataset: data.dataset.name, network: settings.trainsNetworks ? settings.model.description : nil, loss: kind,
        seed: settings.seed))
  }

  /// The files that do not change during the run, and what is worth a note.
  private func noteBeginning<D: TunableDevice>(
    _ trainer: Trainer<D>?, _ folder: RunFolder, _ reporter: any ProgressReporter
  ) throws {
    let train = data.dataset.train
    for note in data.notes { reporter.note(note) }
    // samples.csv comes last: a run that was killed before that writes all of these files when it is resumed.
    if resumed == nil || FileBytes.kind(of: folder.file("samples.csv")) == .missing {
      if let name = settings.recipe {
        for line in try Recipe(named: name).lines(inForce: settings) { reporter.note(line) }
      }
      if let noise = data.noise {
        try NoiseFiles.write(noise, labels: train.labels, to: folder)
        if data.dataset.classCount <= 20, settings.job == .train {
          noise.table.split(separator: "\n").forEach { reporter.note(String($0)) }
        }
      }
      try folder.writeSkippedFiles(
        data.dataset.badImages.map { ($0.path, $0.reason) }
          + data.dataset.passedOver.map { ($0.path, $0.reason.rawValue) })
      try folder.writeSamples(
        paths: data.dataset.trainPaths, classNames: data.dataset.classNames,
        givenLabels: data.dataset.givenLabels.map(Int.init),
        cleanLabels: train.trueLabels?.map(Int.init), heldOut: data.dataset.heldOutIDs.map(Int.init),
        trusted: data.dataset.trusted?.ids.map(Int.init) ?? [])
    }
    if settings.job == .detect { warn(reporter) }
    if isVerbose, let plan = trainer?.session.wholeBatches {
      let launches = plan.prepared.reduce(0) { $0 + $1.count }
      reporter.note("plan: \(launches) launches a step, \(plan.byteCount / 1_000_000) MB for activations")
    }
  }

  /// The samples below which a class is too small for judging its labels.
  private static let few = 10

  /// What may mislead a detection.
  private func warn(_ reporter: any ProgressReporter) {
    // What features say names small classes itself.
    guard settings.trainsNetworks else { return }
    let loss = settings.loss.entry.name, detector = settings.detection.detector
    if loss != "ce", detector.usesMargins || detector.usesFolds {
      reporter.note("warning: --loss \(loss) weakens the signal; margins are best with cross entropy")
    }
    let small = zip(data.dataset.classNames, data.judged.classCounts(data.dataset.classCount)).filter { $1 < Self.few }
    guard !small.isEmpty else { return }
    let names = small.prefix(5).map { "'\($0.shortened(to: 40))' (\($1))" }.joined(separator: ", ")
    reporter.note(
      "warning: \(small.count) of \(data.dataset.classCount) classes have fewer than \(Self.few) samples, too few to "
        + "judge their labels by: \(names)\(small.count > 5 ? ", …" : "")")
  }
}
