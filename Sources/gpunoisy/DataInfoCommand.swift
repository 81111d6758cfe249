import ArgumentParser
import Datasets
import FileFormats
import Reports
import Training

struct DataInfoCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "info", abstract: "Describe a data set.",
    discussion: """
      Prints the layout, sizes, samples of each class, mean and standard deviation of each channel, the fingerprint \
      that runs record, and unreadable images. --duplicates also compares all images with each other.

      Examples:
        gpunoisy data info ./photos
        gpunoisy data info cifar10 --duplicates
        gpunoisy data info shapes --json
      """)

  @OptionGroup var options: JobOptions<InfoJob>
  @Flag(help: "Find images that are equal in every pixel.")
  var duplicates = false
  @Flag(help: "Print one JSON document.")
  var json = false

  func run() throws {
    let summary = DataSummary(try Dataset.opened(by: options.settings()), findsDuplicates: duplicates)
    try StandardOutput.write(json ? JSONText.indented(summary.json) + "\n" : summary.text)
  }
}

/// What `data info` finds out about a data set.
struct DataSummary {
  let dataset: Dataset
  /// nil where no training sample has a label.
  let normalization: Normalization?
  let fingerprint: String
  /// Groups of equal images; nil if not looked for.
  let duplicates: [[Place]]?

  /// Where an image stands.
  struct Place {
    let split: SplitChoice
    let id: Int
    let label: Int32
  }

  init(_ dataset: Dataset, findsDuplicates: Bool) {
    self.dataset = dataset
    normalization = dataset.train.labelledIDs.isEmpty ? nil : dataset.normalization
    fingerprint = dataset.fingerprint
    duplicates = findsDuplicates ? Self.duplicates(in: dataset) : nil
  }

  private var parts: [(split: SplitChoice, samples: LabelledSet)] {
    [(.train, dataset.train)] + (dataset.test.map { [(.test, $0)] } ?? [])
  }

  /// Groups of readable images with the same bytes, by their SHA-256.
  private static func duplicates(in dataset: Dataset) -> [[Place]] {
    var places: [SHA256.Digest: [Place]] = [:], order: [SHA256.Digest] = []
    for (split, set) in [(SplitChoice.train, dataset.train)] + (dataset.test.map { [(.test, $0)] } ?? []) {
      let size = set.images.imageSize
      set.images.pixels.withUnsafeBytes { pixels in
        for id in 0..<set.count where set.labels[id] >= 0 {
          var hash = SHA256()
          hash.update(UnsafeRawBufferPointer(rebasing: pixels[id * size..<(id + 1) * size]))
          let digest = hash.digest()
          if places[digest, default: []].count == 1 { order.append(digest) }
          places[digest, default: []].append(Place(split: split, id: id, label: set.labels[id]))
        }
      }
    }
    return order.compactMap { places[$0] }
  }

  /// The share of training labels that differ from the true ones, where those are known.
  private var wrongLabels: (wrong: Int, known: Int)? {
    guard let truth = dataset.train.trueLabels else { return nil }
    let known = zip(dataset.train.labels, truth).filter { $0 >= 0 && $1 >= 0 }
    return (known.count { $0 != $1 }, known.count)
  }

  // MARK: For people

  var text: String {
    let images = dataset.train.images
    var lines = [
      "name         \(dataset.name)", "source       \(dataset.source)",
      "images       \(images.width)×\(images.height) pixels, \(images.channels == 1 ? "grey" : "colour")",
    ]
    if let sizing = dataset.sizing { lines.append("in files     \(sizing.text)") }
    for (split, set) in parts {
      let usable = set.labelledIDs.count
      lines.append(
        "\(split == .train ? "training    " : "test        ") \(set.count) samples"
          + (usable < set.count ? ", \(usable) of them with a label" : ""))
    }
    if let (wrong, known) = wrongLabels {
      lines.append(
        "true labels  known; \(wrong) of \(known) given labels differ, "
          + NumberFormatting.percent(Double(wrong) / Double(max(known, 1))))
    }
    if let normalization {
      func list(_ values: [Float]) -> String {
        values.map { NumberFormatting.decimal(Double($0), places: 4) }.joined(separator: ", ")
      }
      lines.append("mean         \(list(normalization.mean))  (of byte / 255, over the training samples)")
      lines.append("deviation    \(list(normalization.standardDeviation))")
    }
    lines.append("fingerprint  \(fingerprint)")
    for note in dataset.notes(withBadImages: false) {
      let warning = "warning: "
      lines.append(
        note.hasPrefix(warning) ? "warning      \(note.dropFirst(warning.count))" : "note         \(note)")
    }
    lines.append("classes      \(dataset.classCount)")
    return lines.map { TerminalText.escaped($0) + "\n" }.joined() + "\n" + classTable + badImageList + duplicateList
  }

  private var classTable: String {
    var table = TextTable(
      [.init("", .right), .init("class"), .init("train", .right)] + (dataset.test == nil ? [] : [.init("test", .right)])
    )
    let counts = parts.map { $0.samples.classCounts(dataset.classCount) }
    for (label, name) in dataset.classNames.enumerated() {
      table.append(["\(label)", name] + counts.map { "\($0[label])" })
    }
    return table.text
  }

  private var badImageList: String {
    func list(_ images: [Dataset.BadImage], _ title: String) -> String {
      guard !images.isEmpty else { return "" }
      return "\n\(images.count) \(title):\n"
        + images.map { "  \(TerminalText.escaped("\($0.path): \($0.reason)"))\n" }.joined()
    }
    return list(dataset.badImages, "images cannot be read")
      + list(dataset.repairedImages, "damaged images are used as far as they can be read")
  }

  private static let mostListed = 20

  private var duplicateList: String {
    guard let duplicates else { return "" }
    guard !duplicates.isEmpty else { return "\nno two images are equal\n" }
    let conflicts = duplicates.count { Set($0.map(\.label)).count > 1 }
    let leaks = duplicates.count { Set($0.map(\.split)).count > 1 }
    var text = """

      \(duplicates.count) groups of equal images (\(duplicates.reduce(0) { $0 + $1.count }) in all); in \(conflicts) \
      of them the labels differ, \(leaks) are in both training and test

      """
    for group in duplicates.prefix(Self.mostListed) {
      let names = group.map { "\(name($0)) (\(dataset.classNames[Int($0.label)]))" }
      text += "  \(TerminalText.escaped(names.joined(separator: " = ")))\n"
    }
    if duplicates.count > Self.mostListed {
      text += "  and \(duplicates.count - Self.mostListed) more; --json has all\n"
    }
    return text
  }

  private func name(_ place: Place) -> String {
    let paths = (place.split == .train ? dataset.train : dataset.test)?.paths ?? []
    return paths.isEmpty ? "\(place.split.rawValue) \(place.id)" : paths[place.id]
  }

  // MARK: For programs

  var json: JSONValue {
    let images = dataset.train.images
    let counts = parts.map { ($0.split.rawValue, $0.samples.classCounts(dataset.classCount)) }
    func floats(_ values: [Float]?) -> JSONValue { values.map { .array($0.map { JSONValue(Double($0)) }) } ?? .null }
    return .object(
      [
        JSONMember("schema", "gpunoisy.data/1"), JSONMember("name", .string(dataset.name)),
        JSONMember("kind", .string(dataset.kind.rawValue)), JSONMember("source", .string(dataset.source)),
        JSONMember("height", JSONValue(images.height)), JSONMember("width", JSONValue(images.width)),
        JSONMember("channels", JSONValue(images.channels)),
      ]
        + parts.map { split, set in
          JSONMember(
            split.rawValue, ["samples": JSONValue(set.count), "labelled": JSONValue(set.labelledIDs.count)])
        } + [
          JSONMember("wrong_labels", JSONValue(wrongLabels?.wrong)),
          JSONMember("mean", floats(normalization?.mean)), JSONMember("std", floats(normalization?.standardDeviation)),
          JSONMember("fingerprint", .string(fingerprint)),
          JSONMember(
            "classes",
            .array(
              dataset.classNames.enumerated().map { label, name in
                .object(
                  [JSONMember("class", JSONValue(label)), JSONMember("name", .string(name))]
                    + counts.map { JSONMember($0, JSONValue($1[label])) })
              })),
          JSONMember(
            "bad_images",
            .array(dataset.badImages.map { ["path": .string($0.path), "reason": .string($0.reason)] })),
          JSONMember(
            "ignored",
            .array(
              dataset.passedOver.map { ["path": .string($0.path), "reason": .string($0.reason.rawValue)] })),
          JSONMember("notes", .array(dataset.notes.map { .string($0) })),
          JSONMember(
            "repaired_images",
            .array(dataset.repairedImages.map { ["path": .string($0.path), "reason": .string($0.reason)] })),
          JSONMember(
            "duplicates",
            duplicates.map { groups in
              .array(
                groups.map { group in
                  .array(
                    group.map {
                      ["split": .string($0.split.rawValue), "id": JSONValue($0.id), "class": JSONValue(Int($0.label))]
                    })
                })
            } ?? .null),
        ])
  }
}
