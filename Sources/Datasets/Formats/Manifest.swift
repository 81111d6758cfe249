import Failures
import FileFormats

/// A table of images: `.csv` or `.jsonl` with `path`, `label` and optionally `split` and `clean_label`.
///
/// `file_name` is accepted for `path`. Labels are whole numbers from 0, also as floats, or names, which are sorted; blanks
/// around them do not count, and `ClassLabels.isMissing` says which mean "no label". `split` is a name of `SplitPart`,
/// train when empty; `val` is the test set where there is no other. Paths are relative to the table's folder and must stay inside of it; backslashes
/// are read as slashes where no file has one in its name.
enum Manifest: DatasetFormat {
  static let lookedFor = "a manifest (.csv or .jsonl with path,label[,split][,clean_label])"

  static func recognizes(_ location: DataLocation) -> Bool {
    !location.isFolder && (location.hasSuffix(".csv") || location.hasSuffix(".jsonl"))
  }

  private struct Row {
    var path: String
    /// Empty where none is given.
    var label: String
    var hasLabel: Bool
    var split = ""
    var cleanLabel: String?
    var line: Int
  }

  static func hasLabels(_ location: DataLocation, of classNames: [String]) throws -> Bool {
    try rows(location, needsLabels: false).contains(where: \.hasLabel)
  }

  /// The images alone, whatever else the table says; here paths may be absolute, and lead out of its folder.
  ///
  /// - Throws: `.badInput` for a table that lists no paths.
  static func images(_ location: DataLocation) throws -> [ImageFile] {
    try rows(location, needsLabels: false).map { row in
      ImageFile(path: full(row.path, location), name: row.path, origin: "line \(row.line)")
    }
  }

  private static func full(_ path: String, _ location: DataLocation) -> String {
    path.utf8.first == UInt8(ascii: "/") ? path : location.folder + "/" + path
  }

  private static func rows(_ location: DataLocation, needsLabels: Bool) throws -> [Row] {
    let bytes = try FileBytes.read(location.path)
    let read = location.hasSuffix(".jsonl") ? jsonRows : tableRows
    let rows = try read(bytes, location.path, needsLabels).map { row in
      var row = row
      let slashed = FileBytes.withSlashes(row.path.trimmingBlanks)
      if slashed != row.path, FileBytes.kind(of: full(row.path, location)) == .missing { row.path = slashed }
      row.label = row.label.trimmingBlanks
      row.cleanLabel = row.cleanLabel?.trimmingBlanks
      return row
    }
    guard !rows.isEmpty else {
      throw Failure(
        .badInput, "'\(location.path)' lists no images.", why: "it has no rows.", fix: "add one row for each.")
    }
    return rows
  }

  static func open(_ location: DataLocation, _ options: DatasetOptions) throws -> Dataset {
    let rows = try rows(location, needsLabels: true)
    let parts = try rows.map { row in
      guard let part = row.split.trimmingBlanks.isEmpty ? .train : SplitPart(row.split) else {
        throw Failure(
          .badInput, "line \(row.line) of '\(location.path)' has the split '\(row.split.shortened())'.",
          why: "a split must be train, val or test.", fix: "correct the line.")
      }
      return part
    }
    let texts = rows.map { ($0.label, $0.line) } + rows.compactMap { row in row.cleanLabel.map { ($0, row.line) } }
    let (names, label) = try ClassLabels.infer(texts.map(\.0)) { "line \(texts[$0].1) of '\(location.path)'" }

    let folder = location.folder
    guard let root = FileBytes.resolved(folder) else {
      throw Failure(.missingInput, "'\(folder)' does not exist.", why: "it was just removed.", fix: "try again.")
    }
    let listed = zip(rows, parts)
    let train = listed.filter { $1 == .train }.map(\.0), test = listed.filter { $1 == .test }.map(\.0)
    let validation = listed.filter { $1 == .validation }.map(\.0)
    guard !train.isEmpty else {
      throw Failure(
        .badInput, "'\(location.path)' has no training images.", why: "no row has the split train.",
        fix: "mark those to train on by train.")
    }
    let files = try (train + test + validation).map { row in
      ImageFile(path: try inside(root, row, location.path), name: row.path, origin: "line \(row.line)")
    }
    let loaded = try ImageLoader.load(files, options: options, source: location.path)
    func samples(_ rows: [Row], _ range: Range<Int>) -> LabelledSet {
      LabelledSet(
        images: loaded.images(range), labels: rows.map { label[$0.label] ?? LabelledSet.noLabel },
        paths: rows.map(\.path),
        trueLabels: rows.first?.cleanLabel == nil
          ? nil : rows.map { label[$0.cleanLabel ?? $0.label] ?? LabelledSet.noLabel },
        unreadable: loaded.isBad[range])
    }
    let held = validation.isEmpty ? nil : samples(validation, train.count + test.count..<files.count)
    var dataset = Dataset(
      name: location.stem, classNames: names, train: samples(train, 0..<train.count),
      test: test.isEmpty ? held : samples(test, train.count..<train.count + test.count),
      source: "the manifest \(location.path)", badImages: loaded.badImages)
    if !test.isEmpty { dataset.heldOut = held }
    dataset.warnings = Self.sharedPaths(train, test + validation).map { [$0] } ?? []
    return dataset.with(loaded)
  }

  /// A warning about images that are trained on and measured with; nil where there are none.
  private static func sharedPaths(_ train: [Row], _ others: [Row]) -> String? {
    let trained = Set(train.map(\.path)), shared = others.filter { trained.contains($0.path) }
    guard let first = shared.first else { return nil }
    return "\(shared.count) images are in the training set and again in the test or validation set, such as "
      + "'\(first.path)' (line \(first.line)): accuracy on them says nothing"
  }

  /// The full path of a row's image, unless it leads out of the folder, by its text or through links.
  private static func inside(_ root: String, _ row: Row, _ manifest: String) throws -> String {
    let full = root + "/" + row.path
    // A missing image is told later, together with all other bad ones.
    let isInside = FileBytes.resolved(full).map { FileBytes.part(of: $0, below: root) != nil } ?? true
    guard FileBytes.staysInside(row.path), isInside else {
      throw Failure(
        .badInput, "line \(row.line) of '\(manifest)' has the path '\(row.path.shortened(to: 200))'.",
        why: "it points outside the manifest's folder.", fix: "put the manifest into the folder that holds the images.")
    }
    return full
  }

  private static func tableRows(_ bytes: [UInt8], _ name: String, needsLabels: Bool) throws -> [Row] {
    let table = try CSV(decoding: bytes, name: name), label = table.column("label")
    guard let path = table.column("path", "file_name"), label != nil || !needsLabels else {
      throw missingColumns(name, needsLabels, "its columns are \(table.columnList)")
    }
    let split = table.column("split"), clean = table.column("clean_label")
    return zip(table.rows, table.lines).map { fields, line in
      Row(
        path: fields[path], label: label.map { fields[$0] } ?? "", hasLabel: label != nil,
        split: split.map { fields[$0] } ?? "",
        cleanLabel: clean.map { fields[$0] },
        line: line)
    }
  }

  private static func jsonRows(_ bytes: [UInt8], _ name: String, needsLabels: Bool) throws -> [Row] {
    var rows: [Row] = []
    let text = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? bytes[3...] : bytes[...]
    for (index, line) in text.split(separator: 0x0A, omittingEmptySubsequences: false).enumerated() {
      guard line.contains(where: { $0 != 0x20 && $0 != 0x09 && $0 != 0x0D }) else { continue }
      let object = try JSONText.parse(line, named: "\(name), line \(index + 1)")
      func text(_ value: JSONValue?) -> String? {
        value == .null
          ? "" : value?.string ?? value?.integer.map(String.init) ?? value?.double.map { NumberFormatting.shortest($0) }
      }
      let label = text(object["label"])
      guard let path = object["path"]?.string ?? object["file_name"]?.string, label != nil || !needsLabels else {
        throw missingColumns(name, needsLabels, "line \(index + 1) lacks \(needsLabels ? "one of them" : "it")")
      }
      rows.append(
        Row(
          path: path, label: label ?? "", hasLabel: label != nil, split: object["split"]?.string ?? "",
          cleanLabel: text(object["clean_label"]),
          line: index + 1))
      if (rows[0].cleanLabel == nil) != (rows[rows.count - 1].cleanLabel == nil) {
        throw Failure(
          .badInput, "line \(index + 1) of '\(name)' differs from the first line in clean_label.",
          why: "either all rows must have it or none.", fix: "add it to all, or remove it.")
      }
    }
    return rows
  }

  private static func missingColumns(_ name: String, _ needsLabels: Bool, _ detail: String) -> Failure {
    Failure(
      .badInput, "'\(name)' is not \(needsLabels ? "a manifest" : "a table of images").",
      why: "it needs path\(needsLabels ? " and label" : ""); \(detail).",
      fix: needsLabels ? "name the columns path,label[,split][,clean_label]." : "name the column of the files path.")
  }
}
