import Datasets
import Detection
import Failures
import FileFormats
import TestSupport
import Testing

@Suite("The networks of a detection")
struct DetectionStageTests {
  private static func set(_ labels: [Int32]) -> LabelledSet {
    LabelledSet(
      images: ImageSet(
        count: labels.count, height: 1, width: 1, channels: 1, pixels: [UInt8](repeating: 0, count: labels.count)),
      labels: labels)
  }

  @Test("are passes with their own threshold samples, then folds that hold out each sample once")
  func stages() throws {
    let labels = (0..<41).map { Int32($0 == 40 ? -1 : $0 % 4) }
    var settings = DetectionSettings()
    (settings.detector, settings.folds) = (.combined, 3)
    let stages = try DetectionStage.stages(settings, seed: 9, train: Self.set(labels), classes: 4)
    #expect(stages.map(\.name) == ["pass1", "pass2", "fold1", "fold2", "fold3"])
    #expect(Set(stages.map(\.seed)).count == 5 && stages[0].seed == 9)
    #expect(stages.map { $0.outputs(classes: 4) } == [5, 5, 4, 4, 4])
    #expect(stages[1].file == "stages/pass2.safetensors")
    var thresholds: [Int32] = [], heldOut: [Int32] = []
    for stage in stages {
      let own = stage.hasOwnLabel(labels), trained = stage.labels(labels, classes: 4)
      #expect(!own[40] && trained[40] == -1)
      switch stage.kind {
      case .pass(let ids):
        thresholds += ids
        #expect(ids.count == 10 && ids.allSatisfy { trained[Int($0)] == 4 && !own[Int($0)] })
      case .fold(let ids):
        heldOut += ids
        #expect(ids.allSatisfy { trained[Int($0)] == -1 && !own[Int($0)] })
      case .selection: Issue.record("no method was asked for")
      }
      #expect((0..<40).allSatisfy { !own[$0] || trained[$0] == labels[$0] })
    }
    #expect(Set(thresholds).count == 20 && heldOut.sorted() == Array(0..<40))
  }

  @Test("end with a method that selects samples, which sees all of them with their own labels")
  func selection() throws {
    let labels = (0..<41).map { Int32($0 == 40 ? -1 : $0 % 4) }
    func stages(_ detector: DetectionSettings.Detector) throws -> [DetectionStage] {
      var settings = DetectionSettings()
      (settings.detector, settings.folds) = (detector, 2)
      return try DetectionStage.stages(settings, seed: 9, train: Self.set(labels), classes: 4)
    }
    #expect(try stages(.divideMixAndMargins).map(\.name) == ["pass1", "pass2", "dividemix"])
    #expect(try stages(.coTeachingAndConfidentLearning).map(\.name) == ["fold1", "fold2", "co-teaching"])
    #expect(try stages(.divideMixAndFeatures).map(\.name) == ["dividemix"])
    let alone = try #require(stages(.coTeaching).first)
    #expect(alone.file == "stages/co-teaching.safetensors" && !alone.isPass && alone.seed != 9)
    #expect(alone.labels(labels, classes: 4) == labels && alone.hasOwnLabel(labels) == labels.map { $0 >= 0 })
    #expect(alone.outputs(classes: 4) == 4)
  }

  @Test("of a method leave suspicions and predictions of all samples, and no other network does")
  func filesOfSelection() throws {
    let stage = DetectionStage(name: "dividemix", kind: .selection, seed: 1)
    let empty = stage.emptyDynamics(samples: 3, classes: 2, margin: .logits)
    var result = DetectionStageResult(empty, probabilities: [0.25, 0.75, 1, 0, 0.5, 0.5])
    func read(_ result: DetectionStageResult) -> Result<DetectionStageResult, any Error> {
      Result { try .read(result.file(of: stage), of: stage, like: empty, epochs: 2) }
    }
    #expect(throws: Failure.self) { try read(result).get() }
    (result.suspicion, result.losses, result.threshold) = ([0, .nan, 0.75], [1, 2, 3], 0.5)
    let again = try read(result).get()
    #expect(again.suspicion?[2] == 0.75 && again.suspicion?[1].isNaN == true)
    #expect(again.losses == [1, 2, 3] && again.threshold == 0.5)
    result.losses?[1] = .nan
    #expect(throws: Failure.self) { try read(result).get() }
    result.losses = [1, 2, 3]
    #expect(again.probabilities == result.probabilities)
    result.suspicion = [0, .infinity, 0.75]
    #expect(throws: Failure.self) { try read(result).get() }
    (result.suspicion, result.probabilities) = ([0, 0, 0], [1, 0])
    #expect(throws: Failure.self) { try read(result).get() }
    let fold = DetectionStage(name: "fold1", kind: .fold(heldOut: [1]), seed: 1)
    #expect(throws: Failure.self) {
      try DetectionStageResult.read(result.file(of: fold), of: fold, like: empty, epochs: 2)
    }
  }

  @Test("of a method have their file refused where suspicions, losses or predictions cannot be")
  func impossibleSuspicions() throws {
    func kind(_ method: String, _ damage: (inout DetectionStageResult) -> Void = { _ in }) -> Failure.Kind? {
      let stage = DetectionStage(name: method, kind: .selection, seed: 1)
      let empty = stage.emptyDynamics(samples: 3, classes: 2, margin: .logits)
      var result = DetectionStageResult(empty, probabilities: [0.25, 0.75, 1, 0, 0.5, 0.5])
      // The second sample has no label.
      if method == "dividemix" {
        (result.suspicion, result.losses, result.threshold) = ([0, .nan, 0.75], [1, 2, 3], 0.5)
      } else {
        (result.suspicion, result.losses) = ([1, .nan, 3], [1, 0, 3])
      }
      damage(&result)
      do {
        let file = result.file(of: stage)
        _ = try DetectionStageResult.read(file, of: stage, like: empty, epochs: 2, labels: [0, -1, 1])
        return nil
      } catch { return (error as? Failure)?.kind }
    }
    for method in ["dividemix", "co-teaching"] {
      #expect(kind(method) == nil)
      for value in [1e308, -1e308, 5, -1, .infinity, .nan] {
        #expect(kind(method) { $0.suspicion?[2] = value } == .badInput, "\(method), suspicion \(value)")
      }
      for value in [1e308, -1e308, -0.1, 1.1, .nan] {
        #expect(kind(method) { $0.threshold = value } == .badInput, "\(method), threshold \(value)")
      }
      for value in [Float.nan, .infinity, -3] {
        #expect(kind(method) { $0.losses?[0] = value } == .badInput, "\(method), loss \(value)")
      }
      for row in [[0, 0], [1, 1], [0.5, 0.4]] {
        let found = kind(method) { $0.probabilities?.replaceSubrange(2..<4, with: row) }
        #expect(found == .badInput, "\(method), \(row)")
      }
    }
    // Losses of other kinds than cross entropy may be below 0; a sample that was never seen has none.
    #expect(kind("co-teaching") { ($0.suspicion, $0.losses) = ([-2, .nan, .nan], [-2, 0, 0]) } == nil)
    #expect(kind("dividemix") { $0.suspicion?[0] = .nan } == .badInput, "its label was judged")
  }

  @Test("are refused where there are too few samples")
  func refusals() {
    var settings = DetectionSettings()
    settings.thresholdSamples = 3
    func kind() -> Failure.Kind? {
      do {
        _ = try DetectionStage.stages(settings, seed: 1, train: Self.set([0, 1, 0, 1, 0]), classes: 2)
        return nil
      } catch { return (error as? Failure)?.kind }
    }
    #expect(kind() == .configuration)
    settings.passes = 1
    #expect(kind() == nil)
    (settings.detector, settings.folds) = (.confidentLearning, 3)
    #expect(kind() == .configuration)
  }

  /// A fold of three epochs that holds out samples 1 and 3 of five.
  private struct Fold {
    let stage = DetectionStage(name: "fold1", kind: .fold(heldOut: [1, 3]), seed: 1)
    let empty: SampleDynamics
    var result: DetectionStageResult

    init() {
      empty = stage.emptyDynamics(samples: 5, classes: 2, margin: .logits)
      result = DetectionStageResult(empty, probabilities: [0.25, 0.75, 1, 0])
      for epoch in 0..<3 {
        result.dynamics.beginEpoch()
        let isFinite = result.dynamics.add(
          logits: [1, 2, 0.5, -1, 3, 3.5], ids: [0, 2, 4] as [Int32], labels: [0, 1, 1, 0, 0], counts: epoch > 0)
        precondition(isFinite)
        result.sketch.add(result.dynamics.epochMargins, epoch: epoch + 1)
        result.marginHistory += result.dynamics.epochMargins
      }
    }
  }

  @Test("leave a file that reads back to the same numbers")
  func file() throws {
    let scratch = ScratchFolder(), fold = Fold(), path = scratch("fold1.safetensors")
    try fold.result.file(of: fold.stage).write(to: path)
    let read = try DetectionStageResult.read(SafetensorsFile.read(path), of: fold.stage, like: fold.empty, epochs: 3)
    // Samples that were not seen have no number, which is equal to nothing.
    func bits(_ values: [Float]) -> [UInt32] { values.map(\.bitPattern) }
    #expect(read.dynamics.marginSum == [-2, 0, -3, 0, -1] && read.dynamics.marginCount == [2, 0, 2, 0, 2])
    #expect(read.dynamics.lossSum == fold.result.dynamics.lossSum)
    #expect(read.dynamics.errorSum == fold.result.dynamics.errorSum)
    #expect(read.dynamics.probabilitySum == fold.result.dynamics.probabilitySum)
    #expect(read.dynamics.forgettings == fold.result.dynamics.forgettings)
    #expect(bits(read.dynamics.epochMargins) == bits(fold.result.dynamics.epochMargins))
    #expect(bits(read.marginHistory) == bits(fold.result.marginHistory) && read.marginHistory.count == 15)
    #expect(read.sketch.epochs == [1, 2, 3] && read.sketch.rows.map(bits) == fold.result.sketch.rows.map(bits))
    #expect(read.probabilities == [0.25, 0.75, 1, 0])
  }

  @Test("have their file refused where it is missing, damaged, or of another stage or other settings")
  func foreignFiles() throws {
    let scratch = ScratchFolder(), fold = Fold(), path = scratch("fold1.safetensors")
    func expect(
      _ kind: Failure.Kind, _ text: String, of stage: DetectionStage? = nil, epochs: Int = 3, samples: Int = 5,
      sourceLocation: SourceLocation = #_sourceLocation
    ) {
      let stage = stage ?? fold.stage, empty = stage.emptyDynamics(samples: samples, classes: 2, margin: .logits)
      do {
        _ = try DetectionStageResult.read(SafetensorsFile.read(path), of: stage, like: empty, epochs: epochs)
        Issue.record("the file was read", sourceLocation: sourceLocation)
      } catch {
        let failure = error as? Failure
        #expect(failure?.kind == kind && "\(error)".contains(text), "\(error)", sourceLocation: sourceLocation)
      }
    }
    expect(.missingInput, "does not exist")
    try fold.result.file(of: fold.stage).write(to: path)
    expect(.badInput, "it belongs to fold1, not to fold2", of: .init(name: "fold2", kind: fold.stage.kind, seed: 1))
    expect(
      .badInput, "trained on sample 2, which the settings hold out",
      of: .init(name: "fold1", kind: .fold(heldOut: [1, 2]), seed: 1))
    expect(.badInput, "[2, 2], not [1, 2]", of: .init(name: "fold1", kind: .fold(heldOut: [1]), seed: 1))
    expect(.badInput, "a pass predicts no samples", of: .init(name: "fold1", kind: .pass(thresholds: [1]), seed: 1))
    expect(.badInput, "it has margins of 3 epochs; the settings say 2", epochs: 2)
    expect(.badInput, "its shape is [5], but must be [6]", samples: 6)
    let bytes = try FileBytes.read(path)
    try FileBytes.write(Array(bytes.dropLast(9)), to: path)
    expect(.badInput, "is not a valid safetensors file")
    try FileBytes.write(bytes.dropLast() + [bytes[bytes.count - 1] ^ 1], to: path)
    expect(.badInput, "SHA-256")
  }

  @Test("have their file refused where it holds what no training gives")
  func impossibleFiles() throws {
    let fold = Fold()
    let damages: [(String, (inout SafetensorsFile) -> Void)] = [
      ("a number that is none", { $0["detect.margin_sum"] = .init([.nan, 0, 0, 0, 0] as [Double], shape: [5]) }),
      ("a sum without an end", { $0["detect.loss_sum"] = .init([1e300, 0, 0, 0, 0] as [Double], shape: [5]) }),
      (
        "a probability that is none",
        { $0["detect.probability_sum"] = .init([3e38] + [Float](repeating: 0, count: 9), shape: [5, 2]) }
      ),
      (
        "a prediction that is none",
        { $0["detect.probabilities"] = .init([1e300, 0, 0, 1] as [Double], shape: [2, 2]) }
      ),
      ("predictions without a sum", { $0["detect.probabilities"] = .init([0, 0, 0, 1] as [Double], shape: [2, 2]) }),
      ("an infinite margin", { $0["detect.epoch_margins"] = .init([.infinity, 0, 0, 0, 0] as [Float], shape: [5]) }),
      ("a truth that is none", { $0["detect.was_right"] = .init([2, 0, 0, 0, 0] as [UInt8], shape: [5]) }),
      ("a count below 0", { $0["detect.forgettings"] = .init([-1, 0, 0, 0, 0] as [Int32], shape: [5]) }),
      ("epochs in another order", { $0["detect.sketch_epochs"] = .init([3, 2, 1] as [Int64], shape: [3]) }),
      (
        "epochs that overflow",
        { $0["detect.sketch_epochs"] = .init([.min, .max, .max] as [Int64], shape: [3]) }
      ),
    ]
    for (name, damage) in damages {
      var file = fold.result.file(of: fold.stage)
      damage(&file)
      let failure = #expect(throws: Failure.self, "\(name)") {
        try DetectionStageResult.read(file, of: fold.stage, like: fold.empty, epochs: 3)
      }
      #expect(failure?.kind == .badInput, "\(name)")
    }
  }
}
