import Failures
import FileFormats

/// The columns of a file of labels that a noise needs, as a cell for each sample of a data set.
struct LabelColumns {
  /// What a file says of a sample's class: a number or a name, and perhaps the name beside it.
  struct Cell {
    var text = "", name = ""
    /// Its line in a table, or its place in an array.
    var line = 0
  }

  /// The labels [N].
  let labels: [Cell]
  /// The true labels [N], where the file has any.
  let clean: [Cell]?
  private let list: SampleList, matching: SampleList.Matching
  /// Whether rows say which samples they are about.
  private let isList: Bool

  /// Names of CIFAR-N's code for the keys of its files.
  private static let aliases = [
    "worst": "worse", "rand1": "random1", "rand2": "random2", "rand3": "random3", "noisy100": "noisy",
  ]

  /// Reads a file.
  ///
  /// - Parameter key: the column of labels; nil for the only one.
  /// - Throws: `.missingInput`; `.usage` for a key that it does not have, or needs; `.badInput` for another number of
  ///   labels than samples, rows that do not fit these, and a file in the folder of a run that had other samples.
  init(_ path: String, key: String?, of dataset: Dataset) throws {
    list = SampleList(path, of: dataset)
    let bytes = try FileBytes.read(path)
    if NumPyArray.isNumPy(bytes) {
      let array = try NumPyArray(decoding: bytes, name: "'\(path)'")
      guard array.shape.dropFirst().allSatisfy({ $0 == 1 }) else {
        throw Failure(
          .badInput, "'\(path)' holds an array of shape \(array.shape).", why: "labels must be a row of integers.",
          fix: "save one number for each sample.")
      }
      let numbers = try LabelArray.numbers(array, "'\(path)'")
      labels = try Self.inOrder(numbers, path, dataset)
      (clean, isList, matching) = (nil, false, SampleList.Matching(byNumber: labels.count))
      try list.requireSameSamples(rows: numbers.count)
      return
    }
    guard !Pickle.isPickle(bytes, path: path), !ZipArchive.isZip(bytes) else {
      let arrays = try LabelPickle.arrays(bytes, path)
      let (name, cleanName) = try Self.choose(key, among: arrays.keys.sorted(), path)
      func column(_ name: String) throws -> [Cell] { try Self.inOrder(arrays[name] ?? [], path, dataset) }
      labels = try column(name)
      clean = try cleanName.map(column)
      (isList, matching) = (false, SampleList.Matching(byNumber: labels.count))
      try list.requireSameSamples(rows: arrays[name]?.count)
      return
    }
    let table = try CSV(decoding: bytes, name: path)
    let (name, cleanName) = try Self.choose(key, among: Self.columnsOfNumbers(table), path)
    isList = table.column("sample_id", "path") != nil
    guard isList else {
      func column(_ name: String) throws -> [Cell] {
        let index = table.header.firstIndex { $0.trimmingBlanks == name }
        return try Self.inOrder(table.rows.map { row in index.flatMap { Self.number(row[$0]) } }, path, dataset)
      }
      labels = try column(name)
      clean = try cleanName.map(column)
      matching = SampleList.Matching(byNumber: labels.count)
      try list.requireSameSamples(rows: table.rows.count)
      return
    }
    let (ids, matching) = try list.found(Array(table.rows.indices), in: table, passesElsewhere: true)
    self.matching = matching
    try Self.requireDifferent(ids, table, path)
    func column(_ name: String) -> [Cell] {
      let text = table.header.firstIndex { $0.trimmingBlanks == name }
      let beside = Self.names(beside: name).lazy.compactMap { table.column($0) }.first
      var cells = [Cell](repeating: Cell(), count: dataset.train.count)
      for (row, id) in ids.enumerated() {
        guard let id else { continue }
        let texts = table.rows[row]
        cells[id] = Cell(
          text: text.map { texts[$0] } ?? "", name: beside.map { texts[$0] } ?? "", line: table.lines[row])
      }
      return cells
    }
    labels = column(name)
    clean = cleanName.map(column)
  }

  /// The classes [N] of cells; `LabelledSet.noLabel` where there is no label.
  ///
  /// - Parameter isSure: whether positions are known to count the data set's classes, unless a run says otherwise.
  /// - Throws: as `ClassReader`.
  func classes(of cells: [Cell], isSure: Bool) throws -> [Int32] {
    let names = list.dataset.classNames, own = list.classes
    let reader = isSure && !own.translates ? ClassReader(names, counting: names) : own
    return try cells.map { cell in
      let label = try reader.label(
        cell.text, named: cell.name, "\(isList ? "line" : "entry") \(cell.line) of '\(list.path)'")
      return label.map { Int32($0) } ?? LabelledSet.noLabel
    }
  }

  /// What people are told of how rows were matched; nil where there is nothing to tell.
  ///
  /// - Parameter isProven: whether true labels have shown that the order is the data's.
  func note(isProven: Bool) -> String? { isProven && !isList ? nil : matching.note("--noise", list.path) }

  /// As many numbers as samples: those of the whole training set, of which the first are in use, are fine.
  private static func inOrder(_ numbers: [Int?], _ path: String, _ dataset: Dataset) throws -> [Cell] {
    let count = dataset.train.count
    guard numbers.count == count || numbers.count == dataset.wholeTrainCount else {
      throw Failure(
        .badInput, "'\(path)' has \(numbers.count) labels.", why: "the training set has \(count) samples.",
        fix: numbers.count < count
          ? "use --limit-train \(numbers.count) if they are those of the first samples."
          : "use the file that was made for this data set.")
    }
    return numbers.prefix(count).enumerated().map { index, number in
      Cell(text: number.map(String.init) ?? "", line: index)
    }
  }

  private static func inOrder(_ numbers: [Int], _ path: String, _ dataset: Dataset) throws -> [Cell] {
    try inOrder(numbers.map(Optional.some), path, dataset)
  }

  /// - Throws: `.badInput` for two rows about one sample.
  private static func requireDifferent(_ ids: [Int?], _ table: CSV, _ path: String) throws {
    var seen: Set<Int> = []
    for (row, id) in ids.enumerated() {
      guard let id, !seen.insert(id).inserted else { continue }
      throw SampleList.again(id, line: table.lines[row], of: path)
    }
  }

  /// The column of labels and that of true ones, where there is any.
  private static func choose(
    _ key: String?, among all: [String], _ path: String
  ) throws -> (labels: String, clean: String?) {
    let cleanName = all.contains("clean_label") ? "clean_label" : "label"
    // Where there is but one column, nothing is there to check by: it is what was asked for.
    let names = all.count == 1 ? all : all.filter { $0 != cleanName }
    guard let name = key.map({ Self.name(of: $0, in: all) }) ?? (names.count == 1 ? names[0] : nil) else {
      guard !names.isEmpty else {
        throw Failure(
          .badInput, "'\(path)' has no labels.", why: "none of its columns has only whole numbers.",
          fix: "write labels as numbers, or use --labels FILE, which also takes class names.")
      }
      throw Failure(
        .usage, key.map { "'\(path)' has no labels called '\($0)'." } ?? "'\(path)' has several sets of labels.",
        why: "it has \(names.joined(separator: ", ")).", fix: "choose one with key=\(names[0]).")
    }
    return (name, name == cleanName || !all.contains(cleanName) ? nil : cleanName)
  }

  /// The column that a key means: `worse` or `worst` for `worse_label`, `random2` or `rand2` for `random_label2`.
  private static func name(of key: String, in names: [String]) -> String? {
    for key in [key, aliases[key] ?? key] {
      var wanted = [key, "\(key)_label", "\(key)_label1"]
      if let digit = key.last, digit.isNumber { wanted.append("\(key.dropLast())_label\(digit)") }
      if let name = wanted.first(where: { names.contains($0) }) { return name }
    }
    return nil
  }

  /// The columns that may hold the names of the classes in a column.
  private static func names(beside column: String) -> [String] {
    switch column {
    case "label", "given_label": ["given_name", "label_name"]
    case "clean_label": ["clean_name"]
    default: column.hasSuffix("_label") ? [column.dropLast("label".count) + "name"] : []
    }
  }

  /// The columns of a table that hold whole numbers, without those of ids and of names.
  private static func columnsOfNumbers(_ table: CSV) -> [String] {
    table.header.enumerated().compactMap { index, name in
      let name = name.trimmingBlanks
      guard name != "sample_id", !name.hasSuffix("_name") else { return nil }
      let known = table.rows.lazy.map { $0[index].trimmingBlanks }.filter { !ClassLabels.isMissing($0) }
      return known.isEmpty || !known.allSatisfy { ClassLabels.number($0) != nil } ? nil : name
    }.sorted()
  }

  /// A number of a cell; nil for one that says that there is no label.
  private static func number(_ cell: String) -> Int? {
    let text = cell.trimmingBlanks
    return ClassLabels.isMissing(text) ? nil : ClassLabels.number(text)
  }
}
