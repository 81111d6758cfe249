import Failures
import FileFormats
import Reports
import Training

/// What `train` prints when it is done.
struct TrainResult {
  let ending: RunEnding
  let folder: String
  let history: RunHistory

  var json: JSONValue {
    let status: JSONValue = ending == .finished ? "finished" : "stopped"
    return .object([
      JSONMember("schema", "gpunoisy.train/1"), JSONMember("status", status), JSONMember("run", JSONValue(folder)),
      JSONMember("test_acc", history.accuracy?.json ?? nil),
      JSONMember("epochs", .array(history.epochs.map(\.json))),
    ])
  }

  var text: String {
    summary + (ending == .finished ? "" : "resume with:   gpunoisy train --resume \(folder)\n")
  }

  /// The text without what to do next.
  var summary: String {
    var lines: [String] = []
    if let accuracy = history.accuracy { lines.append("test accuracy  \(accuracy.text)") }
    if let wrong = history.epochs.last?.wrongAccuracy {
      lines.append("memorised      \(FixedText.percent(wrong)) of the wrong labels")
    }
    lines.append("run folder     \(folder)")
    return lines.map { $0 + "\n" }.joined()
  }
}
