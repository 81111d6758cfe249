import ArgumentParser
import Datasets
import Failures
import FileFormats
import Reports
import Training

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
  /// The data set as it was named.
  let data: String
  let device: DeviceChoice
  /// The part that was drawn, as `--val 0.1 --seed 7`, if that is what the samples are; nil for a test set.
  let heldOut: String?
  /// Whether the run of the checkpoint is known to have held that part out.
  let isOfRun: Bool
  /// What was changed to fit the network, and what is not known of its run, as sentences.
  let notes: [String]

  /// Opens the data.
  ///
  /// - Throws: `.missingInput`, `.badInput`, `.configuration`.
  init<J: JobName>(_ options: EvaluationOptions<J>, _ given: CheckpointInput) throws {
    var settings = given.settings
    let isGiven = options.settings.gives, split = options.part
    (checkpoint, model, device) = (given.path, given.model, given.device)
    let run = CheckpointRun(of: checkpoint)
    // What contradicts the run is told before anything is read.
    if let own = run?.settings(at: settings) {
      if split == .test {
        try Self.takeSplit(of: own, into: &settings, isGiven)
      } else if own.drawsData, !isGiven("seed") {
        settings.seed = own.seed
      }
    }
    let dataset = try Dataset.opened(by: settings)
    self.dataset = dataset
    (data, self.split) = (settings.data, split)
    // Where a run has both, the test set is what it is measured on.
    let isTestSet = dataset.test != nil && !isGiven("val")
    let isWhole = settings.labels == nil && settings.limitTrain == nil && settings.limitTest == nil
    var found: RunData?, notes: [String] = []
    switch try run?.relation(to: settings, isWhole ? dataset : nil, isProven: split == .test && !isTestSet) {
    case .own(let own, let data)?:
      if split == .test { try Self.takeSplit(of: own, into: &settings, isGiven) }
      found = data
    case .other(let why)?:
      if isGiven("val"), let part = given.settings.validation { throw Self.unknownPart(part, run, why) }
      settings.validation = nil
      notes.append(run?.note(why) ?? why)
    case nil: break
    }

    var chosen: LabelledSet
    if let part = settings.validation, !isTestSet {
      heldOut = "--val \(part) --seed \(settings.seed)"
      isOfRun = found != nil
      // What a run held out is told by the seed and by the samples that there were, with the labels that these had.
      let rest = try found?.dataset ?? dataset.holdingOut(part, seed: settings.seed)
      chosen = rest.heldOut ?? dataset.train
      ids = rest.heldOutIDs.map { Int($0) }
      if isGiven("labels") { chosen.labels = ids.map { dataset.train.labels[$0] } }
      if !isOfRun {
        notes.append(
          "'\(checkpoint)' is not in a run folder: whether it was trained on the samples of \(heldOut ?? "") is not known"
        )
      }
    } else {
      (heldOut, isOfRun) = (nil, false)
      guard let part = split == .train ? dataset.train : dataset.test else {
        throw Failure(
          .badInput, "'\(settings.data)' has no test set.",
          why: "it is \(dataset.source), with training samples only" + (notes.first.map { "; \($0)." } ?? "."),
          fix: "use --split train" + (run == nil ? ", or --val with the part that was held out in training" : "")
            + (J.job == .predict ? "; --out FILE.csv predicts all of its images, whatever their labels." : "."))
      }
      chosen = part
      ids = Array(0..<part.count)
    }
    let unreadable = chosen.unreadable
    isReadable = (0..<chosen.count).map { !unreadable.contains($0) }
    chosen.labels = try Self.labels(chosen.labels, of: dataset, as: model)
    let channels = chosen.images.channels
    let conversion: String? =
      channels == model.channels
      ? nil
      : channels == 1
        ? "the images are grey; the network takes colour: each has three equal channels"
        : "the images are in colour; the network takes grey: each is converted"
    self.notes = notes + [conversion].compactMap { $0 } + dataset.notes
    samples = chosen.converted(channels: model.channels)
  }

  /// The failure for a part to hold out of data that is not known to be the run's.
  private static func unknownPart(_ part: HeldOutPart, _ run: CheckpointRun?, _ why: String) -> Failure {
    Failure(
      .configuration, "--val \(part) cannot be used with a checkpoint of the run in '\(run?.folder ?? "")'.",
      why: "\(why), so that it may have been trained on these samples.",
      fix: "give the data of that run, or measure all samples with --split train.")
  }

  /// Measures what the run held out: another part would be one that it was trained on.
  ///
  /// - Throws: `.configuration` for a part or a seed that contradicts the run.
  private static func takeSplit(
    of run: RunSettings, into settings: inout RunSettings, _ isGiven: (String) -> Bool
  ) throws {
    func contradiction(_ what: String, _ own: String) -> Failure {
      Failure(
        .configuration, "\(what) contradicts the run.",
        why: "in training \(own), so that other samples are ones that it was trained on.",
        fix: "leave --val, --seed and --limit-train out: the run's own are taken.")
    }
    let own = run.validation.map { "--val \($0) --seed \(run.seed) held out a part" } ?? "nothing was held out"
    if isGiven("val"), settings.validation != run.validation {
      throw contradiction("--val \(settings.validation.map { "\($0)" } ?? "none")", own)
    }
    if isGiven("seed"), settings.seed != run.seed, run.validation != nil || run.drawsData {
      throw contradiction("--seed \(settings.seed)", "the seed was \(run.seed)")
    }
    if isGiven("limit-train"), settings.limitTrain != run.limitTrain, run.validation != nil {
      throw contradiction(
        "--limit-train \(settings.limitTrain.map { "\($0)" } ?? "none")",
        run.limitTrain.map { "the first \($0) samples were taken" } ?? "all samples were taken")
    }
    settings.seed = run.seed
    settings.validation = run.validation
  }

  /// The name of a sample: its path, or `shapes/test/42` where the layout has no files.
  func name(_ index: Int) -> String {
    samples.paths.isEmpty
      ? "\(dataset.name)/\(heldOut == nil ? split.rawValue : "train")/\(ids[index])" : samples.paths[index]
  }

  /// `shapes test: 2000 samples`, for people.
  var phrase: String {
    let unread = isReadable.count { !$0 }
    let part = heldOut.map { isOfRun ? "held out in training by \($0)" : "drawn by \($0)" } ?? split.rawValue
    return "\(dataset.name) \(part): \(samples.count) samples"
      + (unread > 0 ? ", \(unread) of which cannot be read" : "")
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
