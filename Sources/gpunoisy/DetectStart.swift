import Compute
import ComputeKernels
import Datasets
import Detection
import Failures
import FileFormats
import Reports
import Training

/// Everything between the settings of a detection and its result, on the device that was chosen.
struct DetectStart: DeviceWork {
  let settings: RunSettings
  let data: RunData
  let resumed: String?
  let out: String?
  let runsFolder: String
  let force: Bool
  let talk: any ProgressReporter
  let isVerbose: Bool

  func run<D: TunableDevice>(on device: D) throws -> DetectOutcome {
    let dataset = data.dataset
    var record = RunRecord(
      command: "detect", version: GPUNoisy.version, arguments: CommandLine.arguments, device: device.name,
      driver: device.driver, seeds: ["seed": settings.seed, "noise": settings.noiseSeed ?? settings.seed],
      data: .init(
        name: dataset.name, layout: dataset.source, trainCount: dataset.train.count,
        testCount: data.evaluation?.count ?? 0, classCount: dataset.classCount, fingerprint: dataset.fingerprint))
    // Everything that can fail without a folder comes first, so that a failure leaves none behind.
    let detector = try Detector(settings, data: data, on: device, interruption: { Signals.request })
    let folder = try folder()
    if let resumed {
      let before = try RunRecord.read(folder: resumed)
      guard before.data?.fingerprint == record.data?.fingerprint else {
        throw Failure(
          .badInput, "the data is not what '\(resumed)' was begun with.",
          why: "the run records \(before.data?.trainCount ?? 0) training images with fingerprint "
            + "\(before.data?.fingerprint ?? "none"); now it is \(dataset.train.count) with \(dataset.fingerprint).",
          fix: "restore the data, or start a new run.")
      }
      record.started = before.started
      if FileBytes.kind(of: folder.file("metrics.csv")) != .missing {
        try detector.resume(from: folder, history: RunHistory.read(folder: folder.path, epochCount: detector.epochs))
      }
    }
    let reporter = ProgressReporters([talk, folder.log()])
    defer { reporter.ended() }
    detector.write(into: folder, record: record, reporter: reporter)
    try prepare(folder, detector, reporter)
    do {
      return try work(detector, folder, reporter)
    } catch {
      try? detector.mark(.failed, reason: ErrorText.failure(for: error).what)
      throw error
    }
  }

  private func work<D: TunableDevice>(
    _ detector: Detector<D>, _ folder: RunFolder, _ reporter: any ProgressReporter
  ) throws -> DetectOutcome {
    let ending = try detector.run()
    guard ending == .finished else {
      var reason = "--max-time has passed"
      if case .interrupted(let kind) = ending { reason = kind == .interrupted ? "SIGINT" : "a signal" }
      try detector.mark(.stopped, reason: reason)
      return DetectOutcome(ending: ending, folder: folder.path)
    }
    let finished = detector.finished(in: folder.path), result = finished.result
    try DetectionFiles.write(finished, to: folder)
    let document = DetectionDocument.json(finished)
    try folder.write(document, named: "detect.json")
    if settings.detection?.report != false { try folder.writePage(DetectionReport.page(finished).html) }
    var outcome = DetectOutcome(ending: .finished, folder: folder.path, document: document)
    outcome.hasPage = settings.detection?.report != false
    outcome.rate = Double(result.samples.count(where: \.isIssue)) / Double(max(result.samples.count, 1))
    outcome.summary = DetectSummary(result: result, tables: finished.tables, classNames: data.dataset.classNames).text
    let kept = result.samples.count { !$0.isIssue }
    if settings.detection?.retrain != nil, kept < 2 {
      reporter.note("warning: \(kept) samples are left, too few to train again; see label_issues.csv")
    } else if settings.detection?.retrain != nil {
      let retrained = try retrain(folder, on: detector.device)
      (outcome.retrained, outcome.ending) = (retrained, retrained.ending)
    }
    if outcome.ending == .finished {
      try detector.mark(.finished)
    } else {
      try detector.mark(.stopped, reason: "stopped while training again")
    }
    return outcome
  }

  /// Trains on what is left, with the defaults of `train`, in a run folder within this one.
  private func retrain<D: TunableDevice>(_ folder: RunFolder, on device: D) throws -> TrainResult {
    let path = folder.file("retrain"), defaults = RunSettings(), epochs = settings.detection?.retrainEpochs ?? 300
    var again = settings
    again.detection = nil
    (again.epochs, again.batchSize, again.schedule) = (epochs, defaults.batchSize, defaults.schedule)
    // 150 and 225 of 300.
    again.milestones = Set([epochs / 2, epochs * 3 / 4]).filter { $0 > 0 }.sorted()
    again.exclude = folder.file("label_issues.csv")
    again.excludeBy = settings.detection?.retrain ?? .weightZero
    let goesOn = resumed != nil && FileBytes.kind(of: path + "/config.toml") == .file
    return try RunStart(
      settings: again, data: RunData(again), resumed: goesOn ? path : nil, out: goesOn ? nil : path,
      runsFolder: runsFolder, force: true, talk: talk, isVerbose: isVerbose
    ).run(on: device)
  }

  private func folder() throws -> RunFolder {
    if let resumed { return try RunFolder.resume(resumed) }
    if let out { return try RunFolder.create(at: out, force: force) }
    let name = RunName(
      dataset: data.dataset.name, network: settings.model,
      loss: (settings.detection ?? DetectionSettings()).detector.rawValue, seed: settings.seed)
    return try RunFolder.create(under: runsFolder, named: name)
  }

  /// The files that do not change during the run, and what is worth a warning.
  private func prepare<D: TunableDevice>(
    _ folder: RunFolder, _ detector: Detector<D>, _ reporter: any ProgressReporter
  ) throws {
    let train = data.dataset.train
    try folder.openTables(
      withCleanColumns: train.trueLabels != nil, after: resumed == nil ? nil : detector.history.epochs.count)
    try detector.mark(.running)
    if settings.loss.lowercased() != "ce" {
      reporter.note("warning: --loss \(settings.loss) blunts the signal; margins are best with cross entropy")
    }
    for (label, count) in train.classCounts(data.dataset.classCount).enumerated() where count < 10 {
      reporter.note(
        "warning: '\(data.dataset.classNames[label])' has \(count) samples, too few to judge its labels by")
    }
    guard resumed == nil else { return }
    try folder.write(settings.resolved(for: data, on: detector.device).configuration)
    let names = train.paths.isEmpty ? (0..<train.count).map { "\(data.dataset.name)/train/\($0)" } : train.paths
    try folder.writeSamples(
      paths: names, givenLabels: train.labels.map(Int.init), cleanLabels: train.trueLabels?.map(Int.init))
    if let noise = data.noise { try NoiseFiles.write(noise, labels: train.labels, to: folder) }
  }
}

/// What `detect` prints when it is done, or stopped.
struct DetectOutcome {
  var ending: RunEnding
  let folder: String
  /// detect.json; nil before the end.
  var document: JSONValue?
  /// The share of labels that are suspected.
  var rate: Double?
  var summary = ""
  /// Whether the folder has a page.
  var hasPage = false
  var retrained: TrainResult?

  var json: JSONValue {
    guard let members = document?.members else {
      return ["schema": .string(DetectionDocument.schema), "status": "stopped", "run": .string(folder)]
    }
    let status: JSONValue = ending == .finished ? "finished" : "stopped"
    return .object(
      members.map { $0.name == "status" ? JSONMember("status", status) : $0 }
        + (retrained.map { [JSONMember("retrain", $0.json)] } ?? []))
  }

  var text: String {
    var text = summary
    if let retrained { text += "\ntrained again on what is left:\n\(retrained.summary)" }
    text += "run folder     \(folder)\n"
    if hasPage { text += "page           \(folder)/report/index.html\n" }
    if ending != .finished { text += "resume with:   gpunoisy detect --resume \(folder)\n" }
    return text
  }
}
