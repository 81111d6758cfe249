import Compute
import Networks

/// A step whose launches are compared with what they were.
struct LoweredStep: Sendable {
  enum Content: Sendable {
    /// A step of a network.
    case program(@Sendable () throws -> StepProgram)
    /// Every operation of the self-test.
    case cases
    /// What `bench` measures a device with.
    case probes
  }

  let name: String
  let content: Content
  /// Whether the family's choices of launches are tried, too.
  var isTuned = false

  private struct Image: Sendable {
    let batch: Int, height: Int, width: Int, channels: Int
    var name: String { "\(batch)×\(height)×\(width)×\(channels)" }
    static let usual = Image(batch: 128, height: 32, width: 32, channels: 3)
    static let odd = Image(batch: 7, height: 36, width: 44, channels: 1)
  }

  private typealias Write = @Sendable (inout StepBuilder) -> Void

  private static func graph(_ network: String, _ image: Image, classes: Int) throws -> Graph {
    try Network(network).graph(
      batch: image.batch, height: image.height, width: image.width, channels: image.channels, classes: classes)
  }

  private static func step(
    _ network: String, _ name: String, _ image: Image = .usual, classes: Int = 10,
    forms: Set<FusedForm> = Set(FusedForm.allCases), isTuned: Bool = false, writing write: @escaping Write
  ) -> LoweredStep {
    LoweredStep(
      name: "\(network), \(name), \(image.name)",
      content: .program {
        var step = StepBuilder(try graph(network, image, classes: classes), forms: forms)
        write(&step)
        return step.program
      }, isTuned: isTuned)
  }

  private static let cropped = Augmentation(crop: 4, flip: true)

  private static func plain(
    _ loss: String = "loss_ce_rows", _ inputs: RowFunction.Inputs = .row, peer: Bool = false, weighted: Bool = false,
    clip: Bool = false, _ optimizer: FlatKernel = .sgd
  ) -> Write {
    { step in
      step.gradients(cropped, RowFunction(kernel: loss, inputs: inputs), peer: peer, weighted: weighted)
      step.update(optimizer, clip: clip)
    }
  }

  private static let evaluation: Write = { step in
    step.images(Augmentation(crop: 0, flip: false))
    step.forward(.running)
    step.evaluate()
  }

  private static func steps(of network: String) -> [LoweredStep] {
    var steps = [
      step(network, "training", isTuned: true, writing: plain()), step(network, "training", .odd, writing: plain()),
      step(network, "peer", writing: plain(peer: true)), step(network, "weighted", writing: plain(weighted: true)),
      step(network, "clipped", writing: plain(clip: true)),
    ]
    for image in [Image.usual, .odd] {
      // Without dropout, which the step builder does not know of.
      steps.append(
        LoweredStep(
          name: "\(network), evaluation, \(image.name)",
          content: .program {
            .evaluation(try graph(network, image, classes: 10), forms: Set(FusedForm.allCases))
          }))
    }
    return steps
  }

  /// What methods and losses add to a step, on one network.
  private static let others: [LoweredStep] = {
    let network = "resnet20"
    return [
      step(network, "layers apart", forms: [], writing: plain()),
      step(network, "adam", writing: plain(clip: true, .adam)),
      step(network, "adam, not clipped", writing: plain(clip: false, .adam)),
      step(network, "sum of losses", writing: plain("loss_sum_rows", peer: true)),
      step(network, "forward correction", classes: 100, writing: plain("loss_forward_rows", .transition)),
      step(network, "determinant", writing: plain("loss_dmi_rows", .determinant)),
      step(network, "running statistics", writing: evaluation),
      step(network, "dynamics", classes: 11) { step in
        step.gradients(cropped, RowFunction(kernel: "loss_ce_rows"), peer: false, weighted: false)
        let scratch = step.scratch()
        step.rows(.dynamics(step.program.logits, scratch: scratch, K: 11, classes: 10, softmax: true))
        step.update(.sgd, clip: false)
      },
      step(network, "small losses, cut") { step in
        step.images(cropped)
        step.forward(.batch)
        step.loss(RowFunction(kernel: "loss_ce_rows"))
        step.rows(.smallest(of: .sampleLoss, into: .column("kept"), slot: 0))
        step.cut()
        step.scaleRows(by: .column("kept"))
        step.backward()
        step.update(.sgd, clip: false)
      },
      step(network, "small losses behind the first rows") { step in
        step.gradients(cropped, RowFunction(kernel: "loss_ce_rows"), peer: false, weighted: false)
        step.rows(.smallestAfter(of: .column("judged"), into: .column("kept"), slot: 2))
        step.update(.sgd, clip: false)
      },
      step(network, "triplets") { step in
        step.images(cropped)
        step.forward(.batch)
        guard let features = step.features else { return }
        let pair = (step.rowNumbers(), step.rowNumbers()), dfeatures = step.featureGradient()
        step.rows(
          .triplet(
            features, farthest: pair.0, nearest: pair.1, chosen: .column("kept"), D: 64, slot: 4))
        step.rows(
          .tripletBackward(
            features, farthest: pair.0, nearest: pair.1, dfeatures: dfeatures, chosen: .column("kept"), D: 64))
        step.backward(features: dfeatures)
        step.update(.sgd, clip: false)
      },
      step(network, "streak") { step in
        step.gradients(cropped, RowFunction(kernel: "loss_ce_rows"), peer: false, weighted: true)
        let scratch = step.scratch()
        step.rows(
          .streak(
            step.program.logits, scratch: scratch, K: 10, streak: .column("streak"), weight: .column("weight")))
        step.update(.sgd, clip: false)
      },
      step(
        network, "pull",
        writing: { step in
          step.gradients(cropped, RowFunction(kernel: "loss_ce_rows"), peer: false, weighted: false)
          step.flat(.pull(slot: 0))
          step.update(.sgd, clip: true)
        }),
      step(network, "virtual step") { step in
        step.images(cropped)
        step.forward(.batch)
        step.loss(RowFunction(kernel: "loss_gce_rows"))
        step.backward()
        step.flat(.step(to: .stepped, isUnit: false))
        step.flat(.step(from: .anchor, to: .parameters, isUnit: true))
      },
      step(network, "offsets") { step in
        step.images(cropped)
        step.forward(.batch)
        let shifted = step.scratch(), logits = step.program.logits
        step.rows(.shift(logits, by: .column("offset"), into: shifted, K: 10))
        let dlogits = step.loss(RowFunction(kernel: "loss_ce_rows"), of: shifted)
        step.rows(.offset(logits, dlogits: dlogits, offset: .column("offset"), K: 10))
        step.backward()
        step.update(.sgd, clip: false)
      },
      step(network, "early learning") { step in
        step.images(cropped)
        step.forward(.batch)
        let dlogits = step.loss(RowFunction(kernel: "loss_ce_rows")), scratch = step.scratch()
        step.rows(
          .earlyLearning(
            step.program.logits, scratch: scratch, dlogits: dlogits, target: .column("target"), K: 10))
        step.backward()
        step.update(.sgd, clip: false)
      },
      LoweredStep(
        name: "\(network), confidence, \(Image.usual.name)",
        content: .program {
          let two = try graph(network, .usual, classes: 10).withIndicator() ?? graph(network, .usual, classes: 10)
          var step = StepBuilder(two, forms: Set(FusedForm.allCases))
          step.images(cropped)
          step.forward(.batch)
          let dlogits = step.loss(RowFunction(kernel: "loss_ce_rows")), scratch = step.scratch()
          let dindicator = step.rowNumbers(), program = step.program
          step.rows(
            .confidence(
              logits: (program.logits, dlogits), indicator: (program.indicator ?? program.logits, dindicator),
              scratch: scratch, target: .column("target"), confidence: .column("confidence"), K: 10))
          step.backward(dindicator: dindicator)
          step.update(.sgd, clip: false)
          return step.program
        }),
      step(network, "consistency") { step in
        step.images(cropped)
        step.forward(.batch)
        let dlogits = step.loss(RowFunction(kernel: "loss_ce_rows")), scratch = step.scratch()
        step.rows(
          .consistency(
            step.program.logits, with: .column("guesses"), scratch: scratch, dlogits: dlogits, weight: .column("kept"),
            K: 10))
        step.backward()
        step.update(.sgd, clip: false)
        step.flat(.average(slot: 2))
      },
      step(network, "mean teacher") { step in
        step.images(cropped)
        step.forward(.batch)
        step.rows(.ensemble(step.program.logits, into: .column("guesses"), ensemble: .column("ensemble"), K: 10))
        step.advance()
      },
      step(network, "distilled") { step in
        step.images(cropped)
        step.forward(.batch)
        step.keep(step.program.logits, in: .logits(0))
        step.cut()
        let dlogits = step.loss(RowFunction(kernel: "loss_ce_rows")), scratch = step.scratch()
        step.rows(
          .distil(step.program.logits, from: .logits(1), scratch: scratch, dlogits: dlogits, K: 10))
        step.backward()
        step.update(.sgd, clip: false)
      },
      step(network, "mixed") { step in
        step.images(cropped, mixed: true)
        step.forward(.batch)
        let dlogits = step.loss(RowFunction(kernel: "loss_ce_rows")), targets = step.scratch()
        step.rows(.mixedTargets(targets, K: 10))
        step.rows(.softLoss(step.program.logits, targets: targets, dlogits: dlogits, K: 10))
        step.backward()
        step.update(.sgd, clip: false)
      },
    ]
  }()

  static let all: [LoweredStep] =
    Network.catalogue.flatMap { steps(of: $0.name) } + others + [
      LoweredStep(name: "self-test", content: .cases), LoweredStep(name: "probes", content: .probes),
    ]
}
