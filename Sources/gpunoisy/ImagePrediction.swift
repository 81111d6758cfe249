import Compute
import ComputeKernels
import Datasets
import Failures
import FileFormats
import Training

/// Predictions for images without labels, portion by portion, on the device that was chosen.
struct ImagePrediction: DeviceWork {
  let checkpoint: String
  let images: UnlabelledImages
  let options: DatasetOptions
  /// Whether the logits of all images are wanted, which takes memory.
  let keepsLogits: Bool
  /// How many classes a row has.
  let top: Int
  let keepsProbabilities: Bool

  struct Result {
    let device: String
    /// The most probable classes of each image [N].
    let rows: [ImageTable.Row]
    /// [N, K], where they are wanted.
    let logits: [Float]
    let probabilities: [Float]
    let outcome: UnlabelledImages.Outcome
  }

  func run<D: TunableDevice>(on device: D) throws -> Result {
    let evaluator = try Evaluator(checkpoint: checkpoint, on: device), model = evaluator.model
    let K = model.classNames.count
    let size = options.imageSize ?? PixelSize(width: model.width, height: model.height)
    var rows: [ImageTable.Row] = [], logits: [Float] = [], probabilities: [Float] = []
    let outcome = try images.read(size: size, channels: model.channels, options: options) { portion in
      let start = rows.count
      let predictions = try Predictions(
        logits: evaluator.logits(portion), classCount: K,
        isReadable: (0..<portion.count).map { !portion.unreadable.contains($0) }
      ) { "'\(images.names[start + $0])'" }
      if keepsLogits { logits += predictions.logits }
      if keepsProbabilities { probabilities += predictions.probabilities }
      for index in 0..<predictions.count {
        let probabilities = predictions.probabilities[index * K..<(index + 1) * K]
        rows.append(predictions.classes[index].map { ImageTable.row(probabilities, best: $0, top: top) } ?? [])
      }
    }
    return Result(device: device.name, rows: rows, logits: logits, probabilities: probabilities, outcome: outcome)
  }
}

/// The most probable classes of images, as a table.
struct ImageTable {
  /// Classes with falling probability; none for an image that could not be read.
  typealias Row = [(label: Int, probability: Float)]

  let names: [String]
  let classNames: [String]
  let rows: [Row]
  /// How many classes a row has.
  let top: Int
  /// Less than this is unsure; nil where nobody asked.
  let below: Double?

  /// The classes with the largest of these probabilities, the predicted one first; of equal ones, the first.
  static func row(_ probabilities: ArraySlice<Float>, best: Int, top: Int) -> Row {
    let all = probabilities.enumerated().map { (label: $0, probability: $1) }
    guard top > 1 else { return [all[best]] }
    return Array(
      all.sorted { one, other in
        (one.label == best ? 1 : 0, one.probability, other.label) > (
          other.label == best ? 1 : 0, other.probability, one.label
        )
      }.prefix(top))
  }

  /// Whether an image is unsure; nil where nobody asked, or it could not be read.
  func isUnsure(_ index: Int) -> Bool? {
    guard let below, let first = rows[index].first else { return nil }
    // As the table has it: the nearest number with that text.
    return first.probability < Float(below)
  }

  var unsureCount: Int { rows.indices.count { isUnsure($0) == true } }

  var text: String {
    var text = CSV.line(
      ["path", "class", "probability"] + (1..<top).flatMap { ["class_\($0 + 1)", "probability_\($0 + 1)"] }
        + (below == nil ? [] : ["unsure"]))
    for (index, row) in rows.enumerated() {
      var fields = [names[index]]
      for place in 0..<top {
        fields +=
          place < row.count
          ? [classNames[row[place].label], NumberFormatting.shortest(row[place].probability)] : ["", ""]
      }
      if below != nil { fields.append(isUnsure(index).map { "\($0)" } ?? "") }
      text += CSV.line(fields)
    }
    return text
  }

  /// The rows, each with its classes.
  var json: JSONValue {
    .array(
      rows.enumerated().map { index, row in
        let classes = row.map { entry -> JSONValue in
          [
            "class": .string(classNames[entry.label]),
            "probability": JSONValue(Double(NumberFormatting.shortest(entry.probability))),
          ]
        }
        var members: [JSONMember] = [
          JSONMember("path", .string(names[index])), JSONMember("class", classes.first?["class"] ?? nil),
          JSONMember("probability", classes.first?["probability"] ?? nil),
        ]
        if top > 1 { members.append(JSONMember("top", .array(classes))) }
        if below != nil { members.append(JSONMember("unsure", isUnsure(index).map { .bool($0) } ?? nil)) }
        return .object(members)
      })
  }

  /// `predicted 12 images in 'new': cat 7, dog 5`, and what is unsure, was skipped or repaired.
  func notes(of images: UnlabelledImages, _ outcome: UnlabelledImages.Outcome) -> [String] {
    func listed(_ bad: [Dataset.BadImage]) -> String {
      bad.prefix(5).map { "'\($0.path.shortened(to: 80))'" }.joined(separator: ", ") + (bad.count > 5 ? ", …" : "")
    }
    func counted(_ count: Int) -> String { "\(count) image\(count == 1 ? "" : "s")" }
    var notes: [String] = []
    if !outcome.bad.isEmpty {
      notes.append("warning: skipped \(counted(outcome.bad.count)) that cannot be read: \(listed(outcome.bad))")
    }
    if !outcome.repaired.isEmpty {
      let count = outcome.repaired.count
      notes.append(
        "warning: \(counted(count)) of which the \(count == 1 ? "file is" : "files are") damaged "
          + "\(count == 1 ? "is" : "are") used as far as possible: \(listed(outcome.repaired))")
    }
    var counts = [Int](repeating: 0, count: classNames.count)
    for row in rows { if let first = row.first { counts[first.label] += 1 } }
    let frequent = counts.indices.filter { counts[$0] > 0 }.sorted { (counts[$0], $1) > (counts[$1], $0) }
    notes.append(
      "predicted \(counted(counts.reduce(0, +))) in '\(images.place)' without labels: "
        + frequent.prefix(10).map { "\(classNames[$0].shortened(to: 40)) \(counts[$0])" }.joined(separator: ", ")
        + (frequent.count > 10 ? ", …" : ""))
    if let below {
      notes.append("\(unsureCount) of \(counts.reduce(0, +)) unsure: the probability is below \(below)")
    }
    return notes
  }
}
