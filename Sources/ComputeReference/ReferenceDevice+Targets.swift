import CLayout
import Compute

/// The formulas of Kernels/shared/rows_targets.cl, and of flat kernels other than optimisers.
extension ReferenceDevice {
  static var targetFormulas: [String: RowFormula] {
    [
      "rows_shift": RowFormula(shift, ["numbers"]),
      "rows_offset": RowFormula(
        offset, ["labels", "numbers", "sample_prediction", "margin_sum", "margin_lost", "margin_count"]),
      "rows_early_learning": RowFormula(earlyLearning, ["labels", "numbers", "sample_loss"]),
      "rows_mixed_targets": RowFormula(mixedTargets, ["labels", "partners", "factors"]),
      "rows_soft_loss": RowFormula(softLoss, ["labels", "sample_loss"]),
      "rows_confidence": RowFormula(confidence, ["labels", "numbers", "sample_loss"]),
      "rows_ensemble": RowFormula(ensemble, ["labels", "numbers"]),
      "rows_consistency": RowFormula(consistency, ["labels", "numbers", "sample_loss"]),
    ]
  }

  private static func methodNumber(_ bound: RowBinding, _ slot: Int = 0) -> ReferenceNumber {
    bound.buffer("numbers").number(at: NUMBER_METHOD + slot)
  }

  private static func shift(_ bound: RowBinding) {
    let K = bound.integer("K"), offset = bound.buffer("offset"), lambda = methodNumber(bound)
    for (b, sample) in bound.samples.enumerated() {
      let logits = bound.buffer("logits").numbers(at: b * K, count: K)
      let offsets = offset.numbers(at: sample * K, count: K)
      bound.buffer("shifted").write(zip(logits, offsets).map { $0 + lambda * $1 }, at: b * K)
    }
  }

  private static func offset(_ bound: RowBinding) {
    let K = bound.integer("K"), offset = bound.buffer("offset"), count = bound.buffer("margin_count")
    let rate = bound.buffer("numbers").number(at: NUMBER_LEARNING_RATE) * methodNumber(bound)
    let margins = CompensatedSum(sum: bound.buffer("margin_sum"), lost: bound.buffer("margin_lost"))
    let samples = bound.samples
    for (b, (row, sample)) in zip(bound.rows(of: samples), samples).enumerated() {
      let slopes = bound.buffer("dlogits").numbers(at: b * K, count: K)
      let before = offset.numbers(at: sample * K, count: K)
      offset.write(zip(before, slopes).map { $0 - rate * $1 }, at: sample * K)
      bound.buffer("sample_prediction").write(integer: row.prediction, at: sample)
      guard bound.counts else { continue }
      margins.add(row.margin, to: sample)
      count.write(integer: count.integer(at: sample) + 1, at: sample)
    }
  }

  private static func earlyLearning(_ bound: RowBinding) {
    let K = bound.integer("K"), target = bound.buffer("target"), losses = bound.buffer("sample_loss")
    let dlogits = bound.buffer("dlogits"), samples = bound.samples
    for (b, (row, sample)) in zip(bound.rows(of: samples), samples).enumerated() {
      let regulariser = ReferenceMath.EarlyLearning(row)
      let moved = regulariser.target(target.numbers(at: sample * K, count: K), momentum: methodNumber(bound))
      target.write(moved, at: sample * K)
      let weight = methodNumber(bound, 1)
      guard weight.value != 0 else { continue }
      let (loss, gradient) = regulariser.penalty(moved, weight: weight)
      losses.write(losses.number(at: sample) + loss, at: sample)
      let before = dlogits.numbers(at: b * K, count: K), B = ReferenceNumber(Double(bound.count))
      dlogits.write(zip(before, gradient).map { $0 + $1 / B }, at: b * K)
    }
  }

  private static func mixedTargets(_ bound: RowBinding) {
    let K = bound.integer("K"), labels = bound.buffer("labels"), first = bound.buffer("counters").integer(at: 0)
    for (b, sample) in bound.samples.enumerated() {
      let partner = bound.buffer("partners").integer(at: first + b)
      let factor = bound.buffer("factors").number(at: first + b)
      var targets = [ReferenceNumber].zeros(K)
      let own = labels.integer(at: sample), other = labels.integer(at: partner)
      targets[own] = own == other ? 1 : factor
      if own != other { targets[other] = 1 - factor }
      bound.buffer("targets").write(targets, at: b * K)
    }
  }

  private static func softLoss(_ bound: RowBinding) {
    let K = bound.integer("K"), samples = bound.samples, B = ReferenceNumber(Double(bound.count))
    for (b, (row, sample)) in zip(bound.rows(of: samples), samples).enumerated() {
      let (loss, gradient) = ReferenceMath.softLoss(row, targets: bound.buffer("targets").numbers(at: b * K, count: K))
      bound.buffer("sample_loss").write(loss, at: sample)
      bound.buffer("dlogits").write(gradient.map { $0 / B }, at: b * K)
    }
  }

  private static func confidence(_ bound: RowBinding) {
    let K = bound.integer("K"), target = bound.buffer("target"), samples = bound.samples
    let lambda = methodNumber(bound), beta = methodNumber(bound, 1), B = ReferenceNumber(Double(bound.count))
    let flags = (4..<7).map { methodNumber(bound, $0).value > 0 }
    for (b, (row, sample)) in zip(bound.rows(of: samples), samples).enumerated() {
      let indicator = bound.buffer("indicator").number(at: b)
      let math = ReferenceMath.Confidence(row, indicator: flags[2] ? indicator : nil)
      bound.buffer("confidence").write(math.confidence, at: sample)
      var own = target.numbers(at: sample * K, count: K)
      if flags[0], math.confidence.value > methodNumber(bound, 3).value {
        own = math.target(own, momentum: methodNumber(bound, 2))
        target.write(own, at: sample * K)
      }
      let result = math.loss(against: flags[1] ? own : math.label, lambda: lambda, beta: beta)
      bound.buffer("sample_loss").write(result.loss, at: sample)
      bound.buffer("dlogits").write(result.dlogits.map { $0 / B }, at: b * K)
      bound.buffer("dindicator").write(result.dindicator / B, at: b)
    }
  }

  private static func ensemble(_ bound: RowBinding) {
    let K = bound.integer("K"), ensemble = bound.buffer("ensemble"), samples = bound.samples
    for (b, (row, sample)) in zip(bound.rows(of: samples), samples).enumerated() {
      bound.buffer("guesses").write(row.probabilities, at: b * K)
      let before = ensemble.numbers(at: sample * K, count: K)
      let momentum = before[0].value < 0 ? 0 : methodNumber(bound)
      ensemble.write(zip(before, row.probabilities).map { momentum * $0 + (1 - momentum) * $1 }, at: sample * K)
    }
  }

  private static func consistency(_ bound: RowBinding) {
    let K = bound.integer("K"), losses = bound.buffer("sample_loss"), dlogits = bound.buffer("dlogits")
    let strength = methodNumber(bound, 1), B = ReferenceNumber(Double(bound.count)), samples = bound.samples
    for (b, (row, sample)) in zip(bound.rows(of: samples), samples).enumerated() {
      let share = bound.buffer("weight").number(at: sample)
      let guess = bound.buffer("guesses").numbers(at: b * K, count: K)
      let (loss, gradient) = ReferenceMath.consistency(row, with: guess, strength: strength)
      losses.write(share * losses.number(at: sample) + loss, at: sample)
      let before = dlogits.numbers(at: b * K, count: K)
      dlogits.write(zip(before, gradient).map { share * $0 + $1 / B }, at: b * K)
    }
  }

  /// The arithmetic of a flat kernel that is no optimiser.
  func bind(_ flat: ComputeFlat, _ memory: ReferenceMemory) -> Prepared {
    switch flat.kernel.kernel {
    case "flat_pull": bindPull(flat, memory)
    case "flat_average": bindAverage(flat, memory)
    case "flat_step": bindStep(flat, memory)
    default: preconditionFailure("\(flat.kernel.kernel) has no formula in double precision")
    }
  }

  private func bindAverage(_ flat: ComputeFlat, _ memory: ReferenceMemory) -> Prepared {
    let count = flat.count, slot = flat.kernel["slot"]
    let (parameters, numbers) = (memory[.parameters], memory[.numbers])
    let (average, counters) = (memory[.average], memory[.counters])
    return Prepared {
      average.write(
        ReferenceMath.average(
          average.numbers(count: count), of: parameters.numbers(count: count),
          least: numbers.number(at: NUMBER_METHOD + slot), updates: counters.integer(at: COUNTER_UPDATES)))
    }
  }

  private func bindStep(_ flat: ComputeFlat, _ memory: ReferenceMemory) -> Prepared {
    let count = flat.count, kernel = flat.kernel, isUnit = kernel.needsNorm == true
    let (from, along, to) = (memory[kernel.store("from")], memory[kernel.store("along")], memory[kernel.store("to")])
    let numbers = memory[.numbers], norm = isUnit ? memory[.norm] : nil
    return Prepared {
      let rate = numbers.number(at: NUMBER_LEARNING_RATE)
      let slowed = (
        count: LANES * Int(numbers.number(at: NUMBER_SLOWED).value), rate: rate * numbers.number(at: NUMBER_SLOWED_RATE)
      )
      let step = ReferenceMath.step(
        from: from.numbers(count: count), along: along.numbers(count: count), rate: rate, slowed: slowed, isUnit: isUnit
      )
      to.write(step.to)
      norm?.write(step.norm, at: 0)
    }
  }

  private func bindPull(_ flat: ComputeFlat, _ memory: ReferenceMemory) -> Prepared {
    let count = flat.count, slot = flat.kernel["slot"]
    let (parameters, anchor, gradients) = (memory[.parameters], memory[.anchor], memory[.gradients])
    let numbers = memory[.numbers]
    return Prepared {
      gradients.write(
        ReferenceMath.pull(
          gradients.numbers(count: count), parameters: parameters.numbers(count: count),
          to: anchor.numbers(count: count), by: numbers.number(at: NUMBER_METHOD + slot)))
    }
  }
}
