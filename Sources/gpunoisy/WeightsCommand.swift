import ArgumentParser
import Failures
import FileFormats
import Networks
import Reports

struct WeightsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "weights", abstract: "List the published weights that --init takes by name.",
    discussion: """
      Prints of each the network, the file, its licence and checksum, whether it is on this machine, and the line for a \
      shell that fetches it. gpunoisy itself downloads nothing. Files are looked for in the folder (or the file) that \
      GPUNOISY_WEIGHTS names, or else in the cache folder.

      Examples:
        gpunoisy weights
        gpunoisy weights resnet18-imagenet --json
        gpunoisy train ./photos --init resnet18-imagenet
      """)

  @Argument(help: ArgumentHelp("Weights to show; default all.", valueName: "name"))
  var names: [String] = []
  @Flag(help: "Print one JSON document on standard output.")
  var json = false

  func run() throws {
    let entries = try names.isEmpty ? KnownWeights.catalogue : names.map(Self.weights(named:))
    let listed = entries.map(ListedWeights.init)
    guard !json else {
      let document: JSONValue = [
        "schema": "gpunoisy.weights/1", "folder": .string(KnownWeights.folder()),
        "weights": .array(listed.map(\.json)),
      ]
      return try StandardOutput.write(JSONText.indented(document) + "\n")
    }
    try StandardOutput.write(listed.map(\.text).joined(separator: "\n"))
  }

  private static func weights(named name: String) throws -> KnownWeights {
    if let known = KnownWeights.named(name) { return known }
    let names = KnownWeights.catalogue.map(\.name), start = name.lowercased()
    let nearest = NearestNames.nearest(to: name, among: names) ?? names.first { $0.hasPrefix(start) }
    throw Failure(
      .usage, "there are no known weights '\(name)'.",
      why: (nearest.map { "the nearest name is \($0); " } ?? "") + "known are \(names.joined(separator: ", ")).",
      fix: "use one of these, or give --init the path of a file.")
  }
}

/// Known weights, and whether they are on this machine.
private struct ListedWeights {
  let weights: KnownWeights
  /// Where the file is; nil where it is not.
  let path: String?
  /// Whether its bytes are those that are known; nil where it is not there, or cannot be read.
  let isIntact: Bool?

  init(_ weights: KnownWeights) {
    self.weights = weights
    path = weights.path()
    isIntact = path.flatMap { try? FileBytes.read($0) }.map { weights.matches(SHA256.digest(of: $0)) }
  }

  private var fetchCommand: String { weights.fetchCommand(into: KnownWeights.folder()) }

  private var status: String {
    switch (path, isIntact) {
    case (let path?, true?): "here, \(path)"
    case (let path?, false?): "damaged, or another file: \(path) has another checksum"
    case (let path?, nil): "unreadable, \(path)"
    case (nil, _): "not here"
    }
  }

  var text: String {
    func numbers(_ values: [Float]) -> String { values.map { "\($0)" }.joined(separator: ", ") }
    let inputs = weights.preprocessing
    let lines = [
      weights.name,
      "  network   \(weights.network), \(weights.imageSide)×\(weights.imageSide) pixels",
      "  inputs    (byte / 255 − mean) / deviation, mean \(numbers(inputs.mean)), deviation "
        + numbers(inputs.standardDeviation),
      "  file      \(weights.fileName), \(weights.megabytes) MB",
      "  source    \(weights.source)",
      "  licence   \(weights.licence); \(KnownWeights.origin)",
      "  checksum  SHA-256 \(weights.hasWholeChecksum ? "" : "begins with ")\(weights.checksum)",
      "  status    \(status)",
      "  fetch     \(fetchCommand)",
    ]
    return lines.map { $0 + "\n" }.joined()
  }

  var json: JSONValue {
    // As short as they are in 32 bits.
    func numbers(_ values: [Float]) -> JSONValue { .array(values.map { JSONValue(Double("\($0)") ?? 0) }) }
    return [
      "name": .string(weights.name), "network": .string(weights.network), "image_side": JSONValue(weights.imageSide),
      "mean": numbers(weights.preprocessing.mean), "std": numbers(weights.preprocessing.standardDeviation),
      "file": .string(weights.fileName), "megabytes": JSONValue(weights.megabytes), "source": .string(weights.source),
      "licence": .string(weights.licence), "data": .string(KnownWeights.origin),
      "sha256": .string(weights.checksum), "sha256_is_whole": .bool(weights.hasWholeChecksum),
      "path": path.map { .string($0) } ?? .null, "intact": isIntact.map { .bool($0) } ?? .null,
      "fetch": .string(fetchCommand),
    ]
  }
}
