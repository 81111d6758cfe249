import Compute
import Datasets
import Detection
import Failures
import FileFormats
import Sessions

/// The networks of a detection, one after the other: passes in which threshold samples pose as an extra class, folds
/// whose held-out samples are predicted at the end, and those of a method that selects samples.
///
/// What training of passes and folds shows of every sample is summed up on the device by one row kernel in each step
/// (`RowKernel.dynamics`), and read once an epoch at most. The sums in double precision of `Detection.SampleDynamics`
/// are that kernel's oracle.
public final class DetectionMethod<D: Device>: Method {
  /// The networks of the stage that was begun: one, or those of a method.
  public private(set) var members: [TrainingSession<D>] = []
  /// A stage for each network.
  public let stages: [Stage]
  /// What each stage is.
  public let networks: [DetectionStage]
  /// What the stages found that are done.
  public private(set) var results: [DetectionStageResult] = []

  private let setup: MethodSetup<D>, settings: DetectionSettings, choice: MethodChoice?
  /// The training set in which only samples that count have a label.
  private let judged: LabelledSet
  private var current: Int?
  private var marginHistory: [Float] = [], sketch = MarginSketch()
  /// The method that selects samples, and what predicts all of them by each of its networks; nil in other stages.
  private var selection: (method: any Method<D>, evaluations: [EvaluationPlans<D>])?

  private typealias Name = RowKernel.Dynamics

  /// A detection's networks, none of which is prepared yet.
  ///
  /// - Parameters:
  ///   - choice: the method that selects samples; nil where the detector has none.
  ///   - judged: the training set in which only the samples to judge have a label.
  /// - Throws: `.configuration` where the data has too few samples for the passes or folds.
  public init(
    _ setup: MethodSetup<D>, _ settings: DetectionSettings, _ choice: MethodChoice? = nil, judged: LabelledSet
  ) throws {
    (self.setup, self.settings, self.choice, self.judged) = (setup, settings, choice, judged)
    networks = try DetectionStage.stages(settings, seed: setup.session.seed, train: judged, classes: setup.classes)
    let epochs = setup.stage.epochs
    stages = networks.map {
      Stage(
        $0.name, epochs: epochs, rate: setup.session.optimizer.learningRate(of: $0, epochs: epochs),
        evaluation: $0.isPass ? .lastEpoch : .never)
    }
  }

  /// Makes the stage's networks, once those before have given their memory back.
  public func begin(stage: Int) throws {
    guard stage != current else { return }
    // What the network before took is free before this one takes its own.
    (members, current, selection) = ([], stage, nil)
    (marginHistory, sketch) = ([], MarginSketch())
    if networks[stage].kind == .selection { return try beginSelection(stage) }
    let network = networks[stage], classes = setup.classes, outputs = network.outputs(classes: classes)
    var session = setup.session
    session.seed = network.seed
    session.columns =
      [Name.lossSum, Name.lossLost, Name.errorSum, Name.errorLost].map { Column($0, start: .float(0)) }
      + [
        Column(
          Name.probabilitySum, start: .float(0), width: classes,
          range: 0...1.001 * Double(max(setup.stage.epochs, 1))),
        Column(Name.forgettings, start: .integer(0), range: 0...Double(max(setup.stage.epochs, 1))),
        Column(Name.wasRight, start: .integer(0), range: 0...1), Column(Name.epochMargin, start: .float(.nan)),
      ]
    var test = setup.test, evaluated: [Int32]?
    if case .fold(let heldOut) = network.kind { (test, evaluated) = (setup.train, heldOut) }
    let member = try TrainingSession(
      session, train: setup.train, labels: network.labels(setup.train.set.labels, classes: classes), test: test,
      evaluated: evaluated, classes: outputs, weights: setup.weights, normalization: setup.normalization)
    try member.prepare { step, _ in
      step.images(session.augmentation)
      step.forward(.batch)
      step.loss(session.loss.function)
      let scratch = step.scratch()
      step.rows(
        .dynamics(
          step.program.logits, scratch: scratch, K: outputs, classes: classes, softmax: settings.margin == .softmax))
      if setup.weights != nil { step.scaleRows(by: .sampleWeights) }
      step.backward()
      member.update(&step)
    }
    members = [member]
  }

  /// Makes the method that selects samples, which is not tested: it answers for the samples it is trained on.
  private func beginSelection(_ stage: Int) throws {
    guard let choice else { preconditionFailure("the detector has a method") }
    var session = setup.session
    session.seed = networks[stage].seed
    let method = try choice.make(
      MethodSetup(
        session: session, train: setup.train, test: nil, heldOut: nil, classes: setup.classes, weights: setup.weights,
        normalization: setup.normalization, transition: nil, recordsMargins: false, stage: stages[stage]))
    members = method.members
    selection = (method, try members.map { try $0.trainingEvaluation() })
  }

  /// That of the method that selects samples, or of the network.
  public var stepLimit: Int { selection?.method.stepLimit ?? members[0].batchSizes.count }
  /// Behind the plain epochs of a method that selects samples, where it is alone.
  public var firstEvenEpoch: Int { stages.count == 1 ? selection?.method.firstEvenEpoch ?? 0 : 0 }

  /// Forgets the margins of the epoch before; the first epoch does not count.
  public func begin(_ epoch: EpochStart) throws -> [Int] {
    if let selection { return try selection.method.begin(epoch) }
    let member = members[0]
    if epoch.step == 0 { try member.fill(Name.epochMargin, with: .nan) }
    // The first epoch does not count: it shows random weights (Pleiss et al.).
    try member.begin(
      epoch: epoch.epoch, step: epoch.step, learningRate: epoch.learningRate, recordsMargins: false,
      countsDynamics: epoch.epoch > 0)
    return member.batchSizes
  }

  /// A step of the method that selects samples, or of the network.
  public func step(_ step: Int) throws {
    if let selection { try selection.method.step(step) } else { try members[0].run(step: step) }
  }

  /// Of the method that selects samples, or of the network.
  public func isFinite(afterStep step: Int) throws -> Bool {
    try selection?.method.isFinite(afterStep: step) ?? members[0].isFinite(afterStep: step)
  }

  /// Keeps the epoch's margins where they are wanted; scores leave out samples that pose as an extra class.
  public func finish(_ epoch: EpochEnd) throws -> EpochOutcome {
    if let selection {
      _ = try selection.method.finish(epoch)
      return EpochOutcome()
    }
    if settings.keepMargins || settings.report {
      let margins = try members[0].floats(Name.epochMargin)
      if settings.keepMargins { marginHistory += margins }
      if settings.report { sketch.add(margins, epoch: epoch.epoch + 1) }
    }
    // Samples that pose as an extra class say nothing of how well the data is learned.
    let own = networks[current ?? 0].hasOwnLabel(judged.labels)
    return EpochOutcome(scored: epoch.ids.filter { own[Int($0)] })
  }

  /// What the network found, as the file of its stage.
  ///
  /// - Throws: `.numerical` where a sum or a prediction is not finite.
  public func result() throws -> SafetensorsFile? {
    guard let current else { return nil }
    let network = networks[current], member = members[0]
    if let selection { return try result(of: selection.method, selection.evaluations).file(of: network) }
    var result = DetectionStageResult(try dynamics(network, member))
    (result.marginHistory, result.sketch) = (marginHistory, sketch)
    if case .fold = network.kind {
      guard let logits = try member.testLogits(), logits.allSatisfy(\.isFinite) else {
        throw Failure.diverged("\(network.name) predicts numbers that are not finite")
      }
      result.probabilities = Softmax.rows(logits, classes: setup.classes)
    }
    results.append(result)
    return result.file(of: network)
  }

  /// What a method that selects samples found: its suspicion, and what its networks predict together.
  private func result(
    of method: any Method<D>, _ evaluations: [EvaluationPlans<D>]
  ) throws -> DetectionStageResult {
    var result = DetectionStageResult(empty(networks[current ?? 0]))
    let logits = try EvaluationPlans.logits(ofMean: evaluations, on: members[0].device)
    guard let suspicion = try method.suspicion(), logits.allSatisfy(\.isFinite),
      !suspicion.contains(where: \.isInfinite)
    else { throw Failure.diverged("\(networks[current ?? 0].name) finds or predicts numbers that are not finite") }
    result.suspicion = suspicion
    if choice?.entry.name == SelectionMethod.divideMix.rawValue { result.threshold = 1 - (choice?["threshold"] ?? 0.5) }
    let losses = try members.map { try $0.sampleResults().losses }
    result.losses = losses[0].indices.map { id in losses.reduce(0) { $0 + $1[id] } / Float(losses.count) }
    result.probabilities = Softmax.rows(logits, classes: setup.classes)
    results.append(result)
    return result
  }

  private func empty(_ network: DetectionStage) -> SampleDynamics {
    network.emptyDynamics(samples: judged.count, classes: setup.classes, margin: settings.margin)
  }

  /// The columns as sums in double precision.
  private func dynamics(_ network: DetectionStage, _ member: TrainingSession<D>) throws -> SampleDynamics {
    var found = empty(network)
    func sums(_ name: String, lost: String) throws -> [Double] {
      zip(try member.floats(name), try member.floats(lost)).map { Double($0) - Double($1) }
    }
    (found.marginSum, found.marginCount) = try member.marginSums()
    found.lossSum = try sums(Name.lossSum, lost: Name.lossLost)
    found.errorSum = try sums(Name.errorSum, lost: Name.errorLost)
    found.probabilitySum = try member.floats(Name.probabilitySum)
    found.forgettings = try member.integers(Name.forgettings)
    found.wasRight = try member.integers(Name.wasRight).map { UInt8(truncatingIfNeeded: $0) }
    found.epochMargins = try member.floats(Name.epochMargin)
    guard (found.marginSum + found.lossSum + found.errorSum).allSatisfy(\.isFinite) else {
      throw Failure.diverged("a margin of \(network.name) is not finite")
    }
    return found
  }

  /// Takes up the file of a stage that is done.
  ///
  /// - Throws: `.badInput` for the file of another stage, other data or other settings.
  public func restore(stage: Int, from file: SafetensorsFile) throws {
    precondition(stage == results.count, "stages are done one after the other")
    let network = networks[stage]
    results.append(
      try .read(file, of: network, like: empty(network), epochs: setup.stage.epochs, labels: judged.labels))
  }

  /// Adds the kept margins to a checkpoint, or what the method that selects samples keeps.
  public func store(in file: inout SafetensorsFile) throws {
    if let selection { return try selection.method.store(in: &file) }
    file["detect.margins"] = .init(marginHistory, shape: [marginHistory.count / max(judged.count, 1), judged.count])
    sketch.store(in: &file, samples: judged.count)
  }

  /// Reads what `store` added.
  ///
  /// - Throws: `.badInput`.
  public func restore(from file: SafetensorsFile) throws {
    if let selection { return try selection.method.restore(from: file) }
    let epochs = file["detect.margins"]?.shape.first ?? 0
    marginHistory = try file.floats("detect.margins", shape: [epochs, judged.count])
    guard !marginHistory.contains(where: \.isInfinite) else {
      throw Failure.damagedCheckpoint(file.path, why: "a margin in detect.margins is infinite.")
    }
    sketch = try MarginSketch(from: file, samples: judged.count)
  }
}
