import Failures
import FileFormats
import Reports
import Settings
import Training

/// What `train` prints when it is done.
struct TrainResult {
  let ending: RunOutcome
  let folder: String
  let history: RunHistory
  /// How well a method's suspicion ranks wrong labels before right ones; nil where it judges none.
  var areaUnderROC: Double?

  init(_ outcome: JobOutcome) {
    (ending, folder, history) = (outcome.ending, outcome.folder, outcome.history)
    areaUnderROC = outcome.suspicion?.areaUnderROC
  }

  /// A run that was finished before.
  init(finished folder: String) throws {
    (ending, self.folder, history) = (.finished, folder, try RunHistory.read(folder: folder))
  }

  /// Whether the accuracy is that of a part that was held out in place of a test set.
  ///
  /// Where there is a test set, too, the history tells the held-out part's accuracy besides.
  private var isHeldOut: Bool {
    guard let settings = try? SettingsDraft(ofRun: folder).settings, settings.validation != nil else { return false }
    return history.epochs.last?.validationAccuracy == nil
  }

  var json: JSONValue {
    let status: JSONValue = ending == .finished ? "finished" : "stopped"
    return .object(
      [
        JSONMember("schema", "gpunoisy.train/1"), JSONMember("status", status), JSONMember("run", JSONValue(folder)),
        JSONMember("test_acc", history.accuracy?.json ?? nil),
      ] + (areaUnderROC.map { [JSONMember("suspicion_auroc", JSONValue($0))] } ?? [])
        + [JSONMember("epochs", .array(history.epochs.map(\.json)))])
  }

  var text: String {
    let run = TerminalText.argument(folder)
    return summary
      + (ending == .finished
        ? "next           gpunoisy report \(run)\n               gpunoisy predict \(run) FOLDER\n"
        : "resume with:   gpunoisy train --resume \(run)\n")
  }

  /// The text without what to do next.
  var summary: String {
    var lines: [String] = []
    if let accuracy = history.accuracy {
      lines.append("\(isHeldOut ? "held out      " : "test accuracy ") \(accuracy.text)")
    }
    if let wrong = history.epochs.last?.wrongAccuracy {
      lines.append("memorised      \(NumberFormatting.percent(wrong)) of the wrong labels")
    }
    if let areaUnderROC {
      lines.append("ranking        AUROC \(NumberFormatting.decimal(areaUnderROC, places: 4)) of suspicion.csv")
    }
    lines.append("run folder     \(folder)")
    return lines.map { $0 + "\n" }.joined()
  }
}
