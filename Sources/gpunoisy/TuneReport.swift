import Autotuning
import ComputeKernels
import FileFormats
import Reports

/// What `gpunoisy tune` tells.
struct TuneReport {
  let device: String, driver: String
  let command: TuneCommand
  let candidates: [Candidate]
  var rows: [Tuner.Row] = []
  var tuning = Tuning.standard
  /// Milliseconds of whole steps.
  var steps: (standard: Double, tuned: Double)?
  /// Where it is kept.
  var path: String?

  static func shape(_ key: Tuning.Key) -> String {
    let window = key.window
    return "\(window.C)→\(window.O) \(window.H)×\(window.W) \(window.KH)×\(window.KW)/\(window.stride)"
  }

  /// One line of progress.
  static func line(_ row: Tuner.Row) -> String {
    let lost = row.outcomes.filter { if case .lost = $0.outcome { true } else { false } }.count
    let result = row.winner.map { "\($0.number): \(ratio($0.result))" } ?? "the standard stays"
    return "\(row.key.choice.rawValue) \(shape(row.key)): \(result)\(lost > 0 ? ", \(lost) lost" : "")"
  }

  private static func ratio(_ result: TrialResult) -> String {
    "\(NumberFormatting.decimal(result.standardSeconds / result.seconds, places: 2)) × as fast"
  }

  var text: String {
    let head =
      "device     \(device)  (\(driver))\nstep       \(command.model) batch \(command.batchSize) \(command.precision)\n\n"
    if command.isDryRun {
      var table = TextTable([.init("parameter"), .init("shape"), .init("candidates")])
      for row in candidates.chunkedByKey {
        table.append([
          row[0].key.choice.rawValue, Self.shape(row[0].key), row.map { "\($0.number)" }.joined(separator: " "),
        ])
      }
      return head + table.text + "\n\(candidates.count) candidates; nothing was tried (--dry-run)\n"
    }
    var table = TextTable([
      .init("parameter"), .init("shape"), .init("standard ms", .right), .init("best ms", .right),
      .init("ratio", .right), .init("number", .right), .init(""),
    ])
    for row in rows {
      let winner = row.winner
      var lost: [String] = []
      for (number, outcome) in row.outcomes {
        guard case .lost(let why) = outcome else { continue }
        if lost.last?.hasSuffix(": \(why)") == true {
          lost[lost.count - 1] = "\(number), " + lost[lost.count - 1]
        } else {
          lost.append("\(number) lost: \(why)")
        }
      }
      table.append([
        row.key.choice.rawValue, Self.shape(row.key),
        (winner?.result.standardSeconds ?? row.standardSeconds).map { NumberFormatting.decimal($0 * 1000, places: 3) }
          ?? "-",
        winner.map { NumberFormatting.decimal($0.result.seconds * 1000, places: 3) } ?? "-",
        winner.map { NumberFormatting.decimal($0.result.standardSeconds / $0.result.seconds, places: 3) } ?? "-",
        winner.map { "\($0.number)" } ?? "standard", lost.joined(separator: "; "),
      ])
    }
    var end = "\n"
    if let steps {
      end +=
        "whole step \(NumberFormatting.decimal(steps.standard, places: 2)) ms, "
        + "tuned \(NumberFormatting.decimal(steps.tuned, places: 2)) ms"
      end += tuning.numbers.isEmpty ? ": not faster, so the standard stays\n" : "\n"
    } else {
      end += "nothing is more than 3 % faster than the standard\n"
    }
    if let path { end += "saved in  \(path)\n" }
    return head + table.text + end
  }

  var json: JSONValue {
    .object([
      JSONMember("schema", "gpunoisy.tune/1"), JSONMember("device", .string(device)),
      JSONMember("driver", .string(driver)), JSONMember("model", .string(command.model)),
      JSONMember("batch_size", JSONValue(command.batchSize)), JSONMember("precision", .string(command.precision)),
      JSONMember("candidates", JSONValue(candidates.count)), JSONMember("path", JSONValue(path)),
      JSONMember("step_ms", JSONValue(steps?.standard)), JSONMember("tuned_step_ms", JSONValue(steps?.tuned)),
      JSONMember("tuning", TuningRecord.json(tuning)),
      JSONMember(
        "trials",
        .array(
          rows.flatMap { row in
            row.outcomes.map { number, outcome in
              var members = [
                JSONMember("choice", .string(row.key.choice.rawValue)),
                JSONMember("shape", .string(Self.shape(row.key))),
                JSONMember("number", JSONValue(number)),
              ]
              switch outcome {
              case .measured(let result):
                members += [
                  JSONMember("standard_ms", JSONValue(result.standardSeconds * 1000)),
                  JSONMember("ms", JSONValue(result.seconds * 1000)),
                ]
              case .lost(let why): members.append(JSONMember("lost", .string(why)))
              }
              return .object(members)
            }
          })),
    ])
  }
}

extension [Candidate] {
  /// The candidates of each choice and shape.
  fileprivate var chunkedByKey: [[Candidate]] {
    var groups: [[Candidate]] = []
    for candidate in self {
      if groups.last?.first?.key == candidate.key {
        groups[groups.count - 1].append(candidate)
      } else {
        groups.append([candidate])
      }
    }
    return groups
  }
}
