import ArgumentParser
import Failures
import FileFormats
import Methods
import Reports

struct MethodsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "methods", abstract: "List the training methods that --method takes.",
    discussion: """
      Prints what each does, its parameters with their defaults and ranges, the paper, whether it follows published code \
      or is reconstructed from a text, its cost in epochs of plain training, and the columns it adds to metrics.csv.

      Examples:
        gpunoisy methods
        gpunoisy methods co-teaching --json
        gpunoisy train mnist --method co-teaching:rate=0.45 --optimizer adam --lr 0.001
      """)

  @Argument(help: ArgumentHelp("Methods to show; default all.", valueName: "name"))
  var names: [String] = []
  @Flag(help: "Print one JSON document on standard output.")
  var json = false

  func run() throws {
    let entries = try names.isEmpty ? MethodEntry.catalogue : names.map { try MethodChoice($0).entry }
    guard !json else {
      let document: JSONValue = ["schema": "gpunoisy.methods/1", "methods": .array(entries.map(Self.json))]
      return try StandardOutput.write(JSONText.indented(document) + "\n")
    }
    try StandardOutput.write(entries.map(Self.text).joined(separator: "\n"))
  }

  private static func text(_ entry: MethodEntry) -> String {
    var lines = [entry.name, "  \(entry.summary)"]
    if !entry.source.isEmpty { lines += ["  source    \(entry.source)", "  status    \(entry.standing.text)"] }
    lines.append("  cost      an epoch costs this many of plain training: \(entry.cost); networks: \(entry.networks)")
    if entry.losses != .all { lines.append("  losses    \(entry.losses.text)") }
    if entry.judgesSamples { lines.append("  judges    samples: the run writes suspicion.csv") }
    if entry.needsTrustedSamples { lines.append("  needs     samples whose labels are right: --trusted") }
    if entry.needsTeachers { lines.append("  needs     trained networks: --teacher, once for each") }
    for parameter in entry.textParameters {
      lines.append("  \(parameter.name)=\(parameter.defaultText)  \(parameter.summary)")
    }
    for parameter in entry.parameters {
      let value = MethodChoice.text(parameter.defaultValue)
      lines.append("  \(parameter.name)=\(value)  \(parameter.summary) (\(range(parameter)))")
    }
    lines += entry.figures.map { "  column \($0.name)  \($0.summary)" }
    return lines.map { $0 + "\n" }.joined()
  }

  private static func range(_ parameter: MethodEntry.Parameter) -> String {
    "\(parameter.isWhole ? "whole, " : "")\(MethodChoice.text(parameter.range.lowerBound)) to \(MethodChoice.text(parameter.range.upperBound))"
  }

  private static func json(_ entry: MethodEntry) -> JSONValue {
    [
      "name": .string(entry.name), "summary": .string(entry.summary), "source": .string(entry.source),
      "standing": .string(entry.standing == .publishedCode ? "published code" : "reconstructed"),
      "standing_note": .string(entry.standing.text), "networks": JSONValue(entry.networks),
      "cost": .string(entry.cost), "judges_samples": .bool(entry.judgesSamples),
      "losses": .string(entry.losses.text), "needs_trusted": .bool(entry.needsTrustedSamples),
      "needs_teachers": .bool(entry.needsTeachers),
      "text_parameters": .array(
        entry.textParameters.map {
          [
            "name": .string($0.name), "default": .string($0.defaultText), "summary": .string($0.summary),
          ]
        }),
      "parameters": .array(
        entry.parameters.map {
          [
            "name": .string($0.name), "default": JSONValue($0.defaultValue), "min": JSONValue($0.range.lowerBound),
            "max": JSONValue($0.range.upperBound), "whole": .bool($0.isWhole), "summary": .string($0.summary),
          ]
        }),
      "figures": .array(entry.figures.map { ["name": .string($0.name), "summary": .string($0.summary)] }),
    ]
  }
}
