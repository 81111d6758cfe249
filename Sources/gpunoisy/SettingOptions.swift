import ArgumentParser
import Failures
import Methods
import Networks
import Reports
import Training

/// The settings of a run as options.
///
/// Each is text here; `RunSettings` reads and checks it, as it does for files.
struct SettingOptions: ParsableArguments {
  @Argument(help: ArgumentHelp("What to train on: a folder, a file or a name.", valueName: "data"))
  var data: String?

  @Option(
    help: ArgumentHelp("Where cifar10 and other names are looked for; default $GPUNOISY_DATA.", valueName: "folder"))
  var dataRoot: String?
  @Option(help: ArgumentHelp("Size of pictures, such as 32 or 32x48; default the most common one.", valueName: "size"))
  var imageSize: String?
  @Option(
    help: ArgumentHelp(
      "Training labels in place of the data's own: .npy, or .csv with sample_id,label.", valueName: "file"))
  var labels: String?
  @Option(help: ArgumentHelp("True training labels, for scoring only, never for training.", valueName: "file"))
  var cleanLabels: String?
  @Option(
    help: ArgumentHelp(
      "Samples to leave out: a .csv with sample_id, such as detect's label_issues.csv.", valueName: "file"))
  var exclude: String?
  @Option(
    help: ArgumentHelp(
      "drop (default): never drawn; weight-zero: drawn, but without a part in the loss.", valueName: "way"))
  var excludeBy: String?
  @Option(
    help: ArgumentHelp(
      "Label noise: none (default), symmetric:R, asymmetric:R, pairflip:R, part-dependent:R, labels:FILE, matrix:FILE, "
        + "and more, or several joined by +. See 'gpunoisy data noise --list'.", valueName: "noise"))
  var noise: String?
  @Option(help: ArgumentHelp("Seed of the noise; default the seed.", valueName: "n"))
  var noiseSeed: String?
  @Option(
    help: ArgumentHelp(
      "Pictures without sense: none (default), shuffled (one order of pixels for all), random (one for each), gaussian. "
        + "For training only; eval and predict take pictures as they are.", valueName: "change"))
  var pixels: String?
  @Option(help: ArgumentHelp("Train on the first N samples.", valueName: "n"))
  var limitTrain: String?
  @Option(help: ArgumentHelp("Test on the first N samples.", valueName: "n"))
  var limitTest: String?
  @Option(
    help: ArgumentHelp("Hold out N samples, or a share such as 0.1, of the training set; or none.", valueName: "n"))
  var val: String?
  @Option(
    help: ArgumentHelp(
      "off (default): what is held out keeps its labels; on: --noise is in it, too, as in papers that choose by it.",
      valueName: "on|off"))
  var valNoise: String?
  @Option(
    help: ArgumentHelp("Pictures that cannot be read: fail before training (default), or skip.", valueName: "policy"))
  var onBadImage: String?

  @Option(
    help: ArgumentHelp(
      "\(Network.catalogue.map(\.name).joined(separator: ", ")); default resnet32. See 'gpunoisy train --help'.",
      valueName: "network"))
  var model: String?
  @Option(
    name: .customLong("init"),
    help: ArgumentHelp("Weights to start from, with PyTorch's names.", valueName: "file.safetensors"))
  var initialWeights: String?
  @Option(
    help: ArgumentHelp(
      "ce (default), or any that 'gpunoisy losses' lists, as in sce:alpha=0.1,beta=1,A=-4, sce:cifar100 or nce+rce+sr.",
      valueName: "loss"))
  var loss: String?
  @Option(
    help: ArgumentHelp(
      "For --loss forward and backward: true, anchors:EPOCHS (estimated after so many epochs), or a CSV or .npy file; "
        + "or none.",
      valueName: "matrix"))
  var transition: String?
  @Option(
    help: ArgumentHelp(
      "Training method: \(MethodEntry.catalogue.map(\.name).joined(separator: ", ")), as in co-teaching:rate=0.45; "
        + "default plain. See 'gpunoisy methods'.", valueName: "method"))
  var method: String?

  @Option(help: ArgumentHelp("Passes over the data. Default 300.", valueName: "n"))
  var epochs: String?
  @Option(help: ArgumentHelp("Stop after N steps.", valueName: "n"))
  var maxSteps: String?
  @Option(help: ArgumentHelp("Images per step. Default 256.", valueName: "n"))
  var batchSize: String?
  @Option(help: ArgumentHelp("Optimiser: sgd (default) or adam.", valueName: "optimiser"))
  var optimizer: String?
  @Option(help: ArgumentHelp("Learning rate. Default 0.1.", valueName: "rate"))
  var lr: String?
  @Option(help: ArgumentHelp("Momentum of SGD. Default 0.9.", valueName: "m"))
  var momentum: String?
  @Flag(inversion: .prefixedNo, help: "Nesterov's momentum (default), or plain momentum.")
  var nesterov: Bool?
  @Option(help: ArgumentHelp("Adam's decay of the mean of gradients. Default 0.9.", valueName: "beta"))
  var beta1: String?
  @Option(help: ArgumentHelp("Adam's decay of the mean of squared gradients. Default 0.999.", valueName: "beta"))
  var beta2: String?
  @Option(help: ArgumentHelp("Weight decay on every parameter. Default 1e-4.", valueName: "wd"))
  var weightDecay: String?
  @Option(help: ArgumentHelp("Factor of the sum of all |w| that is added to the loss. Default 0.", valueName: "factor"))
  var l1: String?
  @Option(help: ArgumentHelp("step (default), cosine, constant.", valueName: "schedule"))
  var schedule: String?
  @Option(help: ArgumentHelp("Epochs at which step multiplies the rate by gamma. Default 150,225.", valueName: "list"))
  var milestones: String?
  @Option(help: ArgumentHelp("Default 0.1.", valueName: "factor"))
  var gamma: String?
  @Option(help: ArgumentHelp("Largest norm of the gradient; default no limit.", valueName: "norm"))
  var clipNorm: String?

  @Option(help: ArgumentHelp("crop-flip (default for colour), flip, none (default for grey).", valueName: "kind"))
  var augment: String?
  @Option(help: ArgumentHelp("on (default); off takes batches in id order.", valueName: "on|off"))
  var shuffle: String?
  @Flag(
    inversion: .prefixedNo, help: "Leave out the last batch of an epoch where it is smaller, or keep it (default).")
  var dropLast: Bool?

  @Option(
    help: ArgumentHelp("auto (default), cpu, an index or part of a name from 'gpunoisy devices'.", valueName: "device"))
  var device: String?
  @Option(
    help: ArgumentHelp(
      "fp32 (default); mixed stores activations in 16 bits; tf32, on NVIDIA's GPUs, rounds what is multiplied.",
      valueName: "precision"))
  var precision: String?
  @Option(help: ArgumentHelp("Threads of the built-in CPU path; default one per processor.", valueName: "n"))
  var threads: String?
  @Option(help: ArgumentHelp("Seed of weights, order, crops and noise. Default 1.", valueName: "n"))
  var seed: String?
  @Option(help: ArgumentHelp("Record the area under the margin of every sample. Default on.", valueName: "on|off"))
  var aum: String?
  @Option(help: ArgumentHelp("1ep (default), a number of steps, or a time such as 15m.", valueName: "interval"))
  var checkpointEvery: String?
  @Option(help: ArgumentHelp("Save and stop with exit code 75 after this time, such as 11h50m.", valueName: "time"))
  var maxTime: String?

  /// What was given, by the setting's name.
  private var given: [(name: String, text: String)] {
    let texts: [(String, String?)] = [
      ("data", data), ("data-root", dataRoot), ("image-size", imageSize), ("labels", labels),
      ("clean-labels", cleanLabels), ("exclude", exclude), ("exclude-by", excludeBy), ("noise", noise),
      ("noise-seed", noiseSeed), ("pixels", pixels),
      ("limit-train", limitTrain), ("limit-test", limitTest), ("val", val), ("val-noise", valNoise),
      ("on-bad-image", onBadImage),
      ("model", model),
      ("init", initialWeights), ("loss", loss), ("transition", transition), ("method", method),
      ("epochs", epochs), ("max-steps", maxSteps),
      ("batch-size", batchSize), ("optimizer", optimizer), ("lr", lr), ("momentum", momentum), ("beta1", beta1),
      ("beta2", beta2),
      ("nesterov", nesterov.map { $0 ? "on" : "off" }),
      ("weight-decay", weightDecay), ("l1", l1), ("schedule", schedule), ("milestones", milestones), ("gamma", gamma),
      ("clip-norm", clipNorm), ("augment", augment), ("shuffle", shuffle),
      ("drop-last", dropLast.map { $0 ? "on" : "off" }),
      ("device", device), ("precision", precision), ("threads", threads), ("seed", seed), ("aum", aum),
      ("checkpoint-every", checkpointEvery), ("max-time", maxTime),
    ]
    return texts.compactMap { name, text in text.map { (name, $0) } }
  }

  /// The names of the settings that were given.
  var names: [String] { given.map(\.name) }

  /// Puts what was given over the settings.
  ///
  /// - Parameter allowing: the only names that may be given (for a resumed run); nil for all.
  /// - Throws: `.usage`; `.configuration` for one that is not allowed.
  func apply(to settings: inout RunSettings, allowing: Set<String>? = nil) throws {
    for (name, text) in given {
      if let allowing, !allowing.contains(name) {
        throw Failure(
          .configuration, "\(name == "data" ? "DATA" : "--\(name)") cannot change when a run is resumed.",
          why:
            "the run would no longer be the same; only \(allowing.sorted().map { "--\($0)" }.joined(separator: ", ")) may.",
          fix: "leave it out, or start a new run from the weights with --init.")
      }
      try settings.set(name, to: text)
    }
  }
}

/// How the command talks: progress, colour, JSON.
struct TalkOptions: ParsableArguments {
  @Option(help: ArgumentHelp("auto (a bar on a terminal, lines elsewhere), bar, lines, none.", valueName: "kind"))
  var progress: ProgressChoice = .auto
  @Option(help: ArgumentHelp("auto, always, never.", valueName: "when"))
  var color: ColorChoice = .auto
  @Flag(help: "Print one JSON document on standard output.")
  var json = false
  @Flag(name: [.customShort("q"), .long], help: "No progress; errors are still told.")
  var quiet = false
  @Flag(name: [.customShort("v"), .long], help: "Say more.")
  var verbose = false

  /// Who tells the progress.
  var reporter: any ProgressReporter { Terminal.progressReporter(quiet ? .none : progress, color: color) }
}

extension ProgressChoice: ExpressibleByArgument {}
extension ColorChoice: ExpressibleByArgument {}
