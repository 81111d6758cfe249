import ArgumentParser
import Compute
import ComputeKernels
import Failures
import FileFormats
import Reports
import Training

struct EvalCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "eval", abstract: "Measure the accuracy of a checkpoint.",
    discussion: """
      Prints accuracy, mean cross entropy, accuracy and confidence of each class, and the confusion matrix (labels in \
      rows, predictions in columns). Labels are those of the data; --split train compares with given labels, wrong \
      ones included.

      Examples:
        gpunoisy eval runs/2026-11-21T0031_cifar10_resnet32_ce_s1 cifar10
        gpunoisy eval best.safetensors ./photos --json
        gpunoisy eval RUN ./photos --val 0.1 --device cpu
      """)

  @OptionGroup var options: EvaluationOptions<EvalJob>
  @Flag(help: "Print one JSON document.")
  var json = false
  @Flag(name: [.customShort("q"), .long], help: "Print no notes; errors are still printed.")
  var quiet = false

  func run() throws {
    let input = try EvaluationInput(options, CheckpointInput(options))
    for note in input.notes { EvaluationNotes.show(note, quiet: quiet) }
    let result = try input.device.open(Work(input: input)) { EvaluationNotes.show($0, quiet: quiet) }
    guard result.score.notFinite == 0 else {
      throw Failure(
        .numerical, "the network's output is not finite for \(result.score.notFinite) samples.",
        why: "such an output belongs to no class, so that there is no accuracy.",
        fix: "use a checkpoint from before training diverged.")
    }
    guard result.score.accuracy != nil else {
      throw Failure(
        .badInput, "no sample of '\(input.data)' has a label.", why: "there is nothing to compare predictions with.",
        fix: "use gpunoisy predict.")
    }
    try StandardOutput.write(json ? JSONText.indented(Self.json(input, result)) + "\n" : Self.text(input, result))
  }

  /// Scoring, on the device that was chosen.
  struct Work: DeviceWork {
    let input: EvaluationInput

    func run<D: TunableDevice>(on device: D) throws -> (device: String, score: TestScore) {
      let evaluator = try Evaluator(checkpoint: input.checkpoint, on: device)
      return (device.name, try evaluator.score(input.samples))
    }
  }

  private static func json(_ input: EvaluationInput, _ result: Work.Result) -> JSONValue {
    let score = result.score
    let counts = score.confusion.map { $0.reduce(0, +) }
    return [
      "schema": "gpunoisy.eval/1", "checkpoint": .string(input.checkpoint), "model": .string(input.model.network),
      "data": .string(input.dataset.name), "split": .string(input.split.rawValue), "device": .string(result.device),
      "samples": JSONValue(counts.reduce(0, +)), "accuracy": JSONValue(score.accuracy), "loss": JSONValue(score.loss),
      "per_class": .array(
        score.perClass.enumerated().map { label, entry in
          [
            "class": JSONValue(label), "name": .string(input.model.classNames[label]),
            "samples": JSONValue(counts[label]), "accuracy": JSONValue(entry.accuracy),
            "confidence": JSONValue(entry.confidence),
          ]
        }),
      "confusion": .array(score.confusion.map { .array($0.map { JSONValue($0) }) }),
    ]
  }

  private static func text(_ input: EvaluationInput, _ result: Work.Result) -> String {
    let score = result.score, names = input.model.classNames
    let counts = score.confusion.map { $0.reduce(0, +) }
    let right = score.confusion.indices.reduce(0) { $0 + score.confusion[$1][$1] }
    var text = """
      checkpoint  \(TerminalText.escaped(input.checkpoint))  (\(input.model.networkText), \(names.count) classes)
      data        \(TerminalText.escaped(input.phrase))
      device      \(result.device)
      accuracy    \(score.accuracy.map { NumberFormatting.percent($0) } ?? "-")  (\(right) of \(counts.reduce(0, +)))
      loss        \(score.loss.map { NumberFormatting.decimal($0, places: 4) } ?? "-")


      """
    var classes = TextTable([
      .init("", .right), .init("class"), .init("samples", .right), .init("accuracy", .right),
      .init("confidence", .right),
    ])
    for (label, entry) in score.perClass.enumerated() {
      classes.append([
        "\(label)", names[label], "\(counts[label])", entry.accuracy.map { NumberFormatting.percent($0) } ?? "-",
        entry.confidence.map { NumberFormatting.decimal($0, places: 4) } ?? "-",
      ])
    }
    text += classes.text
    guard names.count <= 20 else { return text }
    // As many columns as a terminal takes; larger matrices are in --json.
    var confusion = TextTable([.init("label"), .init("", .right)] + names.indices.map { .init("\($0)", .right) })
    for (label, row) in score.confusion.enumerated() {
      confusion.append([names[label], "\(label)"] + row.map { $0 == 0 ? "." : "\($0)" })
    }
    return text + "\nconfusion: labels in rows, predictions in columns\n" + confusion.text
  }
}

/// What `eval` and `predict` say on standard error.
enum EvaluationNotes {
  static func show(_ text: String, quiet: Bool) {
    if !quiet { DescriptorOutput(2).write(TerminalText.escaped(text) + "\n") }
  }
}
