import FileFormats
import Reports
import Repro

/// The tables that there are.
enum ReproList {
  static func text() throws -> String {
    var columns = TextTable([.init("table"), .init("cells", .right), .init("claims", .right), .init("what it is")])
    for table in try ReproTable.all() {
      columns.append([table.name, "\(table.cells.count)", "\(table.claims.count)", "\(table.title) (\(table.paper))"])
    }
    return columns.text
  }

  static func json() throws -> String {
    let tables = try ReproTable.all().map { table -> JSONValue in
      [
        "name": .string(table.name), "title": .string(table.title), "paper": .string(table.paper),
        "measures": .array(table.measures.map { .string($0) }),
        "cells": .array(table.cells.map { .string($0.name) }),
        "claims": .array(
          table.claims.map {
            ["name": .string($0.name), "says": .string($0.says), "source": .string($0.source)]
          }),
        "differences": .array(table.differences.map { .string($0) }),
      ]
    }
    return JSONText.indented(["schema": "gpunoisy.repro-list/1", "tables": .array(tables)]) + "\n"
  }
}

/// A campaign's results on a terminal.
enum ReproText {
  static func text(_ result: CampaignResult) -> String {
    result.text { part in
      let series = part.isSeries
      var table = TextTable(
        [.init("  row"), .init("column"), .init("published", .right), .init("last", .right)]
          + (series ? [.init("best", .right), .init("last 10", .right)] : [])
          + [.init("runs", .right), .init("difference", .right), .init("verdict")])
      for row in part.rows {
        let published = row.published.map { "\($0.text) [\(row.tag)]" } ?? "–"
        table.append(
          ["  " + row.row, row.column, published, row.last?.text ?? "–"]
            + (series ? [row.best?.text ?? "–", row.last10?.text ?? "–"] : [])
            + ["\(row.count)", row.difference, row.verdict])
      }
      return table.text
    }
  }
}
