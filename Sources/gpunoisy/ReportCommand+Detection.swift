import Failures
import FileFormats
import Reports
import Training

extension ReportCommand {
  /// Writes the page of a finished detection again, from its files and the data set.
  ///
  /// Nothing outside `report/` changes, and no device is opened.
  ///
  /// - Throws: `.usage` for options of other pages; what `FinishedDetection.read` throws; `.cannotCreate`,
  ///   `.inputOutput`.
  func rebuild(_ folder: String, _ settings: RunSettings) throws {
    guard out == nil, !noSamples, projection == .pca else {
      throw Failure(
        .usage, "--out, --no-samples and --projection are not for '\(folder)', a run of detect.",
        why: "its page shows its own data and stays in its folder.", fix: "remove them, or use runs of train.")
    }
    let path = try RunFolder.pagePath(in: folder)
    let finished = try FinishedDetection.read(folder: folder, settings: settings)
    if let warning = finished.data.emptyClassWarning { EvaluationNotes.show(warning, quiet: quiet) }
    let quiet = quiet
    let page = try SlowNotice.during({ EvaluationNotes.show("reading the images of the page", quiet: quiet) }, after: 1)
    {
      try DetectionReport.page(finished)
    }
    try FileBytes.makeFolder(FileBytes.folder(of: path))
    try write(page.html, to: path)
    try tell(path, samples: [])
  }
}
