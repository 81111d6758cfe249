import ArgumentParser
import ComputeCPU
import Datasets
import Failures
import Training

/// How data are opened: the same words as those of `train`, and read by the same `RunSettings`.
struct DataOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp("Where cifar10 and other names are looked for; default $GPUNOISY_DATA.", valueName: "folder"))
  var dataRoot: String?
  @Option(
    help: ArgumentHelp(
      "Size of pictures, such as 32 or 32x48; default that of the checkpoint or of most pictures.", valueName: "size"))
  var imageSize: String?
  @Option(
    help: ArgumentHelp(
      "Training labels in place of the data's own: .npy, or .csv with sample_id,label.", valueName: "file"))
  var labels: String?
  @Option(help: ArgumentHelp("The first N training samples only.", valueName: "n"))
  var limitTrain: String?
  @Option(help: ArgumentHelp("The first N test samples only.", valueName: "n"))
  var limitTest: String?
  @Option(help: ArgumentHelp("Pictures that cannot be read: fail (default), or skip.", valueName: "policy"))
  var onBadImage: String?
  @Option(help: ArgumentHelp("Seed of the built-in shapes, and of --val. Default 1.", valueName: "n"))
  var seed: String?

  /// The settings that these options and a data set's name or path make.
  ///
  /// - Throws: `.usage`.
  func settings(data: String) throws -> RunSettings {
    try RunSettings(
      data: data,
      [
        "data-root": dataRoot, "image-size": imageSize, "labels": labels, "limit-train": limitTrain,
        "limit-test": limitTest, "on-bad-image": onBadImage, "seed": seed,
      ])
  }
}

extension RunSettings {
  /// The defaults with a data set, and the options that were given, by the setting's name.
  ///
  /// - Throws: `.usage`.
  init(data: String, _ options: KeyValuePairs<String, String?>) throws {
    self.init()
    self.data = data
    for case let (name, text?) in options { try set(name, to: text) }
  }
}

extension Dataset {
  /// Opens the data set of these settings.
  ///
  /// Its labels are replaced first, then it is limited. Nothing is held out, and no noise is drawn.
  static func opened(by settings: RunSettings) throws -> Dataset {
    let options = DatasetOptions(
      dataRoot: settings.dataRoot, imageSize: settings.imageSize, onBadImage: settings.onBadImage, seed: settings.seed,
      threads: settings.threads ?? CPUDevice.availableThreads)
    var dataset = try Dataset.open(settings.data, options: options)
    if let path = settings.labels { dataset = try dataset.replacingLabels(listedIn: path) }
    return dataset.limited(train: settings.limitTrain, test: settings.limitTest)
  }
}

/// A part of a data set by its name.
enum SplitChoice: String, ExpressibleByArgument, CaseIterable {
  case train, test
}
