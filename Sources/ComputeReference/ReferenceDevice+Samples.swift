import Compute
import Failures
import Statistics

/// Positions in `Store.counters`, as `StepState.counters` lays them out.
enum Counter {
  static let offset = 0, epoch = 1, seedLow = 2, seedHigh = 3, record = 4
}

/// Positions in `Store.numbers`, as `StepState.numbers` lays them out.
enum Number {
  static let learningRate = 0, momentum = 1, weightDecay = 2, nesterov = 3, clipNorm = 4, peerWeight = 5, l1 = 6,
    loss = 8
  static let lossCount = 16
}

// MARK: - What reads the data set and the per-sample table

extension ReferenceDevice {
  /// The seed that the counters hold.
  static func seed(_ counters: Buffer) -> UInt64 {
    let low = UInt32(truncatingIfNeeded: counters.integer(at: Counter.seedLow))
    let high = UInt32(truncatingIfNeeded: counters.integer(at: Counter.seedHigh))
    return UInt64(high) << 32 | UInt64(low)
  }

  func augment(
    _ output: Buffer, _ shape: [Int], _ augmentation: Augmentation, _ peer: Bool, _ buffer: (Operand) -> Buffer
  ) -> Prepared {
    let (H, W, C) = (shape[1], shape[2], shape[3])
    let pixels = buffer(.store(.pixels)), order = buffer(.store(peer ? .peerOrder : .order))
    let counters = buffer(.store(.counters)), statistics = buffer(.store(.inputStatistics))
    return Prepared {
      let random = CounterRandom(seed: Self.seed(counters))
      let epoch = UInt32(truncatingIfNeeded: counters.integer(at: Counter.epoch))
      let mean = statistics.numbers(count: C), deviation = statistics.numbers(at: C, count: C)
      for b in 0..<shape[0] {
        let position = counters.integer(at: Counter.offset) + b, sample = order.integer(at: position)
        // An image occurs once in an epoch, but perhaps several times among the peers: there the position counts.
        let words = random.words(
          peer ? .peerAugment : .augment, epoch, UInt32(truncatingIfNeeded: peer ? position : sample))
        let range = 2 * augmentation.crop + 1
        let down = CounterRandom.integer(words.x, below: range) - augmentation.crop
        let right = CounterRandom.integer(words.y, below: range) - augmentation.crop
        let isMirrored = augmentation.flip && words.z >= 1 << 31
        for h in 0..<H {
          for w in 0..<W {
            let fromH = h + down, fromW = (isMirrored ? W - 1 - w : w) + right
            let isInside = (0..<H).contains(fromH) && (0..<W).contains(fromW)
            for c in 0..<C {
              let byte = isInside ? pixels.byte(at: ((sample * H + fromH) * W + fromW) * C + c) : 0
              let brightness = ReferenceNumber(Double(byte)) / 255
              output.write((brightness - mean[c]) / deviation[c], at: ((b * H + h) * W + w) * C + c)
            }
          }
        }
      }
    }
  }

  func loss(
    _ function: RowFunction, _ logits: Buffer, _ dlogits: Buffer, B: Int, K: Int, _ peer: Bool,
    _ buffer: (Operand) -> Buffer
  ) throws -> Prepared {
    let evaluate = try formula(function, K: K, buffer)
    let counters = buffer(.store(.counters)), numbers = buffer(.store(.numbers)), labels = buffer(.store(.labels))
    let order = buffer(.store(.order))
    let labelOrder = buffer(.store(peer ? .peerLabelOrder : .order))
    let losses = buffer(.store(.sampleLoss)), predictions = buffer(.store(.samplePrediction))
    let margins = MarginColumns(
      sum: buffer(.store(.marginSum)), lost: buffer(.store(.marginLost)), count: buffer(.store(.marginCount)))
    return Prepared {
      let weight = peer ? numbers.number(at: Number.peerWeight) : 1
      let first = counters.integer(at: Counter.offset)
      let rows = (0..<B).map { b in
        ReferenceRow(
          logits: logits.numbers(at: b * K, count: K), label: labels.integer(at: labelOrder.integer(at: first + b)))
      }
      var parameters = numbers.numbers(at: Number.loss, count: Number.lossCount)
      // Peers take nothing from a regulariser that does not depend on the label.
      if peer, function.kernel == ReferenceLoss.sum.kernel { parameters[ReferenceLoss.sparseWeight] = 0 }
      let results = evaluate(rows, parameters)
      for b in 0..<B {
        let sample = order.integer(at: first + b), (loss, gradient) = results[b]
        dlogits.write(gradient.map { $0 * weight }, at: b * K)
        if peer {
          losses.write(losses.number(at: sample) + weight * loss, at: sample)
          continue
        }
        losses.write(loss, at: sample)
        predictions.write(integer: rows[b].prediction, at: sample)
        if counters.integer(at: Counter.record) != 0 { margins.add(rows[b].margin, to: sample) }
      }
    }
  }

  /// The loss of each row of a batch, and the gradient that it contributes: of the mean over the batch, but for the
  /// determinant loss, which is one for the batch.
  private func formula(
    _ function: RowFunction, K: Int, _ buffer: (Operand) -> Buffer
  ) throws -> ([ReferenceRow], [ReferenceNumber]) -> [ReferenceLoss.Result] {
    func mean(_ results: [ReferenceLoss.Result]) -> [ReferenceLoss.Result] {
      let count = ReferenceNumber(Double(results.count))
      return results.map { result in (result.loss, result.dlogits.map { $0 / count }) }
    }
    switch function.inputs {
    case .row:
      let reference = try ReferenceLoss.formula(of: function)
      return { rows, parameters in mean(rows.map { reference.evaluate($0, parameters) }) }
    case .transition:
      guard let reference = ReferenceCorrection.table[function.kernel] else {
        preconditionFailure("a correction has a formula")
      }
      let matrix = buffer(.store(.transition))
      return { rows, _ in mean(rows.map { reference.evaluate($0, matrix.numbers(count: K * K)) }) }
    case .determinant: return { rows, parameters in ReferenceDeterminant.evaluate(rows, parameters) }
    }
  }

  func evaluate(_ logits: Buffer, B: Int, K: Int, _ buffer: (Operand) -> Buffer) -> Prepared {
    let counters = buffer(.store(.counters)), labels = buffer(.store(.labels)), order = buffer(.store(.order))
    let losses = buffer(.store(.sampleLoss)), predictions = buffer(.store(.samplePrediction))
    let confidences = buffer(.store(.sampleConfidence))
    return Prepared {
      for b in 0..<B {
        let sample = order.integer(at: counters.integer(at: Counter.offset) + b)
        // A sample without a label is looked at as if it were of the first class.
        let row = ReferenceRow(
          logits: logits.numbers(at: b * K, count: K), label: max(labels.integer(at: sample), 0))
        losses.write(-row.logProbability, at: sample)
        predictions.write(integer: row.prediction, at: sample)
        confidences.write(row.probability, at: sample)
      }
    }
  }

  func weigh(_ dlogits: Buffer, B: Int, K: Int, _ buffer: (Operand) -> Buffer) -> Prepared {
    let counters = buffer(.store(.counters)), order = buffer(.store(.order)), weights = buffer(.store(.sampleWeights))
    return Prepared {
      let first = counters.integer(at: Counter.offset)
      let batch = (0..<B).map { weights.number(at: order.integer(at: first + $0)) }
      let sum = batch.reduce(ReferenceNumber(0), +)
      for b in 0..<B {
        let scale = sum.value > 0 ? batch[b] * ReferenceNumber(Double(B)) / sum : ReferenceNumber(0)
        dlogits.write(dlogits.numbers(at: b * K, count: K).map { $0 * scale }, at: b * K)
      }
    }
  }

  func update(_ count: Int, _ clip: Bool, _ buffer: (Operand) -> Buffer) -> Prepared {
    let parameters = buffer(.store(.parameters)), gradients = buffer(.store(.gradients))
    let momenta = buffer(.store(.momenta)), numbers = buffer(.store(.numbers))
    return Prepared {
      let clipNorm = numbers.number(at: Number.clipNorm)
      let result = ReferenceMath.stochasticGradientDescent(
        parameters: parameters.numbers(count: count), gradients: gradients.numbers(count: count),
        momenta: momenta.numbers(count: count), rate: numbers.number(at: Number.learningRate),
        momentum: numbers.number(at: Number.momentum), decay: numbers.number(at: Number.weightDecay),
        l1: numbers.number(at: Number.l1),
        nesterov: numbers.number(at: Number.nesterov).value > 0, clipNorm: clip && clipNorm.value > 0 ? clipNorm : nil)
      parameters.write(result.parameters)
      momenta.write(result.momenta)
    }
  }
}

/// The columns that keep the sum of a sample's margins: the sum is `sum` − `lost`, to about twice Float's digits.
private struct MarginColumns {
  let sum: ReferenceDevice.Buffer, lost: ReferenceDevice.Buffer, count: ReferenceDevice.Buffer

  func add(_ margin: ReferenceNumber, to sample: Int) {
    let before = lost.number(at: sample)
    // Two roundings: the margin's own, and that of what was lost before taken from it. The sum itself loses nothing.
    let total = sum.number(at: sample).value - before.value + margin.value
    let next = margin - before
    let kept = Double(Float(total))
    sum.write(ReferenceNumber(total, roundings: next.roundings), at: sample)
    lost.write(ReferenceNumber(kept - total, roundings: next.roundings), at: sample)
    count.write(integer: count.integer(at: sample) + 1, at: sample)
  }
}
