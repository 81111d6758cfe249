import ArgumentParser
import FileFormats
import Losses
import Networks
import Reports
import Training

struct TrainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "train", abstract: "Train one classifier and write a run folder.",
    discussion: """
      The defaults are those of the AUM paper: ResNet-32, 300 epochs, batch 256, SGD with Nesterov momentum 0.9, \
      learning rate 0.1 divided by 10 at epochs 150 and 225, weight decay 1e-4.

      DATA is a folder of images (one subfolder per class, or train/ and test/ with them), CIFAR-10 or CIFAR-100 \
      binary files, MNIST's IDX files, a .csv or .jsonl manifest, a .npz, or a name: shapes, cifar10, cifar100, mnist, \
      fashion-mnist; pairs: and one of these, two images of a class side by side; classes:0-4,7: and one of these, some of \
      its classes.

      --model is one of:
      \(Self.networks)

      Examples:
        gpunoisy train shapes --noise symmetric:0.4 --loss sce --epochs 3
        gpunoisy train cifar10 --device 0
        gpunoisy train ./photos --val 0.1 --loss gce:q=0.7 --epochs 60
        gpunoisy train ./photos --init lite0 --freeze
        gpunoisy train ./photos --init resnet18-imagenet
        gpunoisy train --recipe aum-cifar10 --noise symmetric:0.4
        gpunoisy train --recipe apl-cifar10 --loss gce:q=0.7 --noise pairflip:0.4
        gpunoisy train --resume runs/2026-11-21T0031_cifar10_resnet32_ce_s1
      """)

  /// The catalogue of networks, in lines of at most 78 characters: the parser wraps longer ones without their indent.
  private static let networks = Network.catalogue.map { entry in
    let options = entry.options.map { "\($0.name)=\($0.values.joined(separator: "|"))" }.joined(separator: ",")
    var lines = ["  \(entry.name)\(options.isEmpty ? "" : ":" + options)"]
    lines[0] += " "
    for word in entry.summary.split(separator: " ") {
      if lines[lines.count - 1].count + 1 + word.count > 78 { lines.append("     ") }
      lines[lines.count - 1] += " " + word
    }
    return lines.joined(separator: "\n")
  }.joined(separator: "\n")

  @OptionGroup var options: JobOptions<TrainJob>
  @OptionGroup var runs: RunOptions
  @Flag(name: .customLong("list-losses"), help: "Print every loss with its parameters, defaults and source.")
  var listsLosses = false
  @Flag(name: .customLong("list-recipes"), help: "Print every recipe with its settings and their sources.")
  var listsRecipes = false

  func run() throws {
    if listsLosses { return try StandardOutput.write(try LossTable.text(Loss.all) + "\n" + LossTable.combinations) }
    if listsRecipes {
      let texts = try Recipe.catalogue.map { try $0.lines().joined(separator: "\n") + "\n" }
      return try StandardOutput.write(texts.joined(separator: "\n"))
    }
    Signals.listen()
    Signals.beginWithoutWork()
    let draft = try runs.draft(options)
    if runs.printsConfiguration { return try StandardOutput.write(draft.configuration.text) }
    if let run = try runs.finishedRun(draft.settings) { return try write(TrainResult(finished: run)) }
    let outcome = try runs.start(draft)
    try write(TrainResult(outcome))
    try outcome.requireEnd()
  }

  private func write(_ result: TrainResult) throws {
    try StandardOutput.write(runs.console.json ? JSONText.indented(result.json) + "\n" : result.text)
  }
}
