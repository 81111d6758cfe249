import ArgumentParser
import Datasets
import Failures
import FileFormats
import Reports
import Training

struct DataNoiseCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "noise", abstract: "Make noisy training labels.",
    discussion: """
      Draws the same labels as 'train' does with the same --noise and --seed, writes them for --labels, and prints the \
      realised rate and transition matrix (true class in rows, given class in columns). Without --out, only prints. \
      Compare realised rates, not names: published conventions differ. The pitfalls are below in brief; --list has them \
      in full, with the maps and what each paper uses. Noises with exact counts draw different labels when \
      --limit-train or --val leave fewer samples.

      \(NoiseTable.grammars)

      Examples:
        gpunoisy data noise cifar10 --noise symmetric:0.4 --seed 1 --out labels.npy
        gpunoisy data noise shapes --noise pairflip:0.3 --matrix-out t.csv
        gpunoisy data noise cifar10 --noise labels:human.pt,key=worse --out worse.npy
        gpunoisy data noise cifar10 --noise pmd:probs.npy,type=1+symmetric:0.3
        gpunoisy data noise --list
        gpunoisy train cifar10 --labels labels.npy
      """)

  @OptionGroup var options: JobOptions<NoiseJob>
  @Flag(help: "Print every noise with its source and its pitfalls.")
  var list = false
  @Option(
    help: ArgumentHelp(
      "Where to write the labels: .npy (int64 [N], id order), or .csv with sample_id,label.", valueName: "file"))
  var out: String?
  @Option(help: ArgumentHelp("Where to write the realised transition matrix.", valueName: "file.csv"))
  var matrixOut: String?
  @Flag(help: "Print one JSON document.")
  var json = false

  func run() throws {
    if list { return try StandardOutput.write(NoiseTable.text) }
    guard options.gives("noise") else {
      throw Failure(
        .usage, "the option --noise is missing.", why: "it says which labels to draw.",
        fix: "add, for example, --noise symmetric:0.4; 'gpunoisy data noise --list' lists all.")
    }
    let settings = try options.settings()
    let outputs = try [("--out", out), ("--matrix-out", matrixOut)].compactMap { option, path in
      try path.map { try OutputPath(file: $0, option: option) }
    }
    try CommandInputs(settings).requireSpared(by: outputs)
    let dataset = try Dataset.opened(by: settings)
    for note in dataset.notes { EvaluationNotes.show(note, quiet: false) }
    let (noisy, report) = try dataset.corrupted(by: settings.noise.model, seed: settings.seed)
    for note in report.notes { EvaluationNotes.show(note, quiet: false) }
    if let out {
      if out.lowercased().hasSuffix(".csv") {
        try AtomicFile.write(
          noisy.train.labels.enumerated().reduce(into: CSV.line(["sample_id", "label"])) {
            $0 += CSV.line(["\($1.offset)", "\($1.element)"])
          }, to: out)
      } else {
        try LabelFile.write(noisy.train.labels, to: out)
      }
    }
    if let matrixOut { try AtomicFile.write(NoiseFiles.matrix(report), to: matrixOut) }
    let lines = report.table.split(separator: "\n").map { TerminalText.escaped(String($0)) + "\n" }
    try StandardOutput.write(json ? JSONText.indented(Self.json(report)) + "\n" : lines.joined())
  }

  private static func json(_ report: NoiseReport) -> JSONValue {
    let rows = report.classNames.indices
    func matrix(_ row: (Int) -> [Double]) -> JSONValue {
      .array(rows.map { .array(row($0).map { JSONValue($0) }) })
    }
    return [
      "schema": "gpunoisy.noise/1", "noise": .string(report.model), "seed": JSONValue(report.seed),
      "samples": JSONValue(report.sampleCount), "changed": JSONValue(report.changedCount),
      "rate": JSONValue(report.realisedRate), "expected_rate": JSONValue(report.expectedRate),
      "classes": .array(report.classNames.map { .string($0) }), "requested": matrix { report.requested.row($0) },
      "realised": matrix { report.realised.row($0) },
    ]
  }
}
