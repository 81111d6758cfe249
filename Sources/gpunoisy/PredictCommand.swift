import ArgumentParser
import Compute
import ComputeKernels
import Failures
import FileFormats
import Glibc
import Reports
import Training

struct PredictCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "predict", abstract: "Write a checkpoint's predictions for every sample.",
    discussion: """
      Rows are in id order, one per sample: --logits and --probs write float32 arrays [N, K] that NumPy \
      loads, --classes writes a table sample_id,path,label,predicted,name,probability. With none of the three, the table goes \
      to standard output. Images skipped by --on-bad-image skip keep their rows: NaN, and empty cells.

      Examples:
        gpunoisy predict RUN cifar10 --logits logits.npy
        gpunoisy predict RUN ./photos --probs p.npy --classes c.csv
        gpunoisy predict RUN shapes --split train | head
      """)

  @OptionGroup var options: EvaluationOptions<PredictJob>
  @Option(help: ArgumentHelp("Where to write logits, float32 [N, K].", valueName: "file.npy"))
  var logits: String?
  @Option(help: ArgumentHelp("Where to write probabilities, float32 [N, K].", valueName: "file.npy"))
  var probs: String?
  @Option(help: ArgumentHelp("Where to write the predicted classes.", valueName: "file.csv"))
  var classes: String?
  @Flag(name: [.customShort("q"), .long], help: "Print no notes; errors are still printed.")
  var quiet = false

  func run() throws {
    let targets = [("--logits", logits), ("--probs", probs), ("--classes", classes)].compactMap { option, path in
      path.map { (option, $0) }
    }
    for (option, path) in targets { _ = try OutputPath(file: path, option: option) }
    for (option, path) in targets where option != "--classes" {
      guard let ending = [".csv", ".tsv", ".txt", ".json"].first(where: path.lowercased().hasSuffix) else { continue }
      throw Failure(
        .usage, "\(option) '\(path)' would not be a \(ending.dropFirst()) file.",
        why: "\(option) writes a NumPy array; --classes writes a table.", fix: "name it .npy.")
    }
    let paths = targets.map(\.1)
    guard Set(paths).count == paths.count else {
      throw Failure(
        .usage, "two outputs have the same path.", why: "one would overwrite the other.", fix: "use two files.")
    }
    let input = try EvaluationInput(options)
    for note in input.notes { EvaluationNotes.show(note, quiet: quiet) }
    let result = try input.device.open(Work(input: input)) { EvaluationNotes.show($0, quiet: quiet) }
    let predictions = try Predictions(
      logits: result, classCount: input.model.classNames.count, isReadable: input.isReadable)
    let shape = [predictions.count, predictions.classCount]
    if let logits { try AtomicFile.write(NumPyArray(predictions.logits, shape: shape).encoded(), to: logits) }
    if let probs { try AtomicFile.write(NumPyArray(predictions.probabilities, shape: shape).encoded(), to: probs) }
    if let classes { try AtomicFile.write(Self.table(input, predictions), to: classes) }
    guard !targets.isEmpty else { return try StandardOutput.write(Self.table(input, predictions)) }
    for (option, path) in targets {
      let what = option == "--classes" ? "\(predictions.count) rows" : "float32 [\(shape[0]), \(shape[1])]"
      EvaluationNotes.show("wrote \(path): \(what)", quiet: quiet)
    }
  }

  /// The logits of every sample, on the device that was chosen.
  struct Work: DeviceWork {
    let input: EvaluationInput

    func run<D: TunableDevice>(on device: D) throws -> [Float] {
      try Evaluator(checkpoint: input.checkpoint, on: device).logits(input.samples)
    }
  }

  private static func table(_ input: EvaluationInput, _ predictions: Predictions) -> String {
    var text = CSV.line(["sample_id", "path", "label", "predicted", "name", "probability"])
    for index in 0..<predictions.count {
      let label = input.samples.labels[index]
      var row = ["\(input.ids[index])", input.name(index), label < 0 ? "" : "\(label)"]
      if let predicted = predictions.classes[index] {
        let probability = predictions.probabilities[index * predictions.classCount + predicted]
        row += ["\(predicted)", input.model.classNames[predicted], NumberFormatting.shortest(probability)]
      } else {
        row += ["", "", ""]
      }
      text += CSV.line(row)
    }
    return text
  }
}

/// Logits with what follows from them.
struct Predictions {
  /// K.
  let classCount: Int
  /// [N, K]; NaN in the rows of images that could not be read.
  let logits: [Float]
  /// softmax(logits) [N, K]: each row is shifted by its largest logit and summed in double precision, so that no
  /// exponential overflows and rows sum to 1 up to the rounding of float32.
  let probabilities: [Float]
  /// The first class with the largest logit [N]; nil for an image that could not be read.
  let classes: [Int?]

  /// The number of samples, N.
  var count: Int { classes.count }

  /// - Throws: `.numerical` if a logit of a readable image is not finite.
  init(logits given: [Float], classCount: Int, isReadable: [Bool]) throws {
    precondition(given.count == isReadable.count * classCount, "\(given.count) logits for \(isReadable.count) samples")
    var logits = given, probabilities = [Float](repeating: .nan, count: given.count), classes: [Int?] = []
    for (index, readable) in isReadable.enumerated() {
      let range = index * classCount..<(index + 1) * classCount
      guard readable else {
        for place in range { logits[place] = .nan }
        classes.append(nil)
        continue
      }
      var best = range.lowerBound
      for place in range {
        guard given[place].isFinite else {
          throw Failure(
            .numerical, "the network's output for sample \(index) is not finite.",
            why: "logit \(place - range.lowerBound) is \(given[place]).",
            fix: "use a checkpoint from before training diverged.")
        }
        if given[place] > given[best] { best = place }
      }
      let powers = range.map { exp(Double(given[$0]) - Double(given[best])) }
      let sum = powers.reduce(0, +)
      for (place, power) in zip(range, powers) { probabilities[place] = Float(power / sum) }
      classes.append(best - range.lowerBound)
    }
    (self.classCount, self.logits, self.probabilities, self.classes) = (classCount, logits, probabilities, classes)
  }
}
