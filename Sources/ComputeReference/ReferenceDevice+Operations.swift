import CLayout
import Compute
import Failures

extension ReferenceDevice {
  /// Binds an operation to its buffers; see `Device`.
  public func prepare(
    _ operation: TensorOperation, activations: NumberFormat, buffer: (Operand) -> Buffer
  ) throws -> [Prepared] {
    precondition(activations == .float32, "the reference computes with float32 tensors only")
    func value(_ value: Value) -> Buffer { buffer(.value(value)) }
    switch operation {
    case .augment(let output, let shape, let augmentation, let peer):
      return [augment(value(output), shape, augmentation, peer, buffer)]
    case .convolve(let window, let input, let weightsAt, let output, let statistics):
      let (input, output, parameters) = (value(input), value(output), buffer(.store(.parameters)))
      let convolve = Prepared {
        output.write(
          ReferenceMath.convolve(
            input.numbers(count: window.B * window.H * window.W * window.C),
            weights: parameters.weights(PackedWeights(window, at: weightsAt)), window))
      }
      guard let statistics else { return [convolve] }
      let M = window.B * window.P * window.Q
      return [convolve, batchStatistics(output, M: M, C: window.O, statistics, buffer)]
    case .convolveBackwardData(let window, let doutput, let weightsAt, let addend, let dinput):
      let (doutput, dinput, parameters) = (value(doutput), value(dinput), buffer(.store(.parameters)))
      let addend = addend.map(value)
      return [
        Prepared {
          let gradient = ReferenceMath.convolveBackwardData(
            doutput.numbers(count: window.B * window.P * window.Q * window.O),
            weights: parameters.weights(PackedWeights(window, at: weightsAt)), window)
          dinput.write(addend.map { ReferenceMath.add(gradient, $0.numbers(count: gradient.count)) } ?? gradient)
        }
      ]
    case .convolveBackwardWeights(let window, let input, let doutput, let weightsAt, let accumulate):
      let (input, doutput, gradients) = (value(input), value(doutput), buffer(.store(.gradients)))
      return [
        Prepared {
          let gradient = ReferenceMath.convolveBackwardWeights(
            doutput.numbers(count: window.B * window.P * window.Q * window.O),
            input: input.numbers(count: window.B * window.H * window.W * window.C), window)
          gradients.write(gradient: gradient, of: PackedWeights(window, at: weightsAt), accumulate: accumulate)
        }
      ]
    case .batchStatistics(let input, let M, let C, let statistics):
      return [batchStatistics(value(input), M: M, C: C, statistics, buffer)]
    case .inferenceStatistics(let C, let statistics):
      let (mean, inverse, running) = (value(statistics.mean), value(statistics.inverse), buffer(.store(.running)))
      return [
        Prepared {
          mean.write(running.numbers(at: statistics.runningMean, count: C))
          inverse.write(ReferenceMath.inverseDeviation(running.numbers(at: statistics.runningVariance, count: C)))
        }
      ]
    case .normalize, .normalizeBackward: return [normalize(operation, buffer)]
    case .normalizeBackwardSums, .normalizeBackwardApply, .convolveNormalized, .convolveBackwardDataNormalized,
      .convolveBackwardWeightsNormalized:
      return fused(operation, buffer)
    case .add(let a, let b, let output, let count):
      let (a, b, output) = (value(a), value(b), value(output))
      return [
        Prepared {
          output.write(ReferenceMath.add(a.numbers(count: count), b.numbers(count: count)))
        }
      ]
    case .rectify(let input, let slope, let output, let count):
      let (input, output) = (value(input), value(output))
      return [Prepared { output.write(ReferenceMath.rectify(input.numbers(count: count), slope: slope)) }]
    case .rectifyBackward(let doutput, let output, let slope, let dinput, let count):
      let (doutput, output, dinput) = (value(doutput), value(output), value(dinput))
      return [
        Prepared {
          dinput.write(
            ReferenceMath.rectifyBackward(
              doutput.numbers(count: count), output: output.numbers(count: count), slope: slope))
        }
      ]
    case .bias, .biasBackward, .dropout, .flatten, .flattenBackward: return [plainLayer(operation, buffer)]
    case .shortcut(let input, let output, let shape, let outputShape, let kind):
      let (input, output) = (value(input), value(output))
      return [
        Prepared {
          output.write(
            ReferenceMath.shortcut(
              input.numbers(count: shape.reduce(1, *)), kind: kind, shape: shape, outputShape: outputShape))
        }
      ]
    case .shortcutBackward(let doutput, let dinput, let shape, let outputShape, let kind):
      let (doutput, dinput) = (value(doutput), value(dinput))
      return [
        Prepared {
          dinput.write(
            ReferenceMath.shortcutBackward(
              doutput.numbers(count: outputShape.reduce(1, *)), kind: kind, shape: shape, outputShape: outputShape))
        }
      ]
    case .pool(let window, let input, let output, let maximum):
      let (input, output) = (value(input), value(output))
      return [
        Prepared {
          output.write(
            ReferenceMath.pool(
              input.numbers(count: window.B * window.H * window.W * window.C), maximum: maximum, window))
        }
      ]
    case .poolBackward(let window, let doutput, let input, let dinput, let maximum):
      let (doutput, input, dinput) = (value(doutput), value(input), value(dinput))
      return [
        Prepared {
          dinput.write(
            ReferenceMath.poolBackward(
              doutput.numbers(count: window.B * window.P * window.Q * window.C),
              input: input.numbers(count: window.B * window.H * window.W * window.C), maximum: maximum, window))
        }
      ]
    case .globalAverage(let input, let output, let B, let M, let C):
      let (input, output) = (value(input), value(output))
      return [
        Prepared {
          output.write(ReferenceMath.globalAverage(input.numbers(count: B * M * C), B: B, M: M, C: C))
        }
      ]
    case .globalAverageBackward(let doutput, let dinput, let B, let M, let C):
      let (doutput, dinput) = (value(doutput), value(dinput))
      return [
        Prepared {
          dinput.write(ReferenceMath.globalAverageBackward(doutput.numbers(count: B * C), B: B, M: M, C: C))
        }
      ]
    case .linear, .linearBackwardData, .linearBackwardWeights: return [linear(operation, buffer)]
    case .loss(let function, let logits, let dlogits, let B, let K, let peer):
      return [try loss(function, value(logits), value(dlogits), B: B, K: K, peer, buffer)]
    case .evaluate(let logits, _, let B, let K): return [evaluate(value(logits), B: B, K: K, buffer)]
    case .rows(let kernel, let count): return [rows(kernel, count, buffer)]
    case .update(let kernel, let count, let clip): return [update(kernel, count, clip, buffer)]
    case .advance(let B):
      let counters = buffer(.store(.counters))
      return [
        Prepared {
          counters.write(integer: counters.integer(at: COUNTER_OFFSET) + B, at: COUNTER_OFFSET)
          counters.write(integer: counters.integer(at: COUNTER_UPDATES) + 1, at: COUNTER_UPDATES)
        }
      ]
    case .cut: return []
    }
  }

  // MARK: Batch norm

  func batchStatistics(
    _ input: Buffer, M: Int, C: Int, _ statistics: BatchStatistics, _ buffer: (Operand) -> Buffer
  ) -> Prepared {
    let (mean, inverse) = (buffer(.value(statistics.mean)), buffer(.value(statistics.inverse)))
    let running = buffer(.store(.running))
    return Prepared {
      let batch = ReferenceMath.batchStatistics(input.numbers(count: M * C), M: M, C: C)
      let moved = ReferenceMath.movedStatistics(
        runningMean: running.numbers(at: statistics.runningMean, count: C),
        runningVariance: running.numbers(at: statistics.runningVariance, count: C),
        mean: batch.mean, variance: batch.variance, M: M)
      mean.write(batch.mean)
      inverse.write(ReferenceMath.inverseDeviation(batch.variance))
      running.write(moved.mean, at: statistics.runningMean)
      running.write(moved.variance, at: statistics.runningVariance)
    }
  }

  private func normalize(_ operation: TensorOperation, _ buffer: (Operand) -> Buffer) -> Prepared {
    let parameters = buffer(.store(.parameters))
    switch operation {
    case .normalize(
      let input, let statistics, let gammaAt, let betaAt, let residual, let rectify, let output, let M, let C):
      let (input, output) = (buffer(.value(input)), buffer(.value(output)))
      let (mean, inverse) = (buffer(.value(statistics.mean)), buffer(.value(statistics.inverse)))
      let residual = residual.map { buffer(.value($0)) }
      return Prepared {
        output.write(
          ReferenceMath.normalize(
            input.numbers(count: M * C), mean: mean.numbers(count: C), inverse: inverse.numbers(count: C),
            gamma: parameters.numbers(at: gammaAt, count: C), beta: parameters.numbers(at: betaAt, count: C),
            residual: residual?.numbers(count: M * C), rectify: rectify, M: M, C: C))
      }
    case .normalizeBackward(
      let doutput, let output, let input, let statistics, let gammaAt, let betaAt, let dresidual, let rectify,
      let dinput, let M, let C, let accumulate):
      let (doutput, output) = (buffer(.value(doutput)), buffer(.value(output)))
      let (input, dinput) = (buffer(.value(input)), buffer(.value(dinput)))
      let (mean, inverse) = (buffer(.value(statistics.mean)), buffer(.value(statistics.inverse)))
      let dresidual = dresidual.map { buffer(.value($0)) }, gradients = buffer(.store(.gradients))
      return Prepared {
        let result = ReferenceMath.normalizeBackward(
          doutput.numbers(count: M * C), output: rectify ? output.numbers(count: M * C) : [],
          input: input.numbers(count: M * C), mean: mean.numbers(count: C), inverse: inverse.numbers(count: C),
          gamma: parameters.numbers(at: gammaAt, count: C), rectify: rectify, M: M, C: C)
        dinput.write(result.dinput)
        dresidual?.write(result.dresidual)
        gradients.write(gradient: result.dgamma, at: gammaAt, accumulate: accumulate)
        gradients.write(gradient: result.dbeta, at: betaAt, accumulate: accumulate)
      }
    default: preconditionFailure("\(operation.name) is not a batch norm")
    }
  }

  // MARK: Linear layers

  private func linear(_ operation: TensorOperation, _ buffer: (Operand) -> Buffer) -> Prepared {
    switch operation {
    case .linear(let input, let weightsAt, let biasAt, let output, let M, let N, let K):
      let (input, output, parameters) = (
        buffer(.value(input)), buffer(.value(output)), buffer(.store(.parameters))
      )
      return Prepared {
        output.write(
          ReferenceMath.linear(
            input.numbers(count: M * K), weights: parameters.weights(PackedWeights(N: N, K: K, at: weightsAt)),
            bias: parameters.numbers(at: biasAt, count: N), M: M, N: N, K: K))
      }
    case .linearBackwardData(let doutput, let weightsAt, let dinput, let M, let N, let K):
      let (doutput, dinput, parameters) = (
        buffer(.value(doutput)), buffer(.value(dinput)), buffer(.store(.parameters))
      )
      return Prepared {
        dinput.write(
          ReferenceMath.linearBackward(
            doutput.numbers(count: M * N), input: .zeros(M * K),
            weights: parameters.weights(PackedWeights(N: N, K: K, at: weightsAt)), M: M, N: N, K: K
          ).dinput)
      }
    case .linearBackwardWeights(
      let input, let doutput, let weightsAt, let biasAt, let M, let N, let K, let accumulate):
      let (input, doutput, gradients) = (
        buffer(.value(input)), buffer(.value(doutput)), buffer(.store(.gradients))
      )
      return Prepared {
        let result = ReferenceMath.linearBackward(
          doutput.numbers(count: M * N), input: input.numbers(count: M * K), weights: .zeros(N * K), M: M, N: N, K: K)
        gradients.write(
          gradient: result.dweights, of: PackedWeights(N: N, K: K, at: weightsAt), accumulate: accumulate)
        gradients.write(gradient: result.dbias, at: biasAt, accumulate: accumulate)
      }
    default: preconditionFailure("\(operation.name) is not a linear layer")
    }
  }
}
