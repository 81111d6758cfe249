import CLayout
import Compute
import Failures
import Statistics

// MARK: - What reads the data set and the per-sample table

extension ReferenceDevice {
  /// The seed that the counters hold.
  static func seed(_ counters: Buffer) -> UInt64 {
    let low = UInt32(truncatingIfNeeded: counters.integer(at: COUNTER_SEED_LOW))
    let high = UInt32(truncatingIfNeeded: counters.integer(at: COUNTER_SEED_HIGH))
    return UInt64(high) << 32 | UInt64(low)
  }

  func bind(_ augment: Augment, _ memory: ReferenceMemory) -> Prepared {
    let (shape, augmentation, peer) = (augment.shape, augment.augmentation, augment.peer)
    let (H, W, C) = (shape[1], shape[2], shape[3])
    let (output, pixels, order) = (memory[augment.output], memory[.pixels], memory[peer ? .peerOrder : .order])
    let parts = augment.isFloat ? [] : Store.pixelParts.map { memory[$0] }
    let (counters, statistics) = (memory[.counters], memory[.inputStatistics])
    let mixture = augment.mixed ? (partners: memory[.partners], factors: memory[.factors]) : nil
    return Prepared {
      let random = CounterRandom(seed: Self.seed(counters))
      let epoch = UInt32(truncatingIfNeeded: counters.integer(at: COUNTER_EPOCH))
      let view = UInt32(truncatingIfNeeded: counters.integer(at: COUNTER_VIEW))
      let mean = statistics.numbers(count: C), deviation = statistics.numbers(at: C, count: C)
      /// The image [H, W, C] as it is cropped and mirrored at a position.
      func image(_ sample: Int, at position: Int) -> [ReferenceNumber] {
        guard !augment.isFloat else {
          return (0..<C).map { (pixels.number(at: sample * C + $0) - mean[$0]) / deviation[$0] }
        }
        // An image occurs once in an epoch, but perhaps several times among the peers: there the position counts.
        let words = random.words(
          peer ? .peerAugment : .augment, epoch, UInt32(truncatingIfNeeded: peer ? position : sample), view)
        let range = 2 * augmentation.crop + 1
        let down = CounterRandom.integer(words.x, below: range) - augmentation.crop
        let right = CounterRandom.integer(words.y, below: range) - augmentation.crop
        let isMirrored = augmentation.flip && words.z >= 1 << 31
        let (part, place) = sample.quotientAndRemainder(dividingBy: counters.integer(at: COUNTER_PART_IMAGES))
        var image: [ReferenceNumber] = []
        for h in 0..<H {
          for w in 0..<W {
            let fromH = h + down, fromW = (isMirrored ? W - 1 - w : w) + right
            let isInside = (0..<H).contains(fromH) && (0..<W).contains(fromW)
            for c in 0..<C {
              let byte = isInside ? parts[part].byte(at: ((place * H + fromH) * W + fromW) * C + c) : 0
              image.append((ReferenceNumber(Double(byte)) / 255 - mean[c]) / deviation[c])
            }
          }
        }
        return image
      }
      for b in 0..<shape[0] {
        let position = counters.integer(at: COUNTER_OFFSET) + b
        var result = image(order.integer(at: position), at: position)
        if let mixture {
          let factor = mixture.factors.number(at: position)
          let place = mixture.partners.integer(at: position)
          let other = image(peer ? order.integer(at: place) : place, at: place)
          result = zip(result, other).map { factor * $0 + (1 - factor) * $1 }
        }
        output.write(result, at: b * H * W * C)
      }
    }
  }

  func bind(_ loss: LossRows, _ memory: ReferenceMemory) throws -> Prepared {
    let (function, B, K, peer) = (loss.function, loss.B, loss.K, loss.peer)
    let evaluate = try formula(function, K: K, memory)
    let (logits, dlogits) = (memory[loss.logits], memory[loss.dlogits])
    let (counters, numbers, labels) = (memory[.counters], memory[.numbers], memory[.labels])
    let order = memory[.order], labelOrder = memory[peer ? .peerLabelOrder : .order]
    let (losses, predictions) = (memory[.sampleLoss], memory[.samplePrediction])
    let margins = CompensatedSum(sum: memory[.marginSum], lost: memory[.marginLost])
    let marginCount = memory[.marginCount]
    return Prepared {
      let weight = peer ? numbers.number(at: NUMBER_PEER_WEIGHT) : 1
      let first = counters.integer(at: COUNTER_OFFSET)
      let rows = (0..<B).map { b in
        ReferenceRow(
          logits: logits.numbers(at: b * K, count: K), label: labels.integer(at: labelOrder.integer(at: first + b)))
      }
      var parameters = numbers.numbers(at: NUMBER_LOSS, count: NUMBER_LOSS_COUNT)
      // Peers take nothing from a regulariser that does not depend on the label.
      if peer, function.kernel == ReferenceLoss.sum.kernel { parameters[LOSS_LAMBDA] = 0 }
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
        guard counters.integer(at: COUNTER_RECORD) != 0 else { continue }
        margins.add(rows[b].margin, to: sample)
        marginCount.write(integer: marginCount.integer(at: sample) + 1, at: sample)
      }
    }
  }

  /// The loss of each row of a batch, and the gradient that it contributes: of the mean over the batch, but for the
  /// determinant loss, which is one for the batch.
  private func formula(
    _ function: RowFunction, K: Int, _ memory: ReferenceMemory
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
      let matrix = memory[.transition]
      return { rows, _ in mean(rows.map { reference.evaluate($0, matrix.numbers(count: K * K)) }) }
    case .determinant: return { rows, parameters in ReferenceDeterminant.evaluate(rows, parameters) }
    }
  }

  func bind(_ evaluate: EvaluateRows, _ memory: ReferenceMemory) -> Prepared {
    let (B, K, logits) = (evaluate.B, evaluate.K, memory[evaluate.logits])
    let (counters, labels, order) = (memory[.counters], memory[.labels], memory[.order])
    let (losses, predictions) = (memory[.sampleLoss], memory[.samplePrediction])
    let confidences = memory[.sampleConfidence]
    return Prepared {
      for b in 0..<B {
        let sample = order.integer(at: counters.integer(at: COUNTER_OFFSET) + b)
        // A sample without a label is looked at as if it were of the first class.
        let row = ReferenceRow(
          logits: logits.numbers(at: b * K, count: K), label: max(labels.integer(at: sample), 0))
        losses.write(-row.logProbability, at: sample)
        predictions.write(integer: row.prediction, at: sample)
        confidences.write(row.probability, at: sample)
      }
    }
  }

  func bind(_ advance: Advance, _ memory: ReferenceMemory) -> Prepared {
    let counters = memory[.counters]
    return Prepared {
      counters.write(integer: counters.integer(at: COUNTER_OFFSET) + advance.B, at: COUNTER_OFFSET)
      counters.write(integer: counters.integer(at: COUNTER_UPDATES) + 1, at: COUNTER_UPDATES)
    }
  }

  func bind(_ update: Update, _ memory: ReferenceMemory) -> Prepared {
    let count = update.count
    let (parameters, gradients, momenta) = (memory[.parameters], memory[.gradients], memory[.momenta])
    let numbers = memory[.numbers]
    func number(_ place: Int) -> ReferenceNumber { numbers.number(at: place) }
    func clipNorm() -> ReferenceNumber? {
      update.clip && number(NUMBER_CLIP_NORM).value > 0 ? number(NUMBER_CLIP_NORM) : nil
    }
    func slowed() -> (count: Int, rate: ReferenceNumber) {
      (LANES * Int(number(NUMBER_SLOWED).value), number(NUMBER_SLOWED_RATE) * number(NUMBER_LEARNING_RATE))
    }
    guard update.optimizer == .adam else {
      return Prepared {
        let result = ReferenceMath.stochasticGradientDescent(
          parameters: parameters.numbers(count: count), gradients: gradients.numbers(count: count),
          momenta: momenta.numbers(count: count),
          .init(
            rate: number(NUMBER_LEARNING_RATE), slowed: slowed(), momentum: number(NUMBER_MOMENTUM),
            decay: number(NUMBER_WEIGHT_DECAY),
            l1: number(NUMBER_L1), nesterov: number(NUMBER_NESTEROV).value > 0, clipNorm: clipNorm()))
        parameters.write(result.parameters)
        momenta.write(result.momenta)
      }
    }
    let (squares, counters) = (memory[.secondMoments], memory[.counters])
    return Prepared {
      let result = ReferenceMath.adam(
        parameters: parameters.numbers(count: count), gradients: gradients.numbers(count: count),
        means: momenta.numbers(count: count), squares: squares.numbers(count: count),
        .init(
          rate: number(NUMBER_LEARNING_RATE), slowed: slowed(), firstDecay: number(NUMBER_MOMENTUM),
          secondDecay: number(NUMBER_SECOND_DECAY), epsilon: number(NUMBER_EPSILON), decay: number(NUMBER_WEIGHT_DECAY),
          l1: number(NUMBER_L1), update: counters.integer(at: COUNTER_UPDATES) + 1, clipNorm: clipNorm()))
      parameters.write(result.parameters)
      momenta.write(result.means)
      squares.write(result.squares)
    }
  }
}
