import CLayout
import Compute

/// The buffers of a row kernel by the kernel's names for them, and its whole numbers.
struct RowBinding {
  /// Rows.
  let count: Int
  private let kernel: RowKernel
  private var buffers: [String: ReferenceDevice.Buffer] = [:]

  /// - Parameter stores: those that the formula reads and writes under their own names.
  init(_ rows: ComputeRows, stores: [String], _ memory: ReferenceMemory) {
    (count, kernel) = (rows.count, rows.kernel)
    for name in stores { buffers[name] = Store.named[name].map { memory[$0] } }
    for (name, argument) in TensorOperation.rows(rows).arguments {
      if case .operand(let operand) = argument { buffers[name] = memory.buffer(operand) }
    }
  }

  func buffer(_ name: String) -> ReferenceDevice.Buffer {
    guard let found = buffers[name] else { preconditionFailure("there is no buffer '\(name)'") }
    return found
  }

  func integer(_ name: String) -> Int { kernel[name] }

  /// The samples of the batch, in order.
  var samples: [Int] {
    let order = buffer("order"), first = buffer("counters").integer(at: COUNTER_OFFSET)
    return (0..<count).map { order.integer(at: first + $0) }
  }

  /// The rows of logits [B, K] with the labels that go with them.
  func rows(of samples: [Int]) -> [ReferenceRow] {
    let K = integer("K"), logits = buffer("logits"), labels = buffer("labels")
    return samples.enumerated().map { b, sample in
      ReferenceRow(logits: logits.numbers(at: b * K, count: K), label: labels.integer(at: sample))
    }
  }

  /// Whether the epoch counts.
  var counts: Bool { buffer("counters").integer(at: COUNTER_DYNAMICS) != 0 }
}

/// The formula of a row kernel, and the stores that it needs besides the batch's order.
struct RowFormula {
  let compute: (RowBinding) -> Void, stores: [String]

  init(_ compute: @escaping (RowBinding) -> Void, _ stores: [String]) {
    (self.compute, self.stores) = (compute, stores)
  }
}

extension ReferenceDevice {
  /// The arithmetic of a row kernel, read from its formula in Kernels/shared/rows*.cl.
  func bind(_ rows: ComputeRows, _ memory: ReferenceMemory) -> Prepared {
    let name = rows.kernel.kernel
    guard
      let formula = Self.rowFormulas[name] ?? Self.targetFormulas[name] ?? Self.distilFormulas[name]
        ?? Self.divisionFormulas[name] ?? Self.tripletFormulas[name]
    else {
      preconditionFailure("\(name) has no formula in double precision")
    }
    let binding = RowBinding(rows, stores: ["order", "counters"] + formula.stores, memory)
    return Prepared { formula.compute(binding) }
  }

  private static var rowFormulas: [String: RowFormula] {
    [
      "rows_scale": RowFormula(scale, []), "rows_smallest": RowFormula(smallest, ["numbers"]),
      "rows_smallest_after": RowFormula(smallestAfter, ["numbers"]),
      "rows_dynamics": RowFormula(dynamics, ["labels", "margin_sum", "margin_lost", "margin_count"]),
      "rows_streak": RowFormula(streak, ["labels", "numbers"]),
    ]
  }

  private static func scale(_ bound: RowBinding) {
    let K = bound.integer("K"), dlogits = bound.buffer("dlogits"), weights = bound.buffer("weights")
    let batch = bound.samples.map(weights.number), sum = batch.sum
    for (b, weight) in batch.enumerated() {
      let scale = sum.value > 0 ? weight * ReferenceNumber(Double(bound.count)) / sum : 0
      dlogits.write(dlogits.numbers(at: b * K, count: K).map { $0 * scale }, at: b * K)
    }
  }

  private static func smallest(_ bound: RowBinding) {
    let samples = bound.samples, losses = bound.buffer("losses"), kept = bound.buffer("kept")
    let keep = Int(bound.buffer("numbers").number(at: NUMBER_METHOD + bound.integer("slot")).value)
    let values = samples.map { id in losses.number(at: id).value }.map { $0.isNaN ? Double.infinity : $0 }
    let order = values.indices.sorted { (values[$0], $0) < (values[$1], $1) }
    for (rank, b) in order.enumerated() { kept.write(ReferenceNumber(rank < keep ? 1.0 : 0.0), at: samples[b]) }
  }

  private static func smallestAfter(_ bound: RowBinding) {
    let samples = bound.samples, losses = bound.buffer("losses"), kept = bound.buffer("kept")
    let numbers = bound.buffer("numbers").numbers(at: NUMBER_METHOD + bound.integer("slot"), count: 2)
    let first = Int(numbers[0].value), keep = Int(numbers[1].value)
    let values = samples.map { id in losses.number(at: id).value }.map { $0.isNaN ? Double.infinity : $0 }
    let order = values.indices.dropFirst(first).sorted { (values[$0], $0) < (values[$1], $1) }
    let chosen = Set(0..<first).union(order.prefix(keep))
    for (b, sample) in samples.enumerated() { kept.write(ReferenceNumber(chosen.contains(b) ? 1.0 : 0.0), at: sample) }
  }

  private static func margin(_ row: ReferenceRow, softmax: Bool) -> ReferenceNumber {
    guard softmax else { return row.margin }
    let other = row.probabilities.indices.filter { $0 != row.label }.max {
      row.logits[$0].value < row.logits[$1].value
    }
    // p_y (1 − e^−m) or, where the other is larger, −p_other (1 − e^m).
    return row.margin.value >= 0
      ? row.probability * -(-row.margin).exponentialMinusOne
      : row.probabilities[other ?? 0] * row.margin.exponentialMinusOne
  }

  private static func dynamics(_ bound: RowBinding) {
    let samples = bound.samples, classes = bound.integer("classes"), softmax = bound.integer("softmax") != 0
    let wasRight = bound.buffer("was_right"), forgettings = bound.buffer("forgettings")
    func sum(_ name: String) -> CompensatedSum {
      CompensatedSum(sum: bound.buffer("\(name)_sum"), lost: bound.buffer("\(name)_lost"))
    }
    let probabilities = bound.buffer("probability_sum"), count = bound.buffer("margin_count")
    for (row, sample) in zip(bound.rows(of: samples), samples) {
      let isRight = row.prediction == row.label
      if wasRight.integer(at: sample) == 1, !isRight {
        forgettings.write(integer: forgettings.integer(at: sample) + 1, at: sample)
      }
      wasRight.write(integer: isRight ? 1 : 0, at: sample)
      let margin = margin(row, softmax: softmax)
      bound.buffer("epoch_margin").write(margin, at: sample)
      guard bound.counts else { continue }
      let others = row.probabilities.indices.filter { $0 != row.label }
      let squares = others.map { row.probabilities[$0] * row.probabilities[$0] }.sum
      sum("margin").add(margin, to: sample)
      sum("loss").add(-row.logProbability, to: sample)
      sum("error").add((squares + row.otherProbability * row.otherProbability).squareRoot, to: sample)
      count.write(integer: count.integer(at: sample) + 1, at: sample)
      for k in 0..<classes {
        let at = sample * classes + k
        probabilities.write(probabilities.number(at: at) + row.probabilities[k], at: at)
      }
    }
  }

  private static func streak(_ bound: RowBinding) {
    let samples = bound.samples, streak = bound.buffer("streak"), weight = bound.buffer("weight")
    let parameters = bound.buffer("numbers").numbers(at: NUMBER_METHOD, count: 3)
    guard bound.counts else { return }
    for (row, sample) in zip(bound.rows(of: samples), samples) where weight.number(at: sample).value != 0 {
      let margin = margin(row, softmax: true)
      let length = margin.value < parameters[0].value ? streak.integer(at: sample) + 1 : 0
      streak.write(integer: length, at: sample)
      let others = 1 + parameters[2] * (1 - margin) / 2
      weight.write(Double(length) >= parameters[1].value ? 0 : others, at: sample)
    }
  }
}

/// Two columns that keep a sum: it is `sum` − `lost`, to about twice Float's digits.
struct CompensatedSum {
  /// All such pairs of columns.
  static var columns: [(sum: Store, lost: Store)] {
    [
      (.marginSum, .marginLost), (.column(RowKernel.Dynamics.lossSum), .column(RowKernel.Dynamics.lossLost)),
      (.column(RowKernel.Dynamics.errorSum), .column(RowKernel.Dynamics.errorLost)),
    ]
  }

  let sum: ReferenceDevice.Buffer, lost: ReferenceDevice.Buffer

  func add(_ term: ReferenceNumber, to sample: Int) {
    let before = lost.number(at: sample)
    // Two roundings: the term's own, and that of what was lost before taken from it. The sum itself loses nothing.
    let total = sum.number(at: sample).value - before.value + term.value
    let next = term - before
    let kept = Double(Float(total))
    sum.write(ReferenceNumber(total, roundings: next.roundings), at: sample)
    lost.write(ReferenceNumber(kept - total, roundings: next.roundings), at: sample)
  }
}
