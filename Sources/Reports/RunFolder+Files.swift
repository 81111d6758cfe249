import Failures
import FileFormats

extension RunFolder {
  /// Replaces run.json.
  ///
  /// - Throws: `Failure` of kind `cannotCreate` or `inputOutput`, as everything here.
  public func write(_ record: RunRecord) throws {
    try replace(Self.recordName, JSONText.indented(record.json))
  }

  /// Writes config.toml, which `--config` reads back.
  public func write(_ configuration: ConfigurationText) throws {
    try replace("config.toml", configuration.text)
  }

  /// A reporter that appends the plain lines of the run to log.txt.
  public func log(clock: TalkClock = .system) -> ProgressLines {
    ProgressLines(to: FileOutput(appendingTo: file("log.txt")), clock: clock)
  }

  /// Writes samples.csv: the training samples, in the order of their ids.
  ///
  /// - Parameters:
  ///   - ids: the samples' ids [N]; nil for 0..<N.
  ///   - paths: relative paths, or names such as `cifar10/train/00042` [N].
  ///   - givenLabels: the labels that are trained on [N].
  ///   - cleanLabels: the true labels [N], if known; a fourth column.
  public func writeSamples(ids: [Int]? = nil, paths: [String], givenLabels: [Int], cleanLabels: [Int]? = nil) throws {
    precondition(paths.count == givenLabels.count, "\(paths.count) paths, \(givenLabels.count) labels")
    precondition(ids == nil || ids!.count == paths.count, "\(ids?.count ?? 0) ids, \(paths.count) paths")
    precondition(
      cleanLabels == nil || cleanLabels!.count == paths.count, "\(cleanLabels?.count ?? 0) clean labels")
    try writeTable(
      "samples.csv", columns: ["sample_id", "path", "given_label"] + (cleanLabels == nil ? [] : ["clean_label"]),
      rows: paths.indices.lazy.map { index in
        let row = ["\(ids?[index] ?? index)", paths[index], "\(givenLabels[index])"]
        return cleanLabels.map { row + ["\($0[index])"] } ?? row
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

  /// Writes a JSON document, replacing the file at once.
  public func write(_ document: JSONValue, named name: String) throws {
    try replace(name, JSONText.indented(document) + "\n")
  }

  /// Writes report/index.html, a page for a browser.
  public func writePage(_ html: String) throws {
    try FileBytes.makeFolder(file("report"))
    try replace("report/index.html", html)
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
    try AtomicFile.write(Array(text.utf8), to: file(name))
  }
}
