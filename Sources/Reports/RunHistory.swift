import Failures
import FileFormats

/// The epochs of a run as its tables tell them.
public struct RunHistory: Sendable, Equatable {
  /// The epochs in their order.
  public var epochs: [EpochReport]

  /// A history of these epochs.
  public init(epochs: [EpochReport] = []) {
    self.epochs = epochs
  }

  /// Reads metrics.csv and, if it is there, per_class.csv of a run folder.
  ///
  /// A last line that a crash tore off is left out, be it the first one. Numbers read back to the same bits; an empty
  /// `train_loss` (not a number) reads as such. Columns that every run may have are known by their names; all others are
  /// figures, and an empty cell of these is nil.
  ///
  /// - Parameter epochCount: what to take for the number of epochs that the run will have.
  /// - Throws: `Failure` of kind `missingInput` without metrics.csv, `badInput` for damaged tables.
  public static func read(folder: String, epochCount: Int? = nil) throws -> RunHistory {
    let metricsPath = folder + "/" + RunFolder.metricsName, classPath = folder + "/" + RunFolder.classesName
    guard let metrics = try table(metricsPath) else { return RunHistory() }
    let figures = figureNames(metrics.header), places = Cells.places(metrics.header)
    var epochs: [EpochReport] = []
    for (row, line) in zip(metrics.rows, metrics.lines) {
      let cells = Cells(places: places, cells: row, place: "line \(line) of '\(metricsPath)'")
      epochs.append(
        EpochReport(
          epoch: try cells.integer("epoch"), epochs: epochCount ?? 0, step: try cells.integer("step"),
          learningRate: try cells.number("lr") ?? .nan, trainLoss: try cells.number("train_loss") ?? .nan,
          trainAccuracy: try cells.share("train_acc") ?? .nan, testLoss: try cells.number("test_loss"),
          testAccuracy: try cells.share("test_acc"), seconds: try cells.number("seconds") ?? .nan,
          imagesPerSecond: try cells.number("images_per_second") ?? .nan,
          cleanAccuracy: try cells.share("clean_acc"), wrongAccuracy: try cells.share("noisy_acc"),
          validationLoss: try cells.number("val_loss"), validationAccuracy: try cells.share("val_acc"),
          figures: try figures.map { .init($0, try cells.number($0)) }))
    }
    for (index, report) in epochs.enumerated()
    where !(1...1_000_000).contains(report.epoch) || !(0...1 << 48).contains(report.step)
      || index > 0 && report.epoch <= epochs[index - 1].epoch
    {
      throw Failure(
        .badInput, "line \(metrics.lines[index]) of '\(metricsPath)' is damaged.",
        why:
          "its epoch is \(report.epoch), at step \(report.step); epochs must be counted from 1, each higher than the one "
          + "before.",
        fix: "delete that line, or repeat the run.")
    }
    if epochCount == nil, let last = epochs.last?.epoch {
      for index in epochs.indices { epochs[index].epochs = last }
    }
    guard FileBytes.kind(of: classPath) != .missing, let classes = try table(classPath) else {
      return RunHistory(epochs: epochs)
    }
    var scores: [Int: [EpochReport.ClassScore]] = [:]
    let classPlaces = Cells.places(classes.header)
    for (row, line) in zip(classes.rows, classes.lines) {
      let cells = Cells(places: classPlaces, cells: row, place: "line \(line) of '\(classPath)'")
      scores[try cells.integer("epoch"), default: []].append(
        .init(accuracy: try cells.share("accuracy"), confidence: try cells.share("confidence")))
    }
    for index in epochs.indices { epochs[index].perClass = scores[epochs[index].epoch] ?? [] }
    return RunHistory(epochs: epochs)
  }

  /// Last, best and mean of the last ten test accuracies; nil if none was measured.
  public var accuracy: AccuracySummary? {
    AccuracySummary(epochs.compactMap { report in report.testAccuracy.map { (report.epoch, $0) } })
  }

  /// The columns that are figures, each once; a column without a name is what an editor left behind.
  private static func figureNames(_ header: [String]) -> [String] {
    var taken = EpochReport.takenNames.union([""])
    return header.filter { taken.insert($0).inserted }
  }

  /// The whole lines of a table; nil where not even its header is whole, since the run was killed before.
  private static func table(_ path: String) throws -> CSV? {
    let bytes = try FileBytes.read(path)
    guard let end = bytes.lastIndex(of: 0x0A) else { return nil }
    return try CSV(decoding: Array(bytes[...end]), name: path)
  }

  /// One row, whose cells are found by the names of their columns.
  private struct Cells {
    var places: [String: Int]
    var cells: [String]
    var place: String

    /// Where the cells of each column are; of two columns of one name, those of the first.
    static func places(_ header: [String]) -> [String: Int] {
      Dictionary(header.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// The number in a column; nil if the column is absent or the cell is empty.
    func number(_ name: String) throws -> Double? {
      guard let index = places[name], !cells[index].isEmpty else { return nil }
      guard let value = Double(cells[index]) else { throw wrong(name, cells[index]) }
      return value
    }

    /// The number in a column of accuracies: 0 to 1, or not a number.
    func share(_ name: String) throws -> Double? {
      guard let value = try number(name) else { return nil }
      guard value.isNaN || (0...1).contains(value) else {
        throw wrong(name, "\(value)", why: "no share between 0 and 1")
      }
      return value
    }

    func integer(_ name: String) throws -> Int {
      guard let index = places[name] else { throw wrong(name, "") }
      guard let value = Int(cells[index]) else { throw wrong(name, cells[index]) }
      return value
    }

    private func wrong(_ name: String, _ cell: String, why: String = "not a number") -> Failure {
      Failure(
        .badInput, "\(place) is damaged.", why: "its '\(name)' is '\(cell)', which is \(why).",
        fix: "delete that line, or repeat the run.")
    }
  }
}
