import FileFormats
import Pages
import Statistics

/// A campaign's results for people.
extension CampaignResult {
  private var table: ReproTable { campaign.table }

  /// The title, with the scale where it is not the published one.
  public var title: String {
    campaign.scale == .full ? table.title : "\(table.title), scale \(campaign.scale)"
  }

  /// What stands above the tables, a sentence or two each.
  private var facts: [String] {
    let finished = states.count { $0.state == .finished }, failed = failures.count
    var facts = [
      "\(table.paper). Published values are those of \(Self.metricName(table.metric)).",
      "\(finished) of \(states.count) runs are finished (\(campaign.seeds) \(campaign.seeds == 1 ? "seed" : "seeds") of each cell)"
        + (failed > 0 ? ", \(failed) failed" : "") + ".",
    ]
    switch campaign.scale {
    case .full: break
    case .percent: facts.append("Epochs are scaled to \(campaign.scale) of the protocol's: no value is judged.")
    case .quick: facts.append("This is the short form, in which no value is judged: \(table.quickly).")
    }
    if campaign.scale != .full, !table.follows.isEmpty { facts.append(table.follows) }
    if !leftOut.isEmpty { facts.append("Not run at this scale: \(Self.few(leftOut, of: table.cells.count)).") }
    let empty = Set(rows.map(\.cell.name)).subtracting(rows.filter(\.isShown).map(\.cell.name)).count
    if empty > 0 {
      let cells = empty == 1 ? "1 cell has" : "\(empty) cells have"
      facts.append("\(cells) neither a finished run nor a published value, and no line here.")
    }
    if !machines.isEmpty { facts.append("Runs by \(machines.joined(separator: "; ")).") }
    for failure in failures {
      facts.append("Failed: \(failure.task.cell.name), seed \(failure.task.seed): \(failure.reason)")
    }
    return facts
  }

  /// The names of some cells, or how many they are where they would fill the page.
  private static func few(_ names: [String], of all: Int) -> String {
    names.count <= 8 ? names.joined(separator: ", ") : "\(names.count) of the table's \(all) cells, such as \(names[0])"
  }

  private static func metricName(_ metric: ReproTable.Metric) -> String {
    switch metric {
    case .last: "the last epoch"
    case .best: "the best epoch"
    case .last10: "the mean of the last ten epochs"
    }
  }

  private func spread(_ interval: MeanInterval?) -> ReproPage.Spread? {
    interval.map { .init($0.mean, $0.count > 1 ? $0.deviation : nil) }
  }

  private var parts: [ReproPage.Part] {
    table.measures.map { measure in
      ReproPage.Part(
        title: Self.capitalized(Quantity.title(measure)),
        rows: rows.filter { $0.measure == measure && $0.isShown }.map { row in
          ReproPage.Row(
            row: row.cell.row, column: row.cell.column,
            published: row.published.map { .init($0.value, $0.deviation) }, tag: row.published?.tag.rawValue ?? "",
            source: row.published?.source ?? "", last: spread(row.mean(.last)),
            best: row.isSeries ? spread(row.mean(.best)) : nil, last10: row.isSeries ? spread(row.mean(.last10)) : nil,
            compared: spread(row.mean(table.metric)), count: row.values.count, verdict: row.verdict.text)
        })
    }.filter { !$0.rows.isEmpty }
  }

  private static func capitalized(_ text: String) -> String { text.prefix(1).uppercased() + text.dropFirst() }

  /// The page.
  public var page: ReproPage {
    let example = states.first { $0.state == .finished }?.task ?? campaign.tasks[0]
    let hasCurves = FileBytes.kind(of: "\(campaign.folder)/\(Self.curvesName)") == .file
    return ReproPage(
      title: title, facts: facts, parts: parts,
      claims: claims.map {
        .init(
          says: $0.claim.says, source: $0.claim.source, found: $0.text, outcome: $0.outcome.rawValue, advice: $0.advice)
      },
      differences: table.differences,
      links: hasCurves ? [("Curves, classes and features, seed 1", Self.curvesName)] : [],
      commands: [
        "gpunoisy repro \(table.source) --scale \(campaign.scale) --runs \(campaign.seeds)",
        "gpunoisy \(example.cell.job.rawValue) --config \(example.cell.name)/seed-\(example.seed).toml",
      ])
  }

  /// The name of the page with curves.
  public static let curvesName = "curves.html"

  /// The tables as Markdown.
  var markdown: String {
    var lines = ["# \(title)", ""] + facts.flatMap { [$0, ""] }
    if !claims.isEmpty {
      lines += ["## Claims", "", "| outcome | claim | found, with 95 % interval |", "| --- | --- | --- |"]
      lines += claims.map { result in
        let found = result.text + (result.advice.isEmpty ? "" : "; \(result.advice)")
        return "| \(result.outcome.rawValue) | \(Self.cell(result.claim.says)) | \(found) |"
      }
      lines.append("")
    }
    for part in parts { lines += Self.markdown(part) }
    if !table.differences.isEmpty {
      lines += ["## What differs from the published protocol", ""] + table.differences.map { "* \($0)" } + [""]
    }
    return lines.map { $0 + "\n" }.joined()
  }

  private static func markdown(_ part: ReproPage.Part) -> [String] {
    let names =
      ["row", "column", "published"] + (part.isSeries ? ["last epoch", "best epoch", "mean of last 10"] : ["ours"])
      + ["runs", "difference", "verdict"]
    var lines = ["## \(part.title)", "", line(names), line(names.map { _ in "---" })]
    lines += part.rows.map { row in
      let published = row.published.map { "\($0.text) [\(row.tag)]" } ?? "–"
      let values = [row.last] + (part.isSeries ? [row.best, row.last10] : [])
      return line(
        [cell(row.row), cell(row.column), published] + values.map { $0?.text ?? "–" }
          + ["\(row.count)", row.difference, row.verdict])
    }
    let best = part.isSeries ? " The best epoch was chosen on the test set." : ""
    return lines + ["", "In percent, mean ± standard deviation over the runs.\(best)", ""]
  }

  private static func line(_ cells: [String]) -> String { "| \(cells.joined(separator: " | ")) |" }

  /// Text that ends no cell.
  private static func cell(_ text: String) -> String {
    text.split(separator: "|", omittingEmptySubsequences: false).joined(separator: "\\|")
  }

  // MARK: - The terminal

  /// What `repro` prints: a table for each quantity, then the claims.
  public func text(columns: (ReproPage.Part) -> String) -> String {
    var text = "\(title)\n"
    for part in parts { text += "\n\(part.title)\n" + columns(part) }
    if !claims.isEmpty { text += "\nClaims\n" }
    for result in claims {
      text += "  \(result.outcome.rawValue.uppercased())  \(result.claim.says)\n      \(result.text)"
      text += result.advice.isEmpty ? "\n" : "; \(result.advice)\n"
    }
    return text
  }

  /// The document that `--json` prints.
  public var json: JSONValue {
    [
      "schema": "gpunoisy.repro/1", "table": .string(table.name), "scale": .string(campaign.scale.description),
      "seeds": JSONValue(campaign.seeds), "folder": .string(campaign.folder),
      "runs": .array(
        states.map { task, state in
          [
            "cell": .string(task.cell.name), "seed": JSONValue(task.seed), "state": .string(Self.name(state)),
            "run": .string(task.folder),
          ]
        }),
      "cells": .array(
        rows.map { row in
          [
            "cell": .string(row.cell.name), "measure": .string(row.measure), "runs": JSONValue(row.values.count),
            "last": JSONValue(row.mean(.last)?.mean), "best": JSONValue(row.isSeries ? row.mean(.best)?.mean : nil),
            "last10": JSONValue(row.isSeries ? row.mean(.last10)?.mean : nil),
            "published": JSONValue(row.published?.value), "tag": JSONValue(row.published?.tag.rawValue),
            "verdict": JSONValue(row.verdict == .none ? nil : row.verdict.text),
          ]
        }),
      "claims": .array(
        claims.map { result in
          let half = result.difference?.halfWidth
          return [
            "claim": .string(result.claim.name), "says": .string(result.claim.says),
            "outcome": .string(result.outcome.rawValue), "mean": JSONValue(result.difference?.mean),
            "low": JSONValue(result.difference.flatMap { difference in half.map { difference.mean - $0 } }),
            "high": JSONValue(result.difference.flatMap { difference in half.map { difference.mean + $0 } }),
            "seeds_to_decide": JSONValue(result.seedsToDecide),
          ]
        }),
    ]
  }

  private static func name(_ state: Campaign.State) -> String {
    switch state {
    case .untouched: "not started"
    case .begun: "started"
    case .finished: "finished"
    case .failed: "failed"
    }
  }
}
