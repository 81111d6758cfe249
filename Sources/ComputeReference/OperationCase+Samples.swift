import CLayout
import Compute
import Statistics

/// The operations that begin and end a step: they read the data set, and write per-sample columns.
extension OperationCase {
  /// Samples in the data set of these cases.
  static let N = 64
  /// The step's first position in the epoch's order.
  static let first = 3

  /// A permutation of the sample ids.
  static func order(_ key: UInt32) -> Content {
    .integers(CounterRandom(seed: 5).permutation(of: N, .shuffle, key))
  }

  static func counters(
    recordsMargins: Bool = false, countsDynamics: Bool = false, view: Int = 0, imagesPerPart: Int = N
  ) -> Content {
    var state = StepState()
    state.view = view
    state.offset = first
    state.epoch = 7
    state.seed = 0x1234_5678_9ABC_DEF0
    state.recordsMargins = recordsMargins
    state.countsDynamics = countsDynamics
    state.updates = 4
    state.member = 1
    state.imagesPerPart = imagesPerPart
    return .integers(state.counters)
  }

  static func labels(K: Int) -> [Int32] { (0..<N).map { Int32($0 * 7 % K) } }

  // MARK: Images

  /// - Parameter imagesPerPart: images of the data set in each of its buffers but the last.
  static func augment(
    _ shape: [Int], _ augmentation: Augmentation, peer: Bool, mixed: Bool = false, view: Int = 0,
    imagesPerPart: Int = N
  ) -> OperationCase {
    let (B, C) = (shape[0], shape[3])
    precondition(first + B <= N, "a case has at most \(N - first) images")
    let means = (0..<C).map { c -> Float in 0.3 + 0.1 * Float(c % 5) }
    let deviations = (0..<C).map { c -> Float in 0.2 + 0.05 * Float(c % 7) }
    var words = [text(shape)]
    if augmentation.crop > 0 { words.append("crop \(augmentation.crop)") }
    if augmentation.flip { words.append("flip") }
    if peer { words.append("peer") }
    if mixed { words.append("mixed") }
    if view > 0 { words.append("view \(view)") }
    if imagesPerPart < N { words.append("in parts of \(imagesPerPart)") }
    var contents: [Operand: Content] = [
      operand(0): written(shape.reduce(1, *)), .store(.order): order(0), .store(.peerOrder): order(1),
      .store(.counters): counters(view: view, imagesPerPart: imagesPerPart),
      .store(.inputStatistics): .floats(means + deviations),
    ]
    for (index, part) in Store.pixelParts.enumerated() {
      let images = max(0, min(N - index * imagesPerPart, imagesPerPart))
      contents[.store(part)] = .bytes(max(1, images * shape.dropFirst().reduce(1, *)))
    }
    // Those of peers are positions, which are as many as samples.
    if mixed { contents.merge(partners) { $1 } }
    return OperationCase(
      .augment(Augment(output: value(0), shape: shape, augmentation: augmentation, peer: peer, mixed: mixed)),
      shape: words.joined(separator: ", "), contents: contents)
  }

  /// Rows of floats in place of images.
  static func gather(B: Int, C: Int, peer: Bool, mixed: Bool) -> OperationCase {
    precondition(first + B <= N, "a case has at most \(N - first) rows")
    let none = Augmentation(crop: 0, flip: false)
    let deviations = (0..<C).map { c -> Float in 0.2 + 0.05 * Float(c % 7) }
    var contents: [Operand: Content] = [
      operand(0): written(B * C), .store(.pixels): .normal(N * C), .store(.order): order(0),
      .store(.peerOrder): order(1), .store(.counters): counters(),
      .store(.inputStatistics): .floats((0..<C).map { 0.1 * Float($0 % 5) } + deviations),
    ]
    if mixed { contents.merge(partners) { $1 } }
    let operation = Augment(
      output: value(0), shape: [B, 1, 1, C], augmentation: none, peer: peer, mixed: mixed, isFloat: true)
    return OperationCase(
      .augment(operation),
      shape: "floats \(text([B, C]))" + (peer ? ", peer" : "") + (mixed ? ", mixed" : ""), contents: contents)
  }

  // MARK: Evaluation

  static func evaluate(B: Int, K: Int, logits: Logits = .ordinary) -> OperationCase {
    precondition(first + B <= N, "a case has at most \(N - first) rows")
    // A few samples have no label.
    let labels = labels(K: K).enumerated().map { $0 % 4 == 1 ? -1 : $1 }
    return OperationCase(
      .evaluate(EvaluateRows(B: B, K: K, logits: value(0), scratch: value(1))),
      shape: text([B, K]) + (logits == .ordinary ? "" : ", \(logits.rawValue)"),
      contents: [
        operand(0): logits.content(B: B, K: K), operand(1): .nothing(B * K), .store(.labels): .integers(labels),
        .store(.order): order(0), .store(.counters): counters(), .store(.sampleLoss): .nothing(N),
        .store(.samplePrediction): .integers([Int32](repeating: -9, count: N)), .store(.sampleConfidence): .nothing(N),
      ],
      meaningful: [operand(1): []])
  }

  // MARK: The step's end

  /// - Parameter clipNorm: the limit in the step's numbers; used only where the operation clips.
  static func update(
    _ kernel: FlatKernel = .sgd, count: Int, clip: Bool, clipNorm: Float = 0, nesterov: Bool = true, slowed: Int = 0
  ) -> OperationCase {
    var state = StepState()
    state.learningRate = 0.1
    state.momentum = 0.9
    state.weightDecay = 1e-4
    state.l1 = 1e-3
    state.nesterov = nesterov
    state.clipNorm = clipNorm
    (state.slowedCount, state.slowedRate) = (slowed, 0.1)
    var contents: [Operand: Content] = [
      .store(.parameters): .normal(count + margin), .store(.gradients): .normal(count + margin),
      .store(.momenta): .normal(count + margin), .store(.numbers): .floats(state.numbers),
    ]
    if kernel == .adam {
      contents[.store(.secondMoments)] = .positive(count + margin)
      contents[.store(.counters)] = counters()
    }
    return OperationCase(
      .update(Update(kernel, count: count, clip: clip)),
      shape: "\(kernel.kernel) \(count)" + (clip ? ", clip \(clipNorm)" : "") + (nesterov ? ", Nesterov" : "")
        + (slowed > 0 ? ", \(slowed) slowed" : ""),
      contents: contents)
  }

  /// - Parameter c: the strength of the pull.
  static func pull(count: Int, slot: Int = 1, c: Float = 0.25) -> OperationCase {
    var state = StepState()
    state.methodNumbers = [Float](repeating: 0, count: slot) + [c]
    return OperationCase(
      .flat(ComputeFlat(.pull(slot: slot), count: count)), shape: "flat_pull \(count), \(c)",
      contents: [
        .store(.parameters): .normal(count + margin), .store(.anchor): .normal(count + margin),
        .store(.gradients): .normal(count + margin), .store(.numbers): .floats(state.numbers),
      ])
  }

  /// - Parameters:
  ///   - least: the least share of the parameters in their average.
  ///   - updates: how many there were; few let the share be larger.
  static func average(count: Int, slot: Int = 1, least: Float = 0.01, updates: Int = 1000) -> OperationCase {
    var state = StepState()
    state.methodNumbers = [Float](repeating: 0, count: slot) + [least]
    state.updates = updates
    return OperationCase(
      .flat(ComputeFlat(.average(slot: slot), count: count)), shape: "flat_average \(count), \(least), \(updates)",
      contents: [
        .store(.parameters): .normal(count + margin), .store(.average): .normal(count + margin),
        .store(.counters): .integers(state.counters), .store(.numbers): .floats(state.numbers),
      ])
  }

  /// A case of a flat kernel with its numbers.
  static func flat(like flat: ComputeFlat) -> OperationCase {
    let kernel = flat.kernel, slot = kernel["slot"]
    if kernel.kernel == "flat_step" { return .step(count: flat.count, isUnit: kernel.needsNorm == true) }
    return kernel == .average(slot: slot)
      ? .average(count: flat.count, slot: slot) : .pull(count: flat.count, slot: slot)
  }

  /// - Parameter along: the vector that is gone along; nil for random numbers.
  static func step(count: Int, isUnit: Bool, slowed: Int = 0, along: [Float]? = nil) -> OperationCase {
    var state = StepState()
    state.learningRate = 0.3
    (state.slowedCount, state.slowedRate) = (slowed, 0.1)
    let ones = [Float](repeating: 1, count: margin)
    let vector = along.map { Content.floats($0 + ones) } ?? .normal(count + margin)
    var contents: [Operand: Content] = [
      .store(.parameters): .normal(count + margin), .store(.stepped): .normal(count + margin),
      .store(.gradients): vector,
      .store(.numbers): .floats(state.numbers),
    ]
    if isUnit { contents[.store(.norm)] = .nothing(1) }
    return OperationCase(
      .flat(ComputeFlat(.step(to: .stepped, isUnit: isUnit), count: count)),
      shape: "flat_step \(count)" + (isUnit ? ", unit" : "") + (slowed > 0 ? ", \(slowed) slowed" : "")
        + (along == nil ? "" : ", zeros"),
      contents: contents)
  }

  static func advance(B: Int) -> OperationCase {
    OperationCase(.advance(Advance(B: B)), shape: "\(B)", contents: [.store(.counters): counters(recordsMargins: true)])
  }

  // MARK: The table

  static let samples: [OperationCase] = {
    var cases: [OperationCase] = []
    for (shape, crop) in [([2, 32, 32, 3], 4), ([2, 28, 28, 1], 2), ([7, 5, 13, 3], 7), ([13, 7, 1, 5], 1)] {
      for (crop, flip) in [(0, false), (0, true), (crop, false), (crop, true)] {
        for peer in [false, true] {
          cases.append(augment(shape, Augmentation(crop: crop, flip: flip), peer: peer))
        }
      }
    }
    for (B, C) in [(1, 1), (7, 33), (16, 1280)] {
      cases += [false, true].map { gather(B: B, C: C, peer: $0, mixed: false) }
      cases += [false, true].map { gather(B: B, C: C, peer: $0, mixed: true) }
    }
    for (shape, crop, flip) in [([2, 32, 32, 3], 4, true), ([7, 5, 13, 3], 7, false), ([13, 7, 1, 5], 0, false)] {
      cases.append(augment(shape, Augmentation(crop: crop, flip: flip), peer: false, mixed: true))
    }
    // A data set in two buffers, and in four with a short last one.
    let window = Augmentation(crop: 2, flip: true)
    cases.append(augment([16, 5, 4, 3], window, peer: false, imagesPerPart: 32))
    cases.append(augment([16, 5, 4, 3], window, peer: true, imagesPerPart: 20))
    cases.append(augment([16, 5, 4, 3], window, peer: false, mixed: true, imagesPerPart: 20))
    for (peer, mixed, view) in [(false, false, 1), (true, false, 2), (false, true, 3), (true, true, 0)] {
      cases.append(augment([3, 8, 9, 3], Augmentation(crop: 2, flip: true), peer: peer, mixed: mixed, view: view))
    }
    cases += losses
    for (B, K) in [(1, 2), (16, 10), (3, 11), (7, 100)] { cases.append(evaluate(B: B, K: K)) }
    for logits in [Logits.extreme, .ties] { cases.append(evaluate(B: 40, K: 10, logits: logits)) }
    for count in [1, 16, 4096, 4112, 10_000] {
      for nesterov in [false, true] { cases.append(update(count: count, clip: false, nesterov: nesterov)) }
      cases.append(update(.adam, count: count, clip: false))
      for kernel in [FlatKernel.sgd, .adam] where count > 16 {
        cases.append(update(kernel, count: count, clip: false, slowed: count / 2 / LANES * LANES))
      }
      cases.append(update(.adam, count: count, clip: true, clipNorm: 0.5 * Float(count).squareRoot()))
      // Half of the expected norm, far above it, and switched off by the numbers.
      for clipNorm in [0.5 * Float(count).squareRoot(), 1e6, 0] {
        cases.append(update(count: count, clip: true, clipNorm: clipNorm))
      }
    }
    for (count, c) in [(1, 0.25), (16, 0), (4112, 0.25), (10_000, 3)] as [(Int, Float)] {
      cases.append(pull(count: count, c: c))
    }
    for (count, updates) in [(1, 1000), (16, 1), (4112, 0), (10_000, 1000)] {
      cases.append(average(count: count, updates: updates))
    }
    for count in [1, 16, 4112, 10_000] {
      for isUnit in [false, true] {
        cases.append(step(count: count, isUnit: isUnit))
        if count > 16 { cases.append(step(count: count, isUnit: isUnit, slowed: count / 2 / LANES * LANES)) }
      }
    }
    cases.append(step(count: 48, isUnit: true, along: [Float](repeating: 0, count: 48)))
    return cases + [advance(B: 1), advance(B: 256)]
  }()
}
