import ArgumentParser
import Datasets
import Failures
import FileFormats
import Training

/// What `eval` and `predict` share: a checkpoint, data, and a device.
struct EvaluationOptions<J: JobName>: ParsableArguments {
  @Argument(
    help: ArgumentHelp("A run folder (its best checkpoint, else its last) or a .safetensors file.", valueName: "ckpt"))
  var checkpoint: String
  @Option(help: ArgumentHelp("The part of the data: train, or test (default).", valueName: "split"))
  var split: SplitChoice?
  @OptionGroup var settings: JobOptions<J>

  /// The part of the data that is meant.
  var part: SplitChoice { split ?? .test }
}

/// A part of a data set by its name.
enum SplitChoice: String, ExpressibleByArgument, CaseIterable {
  case train, test
}

/// A checkpoint with what it says of its network and of how its images are read; the data is not opened yet.
struct CheckpointInput {
  /// The checkpoint's file.
  let path: String
  let model: Checkpoint.Model
  /// What was given, with the checkpoint's size and fit of images.
  let settings: RunSettings
  let device: DeviceChoice

  /// Checks the options and reads the checkpoint.
  ///
  /// - Throws: `.usage`, `.deviceUnavailable`, `.missingInput`, `.badInput`, `.configuration`, in the order of what is
  ///   cheap to check.
  init<J: JobName>(_ options: EvaluationOptions<J>) throws {
    var settings = try options.settings.settings()
    if let part = settings.validation, options.part == .train {
      throw Failure(
        .usage, "--val \(part) and --split train contradict each other.",
        why: "a held-out part replaces the test set.", fix: "remove one of them.")
    }
    device = DeviceChoice(text: settings.device, threads: settings.threads)
    try device.check()
    do {
      path = try CheckpointPlace.file(at: options.checkpoint)
      model = try Checkpoint.model(of: SafetensorsFile.read(path))
    } catch {
      if Self.isCheckpoint(settings.data), Self.isOnlyData(options.checkpoint) {
        throw Failure(
          .usage, "the data is given before the checkpoint.",
          why:
            "'\(settings.data)' is a checkpoint, and '\(options.checkpoint)' is none; the order is CKPT DATA.",
          fix: "use: gpunoisy \(J.job.rawValue) \(settings.data) \(options.checkpoint)")
      }
      throw error
    }
    try settings.bringImages(to: model, fitIsGiven: options.settings.gives("fit"))
    self.settings = settings
  }

  /// Whether a path leads to a checkpoint, damaged or not.
  private static func isCheckpoint(_ path: String) -> Bool {
    guard let file = try? CheckpointPlace.file(at: path) else { return false }
    return file.hasSuffix(".safetensors") || (try? SafetensorsFile.read(file)) != nil
  }

  /// Whether something is there that is no checkpoint, neither by its name nor by what is in it.
  private static func isOnlyData(_ text: String) -> Bool {
    (Dataset.isName(text) || FileBytes.kind(of: text) != .missing) && !isCheckpoint(text)
  }
}

extension RunSettings {
  /// Brings images to what a checkpoint's network takes, in the way that its own were.
  ///
  /// - Parameter fitIsGiven: whether a way was asked for.
  /// - Throws: `.configuration` for another size or another way.
  mutating func bringImages(to model: Checkpoint.Model, fitIsGiven: Bool = false) throws {
    let own = (size: PixelSize(width: model.width, height: model.height), fit: model.fit ?? .stretch)
    func contradiction(_ what: String, _ why: String) -> Failure {
      Failure(
        .configuration, "\(what) contradicts the checkpoint.", why: why,
        fix: "remove it: the checkpoint's own is taken.")
    }
    if let imageSize, imageSize != own.size {
      throw contradiction(
        "--image-size \(imageSize.option)", "its network was trained on images of \(own.size.text) pixels.")
    }
    if fitIsGiven, fit != own.fit {
      throw contradiction(
        "--fit \(fit.rawValue)", "its images were brought to their size by --fit \(own.fit.rawValue).")
    }
    (imageSize, fit, followsFirstSchema) = (own.size, own.fit, model.fit == nil)
  }
}
