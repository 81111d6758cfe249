import Datasets
import Detection
import Methods
import Networks
import Sessions

extension RunSettings {
  /// Every setting, in the order of config.toml and of `--help`.
  public static let table: [Setting] =
    rows(.data, data) + rows(.model, model) + rows(.loss, loss) + rows(.optimiser, optimiser) + rows(.input, input)
    + rows(.device, device) + rows(.run, run) + rows(.detect, detect.map { $0.jobs == .runs ? $0.of([.detect]) : $0 })

  private static func rows(_ section: Setting.Section, _ settings: [Setting]) -> [Setting] {
    settings.map { $0.in(section) }
  }

  private static let data: [Setting] = [
    Setting(
      "data", \.data, "data", takes: "a folder, a file or a name", example: "photos",
      "What to read: a folder, a file or a name."
    ).of(.images.union([.report, .noise, .features]))
      .saying("What to evaluate on: a folder, a file or a name.", for: .evaluations)
      .saying("Images, with labels or without: a folder, a file or a name.", for: [.predict])
      .saying("Where the data set is now, if it is not where the runs found it.", for: [.report])
      .saying("What to convert: a folder, a file or a name.", for: [.convert]),
    .path("data-root", \.dataRoot, "folder", "Folder with cifar10 and other named data sets.")
      .following("$GPUNOISY_DATA").of(.images.union([.noise, .features])).ofExecution,
    Setting(
      "image-size", \.imageSize, "size", takes: "an image size", example: "32x28",
      "Width and height of images, such as 64 or 96x64."
    ).following(
      "images of up to \(ImageSizing.smallSide) pixels stay as they are, larger ones get the size that --model is for"
    ).of(.images)
      .saying(
        "Width and height of images, such as 64 or 96x64. Default: the checkpoint's, and no other.", for: .evaluations
      )
      .saying(
        "Width and height of images, such as 64 or 96x64. Default: up to \(ImageSizing.smallSide) pixels as they are, "
          + "else 64.", for: [.info, .convert]),
    .choice(
      "fit", \.fit, "way", example: "pad",
      "How images of another shape get it. crop: the middle; pad: black bars; stretch: distorted."
    ).of(.images)
      .saying(
        """
        How images of another shape get it. crop: the middle; pad: black bars; stretch: distorted. Default: the \
        checkpoint's, and no other.
        """, for: .evaluations),
    .path(
      "labels", \.labels, "file.npy|.csv",
      "Training labels instead of the data's own: .npy, or .csv with sample_id,label."
    ).of(.images.union([.noise])),
    .path(
      "clean-labels", \.cleanLabels, "file.npy|.csv",
      "True training labels, for scoring only, never for training."
    ),
    Setting(
      "trusted", \.trusted, "n|file", takes: "a number of samples, or a path", example: "8",
      """
      Samples whose labels are known to be right, for methods that need them; they leave the training set. N: evenly from \
      all classes, where true labels are known; FILE: .csv with path or sample_id and label, .npy, or a verdicts.csv.
      """
    ).notOfDetect("it trains on the samples that it judges, and trusts none"),
    Setting(
      "exclude", \.exclude, "file.csv|wrong", takes: "a path, or wrong", example: "wrong",
      """
      Samples to leave out: a .csv with sample_id, such as detect's label_issues.csv; wrong: all whose label is known \
      to be wrong.
      """),
    .choice(
      "exclude-by", \.excludeBy, "way", example: "weight-zero",
      "How they are excluded. drop: never sampled; weight-zero: sampled, with zero weight in the loss."),
    Setting(
      "exclude-above", \.excludeAbove, "x", takes: "a finite number", example: "-0.5",
      "With the suspicion.csv of a run as --exclude: leave out samples with a higher suspicion than X.",
      accepts: { $0.isFinite }
    ).given(as: .signedValue),
    .flag(
      "trust", \.detection.trusts, example: "on",
      "Keep a detection's list, and act on it with --exclude or --retrain, even if its verdict is that it is not sure."),
    Setting(
      "noise", \.noise, "noise", takes: "a noise", example: "symmetric:0.4",
      """
      Label noise: symmetric:R, asymmetric:R, pairflip:R, part-dependent:R, labels:FILE, matrix:FILE, and more, or \
      several joined with +. See 'gpunoisy data noise --list'.
      """
    ).of(.runs.union([.noise]))
      .saying("One of those above, or several joined with +.", for: [.noise]),
    Setting(
      "noise-seed", \.noiseSeed, "n", takes: wholeNumbers, example: "7", "Seed of the noise."
    ).following("the seed"),
    .choice(
      "pixels", \.pixels, "change", example: "shuffled",
      """
      Images without content. shuffled: one order of pixels for all; random: one for each; gaussian. For training \
      only; eval and predict take images as they are.
      """),
    .count("limit-train", \.limitTrain, 1...most, example: "48", "Take the first N training samples only.")
      .of(.images.union([.shapes, .features])),
    .count("limit-test", \.limitTest, 1...most, example: "24", "Take the first N test samples only.")
      .of(.images.union([.shapes])),
    Setting(
      "val", \.validation, "n", takes: "a number of samples, or a fraction", example: "0.25",
      "Hold out N samples, or a fraction such as 0.1, of the training set."
    ).following("a tenth of your own sets that have no test set, else none")
      .notOfDetect("it judges every sample of the training set, and needs no held-out ones", besides: .evaluations)
      .saying(
        "Take the N samples, or the fraction, that training with this --val and --seed held out.", for: .evaluations),
    .switched(
      "val-noise", \.validationNoise, example: "on",
      """
      off: held-out labels stay clean; on: they get the noise too, as in papers that select models on noisy labels.
      """
    ).notOfDetect("it judges every sample of the training set, and needs no held-out ones"),
    .choice(
      "on-bad-image", \.onBadImage, "policy", example: "skip",
      """
      What to do with images that cannot be read. fail: stop before training; skip: leave them out; repair: decode \
      damaged JPEG files as far as possible.
      """
    ).of(.images.union([.features])),
  ]

  private static let model: [Setting] = [
    Setting(
      "model", \.model, "network", takes: "a network", example: "mlp:dropout=0",
      "\(Network.catalogue.map(\.name).joined(separator: ", ")). See 'gpunoisy train --help'."),
    Setting(
      "init", \.initialWeights, "file|name", takes: "a path, or the name of known weights", example: "here/init",
      """
      Initial weights: safetensors or PyTorch's .pth and .pt, with PyTorch's parameter names, or one of \
      \(KnownWeights.catalogue.map(\.name).joined(separator: ", ")). See 'gpunoisy weights'.
      """
    ).notOfDetect("it trains several networks, all alike and from random weights"),
    .flag(
      "freeze", \.freezes, example: "on",
      "With --init: train the last layer only, on features that are computed once. Takes seconds where there are few images."
    ).notOfDetect("it trains several networks, all alike and from random weights"),
  ]

  private static let loss: [Setting] = [
    Setting(
      "loss", \.loss, "loss", takes: "a loss", example: "gce:q=0.5",
      "Any that 'gpunoisy losses' lists, such as sce:alpha=0.1,beta=1,A=-4, sce:cifar100 or nce+rce+sr."),
    Setting(
      "transition", \.transition, "matrix", takes: "true, anchors:EPOCHS or a file", example: "true",
      "For --loss forward and backward: true, anchors:EPOCHS (estimated after that many epochs), or a CSV or .npy file."
    ).notOfDetect("it needs plain training to judge labels"),
    .choice(
      "class-weights", \.classWeights, "weights", example: "balanced",
      "How much classes count in the loss. none: by their samples; balanced: all the same."
    ).notOfDetect("margins of classes with other weights cannot be compared"),
    Setting(
      "method", \.method, "method", takes: "a training method", example: "marvel:patience=1,warm=0",
      """
      Training method: \(MethodEntry.catalogue.map(\.name).joined(separator: ", ")), as in co-teaching:rate=0.45. See \
      'gpunoisy methods'.
      """
    ).notOfDetect("its detectors are --detector dividemix and co-teaching, with --selection"),
    Setting(
      "teacher", \.teachers, "run", takes: "run folders or checkpoints, with commas between", example: "here/teacher",
      """
      A trained network to learn from, for methods that need some: a run folder or a checkpoint. Once for each.
      """
    ).notOfDetect("it needs plain training to judge labels").given(as: .repeated),
  ]

  private static let optimiser: [Setting] = [
    .count("epochs", \.epochs, 1...1_000_000, example: "3", "Passes over the data.")
      .following("fewer for small sets of your own"),
    .count("max-steps", \.maxSteps, 1...most, example: "3", "Stop after N steps.")
      .notOfDetect("it trains several networks, all of them to the end"),
    .count(
      "patience", \.patience, 1...1_000_000, example: "2",
      "Stop after N epochs without a better accuracy on what is held out, or on the test set."
    ).notOfDetect("it trains several networks, all of them to the end"),
    .count("batch-size", \.batchSize, 1...65_536, example: "16", "Images per step.")
      .following("32 for small sets of your own"),
    .choice("optimizer", \.optimizer.kind, "optimiser", example: "adam", "Optimiser:"),
    .number("lr", \.optimizer.learningRate, 0...1e6, "rate", example: "0.025", "Learning rate.")
      .following("0.02 or 0.05 for small sets of your own"),
    .number(
      "pretrained-rate", \.optimizer.pretrainedRate, 0...1, "factor", example: "0.5",
      "With --init: the factor of the learning rate for all layers but the last."
    ).following("0.1 with pretrained weights, 1 with a checkpoint of gpunoisy")
      .notOfDetect("it trains several networks, all alike and from random weights"),
    .count(
      "warmup", \.optimizer.warmup, 0...1_000_000, example: "1",
      "Epochs over which the learning rate rises in equal steps."),
    .number("momentum", \.optimizer.momentum, 0...0.9999999, "m", example: "0.5", "Momentum of SGD."),
    .flag("nesterov", \.optimizer.nesterov, example: "off", "Nesterov's momentum, or plain momentum."),
    .number(
      "beta1", \.optimizer.firstDecay, 0...0.9999999, "beta", example: "0.8",
      "Adam's decay of the mean of gradients."),
    .number(
      "beta2", \.optimizer.secondDecay, 0...0.9999999, "beta", example: "0.9",
      "Adam's decay of the mean of squared gradients."),
    .number(
      "weight-decay", \.optimizer.weightDecay, 0...1e3, "wd", example: "0.05",
      "Weight decay on every parameter."),
    .number("l1", \.optimizer.l1, 0...1e3, "weight", example: "1e-3", "Weight of the L1 penalty Σ|w|."),
    Setting(
      "schedule", \.optimizer.schedule, "schedule", takes: names(Schedule.self), example: "cosine",
      unset: "auto",
      """
      How the learning rate changes: step, cosine, constant; auto: by steps, but for the passes of --detector aum constant.
      """
    ).following("auto"),
    Setting(
      "milestones", \.optimizer.milestones, "list",
      takes: "whole numbers from 1 to 1000000 with commas between, as in 150,225, or none", example: "1",
      "Epochs at which step multiplies the learning rate by gamma.",
      accepts: { $0.allSatisfy((1...1_000_000).contains) }
    ).following("half and three quarters of --epochs"),
    .number(
      "gamma", \.optimizer.gamma, 0...1, "factor", example: "0.5",
      "Factor of the learning rate at each milestone."),
    .number(
      "clip-norm", \.optimizer.clipNorm, 0...1e9, "norm", example: "0.01",
      "Largest norm of the gradient; 0: no limit."),
  ]

  private static let input: [Setting] = [
    Setting(
      "augment", \.augment, "kind", takes: names(AugmentationKind.self), example: "none", unset: "auto",
      """
      Changes of training images: crop-flip; crop (from a border of 4 black pixels, for images that must not be mirrored, \
      such as digits); flip; none.
      """
    ).following("crop-flip for colour, none for grey"),
    .choice(
      "normalize", \.normalize, "by", example: "network",
      """
      What inputs are normalised by. images: mean and deviation of the training images; network: what the published \
      weights of --model expect.
      """
    ).following("network with --init, where --model has published weights")
      .notOfDetect("it trains several networks, all alike and from random weights"),
    .choice(
      "batch-norm", \.batchNorm, "by", example: "running",
      """
      What batch norm goes by in training. batch: mean and deviation of each batch; running: those that came with --init, \
      which then stay.
      """
    ).following("running with pretrained weights")
      .notOfDetect("it trains several networks, all alike and from random weights"),
    .switched(
      "shuffle", \.shuffle, example: "off", "on: each epoch has an order of its own; off: batches in id order."),
    .flag("drop-last", \.dropLast, example: "on", "Leave out the last batch of an epoch where it is smaller."),
  ]

  private static let device: [Setting] = [
    Setting(
      "device", \.device, "device", takes: "a device", example: "cpu",
      "auto, cpu, an index or part of a name from 'gpunoisy devices'."
    ).of(.computations).ofExecution,
    .choice(
      "precision", \.precision, "precision", example: "mixed",
      "fp32; mixed stores activations in 16 bits; tf32, on NVIDIA's GPUs, rounds the factors of products."),
    .count("threads", \.threads, 1...1024, example: "1", "Threads of the built-in CPU path.")
      .following("one per processor").of(.computations).ofExecution,
  ]

  private static let run: [Setting] = [
    Setting(
      "recipe", \.recipe, "name", takes: "a recipe", example: "memorise-cifar10",
      """
      A paper's whole protocol, its data too; --config and options override it. detect keeps its own epochs, batch size \
      and schedule. See 'gpunoisy train --list-recipes'.
      """),
    Setting(
      "seed", \.seed, "n", takes: wholeNumbers, example: "2",
      "Seed of weights, order, crops, noise, --val and the built-in shapes."
    ).of(.images.union([.noise, .shapes, .features]))
      .saying("Seed of --val and of the built-in shapes. Default 1.", for: .evaluations)
      .saying("Seed of the built-in shapes. Default 1.", for: [.info, .convert, .shapes])
      .saying("Seed of the noise and of the built-in shapes. Default 1.", for: [.noise]),
    .switched("aum", \.aum, example: "off", "Record the area under the margin of every sample.")
      .notOfDetect("margins are what it goes by"),
    Setting(
      "checkpoint-every", \.checkpointEvery, "interval", takes: CheckpointInterval.takes, example: "1",
      "1ep, a number of steps, or a time such as 15m."
    ).ofExecution,
    Setting(
      "max-time", \.maxTime, "time", takes: TimeSpan.takes, example: "11h50m",
      "Save and stop with exit code 75 after this time, such as 11h50m, which counts from the start of the command."
    ).ofExecution,
  ]

  private static let detect: [Setting] = [
    Setting(
      "detector", \.detection.choice, "detector", takes: names(DetectionSettings.Detector.self), example: "aum+cl",
      unset: "auto",
      """
      features: a closed form on fixed features, in seconds; aum: area under the margin; cl: confident learning by \
      cross-validation; dividemix, co-teaching: the suspicion of a method that selects samples; two of them, as in \
      aum+cl or dividemix+features: by the mean of both ranks.
      """
    ).following("features up to 10,000 training images, aum above, or with options that only networks read"),
    Setting(
      "selection", \.selectionMethod, "method", takes: "dividemix or co-teaching, with parameters",
      example: "co-teaching:rate=0.4,ramp=2",
      """
      The method of the detectors dividemix and co-teaching, with its parameters, as in dividemix:penalty=1. See 'gpunoisy \
      methods'.
      """
    ).following("dividemix:unlabelled=0 with warm a sixth of the epochs; co-teaching with its ramp in proportion"),
    Setting(
      "features", \.detection.features, "source",
      takes: "\(KnownWeights.catalogue.map(\.name).joined(separator: ", ")), patches or a .npy file",
      example: "patches",
      """
      lite0: EfficientNet-Lite0 with pretrained weights, or other known weights; patches: filters made of the images \
      themselves; FILE.npy: features [N, D] that you have.
      """
    ).following("lite0 where its weights are found, or patches, whichever explains the labels better")
      .of([.detect, .features])
      .saying(
        """
        lite0: EfficientNet-Lite0 with pretrained weights, or other known weights; patches: filters made of the images \
        themselves. Default: lite0 where its weights are found, else patches.
        """, for: [.features]),
    .path(
      "weights", \.detection.weights, "file", "Pretrained weights for --features lite0. See 'gpunoisy weights'."
    ).following("$GPUNOISY_WEIGHTS, or else the cache folder").of([.detect, .features]),
    .path(
      "pred-probs", \.detection.predictedProbabilities, "file.npy",
      "Out-of-sample probabilities [N, K] that you have: confident learning without training."),
    .choice(
      "split", \.detection.split, "part", example: "test",
      "The part whose labels are judged, by features or --pred-probs; all is every part, as one set:"),
    .path(
      "verdicts", \.detection.verdicts, "file.csv",
      "Verdicts of an earlier round, as the page saves them: what somebody looked at is trusted, and not listed again."),
    .count("passes", \.detection.passes, 1...9, example: "3", "Networks with threshold samples."),
    .count(
      "threshold-samples", \.detection.thresholdSamples, 1...most, example: "5",
      "Threshold samples of each pass."
    ).following("N / K; N / 15, from 40 to 100, for small sets of your own"),
    Setting(
      "percentile", \.detection.percentile, "p", takes: "a number between 0 and 100", example: "60",
      "Percentile of the threshold samples that is the cut-off.",
      accepts: { $0 > 0 && $0 < 100 }),
    .choice(
      "combine", \.detection.combine, "rule", example: "union",
      """
      Report samples suspected in every pass (intersection), in any (union), in the first (single), or by the mean over \
      the passes (mean; for small sets of your own).
      """),
    .choice("margin", \.detection.margin, "kind", example: "softmax", "What margins are taken of:"),
    .count("folds", \.detection.folds, 2...100, example: "3", "Folds of confident learning."),
    .choice(
      "cl-filter", \.detection.filter, "filter", example: "low_self_confidence",
      "How confident learning selects:"),
    .choice("cl-score", \.detection.quality, "score", example: "normalized_margin", "How confident learning ranks:"),
    .flag(
      "keep-margins", \.detection.keepMargins, example: "on",
      "Keep every epoch's margins, as margins/pass1.npy [epochs, N] and so on."),
    .flag("report", \.detection.report, example: "off", "Write report/index.html."),
    Setting(
      "retrain", \.detection.retrain, "way", takes: names(Exclusion.self), example: "drop",
      """
      Then train on the remaining samples, with train's defaults, into RUN/retrain: drop or weight-zero, as --exclude-by \
      says; weight-zero is as published.
      """
    ).given(as: .valueOrFlag("weight-zero")),
    .count(
      "retrain-epochs", \.detection.retrainEpochs, 1...1_000_000, example: "2",
      "Epochs of --retrain; the learning rate falls at half and 3/4."
    ).following("fewer for small sets of your own"),
  ]

  private static let most = Int(Int32.max)
  private static let wholeNumbers = "a whole number from 0 to \(UInt64.max)"

  static func names<Value: RawRepresentable & CaseIterable>(_ type: Value.Type) -> String
  where Value.RawValue == String { "one of \(type.allCases.map(\.rawValue).joined(separator: ", "))" }
}
