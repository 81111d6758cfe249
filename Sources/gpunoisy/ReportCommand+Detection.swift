import Failures
import Reports
import Training

extension ReportCommand {
  /// Writes the page of a finished detection again, from its files and the data set.
  ///
  /// - Throws: `.configuration` for a detection that is not finished; what reading the data throws.
  func rebuild(_ folder: String, _ settings: RunSettings) throws {
    guard out == nil, !noSamples, projection == .pca else {
      throw Failure(
        .usage, "--out, --no-samples and --projection are not for '\(folder)', a run of detect.",
        why: "its page shows its data and stays beside its tables.", fix: "leave them out, or give runs of train.")
    }
    guard try RunRecord.read(folder: folder).status == .finished else {
      throw Failure(
        .configuration, "the detection in '\(folder)' is not finished.", why: "its result is not known yet.",
        fix: "finish it: gpunoisy detect --resume \(folder)")
    }
    var settings = settings
    settings.detection?.report = true
    let choice = DeviceChoice(
      text: settings.device, threads: settings.threads, precision: settings.numberPrecision)
    // Nothing is left to train: resuming writes the result again.
    let start = DetectStart(
      settings: settings, data: try RunData(settings), resumed: folder, out: nil, runsFolder: "", force: false,
      talk: Terminal.progressReporter(.none, color: .auto), isVerbose: false)
    _ = try choice.open(start) { EvaluationNotes.show($0, quiet: quiet) }
    try tell(folder + "/report/index.html", samples: [])
  }
}
