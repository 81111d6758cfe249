import ArgumentParser
import Failures
import FileFormats
import Losses
import Reports

struct LossesCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "losses", abstract: "List the losses that --loss takes, or draw them.",
    discussion: """
      p = softmax(z) of the logits z, y is the given label, K the number of classes. Two losses form a weighted sum, \
      alpha first + beta second; sr and peer come after the losses that they wrap. Where two parts have a parameter of \
      the same name, prefix it with the part's name and a dot. The name of a data set selects the values that the \
      paper's code uses for it. A value can change over the epochs: beta=0@10/2@40 rises from 0 to 2 between epochs 10 and 40.

      Examples:
        gpunoisy losses
        gpunoisy losses gce sce:cifar100
        gpunoisy losses nce+agce:alpha=1,beta=4,a=6,q=1.5 gce+sr:cifar10
        gpunoisy losses --plot losses.svg ce gce mae agce:a=6,q=1.5
      """)

  @Argument(help: ArgumentHelp("Losses to show, with or without parameters; all by default.", valueName: "name"))
  var names: [String] = []
  @Option(
    help: ArgumentHelp(
      "Draw loss and gradient weight against p_y; without names, for the first eight.", valueName: "file.svg"))
  var plot: String?
  @Flag(help: "Print one JSON document.")
  var json = false

  func run() throws {
    let losses = try names.isEmpty ? Loss.all : names.map { try Loss($0) }
    if let plot {
      let path = try OutputPath(file: plot, option: "--plot").path
      guard losses.count <= LossPlot.limit || names.isEmpty else {
        throw Failure(
          .usage, "--plot cannot draw \(losses.count) losses.", why: "it has only \(LossPlot.limit) colours.",
          fix: "name fewer losses.")
      }
      let drawn = names.isEmpty ? Array(losses.prefix(LossPlot.limit)) : losses
      try AtomicFile.write(try LossPlot(drawn).svg, to: path)
      if !json { return }
    }
    let text = try LossTable.text(losses) + (names.isEmpty ? "\n" + LossTable.combinations : "")
    try StandardOutput.write(json ? JSONText.indented(try LossTable.json(losses)) + "\n" : text)
  }
}
