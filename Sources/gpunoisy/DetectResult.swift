import Detection
import FileFormats
import Reports
import Training

/// What `detect` prints when it is done, or stopped.
struct DetectResult {
  let ending: RunOutcome
  let folder: String
  /// detect.json; nil before the end.
  let document: JSONValue?
  /// The share of labels that are suspected.
  private(set) var rate: Double?
  private var summary = ""
  private let hasPage: Bool
  private var retrained: TrainResult?
  /// Labels that are suspected, and whether the list may be acted on without looking at it.
  private var issues: Int { document?["issues"]?.integer ?? 0 }
  private var isTrusted: Bool { DetectionVerdict(rawValue: document?["verdict"]?.string ?? "")?.isTrusted ?? true }
  /// Whether training samples are among those that were judged, and no label is known to be another one.
  private var actsWithoutLooking: Bool {
    func count(_ name: String) -> Int { document?["reviewed"]?[name]?.integer ?? 0 }
    return !["test", "val"].contains(document?["split"]?.string) && count("changed") == 0 && count("left_out") == 0
  }

  init(_ outcome: JobOutcome) {
    (ending, folder) = (outcome.wholeEnding, outcome.folder)
    document = outcome.detection.map { DetectionDocument.json($0) }
    hasPage = outcome.detection?.settings.detection.report ?? false
    retrained = outcome.retrained.map { TrainResult($0.outcome) }
    guard let found = outcome.detection else { return }
    let samples = found.result.samples
    rate = Double(samples.count(where: \.isIssue)) / Double(max(samples.count, 1))
    summary =
      DetectSummary(
        result: found.result, tables: found.tables, classNames: found.data.dataset.classNames,
        overlap: found.overlapSummary
      ).text
  }

  /// A run that was finished before: what its files say.
  init(finished folder: String) throws {
    (ending, self.folder) = (.finished, folder)
    let path = folder + "/detect.json"
    document = try JSONText.parse(FileBytes.read(path), named: path)
    if let issues = document?["issues"]?.integer, let samples = document?["samples"]?.integer {
      rate = Double(issues) / Double(max(samples, 1))
      summary = "suspected      \(issues) of \(samples) labels, \(NumberFormatting.percent(rate ?? 0))\n"
    }
    hasPage = FileBytes.kind(of: folder + "/report/index.html") == .file
    if FileBytes.kind(of: folder + "/retrain/run.json") == .file {
      retrained = try TrainResult(finished: folder + "/retrain")
    }
  }

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
    let run = TerminalText.argument(folder)
    var text = summary
    if let retrained { text += "\ntrained again on the remaining samples:\n\(retrained.summary)" }
    text += "run folder     \(folder)\n"
    if hasPage { text += "page           \(folder)/report/index.html\n" }
    if ending == .finished {
      let page = hasPage ? "judge the labels on the page, then " : ""
      text += "next           \(page)gpunoisy apply \(run) --verdicts verdicts.csv --to COPY\n"
      if isTrusted, issues > 0, actsWithoutLooking {
        let list = TerminalText.argument(folder + "/label_issues.csv")
        let data = TerminalText.argument(document?["settings"]?["data"]?.string ?? "DATA")
        text += "               or train without them: gpunoisy train \(data) --exclude \(list)\n"
      }
    }
    if ending != .finished { text += "resume with:   gpunoisy detect --resume \(run)\n" }
    return text
  }
}
