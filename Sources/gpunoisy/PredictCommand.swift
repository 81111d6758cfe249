import ArgumentParser
import Compute
import ComputeKernels
import Datasets
import Failures
import FileFormats
import Reports
import Training

struct PredictCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "predict", abstract: "Write a checkpoint's predictions for images, with or without labels.",
    discussion: """
      DATA may be images without labels: a folder (those below it, in the order of their paths), one image, a .csv or \
      .jsonl table with a column path, or an .npz file with an array of images. They are brought to the checkpoint's \
      size in its way. The result is a table path,class,probability, on standard output or in --out; --top K adds \
      class_2,probability_2 and so on, --below P a column unsure (true or false). Paths are relative to the folder.

      DATA may be a data set with labels: a name, a layout of 'gpunoisy data info', or a folder whose class folders are \
      all named like classes of the checkpoint. Then the samples of --split are predicted, in id order, as a table \
      sample_id,path,label,predicted,name,probability on standard output or in --classes.

      --out, --top, --below and --sort-into take any images as images without labels. --classes, --split, --val, \
      --labels and --limit-train or -test ask for a data set with labels. --logits and --probs write float32 arrays \
      [N, K] that NumPy loads, rows in the order of the table, in place of the table. Images skipped by --on-bad-image \
      skip keep their rows: NaN, and empty cells.

      Examples:
        gpunoisy predict RUN ./new --out predictions.csv
        gpunoisy predict RUN IMG_1001.jpg --top 3
        gpunoisy predict RUN ./new --below 0.8 --sort-into sorted
        gpunoisy predict RUN cifar10 --logits logits.npy
        gpunoisy predict RUN ./photos --split train --probs p.npy --classes c.csv
      """)

  @OptionGroup var options: EvaluationOptions<PredictJob>
  @Option(help: ArgumentHelp("Where to write the table path,class,probability.", valueName: "file.csv"))
  var out: String?
  @Option(help: ArgumentHelp("How many classes the table has for each image. Default 1.", valueName: "k"))
  var top: Int?
  @Option(
    help: ArgumentHelp("Add a column unsure: whether the probability is below P, from 0 to 1.", valueName: "p"))
  var below: Double?
  @Option(
    help: ArgumentHelp(
      "A folder for links to the images, in a folder for each class; with --below also one for the unsure.",
      valueName: "folder"))
  var sortInto: String?
  @Flag(help: "Add links to --sort-into even if it is not empty; nothing in it is overwritten or deleted.")
  var force = false
  @Option(help: ArgumentHelp("Where to write logits, float32 [N, K].", valueName: "file.npy"))
  var logits: String?
  @Option(help: ArgumentHelp("Where to write probabilities, float32 [N, K].", valueName: "file.npy"))
  var probs: String?
  @Option(help: ArgumentHelp("Where to write the predicted classes of samples with labels.", valueName: "file.csv"))
  var classes: String?
  @Flag(help: "Print one JSON document instead of the table.")
  var json = false
  @Flag(name: [.customShort("q"), .long], help: "Print no notes; errors are still printed.")
  var quiet = false

  func run() throws {
    let outputs = try checkedTargets()
    try checkOptions()
    let given = try CheckpointInput(options)
    let data = given.settings.data
    var inputs = CommandInputs(given.settings)
    inputs.add(checkpoint: given.path)
    try inputs.requireSpared(by: outputs)
    let isLabelled =
      try forImages == nil && (forSamples != nil || UnlabelledImages.isLabelled(data, as: given.model.classNames))
    try isLabelled ? predictSamples(given) : predictImages(given, outputs)
  }

  /// The files that are to be written, with the options that name them.
  private var targets: [(option: String, path: String)] {
    [("--logits", logits), ("--probs", probs), ("--classes", classes), ("--out", out)].compactMap { option, path in
      path.map { (option, $0) }
    }
  }

  /// An option that takes images without labels.
  private var forImages: String? {
    [("--out", out != nil), ("--top", top != nil), ("--below", below != nil), ("--sort-into", sortInto != nil)]
      .first(where: \.1)?.0
  }

  /// An option that asks for samples with labels.
  private var forSamples: String? {
    if classes != nil { return "--classes" }
    if options.split != nil { return "--split" }
    return ["val", "labels", "limit-train", "limit-test"].first(where: options.settings.gives).map { "--" + $0 }
  }

  private func checkedTargets() throws -> [OutputPath] {
    let outputs = try targets.map { try OutputPath(file: $0.path, option: $0.option) }
    for (option, path) in targets where option == "--logits" || option == "--probs" {
      guard let ending = [".csv", ".tsv", ".txt", ".json"].first(where: path.lowercased().hasSuffix) else { continue }
      throw Failure(
        .usage, "\(option) '\(path)' would not be a \(ending.dropFirst()) file.",
        why: "\(option) writes a NumPy array; --classes and --out write tables.", fix: "name it .npy.")
    }
    try CommandInputs().requireSpared(by: outputs)
    return outputs
  }

  private func checkOptions() throws {
    if let forImages, let forSamples {
      throw Failure(
        .usage, "\(forImages) and \(forSamples) contradict each other.",
        why: "\(forImages) is for images without labels, and \(forSamples) for samples with labels.",
        fix: "remove one of them.")
    }
    if let below, !(0...1).contains(below) {
      throw Failure(
        .usage, "--below \(below) is out of range.", why: "it must be a probability.",
        fix: "choose a number from 0 to 1.")
    }
    if force, sortInto == nil {
      throw Failure(.usage, "--force has no effect.", why: "it needs --sort-into.", fix: "remove it.")
    }
  }

  /// The logits of every sample, on the device that was chosen.
  struct Work: DeviceWork {
    let input: EvaluationInput

    func run<D: TunableDevice>(on device: D) throws -> (device: String, logits: [Float]) {
      (device.name, try Evaluator(checkpoint: input.checkpoint, on: device).logits(input.samples))
    }
  }

  /// - Throws: `.badInput` where samples with labels are asked for of images that have none.
  private func requireLabels(_ data: String, _ model: Checkpoint.Model) throws {
    guard let option = forSamples, try !UnlabelledImages.isLabelled(data, as: model.classNames),
      (try? Dataset.isRecognized(data)) == false, let images = try? UnlabelledImages(data)
    else { return }
    throw Failure(
      .badInput, "\(option) cannot be used with '\(data)', which has no labels.",
      why:
        "its \(images.count) images are in no folders that are named like classes: nothing says what they show, or which "
        + "part they belong to.",
      fix: "leave out \(option); all images are then predicted.")
  }

  private func predictSamples(_ given: CheckpointInput) throws {
    try requireLabels(given.settings.data, given.model)
    let input = try EvaluationInput(options, given)
    for note in input.notes { EvaluationNotes.show(note, quiet: quiet) }
    let result = try input.device.open(Work(input: input)) { EvaluationNotes.show($0, quiet: quiet) }
    let predictions = try Predictions(
      logits: result.logits, classCount: input.model.classNames.count, isReadable: input.isReadable)
    try writeArrays(logits: predictions.logits, probabilities: predictions.probabilities, count: predictions.count)
    let table = SampleTable(input: input, predictions: predictions)
    if let classes { try AtomicFile.write(table.text, to: classes) }
    if json {
      try StandardOutput.write(JSONText.indented(table.json(device: result.device)) + "\n")
    } else if targets.isEmpty {
      try StandardOutput.write(table.text)
    }
    noteTargets(rows: predictions.count, classCount: predictions.classCount)
  }

  private func predictImages(_ given: CheckpointInput, _ outputs: [OutputPath]) throws {
    let model = given.model, names = model.classNames
    if let top, !(1...names.count).contains(top) {
      throw Failure(
        .usage, "--top \(top) is out of range.", why: "the checkpoint has \(names.count) classes.",
        fix: "choose a number from 1 to \(names.count).")
    }
    let images = try UnlabelledImages(given.settings.data)
    let links = try sortInto.map { folder in
      guard let files = images.files else {
        throw Failure(
          .usage, "--sort-into cannot be used with '\(images.place)'.", why: "its images are no files.",
          fix: "use --out for a table.")
      }
      try DataPlace.requireOutside(given.settings.data, folder, option: "--sort-into")
      return try SortedLinks(folder, of: files, classNames: names, separatesUnsure: below != nil, isForced: force)
    }
    var inputs = CommandInputs()
    inputs.add(images)
    try inputs.requireSpared(by: outputs)
    if let note = images.note { EvaluationNotes.show(note, quiet: quiet) }
    let work = ImagePrediction(
      checkpoint: given.path, images: images, options: given.settings.datasetOptions, keepsLogits: logits != nil,
      top: top ?? 1, keepsProbabilities: probs != nil)
    let result = try given.device.open(work) { EvaluationNotes.show($0, quiet: quiet) }
    let table = ImageTable(names: images.names, classNames: names, rows: result.rows, top: top ?? 1, below: below)
    try writeArrays(logits: result.logits, probabilities: result.probabilities, count: images.count)
    if let out { try AtomicFile.write(table.text, to: out) }
    try links?.make(table.rows.enumerated().map { ($1.first?.label, table.isUnsure($0)) })
    if json {
      try StandardOutput.write(
        JSONText.indented(
          [
            "schema": "gpunoisy.predict/1", "checkpoint": .string(given.path), "model": .string(model.network),
            "data": .string(images.place), "device": .string(result.device), "images": JSONValue(images.count),
            "unreadable": JSONValue(result.outcome.bad.count), "below": JSONValue(below),
            "unsure": JSONValue(below.map { _ in table.unsureCount }), "sorted_into": JSONValue(sortInto),
            "predictions": table.json,
          ]) + "\n")
    } else if targets.isEmpty {
      try StandardOutput.write(table.text)
    }
    noteTargets(rows: images.count, classCount: names.count)
    for note in table.notes(of: images, result.outcome) { EvaluationNotes.show(note, quiet: quiet) }
    if let links { EvaluationNotes.show(links.summary, quiet: quiet) }
  }

  private func writeArrays(logits values: [Float], probabilities: [Float], count: Int) throws {
    func write(_ values: [Float], to path: String) throws {
      try AtomicFile.write(NumPyArray(values, shape: [count, values.count / max(1, count)]).encoded(), to: path)
    }
    if let logits { try write(values, to: logits) }
    if let probs { try write(probabilities, to: probs) }
  }

  private func noteTargets(rows: Int, classCount: Int) {
    for (option, path) in targets {
      let isTable = option == "--classes" || option == "--out"
      EvaluationNotes.show(
        "wrote \(path): \(isTable ? "\(rows) rows" : "float32 [\(rows), \(classCount)]")", quiet: quiet)
    }
  }
}

/// Predictions of samples with labels, as a table.
private struct SampleTable {
  let input: EvaluationInput
  let predictions: Predictions

  private func probability(_ index: Int, of label: Int) -> String {
    NumberFormatting.shortest(predictions.probabilities[index * predictions.classCount + label])
  }

  var text: String {
    var text = CSV.line(["sample_id", "path", "label", "predicted", "name", "probability"])
    for index in 0..<predictions.count {
      let label = input.samples.labels[index]
      var row = ["\(input.ids[index])", input.name(index), label < 0 ? "" : "\(label)"]
      if let predicted = predictions.classes[index] {
        row += ["\(predicted)", input.model.classNames[predicted], probability(index, of: predicted)]
      } else {
        row += ["", "", ""]
      }
      text += CSV.line(row)
    }
    return text
  }

  func json(device: String) -> JSONValue {
    let rows = (0..<predictions.count).map { index -> JSONValue in
      let label = input.samples.labels[index], predicted = predictions.classes[index]
      return [
        "sample_id": JSONValue(input.ids[index]), "path": .string(input.name(index)),
        "label": JSONValue(label < 0 ? nil : Int(label)), "predicted": JSONValue(predicted),
        "name": JSONValue(predicted.map { input.model.classNames[$0] }),
        "probability": JSONValue(predicted.flatMap { Double(probability(index, of: $0)) }),
      ]
    }
    return [
      "schema": "gpunoisy.predict/1", "checkpoint": .string(input.checkpoint), "model": .string(input.model.network),
      "data": .string(input.dataset.name), "split": .string(input.split.rawValue), "device": .string(device),
      "samples": JSONValue(predictions.count), "predictions": .array(rows),
    ]
  }
}
