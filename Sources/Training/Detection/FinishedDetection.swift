import Datasets
import Detection
import Failures
import FileFormats
import Reports

/// A detection whose networks are all trained: what its tables, detect.json and its page are functions of.
///
/// No device is needed to make one: `read` takes what a run left in its folder.
public struct FinishedDetection: Sendable {
  /// The settings of the run.
  public let settings: RunSettings
  /// The data that was looked at.
  public let data: RunData
  /// The networks in their order, and what each of them left.
  public let stages: [DetectionStage], results: [DetectionStageResult]
  /// The epochs of all networks, one after the other.
  public let history: RunHistory
  /// What run.json says; nil for a detection that is not written down.
  public let record: RunRecord?
  /// The run's folder, as it was named.
  public let folder: String
  /// The images of other parts that are in the training part, too, or nearly so: by part and id.
  public let overlaps: [PartOverlap]
  /// The verdict on every sample.
  public let result: DetectionResult
  /// The verdicts, counted.
  public let tables: DetectionTables

  /// Judges the samples by what each of the stages left.
  ///
  /// - Parameter equal: `RunData.equalImages`, which takes time to find.
  public init(
    settings: RunSettings, data: RunData, equal: EqualImages, stages: [DetectionStage],
    results: [DetectionStageResult], features: FeatureFindings? = nil, probabilities: [Double]? = nil,
    history: RunHistory, record: RunRecord?, folder: String
  ) {
    (self.settings, self.data, self.stages, self.results) = (settings, data, stages, results)
    (self.history, self.record, self.folder) = (history, record, folder)
    let classes = data.dataset.classCount
    result = DetectionResult(
      settings.detection, data.judged, classes: classes, stages: stages, results: results, features: features,
      probabilities: probabilities, duplicates: equal.groups, reviewed: data.reviewed)
    overlaps = Self.overlaps(equal, features, data)
    tables = DetectionTables(result, classCount: classes)
  }

  /// Reads what a finished run left: run.json, metrics.csv, per_class.csv and the file of each stage.
  ///
  /// Nothing is written, locked or trained.
  ///
  /// - Parameters:
  ///   - settings: those of the run's config.toml.
  ///   - data: the data of these settings; nil opens it.
  /// - Throws: `.configuration` for a run that is not finished; `.missingInput` for a file that is not there;
  ///   `.badInput` for one that is damaged or of other settings, and for data that has changed; what opening the data
  ///   throws.
  public static func read(
    folder: String, settings: RunSettings, data: RunData? = nil
  ) throws -> FinishedDetection {
    let record = try RunRecord.read(folder: folder)
    guard record.status == .finished else {
      throw Failure(
        .configuration, "the detection in '\(folder)' is not finished.", why: "its result is not known yet.",
        fix: "finish it: gpunoisy detect --resume \(TerminalText.argument(folder))")
    }
    if let seed = record.seeds["seed"], seed != settings.seed {
      throw Failure(
        .badInput, "'\(folder)/config.toml' does not belong to this detection.",
        why: "its seed is \(settings.seed), but run.json says \(seed).", fix: "restore the file from a copy.")
    }
    let data = try data ?? RunData(settings.takingVerdicts(keptIn: folder)), dataset = data.dataset
    try record.require(
      data, of: folder, fix: "restore the data, say where it is with --data, or repeat the detection.")
    let detection = settings.detection
    let stages = try DetectionStage.stages(
      detection, seed: settings.seed, train: data.fitted, classes: dataset.classCount)
    let results = try stages.map { stage in
      let empty = stage.emptyDynamics(
        samples: dataset.train.count, classes: dataset.classCount, margin: detection.margin)
      return try restoring(folder) {
        try DetectionStageResult.read(
          SafetensorsFile.read(folder + "/" + stage.file), of: stage, like: empty, epochs: settings.epochs,
          labels: data.fitted.labels)
      }
    }
    let features =
      try detection.detector.usesFeatures
      ? restoring(folder) { try readFeatures(folder: folder, data) } : nil
    let probabilities =
      detection.predictedProbabilities == nil ? nil : try restoring(folder) { try readProbabilities(folder, data) }
    let epochs = stages.count * settings.epochs
    // Nothing was trained where features judge alone.
    let history =
      stages.isEmpty
      ? RunHistory() : try restoring(folder) { try RunHistory.read(folder: folder, epochCount: epochs) }
    guard history.epochs.count == epochs else {
      throw Failure(
        .badInput, "'\(folder)/metrics.csv' is not complete.",
        why: "it has \(history.epochs.count) epochs; \(stages.count) networks of \(settings.epochs) make \(epochs).",
        fix: again(folder))
    }
    guard history.epochs.allSatisfy({ [0, dataset.classCount].contains($0.perClass.count) }) else {
      throw Failure(
        .badInput, "'\(folder)/per_class.csv' is not complete.",
        why: "an epoch does not have a row for each of \(dataset.classCount) classes.", fix: again(folder))
    }
    return FinishedDetection(
      settings: settings, data: data, equal: data.equalImages, stages: stages, results: results, features: features,
      probabilities: probabilities, history: history,
      record: record, folder: folder)
  }

  /// What features said, as the run's folder has it; nil where it does not have it yet.
  ///
  /// - Throws: `.badInput` for a file that is damaged, or of other data.
  public static func features(folder: String, _ data: RunData) throws -> FeatureFindings? {
    let path = folder + "/" + DetectionStage.file(named: FeatureFindings.stage)
    guard FileBytes.kind(of: path) == .file else { return nil }
    return try FeatureFindings(SafetensorsFile.read(path), of: data.fitted, classCount: data.dataset.classCount)
  }

  /// The probabilities that somebody gave, as the run's folder has them: of the samples with a label, in their order.
  private static func readProbabilities(_ folder: String, _ data: RunData) throws -> [Double] {
    let path = folder + "/pred_probs.npy", array = try NumPyArray(decoding: FileBytes.read(path), name: path)
    guard array.shape == [data.fitted.labelledIDs.count, data.dataset.classCount], let values = array.doubles,
      values.allSatisfy((0...1.001).contains)
    else {
      throw Failure(
        .badInput, "'\(path)' does not fit the data.", why: "its shape is \(array.shape).", fix: again(folder))
    }
    return values
  }

  /// The probabilities of the samples with a label that the settings name; nil where they name none.
  ///
  /// - Throws: `.missingInput`; `.badInput` for a file that does not fit the data.
  public static func probabilities(_ settings: RunSettings, _ data: RunData) throws -> [Double]? {
    try settings.detection.predictedProbabilities.map { path in
      try SampleArrayFile(path, of: "probabilities", for: data.dataset).probabilities(
        data.fitted.labelledIDs.map { Int($0) }, classes: data.dataset.classCount)
    }
  }

  private static func readFeatures(folder: String, _ data: RunData) throws -> FeatureFindings {
    if let found = try features(folder: folder, data) { return found }
    throw Failure(
      .missingInput, "'\(folder)' has no \(DetectionStage.file(named: FeatureFindings.stage)).",
      why: "it is where a detection by features keeps its result.", fix: again(folder))
  }

  /// Reads a file of the run; says what to do where that fails for the file's sake.
  private static func restoring<Value>(_ folder: String, _ read: () throws -> Value) throws -> Value {
    do {
      return try read()
    } catch let failure as Failure where [.missingInput, .badInput].contains(failure.kind) {
      throw Failure(failure.kind, failure.what, why: failure.why, fix: again(folder))
    }
  }

  private static func again(_ folder: String) -> String {
    "restore the file from a copy, or repeat the detection: gpunoisy detect --config "
      + TerminalText.argument(folder + "/config.toml")
  }

  /// The hash by which the data is known again.
  public var fingerprint: String { record?.data?.fingerprint ?? data.fingerprint }

  /// The test accuracy after an epoch, counted from 1 over all networks; nil where none was measured.
  public func testAccuracy(epoch: Int) -> Double? { history.epochs.first { $0.epoch == epoch }?.testAccuracy }

  /// The test accuracy of each class [K] when it was last measured; nil where it never was.
  public var classAccuracies: [Double?]? {
    history.epochs.last { !$0.perClass.isEmpty }?.perClass.map(\.accuracy)
  }

  /// One of these; nil also where the table has no row for the class.
  func accuracy(ofClass label: Int) -> Double? {
    classAccuracies.flatMap { $0.indices.contains(label) ? $0[label] : nil }
  }
}
