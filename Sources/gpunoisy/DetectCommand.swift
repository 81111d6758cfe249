import ArgumentParser
import Failures
import FileFormats
import Reports
import Training

struct DetectCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "detect", abstract: "Find labels that are probably wrong and write a run folder.",
    discussion: """
      Up to 10,000 training images: computes features of every image, by a pretrained network where its weights are on \
      this machine ('gpunoisy weights'), or by filters made of the images themselves; predicts every label from the other \
      images, and says how many labels are wrong and which, or that this cannot be determined. That takes seconds.

      Above, with --detector aum, or with an option that only networks read: trains a network twice. Each time one sample \
      in K is moved to an extra class; its margin shows what a wrong label looks like. A sample is suspected when its area \
      under the margin is below the 99th percentile of these (Pleiss et al., 2020).

      --detector cl trains on all parts of the data but one, and judges that by its predictions (confident learning); \
      dividemix and co-teaching train by these methods, and judge by what they believe. Two detectors, such as \
      dividemix+features, judge by the mean of their ranks.

      AUM, the area under the margin: by how much a network prefers the sample's label to all others, on average over \
      the epochs; below zero it prefers another. A pass: training one new network. Threshold samples: those that are \
      moved to the extra class, other ones in each pass.

      label_issues.csv ranks all samples, each with a suggested label, and report/index.html shows \
      them. Suspicion is not proof: look before you delete.

      A second round: --verdicts takes the verdicts.csv that the page saved. Labels that somebody found right, or \
      corrected, are taken as right, and samples that were dropped are left out; none of them is listed again. The data \
      stays as it is; 'gpunoisy apply' writes a corrected copy by all verdicts.

      --split test judges the labels of the test part, --split all those of all parts together. Images that are in the \
      training set and in the test set, too, are reported, and listed in overlap.csv.

      Defaults of networks that differ from train's: 150 epochs, batch 64, learning rate 0.1, constant for margins. Fewer --epochs give \
      a first look; the printed agreement of the two passes says how far to trust it.

      Examples:
        gpunoisy detect ./photos
        gpunoisy detect ./photos --verdicts verdicts.csv
        gpunoisy detect ./photos --split all
        gpunoisy detect ./photos --detector aum --epochs 30
        gpunoisy detect shapes --noise symmetric:0.2 --epochs 5 --model resnet20
        gpunoisy detect ./photos --detector aum+features --retrain
        gpunoisy detect ./photos --detector dividemix --epochs 60
        gpunoisy detect --resume runs/2026-11-21T0031_photos_resnet32_aum_s1
        gpunoisy train ./photos --exclude runs/2026-11-21T0031_photos_resnet32_aum_s1/label_issues.csv
      """)

  @OptionGroup var options: JobOptions<DetectJob>
  @Option(help: ArgumentHelp("Exit with code 10 if more than this fraction of labels is suspected.", valueName: "rate"))
  var failAbove: Double?
  @OptionGroup var runs: RunOptions

  func run() throws {
    Signals.listen()
    Signals.beginWithoutWork()
    let draft = try runs.draft(options)
    if runs.printsConfiguration { return try StandardOutput.write(draft.configuration.text) }
    if let failAbove, !(0...1).contains(failAbove) {
      throw Failure(
        .usage, "--fail-above \(failAbove) is out of range.", why: "it must be a fraction of the labels.",
        fix: "choose a number from 0 to 1.")
    }
    if let run = try runs.finishedRun(draft.settings) {
      let result = try DetectResult(finished: run)
      try write(result)
      return try requireFew(result)
    }
    let outcome = try runs.start(draft), result = DetectResult(outcome)
    try write(result)
    try outcome.requireEnd()
    if let refusal = outcome.refusal { throw refusal }
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
    try StandardOutput.write(runs.console.json ? JSONText.indented(result.json) + "\n" : result.text)
  }
}
