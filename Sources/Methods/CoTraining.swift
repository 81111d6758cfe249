import Compute
import Datasets
import Detection
import Failures
import FileFormats
import Sessions
import Statistics

/// Networks with a view of the images each, which label samples for one another, round by round.
///
/// In a round each network is trained anew, on its view of all samples that have a label so far. Then each looks at its view
/// of a pool of samples without a label, and of each class the samples that it is most confident of get that label, for both
/// networks and for good; the pool is filled up again. Where both networks choose a sample, the more confident one decides.
/// What is evaluated is the mean of both networks' logits, which ranks classes as the product of their probabilities does.
/// With one view it is self-training.
///
/// The epochs are shared out among the rounds, and each round has the schedule of learning rates as a whole.
/// - Source: Blum and Mitchell, "Combining labeled and unlabeled data with co-training", COLT 1998. Theirs are naive Bayes
///   classifiers of two classes, of which 1 positive and 3 negative pages join in each of 30 rounds, from a pool of 75;
///   that a network must predict the class itself, and what happens where both choose a sample, is our own.
final class CoTraining<D: Device>: Method {
  /// The networks of the round that was begun.
  private(set) var members: [TrainingSession<D>] = []
  let stages: [Stage]
  let figures: [Figure]
  let views: ImageViews
  /// Of each view, the images on the device.
  private let images: [(train: DeviceData<D>, test: DeviceData<D>?, heldOut: DeviceData<D>?)]
  private let setup: MethodSetup<D>, choice: MethodChoice
  /// The samples that begin without a label, in the order in which they get into the pool.
  private let unlabelled: [Int32]
  /// The labels [N] in force, and how many rounds have added to them.
  private var labels: [Int32], roundsDone = 0
  private var joined: [JoinedSample] = []
  private var current: Int?

  var answer: Answer { views == .whole ? .first : .sum }

  init(_ setup: MethodSetup<D>, _ choice: MethodChoice) throws {
    let views = try choice.views(), rounds = Int(choice["rounds"])
    (self.setup, self.choice, self.views) = (setup, choice, views)
    figures = JoinedSample.figures(of: views)
    stages = Self.stages(setup.stage, rounds: rounds)
    func part(_ data: DeviceData<D>, _ view: Int) throws -> DeviceData<D> {
      views == .whole
        ? data : try DeviceData(data.set.with(images: data.set.images.view(view, of: views)), on: data.device)
    }
    images = try (0..<views.count).map { view in
      (
        try part(setup.train, view), try setup.test.map { try part($0, view) },
        try setup.heldOut.map { try part($0, view) }
      )
    }
    (labels, unlabelled) = Self.start(setup.train.set, perClass: Int(choice["labels"]), setup)
    guard !unlabelled.isEmpty, labels.count(where: { $0 >= 0 }) >= 2 else {
      throw Failure(
        .configuration, "--method co-training has nothing to label, or nothing to begin with.",
        why: "\(labels.count { $0 >= 0 }) samples begin with a label, and \(unlabelled.count) without.",
        fix:
          "let some of each class keep their label, as in co-training:labels=5, or give --labels with -1 for the others."
      )
    }
  }

  /// The rounds, which share the epochs as evenly as whole ones can be.
  private static func stages(_ whole: Stage, rounds: Int) -> [Stage] {
    (0..<rounds).map { round in
      let epochs = whole.epochs * (round + 1) / rounds - whole.epochs * round / rounds
      var rate = whole.rate
      rate.milestones = rate.milestones.map { max(1, $0 * epochs / max(whole.epochs, 1)) }
      (rate.warmup, rate.epochs) = (rate.warmup * epochs / max(whole.epochs, 1), epochs)
      return Stage("round\(round + 1)", epochs: epochs, rate: rate, evaluation: .lastEpoch)
    }
  }

  /// The labels to begin with, and the samples without one in an order of their own; both are drawn by the seed.
  private static func start(
    _ set: LabelledSet, perClass: Int, _ setup: MethodSetup<D>
  ) -> (labels: [Int32], unlabelled: [Int32]) {
    let random = CounterRandom(seed: setup.session.seed)
    var labels = set.labels, without = Set(setup.unlabelled)
    if perClass > 0 {
      var left = [Int](repeating: perClass, count: setup.classes)
      for id in random.permutation(of: set.count, .trustedSample, 1) where labels[Int(id)] >= 0 {
        left[Int(labels[Int(id)])] -= 1
        guard left[Int(labels[Int(id)])] < 0 else { continue }
        labels[Int(id)] = LabelledSet.noLabel
        without.insert(id)
      }
    }
    let others = random.permutation(of: set.count, .trustedSample, 2).filter(without.contains)
    return (labels, others)
  }

  // MARK: - Rounds

  /// Makes the round's networks, once those before have given their memory back.
  func begin(stage: Int) throws {
    guard stage != current else { return }
    (members, current) = ([], stage)
    var known = labels
    // Where memory is counted, rounds are begun out of turn: as many samples as can be have a label.
    let most = (stage - roundsDone) * 2 * setup.classes * Int(choice["joins"])
    for id in unlabelled.prefix(max(most, 0)) { known[Int(id)] = 0 }
    members = try images.enumerated().map { view, data in
      var session = setup.session
      session.member = view
      let member: TrainingSession<D>
      do {
        member = try TrainingSession(
          session, train: data.train, labels: known, test: data.test, heldOut: data.heldOut, classes: setup.classes,
          normalization: setup.normalization)
      } catch let failure as Failure where failure.kind == .configuration && views != .whole {
        throw Failure(
          .configuration, "--method co-training:views=\(views.rawValue): \(failure.what)", why: failure.why,
          fix: "use another --model, or another --image-size.")
      }
      try member.prepare { step, _ in member.plainStep(&step) }
      return member
    }
  }

  func begin(_ epoch: EpochStart) throws -> [Int] {
    for member in members {
      try member.begin(
        epoch: epoch.epoch, step: epoch.step, learningRate: epoch.learningRate,
        recordsMargins: setup.recordsMargins(epoch.epoch))
    }
    return members[0].batchSizes
  }

  func step(_ step: Int) throws {
    for member in members { try member.run(step: step) }
  }

  func finish(_ epoch: EpochEnd) throws -> EpochOutcome {
    let given = setup.train.set.labels, truth = setup.train.set.trueLabels ?? given
    let known = joined.filter { truth[Int($0.id)] >= 0 }
    let right = known.count { truth[Int($0.id)] == $0.label }
    let accuracies: [Double?] =
      views == .whole ? [] : epoch.testAccuracies.isEmpty ? [nil, nil] : epoch.testAccuracies
    return EpochOutcome(
      figures: [Double(members[0].sampleIDs.count), known.isEmpty ? nil : Double(right) / Double(known.count)]
        + accuracies,
      scored: epoch.ids.filter { given[Int($0)] >= 0 })
  }

  /// The samples of the pool: the first that have no label yet.
  private var pool: [Int32] {
    let open = unlabelled.lazy.filter { self.labels[Int($0)] < 0 }, size = Int(choice["pool"])
    return size > 0 ? Array(open.prefix(size)) : Array(open)
  }

  /// Lets both networks choose from the pool; the last round's have nobody to choose for.
  func result() throws -> SafetensorsFile? {
    guard let current, current < stages.count - 1 else { return nil }
    // With one view as many join as with two.
    let pool = pool, count = Int(choice["joins"]) * (views == .whole ? 2 : 1)
    let chosen = try members.enumerated().map { view, member in
      JoinedSample.mostConfident(
        pool, probabilities: Softmax.rows(try member.trainingLogits(of: pool), classes: setup.classes), count: count,
        view: view)
    }
    let agreed = JoinedSample.agreed(chosen)
    take(agreed)
    return JoinedSample.file(agreed, of: stages[current].name)
  }

  private func take(_ samples: [JoinedSample]) {
    for sample in samples { labels[Int(sample.id)] = sample.label }
    joined += samples
    roundsDone += 1
  }

  /// Takes up the labels that a round has given.
  ///
  /// - Throws: `.badInput` for the file of another round, or of other data.
  func restore(stage: Int, from file: SafetensorsFile) throws {
    let samples = try JoinedSample.read(file, of: stages[stage].name), known = Set(unlabelled)
    guard
      samples.allSatisfy({ sample in
        known.contains(sample.id) && labels[Int(sample.id)] < 0 && (0..<Int32(setup.classes)).contains(sample.label)
      }), Set(samples.map(\.id)).count == samples.count
    else {
      throw Failure(
        .badInput, "'\(file.path)' does not belong to this run.",
        why: "it labels a sample that has a label, or is not there.",
        fix: "restore the file from a copy, or start a new run.")
    }
    take(samples)
  }
}

extension MethodChoice {
  /// The views of co-training.
  ///
  /// - Throws: `.usage` for others than there are.
  func views() throws(Failure) -> ImageViews {
    guard entry.textParameters.contains(where: { $0.name == "views" }) else { return .whole }
    guard let views = ImageViews(rawValue: text("views")) else {
      throw Failure.unknown(
        "view", text("views"), names: ImageViews.allCases.map(\.rawValue),
        fix: "write one of these after views=, as in co-training:views=halves.")
    }
    return views
  }
}
