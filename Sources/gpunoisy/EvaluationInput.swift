import ArgumentParser
import Datasets
import Failures
import FileFormats
import Training

/// What `eval` and `predict` share: a checkpoint, data, and a device.
struct EvaluationOptions: ParsableArguments {
  @Argument(
    help: ArgumentHelp("A run folder (its best checkpoint, else its last) or a .safetensors file.", valueName: "ckpt"))
  var checkpoint: String
  @Argument(help: ArgumentHelp("The data to evaluate on: a folder, a file or a name.", valueName: "data"))
  var data: String
  @Option(help: ArgumentHelp("The part of the data.", valueName: "split"))
  var split: SplitChoice = .test
  @Option(
    help: ArgumentHelp(
      "Use the N samples, or the fraction, that training with this --val and --seed held out.", valueName: "n"))
  var val: String?
  @OptionGroup var opening: DataOptions
  @Option(help: ArgumentHelp("auto, cpu, an index or part of a name from 'gpunoisy devices'.", valueName: "device"))
  var device: String = "auto"
  @Option(help: ArgumentHelp("Threads of the built-in CPU path; default one per processor.", valueName: "n"))
  var threads: String?
}

/// A checkpoint's network and the samples to run it on, opened and checked; only the device is missing.
struct EvaluationInput {
  /// The checkpoint's file.
  let checkpoint: String
  let model: Checkpoint.Model
  let dataset: Dataset
  let split: SplitChoice
  /// The samples, with labels as the network numbers its classes.
  let samples: LabelledSet
  /// The id of each sample in its part of the data set [N].
  let ids: [Int]
  /// Whether the image of each sample could be read [N].
  let isReadable: [Bool]
  let device: DeviceChoice

  /// Checks the options, reads what the checkpoint says of its network, and opens the data.
  ///
  /// - Throws: `.usage`, `.deviceUnavailable`, `.missingInput`, `.badInput`, in the order of what is cheap to check.
  init(_ options: EvaluationOptions) throws {
    var settings = try options.opening.settings(data: options.data)
    if let threads = options.threads { try settings.set("threads", to: threads) }
    if let part = options.val { try settings.set("val", to: part) }
    if let part = options.val, options.split == .train {
      throw Failure(
        .usage, "--val \(part) and --split train contradict each other.",
        why: "a held-out part replaces the test set.", fix: "remove one of them.")
    }
    device = DeviceChoice(text: options.device, threads: settings.threads)
    try device.check()
    checkpoint = try Self.file(options.checkpoint)
    model = try Checkpoint.model(of: SafetensorsFile.read(checkpoint))
    settings.imageSize = settings.imageSize ?? PixelSize(height: model.height, width: model.width)
    let dataset = try Dataset.opened(by: settings)
    self.dataset = dataset
    split = options.split

    var chosen: LabelledSet
    if let part = settings.validation {
      let rest = try dataset.holdingOut(HeldOutPart(parsing: part), seed: settings.seed)
      chosen = rest.heldOut ?? dataset.train
      ids = dataset.train.labels.indices.filter { dataset.train.labels[$0] >= 0 && rest.train.labels[$0] < 0 }
    } else {
      guard let part = split == .train ? dataset.train : dataset.test else {
        throw Failure(
          .badInput, "'\(options.data)' has no test set.", why: "it is \(dataset.source), with training samples only.",
          fix: "use --split train, or the --val of the training run.")
      }
      chosen = part
      ids = Array(0..<part.count)
    }
    isReadable = chosen.labels.map { $0 >= 0 }
    chosen.labels = try Self.labels(chosen.labels, of: dataset, as: model)
    samples = chosen
  }

  /// The name of a sample: its path, or `shapes/test/42` where the layout has no files.
  func name(_ index: Int) -> String {
    samples.paths.isEmpty ? "\(dataset.name)/\(split.rawValue)/\(ids[index])" : samples.paths[index]
  }

  /// `shapes test: 2000 samples`, for people.
  var phrase: String {
    let unread = isReadable.count { !$0 }
    return "\(dataset.name) \(split.rawValue): \(samples.count) samples"
      + (unread > 0 ? ", \(unread) of which cannot be read" : "")
  }

  /// The checkpoint that a path means.
  private static func file(_ path: String) throws -> String {
    switch FileBytes.kind(of: path) {
    case .missing:
      throw Failure(
        .missingInput, "the checkpoint '\(path)' does not exist.", why: "no such file or directory.",
        fix: "use a run folder, or its checkpoints/best.safetensors.")
    case .file, .other: return path
    case .folder: break
    }
    let names = [
      "checkpoints/best.safetensors", "checkpoints/last.safetensors", "best.safetensors", "last.safetensors",
    ]
    let folder = path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
    if let found = names.map({ folder + "/" + $0 }).first(where: { FileBytes.kind(of: $0) == .file }) { return found }
    throw Failure(
      .badInput, "the folder '\(path)' holds no checkpoint.",
      why: "there is neither checkpoints/best.safetensors nor checkpoints/last.safetensors.",
      fix: "use a run folder of 'gpunoisy train' with at least one checkpoint.")
  }

  /// Labels as the network counts its classes.
  ///
  /// By name where it knows all names of the data, else by number where one of the two has nothing but numbers. A
  /// folder that lacks a class would otherwise shift the numbers of all classes behind it.
  private static func labels(_ labels: [Int32], of dataset: Dataset, as model: Checkpoint.Model) throws -> [Int32] {
    guard dataset.classNames != model.classNames else { return labels }
    let known = Dictionary(
      model.classNames.enumerated().map { ($1, Int32($0)) }, uniquingKeysWith: { first, _ in first })
    let places = dataset.classNames.map { known[$0] }
    if !places.contains(nil) { return labels.map { $0 < 0 ? $0 : places[Int($0)] ?? $0 } }
    func isNumbered(_ names: [String]) -> Bool { names.enumerated().allSatisfy { Int($1) == $0 } }
    if isNumbered(dataset.classNames) || isNumbered(model.classNames),
      !labels.contains(where: { $0 >= model.classNames.count })
    {
      return labels
    }
    let strange = dataset.classNames.filter { known[$0] == nil }
    throw Failure(
      .badInput, "the checkpoint has no class '\(strange.first ?? "")' of '\(dataset.name)'.",
      why: "its \(model.classNames.count) classes are "
        + model.classNames.prefix(20).joined(separator: ", ") + (model.classNames.count > 20 ? ", …." : "."),
      fix: "use data with the classes that it was trained on.")
  }
}
