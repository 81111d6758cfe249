import Failures
import FileFormats

/// Clothing1M (Xiao et al., 2015): lists of keys, tables of labels, and images below numbered folders.
///
/// `noisy_train_key_list.txt` has a key in each line, the path of an image; `noisy_label_kv.txt` has `KEY LABEL` for
/// these, `clean_label_kv.txt` for the images that people looked at. `category_names_eng.txt`, where it is there, names the
/// classes. Training samples are those of the noisy list with their noisy labels, test samples those of
/// `clean_test_key_list.txt` with clean ones. The lists may lie beside the images or in a folder `annotations`.
///
/// Few training images have a clean label, too; true labels are known for all samples or for none, so these are not used.
enum Clothing1M: DatasetFormat {
  static let lookedFor = "Clothing1M (noisy_train_key_list.txt, noisy_label_kv.txt, images/)"

  private static let trainList = "noisy_train_key_list.txt"

  static func recognizes(_ location: DataLocation) -> Bool { listFolder(location) != nil }

  /// The folder with the lists.
  private static func listFolder(_ location: DataLocation) -> String? {
    guard location.isFolder else { return nil }
    return [location.path, location.file("annotations")].first { FileBytes.kind(of: "\($0)/\(trainList)") == .file }
  }

  static func open(_ location: DataLocation, _ options: DatasetOptions) throws -> Dataset {
    let lists = listFolder(location) ?? location.path
    let noisy = try labels(lists + "/noisy_label_kv.txt"), clean = try labels(lists + "/clean_label_kv.txt")
    let trainKeys = try keys(lists + "/" + trainList), testKeys = try keys(lists + "/clean_test_key_list.txt")
    let names = try classNames(lists, highest: (Array(noisy.values) + Array(clean.values)).max() ?? 0)

    func label(_ key: String, _ table: [String: Int32], _ file: String) throws -> Int32 {
      if let label = table[key] { return label }
      throw Failure(
        .badInput, "'\(lists)/\(file)' has no label for '\(key.shortened())'.",
        why: "a list of keys names it, and every image of the list needs one.",
        fix: "download the file again, or remove the key from the list.")
    }
    let trainLabels = try trainKeys.map { try label($0, noisy, "noisy_label_kv.txt") }
    let testLabels = try testKeys.map { try label($0, clean, "clean_label_kv.txt") }
    // The download has the folders 0 to 9 below images; some keep them beside the lists.
    let prefix = trainKeys.first.map {
      $0.hasPrefix("images/") && FileBytes.kind(of: location.file("images")) != .folder
    }
    let files = (trainKeys + testKeys).map { key in
      ImageFile(
        path: location.file(prefix == true ? String(key.dropFirst("images/".count)) : key), name: key, origin: nil)
    }
    let loaded = try ImageLoader.load(files, options: options, source: location.path)
    func samples(_ keys: [String], _ labels: [Int32], _ range: Range<Int>) -> LabelledSet {
      LabelledSet(
        images: loaded.images(range), labels: labels, paths: keys, unreadable: loaded.isBad[range])
    }
    var dataset = Dataset(
      name: location.name, classNames: names, train: samples(trainKeys, trainLabels, 0..<trainKeys.count),
      test: testKeys.isEmpty ? nil : samples(testKeys, testLabels, trainKeys.count..<files.count),
      source: "Clothing1M in \(location.path)", badImages: loaded.badImages
    ).with(loaded)
    if prefix == true { dataset.absentPrefix = "images/" }
    return dataset
  }

  /// The lines of a list; none where the file is not there.
  private static func keys(_ path: String) throws -> [String] {
    guard FileBytes.kind(of: path) != .missing else { return [] }
    let keys = try lines(path).map(\.text)
    var seen: Set<String> = []
    for key in keys where !seen.insert(key).inserted {
      throw Failure(
        .badInput, "'\(path)' has the key '\(key.shortened())' twice.", why: "a sample must be in a list once.",
        fix: "download the file again, or remove the line.")
    }
    for key in keys where !FileBytes.staysInside(key) {
      throw Failure(
        .badInput, "'\(path)' has the key '\(key.shortened())'.", why: "it points outside the folder of the images.",
        fix: "correct the line.")
    }
    return keys
  }

  /// The labels by key.
  private static func labels(_ path: String) throws -> [String: Int32] {
    var labels: [String: Int32] = [:]
    for (text, number) in try lines(path) {
      let place = "line \(number) of '\(path)'"
      guard let space = text.lastIndex(of: " ") else {
        throw Failure(
          .badInput, "\(place) has no label.", why: "a line must be a key, a space and a class's number.",
          fix: "download the file again, or remove the line.")
      }
      guard let label = Int(text[text.index(after: space)...]), (0..<ClassLabels.maxLabel + 1).contains(label) else {
        throw ClassLabels.outOfRange(String(text[text.index(after: space)...]), ClassLabels.maxLabel + 1, place)
      }
      labels[String(text[..<space])] = Int32(label)
    }
    return labels
  }

  private static func classNames(_ lists: String, highest: Int32) throws -> [String] {
    let path = lists + "/category_names_eng.txt"
    guard FileBytes.kind(of: path) == .file else { return (0...max(1, Int(highest))).map(String.init) }
    let names = try lines(path).map(\.text)
    guard names.count > highest else {
      throw Failure(
        .badInput, "'\(path)' names \(names.count) classes.", why: "the labels go up to \(highest).",
        fix: "download the file again.")
    }
    return names
  }

  private static func lines(_ path: String) throws -> [(text: String, number: Int)] {
    let bytes = try FileBytes.read(path)
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw Failure(.badInput, "'\(path)' is not text.", why: "it is not UTF-8.", fix: "download the file again.")
    }
    // A carriage return and a line feed are one character.
    let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
    return lines.enumerated().compactMap { index, line in
      var line = line
      while let last = line.last, last == " " || last == "\t" { line.removeLast() }
      return line.isEmpty ? nil : (String(line), index + 1)
    }
  }

}
