import Autotuning
import Compute
import ComputeKernels
import Datasets
import Detection
import Failures
import FileFormats
import Reports
import Training

/// What a run leaves once its networks are trained.
extension Job {
  /// What features say, where the detector uses them: from the run's folder, if it is there already.
  func features<D: TunableDevice>(
    _ journal: RunJournal, _ equal: EqualImages, on device: D
  ) throws -> FeatureFindings? {
    guard settings.detection.detector.usesFeatures, let folder = journal.folder else { return nil }
    if resumed != nil, let found = try FinishedDetection.features(folder: folder.path, data) { return found }
    // Told by one thread at a time, while this one waits.
    nonisolated(unsafe) let listener = console
    let found = try FeatureDetection(settings, data: data, equal: equal) { listener.computed($0, of: $1) }
      .findings(on: device)
    try journal.save(found.file, ofStage: FeatureFindings.stage)
    return found
  }

  func finish<D: Device>(
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

  func finish<D: TunableDevice>(
    _ finished: FinishedDetection, _ folder: RunFolder, _ reporter: any ProgressReporter, _ outcome: inout JobOutcome,
    on device: D
  ) throws {
    // A detection that was stopped while training again has its tables, and perhaps somebody has edited them since.
    if resumed == nil || FileBytes.kind(of: folder.file("detect.json")) != .file {
      try DetectionFiles.write(finished, to: folder)
      try folder.write(DetectionDocument.json(finished), named: "detect.json")
    }
    if settings.detection.report {
      // This thread reads images meanwhile, so that nobody else is telling anything.
      nonisolated(unsafe) let listener = console
      let page = try SlowNotice.during({ listener.note("reading the images of the page") }, after: 1) {
        try DetectionReport.page(finished)
      }
      try folder.writePage(page.html)
      if StopRequest.kind != nil {
        reporter.note(
          "the page was made without reading its images to the end; to write it again: gpunoisy report "
            + TerminalText.argument(folder.path))
      }
    }
    outcome.detection = finished
    guard let exclusion = settings.detection.retrain else { return }
    do {
      try finished.result.verdict.requireTrust(
        settings.detection.trusts, in: folder.file("label_issues.csv"), for: "--retrain")
    } catch {
      // The detection itself is done: its result is written and shown first.
      outcome.refusal = error
      return
    }
    let kept = finished.result.samples.count { !$0.isIssue }
    if kept < 2 {
      reporter.note("warning: \(kept) samples are left, too few to train again; see label_issues.csv")
    } else {
      outcome.retrained = .init(outcome: try retrain(folder, by: exclusion, on: device))
    }
  }

  /// Trains on what is left, with the defaults of `train`, in a run folder within this one.
  func retrain<D: TunableDevice>(
    _ folder: RunFolder, by exclusion: Exclusion, on device: D
  ) throws -> JobOutcome {
    let path = folder.file(RunFolder.retrainName)
    let isBegun = resumed != nil && FileBytes.kind(of: path + "/config.toml") == .file
    let dataset = try RunData.read(settings)
    let draft =
      try isBegun
      ? SettingsDraft(ofRun: path)
      : SettingsDraft(
        retraining: settings, without: folder.file("label_issues.csv"), by: exclusion,
        data: DataFacts(dataset, limit: settings.limitTrain))
    return try Job(
      draft: draft, data: RunData(draft.settings, of: dataset), resumed: isBegun ? path : nil,
      out: isBegun ? nil : path,
      runsFolder: runsFolder, force: true, console: console, isVerbose: isVerbose, began: began, choice: choice
    ).run(on: device)
  }
}
