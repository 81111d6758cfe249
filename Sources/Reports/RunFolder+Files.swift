import Failures
import FileFormats

extension RunFolder {
  /// Replaces run.json.
  ///
  /// - Throws: `Failure` of kind `cannotCreate` or `inputOutput`, as everything here.
  public func write(_ record: RunRecord) throws {
    try RunRecord.replacing { try replace(Self.recordName, JSONText.indented(record.json)) }
    if isMarked { removeMark() }
  }

  /// Writes config.toml, which `--config` reads back.
  public func write(_ configuration: FlatTOML) throws {
    try replace("config.toml", configuration.text)
  }

  /// A reporter that appends the plain lines of the run to log.txt.
  public func log(clock: ConsoleClock = .system) -> ProgressLines {
    ProgressLines(to: FileOutput(appendingTo: file("log.txt")), clock: clock)
  }

  /// Writes skipped_files.csv: what lies in the data's folder and is no sample, or could not be read; not for none.
  public func writeSkippedFiles(_ files: [(path: String, reason: String)]) throws {
    guard !files.isEmpty else { return }
    try writeTable(Self.skippedName, columns: ["path", "reason"], rows: files.lazy.map { [$0.path, $0.reason] })
  }

  /// Writes samples.csv: the training samples, in the order of their ids.
  ///
  /// - Parameters:
  ///   - ids: the samples' ids [N]; nil for 0..<N.
  ///   - paths: relative paths, or names such as `cifar10/train/42` [N].
  ///   - classNames: the names of the classes [K], for the last columns, `given_name` and `clean_name`: labels are positions
  ///     in these.
  ///   - givenLabels: the labels that are trained on, or were held out [N]; negative for none.
  ///   - cleanLabels: the true labels [N], if known; a fourth column.
  ///   - heldOut: the places in these of what is held out; a column `held_out` unless there is none.
  ///   - trusted: the places of what is trusted, and not trained on; a column `trusted` unless there is none.
  public func writeSamples(
    ids: [Int]? = nil, paths: [String], classNames: [String], givenLabels: [Int], cleanLabels: [Int]? = nil,
    heldOut: [Int] = [], trusted: [Int] = []
  ) throws {
    precondition(paths.count == givenLabels.count, "\(paths.count) paths, \(givenLabels.count) labels")
    precondition(ids == nil || ids!.count == paths.count, "\(ids?.count ?? 0) ids, \(paths.count) paths")
    precondition(
      cleanLabels == nil || cleanLabels!.count == paths.count, "\(cleanLabels?.count ?? 0) clean labels")
    let marks = [("held_out", Set(heldOut)), ("trusted", Set(trusted))].filter { !$0.1.isEmpty }
    func name(_ label: Int) -> String { label < 0 ? "" : classNames[label] }
    try writeTable(
      "samples.csv",
      columns: ["sample_id", "path", "given_label"] + (cleanLabels == nil ? [] : ["clean_label"])
        + marks.map(\.0) + ["given_name"] + (cleanLabels == nil ? [] : ["clean_name"]),
      rows: paths.indices.lazy.map { index in
        var row = ["\(ids?[index] ?? index)", paths[index], "\(givenLabels[index])"]
        if let cleanLabels { row.append("\(cleanLabels[index])") }
        row += marks.map { $0.1.contains(index) ? "True" : "False" }
        return row + [name(givenLabels[index])] + (cleanLabels.map { [name($0[index])] } ?? [])
      })
  }

  /// Writes aum_values.csv as the `aum` package does: the highest margin first, equal ones by id.
  ///
  /// Margins that are not numbers come last, with an empty cell.
  ///
  /// - Parameters:
  ///   - ids: the samples' ids [N].
  ///   - margins: the area under the margin of each [N].
  public func writeMargins(ids: [Int], margins: [Double]) throws {
    precondition(ids.count == margins.count, "\(ids.count) ids, \(margins.count) margins")
    let order = ids.indices.sorted { left, right in
      let (a, b) = (margins[left], margins[right])
      if a.isNaN || b.isNaN { return a.isNaN == b.isNaN ? ids[left] < ids[right] : b.isNaN }
      return a == b ? ids[left] < ids[right] : a > b
    }
    try writeTable(
      "aum_values.csv", columns: ["sample_id", "aum"],
      rows: order.lazy.map { ["\(ids[$0])", EpochReport.cell(margins[$0])] })
  }

  /// Writes suspicion.csv: how a training method judges the labels, the most suspicious first, equal ones by id.
  ///
  /// Left out are samples that it did not judge (their suspicion is not a number), and those without a given label.
  ///
  /// - Parameters:
  ///   - ids: the samples' ids [N]; nil for 0..<N.
  ///   - suspicion: higher where a label is more likely wrong [N].
  ///   - paths: as in `writeSamples` [N].
  ///   - givenLabels: the labels that were trained on [N]; negative for none.
  ///   - predictedLabels: the class that the method thinks most likely [N]; negative, and an empty cell, for none.
  ///   - cleanLabels: the true labels [N], if known; a sixth column. Negative, and an empty cell, for none.
  public func writeSuspicion(
    ids: [Int]? = nil, suspicion: [Double], paths: [String], givenLabels: [Int], predictedLabels: [Int],
    cleanLabels: [Int]? = nil
  ) throws {
    let ids = ids ?? Array(suspicion.indices)
    let counts = [ids, givenLabels, predictedLabels, cleanLabels].compactMap { $0?.count } + [paths.count]
    precondition(counts.allSatisfy { $0 == suspicion.count }, "suspicion of \(suspicion.count) samples, not \(counts)")
    let order = suspicion.indices.filter { !suspicion[$0].isNaN && givenLabels[$0] >= 0 }.sorted { left, right in
      suspicion[left] == suspicion[right] ? ids[left] < ids[right] : suspicion[left] > suspicion[right]
    }
    func cell(_ label: Int) -> String { label < 0 ? "" : "\(label)" }
    try writeTable(
      Self.suspicionName,
      columns: ["sample_id", "suspicion", "path", "given_label", "predicted_label"]
        + (cleanLabels == nil ? [] : ["clean_label"]),
      rows: order.lazy.map { index in
        let row = [
          "\(ids[index])", NumberFormatting.shortest(suspicion[index]), paths[index], "\(givenLabels[index])",
          cell(predictedLabels[index]),
        ]
        return cleanLabels.map { row + [cell($0[index])] } ?? row
      })
  }

  /// Writes a JSON document, replacing the file at once.
  public func write(_ document: JSONValue, named name: String) throws {
    try replace(name, JSONText.indented(document) + "\n")
  }

  /// Writes report/index.html, a page for a browser.
  public func writePage(_ html: String) throws {
    try FileBytes.makeFolder(file("report"))
    try replace(Self.pageName, html)
  }

  /// The name of the page.
  public static let pageName = "report/index.html"

  /// Where the page of a run is, for a process that has not locked the run.
  ///
  /// - Throws: `Failure` of kind `cannotCreate` for a link there, whose target would change.
  public static func pagePath(in folder: String) throws -> String {
    try requireNoLinks(["report", pageName], in: folder)
    return folder + "/" + pageName
  }

  /// Writes a whole table, replacing the file at once.
  ///
  /// - Parameters:
  ///   - name: the file's name within the run folder.
  ///   - rows: as many cells in each as there are columns.
  public func writeTable(_ name: String, columns: [String], rows: some Sequence<[String]>) throws {
    var text = CSV.line(columns)
    for row in rows {
      precondition(row.count == columns.count, "\(name): \(row.count) cells in a row of \(columns.count) columns")
      text += CSV.line(row)
    }
    try replace(name, text)
  }

  private func replace(_ name: String, _ text: String) throws {
    try AtomicFile.write(Array(text.utf8), to: file(name), followingLinks: false)
  }
}
