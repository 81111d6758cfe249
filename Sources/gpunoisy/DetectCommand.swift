import ArgumentParser
import Failures
import FileFormats
import Reports
import Training

struct DetectCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "detect", abstract: "Find labels that are probably wrong and write a run folder.",
    discussion: """
      Trains a network twice. Each time one sample in K is moved to an extra class; its margin shows what a wrong label \
      looks like. A sample is suspected when its area under the margin is below the 99th percentile of these (Pleiss \
      et al., 2020). label_issues.csv ranks all samples, each with a suggested label, and report/index.html shows \
      them. Suspicion is not proof: look before you delete.

      Defaults that differ from train's: 150 epochs, batch 64, constant learning rate 0.1. Fewer --epochs give a first \
      look; the printed agreement of the two passes says how far to trust it.

      Examples:
        gpunoisy detect ./photos --epochs 30
        gpunoisy detect shapes --noise symmetric:0.2 --epochs 5 --model resnet20
        gpunoisy detect ./photos --detector aum+cl --retrain
        gpunoisy detect --resume runs/2026-11-21T0031_photos_resnet32_aum_s1
        gpunoisy train ./photos --exclude runs/2026-11-21T0031_photos_resnet32_aum_s1/label_issues.csv
      """)

  @OptionGroup var options: SettingOptions

  @Option(
    help: ArgumentHelp(
      "aum (default); cl, confident learning by cross-validation; aum+cl, the mean of both ranks.",
      valueName: "detector"))
  var detector: String?
  @Option(help: ArgumentHelp("Number of networks with threshold samples. Default 2.", valueName: "n"))
  var passes: String?
  @Option(help: ArgumentHelp("Threshold samples per pass. Default N / K.", valueName: "n"))
  var thresholdSamples: String?
  @Option(help: ArgumentHelp("Percentile of the threshold samples used as the cut-off. Default 99.", valueName: "p"))
  var percentile: String?
  @Option(
    help: ArgumentHelp(
      "Report samples suspected in every pass (intersection, default), in any (union), in the first (single).",
      valueName: "rule"))
  var combine: String?
  @Option(help: ArgumentHelp("Margins of logits (default) or softmax.", valueName: "kind"))
  var margin: String?
  @Option(help: ArgumentHelp("Folds of confident learning. Default 4.", valueName: "n"))
  var folds: String?
  @Option(
    help: ArgumentHelp(
      "prune_by_noise_rate (default), prune_by_class, both, confident_learning, predicted_neq_given, "
        + "low_normalized_margin, low_self_confidence.", valueName: "filter"))
  var clFilter: String?
  @Option(
    help: ArgumentHelp(
      "self_confidence (default), normalized_margin, confidence_weighted_entropy.", valueName: "score"))
  var clScore: String?
  @Flag(help: "Save every epoch's margins as margins/pass1.npy [epochs, N] and so on.")
  var keepMargins = false
  @Flag(help: "Do not write report/index.html.")
  var noReport = false
  @Option(
    defaultAsFlag: "weight-zero",
    help: ArgumentHelp(
      "Then train on the remaining samples with train's defaults, into RUN/retrain: weight-zero (default, as published) "
        + "or drop.",
      valueName: "way"))
  var retrain: String?
  @Option(help: ArgumentHelp("Epochs of --retrain. Default 300; the rate drops after 1/2 and 3/4.", valueName: "n"))
  var retrainEpochs: String?
  @Option(help: ArgumentHelp("Exit with code 10 if more than this fraction of labels is suspected.", valueName: "rate"))
  var failAbove: Double?

  @OptionGroup var runs: RunOptions

  func run() throws {
    Signals.listen()
    let settings = try runs.settings(for: .detect, options, own: given) { runs.talk.reporter.note($0) }
    try settings.validateDetection()
    if runs.printsConfiguration { return try StandardOutput.write(settings.configuration.text) }
    if let failAbove, !(0...1).contains(failAbove) {
      throw Failure(
        .usage, "--fail-above \(failAbove) is out of range.", why: "it must be a fraction of the labels.",
        fix: "choose a number from 0 to 1.")
    }
    if let run = try runs.finishedRun(settings) {
      let result = try DetectResult(finished: run)
      try write(result)
      return try requireFew(result)
    }
    let outcome = try runs.start(settings), result = DetectResult(outcome)
    try write(result)
    try outcome.requireEnd()
    try requireFew(result)
  }

  /// Fails where more labels are suspected than --fail-above allows.
  private func requireFew(_ result: DetectResult) throws {
    guard let failAbove, let rate = result.rate, rate > failAbove else { return }
    throw Failure(
      .checkFailed, "\(NumberFormatting.percent(rate)) of the labels are suspected.",
      why: "--fail-above allows \(NumberFormatting.percent(failAbove)).",
      fix: "look at \(result.folder)/label_issues.csv.")
  }

  private func write(_ result: DetectResult) throws {
    try StandardOutput.write(runs.talk.json ? JSONText.indented(result.json) + "\n" : result.text)
  }

  /// The settings of detect alone, as they were given.
  private var given: [(name: String, text: String)] {
    [
      ("detector", detector), ("passes", passes), ("threshold-samples", thresholdSamples), ("percentile", percentile),
      ("combine", combine), ("margin", margin), ("folds", folds), ("cl-filter", clFilter), ("cl-score", clScore),
      ("keep-margins", keepMargins ? "true" : nil), ("report", noReport ? "false" : nil), ("retrain", retrain),
      ("retrain-epochs", retrainEpochs),
    ].compactMap { name, text in text.map { (name, $0) } }
  }
}
