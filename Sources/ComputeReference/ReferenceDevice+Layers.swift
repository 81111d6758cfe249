import CLayout
import Compute

extension Window {
  /// Numbers of a convolution's input and of its output.
  var inputCount: Int { B * H * W * C }
  var outputCount: Int { B * P * Q * O }
}

extension ReferenceDevice {
  /// Makes `output` of `count` numbers of `input`.
  private func map(
    _ input: Value, count: Int, to output: Value, _ memory: ReferenceMemory,
    by formula: @escaping ([ReferenceNumber]) -> [ReferenceNumber]
  ) -> Prepared {
    let (input, output) = (memory[input], memory[output])
    return Prepared { output.write(formula(input.numbers(count: count))) }
  }

  func bind(_ add: Add, _ memory: ReferenceMemory) -> Prepared {
    let b = memory[add.b], count = add.count
    return map(add.a, count: count, to: add.output, memory) { ReferenceMath.add($0, b.numbers(count: count)) }
  }

  func bind(_ rectify: Rectify, _ memory: ReferenceMemory) -> Prepared {
    map(rectify.input, count: rectify.count, to: rectify.output, memory) {
      ReferenceMath.rectify($0, slope: rectify.slope, limit: rectify.limit)
    }
  }

  func bind(_ backward: RectifyBackward, _ memory: ReferenceMemory) -> Prepared {
    let output = memory[backward.output], count = backward.count
    return map(backward.doutput, count: count, to: backward.dinput, memory) {
      ReferenceMath.rectifyBackward(
        $0, output: output.numbers(count: count), slope: backward.slope, limit: backward.limit)
    }
  }

  func bind(_ bias: AddBias, _ memory: ReferenceMemory) -> Prepared {
    let parameters = memory[.parameters], C = bias.C
    return map(bias.input, count: bias.M * C, to: bias.output, memory) {
      ReferenceMath.bias($0, parameters.numbers(at: bias.biasAt, count: C))
    }
  }

  func bind(_ backward: AddBiasBackward, _ memory: ReferenceMemory) -> Prepared {
    let (doutput, gradients) = (memory[backward.doutput], memory[.gradients])
    return Prepared {
      let gradient = ReferenceMath.biasBackward(doutput.numbers(count: backward.M * backward.C), C: backward.C)
      gradients.write(gradient: gradient, at: backward.biasAt, accumulate: backward.accumulate)
    }
  }

  func bind(_ drop: ApplyDropout, _ memory: ReferenceMemory) -> Prepared {
    let counters = memory[.counters]
    return map(drop.input, count: drop.B * drop.M * drop.C, to: drop.output, memory) {
      let draw = ReferenceMath.DropoutDraw(
        seed: Self.seed(counters), epoch: counters.integer(at: COUNTER_EPOCH),
        first: counters.integer(at: COUNTER_OFFSET), peer: drop.peer, member: counters.integer(at: COUNTER_MEMBER))
      return ReferenceMath.dropout($0, drop.dropout, M: drop.M, C: drop.C, draw)
    }
  }

  func bind(_ flatten: Flatten, _ memory: ReferenceMemory) -> Prepared {
    let (M, C) = (flatten.M, flatten.C)
    return map(flatten.input, count: flatten.B * M * C, to: flatten.output, memory) {
      ReferenceMath.flatten($0, M: M, C: C)
    }
  }

  func bind(_ backward: FlattenBackward, _ memory: ReferenceMemory) -> Prepared {
    let (M, C) = (backward.M, backward.C)
    return map(backward.doutput, count: backward.B * M * C, to: backward.dinput, memory) {
      ReferenceMath.flattenBackward($0, M: M, C: C)
    }
  }

  // MARK: Images

  func bind(_ shortcut: ApplyShortcut, _ memory: ReferenceMemory) -> Prepared {
    map(shortcut.input, count: shortcut.shape.reduce(1, *), to: shortcut.output, memory) {
      ReferenceMath.shortcut($0, kind: shortcut.kind, shape: shortcut.shape, outputShape: shortcut.outputShape)
    }
  }

  func bind(_ backward: ApplyShortcutBackward, _ memory: ReferenceMemory) -> Prepared {
    map(backward.doutput, count: backward.outputShape.reduce(1, *), to: backward.dinput, memory) {
      ReferenceMath.shortcutBackward($0, kind: backward.kind, shape: backward.shape, outputShape: backward.outputShape)
    }
  }

  func bind(_ pool: Pool, _ memory: ReferenceMemory) -> Prepared {
    map(pool.input, count: pool.window.inputCount, to: pool.output, memory) {
      ReferenceMath.pool($0, maximum: pool.maximum, pool.window)
    }
  }

  func bind(_ backward: PoolBackward, _ memory: ReferenceMemory) -> Prepared {
    let window = backward.window, input = memory[backward.input]
    return map(backward.doutput, count: window.outputCount, to: backward.dinput, memory) {
      ReferenceMath.poolBackward(
        $0, input: input.numbers(count: window.inputCount), maximum: backward.maximum, window)
    }
  }

  func bind(_ average: GlobalAverage, _ memory: ReferenceMemory) -> Prepared {
    let (B, M, C) = (average.B, average.M, average.C)
    return map(average.input, count: B * M * C, to: average.output, memory) {
      ReferenceMath.globalAverage($0, B: B, M: M, C: C)
    }
  }

  func bind(_ backward: GlobalAverageBackward, _ memory: ReferenceMemory) -> Prepared {
    let (B, M, C) = (backward.B, backward.M, backward.C)
    return map(backward.doutput, count: B * C, to: backward.dinput, memory) {
      ReferenceMath.globalAverageBackward($0, B: B, M: M, C: C)
    }
  }

  // MARK: Linear layers

  func bind(_ linear: Linear, _ memory: ReferenceMemory) -> Prepared {
    let (M, N, K) = (linear.M, linear.N, linear.K), weights = PackedWeights(N: N, K: K, at: linear.weightsAt)
    let parameters = memory[.parameters]
    return map(linear.input, count: M * K, to: linear.output, memory) {
      ReferenceMath.linear(
        $0, weights: parameters.weights(weights), bias: parameters.numbers(at: linear.biasAt, count: N), M: M, N: N,
        K: K)
    }
  }

  func bind(_ backward: LinearBackwardData, _ memory: ReferenceMemory) -> Prepared {
    let (M, N, K) = (backward.M, backward.N, backward.K), weights = PackedWeights(N: N, K: K, at: backward.weightsAt)
    let parameters = memory[.parameters]
    return map(backward.doutput, count: M * N, to: backward.dinput, memory) {
      ReferenceMath.linearBackward(
        $0, input: .zeros(M * K), weights: parameters.weights(weights), M: M, N: N, K: K
      ).dinput
    }
  }

  func bind(_ backward: LinearBackwardWeights, _ memory: ReferenceMemory) -> Prepared {
    let (M, N, K) = (backward.M, backward.N, backward.K), weights = PackedWeights(N: N, K: K, at: backward.weightsAt)
    let (input, doutput, gradients) = (memory[backward.input], memory[backward.doutput], memory[.gradients])
    return Prepared {
      let result = ReferenceMath.linearBackward(
        doutput.numbers(count: M * N), input: input.numbers(count: M * K), weights: .zeros(N * K), M: M, N: N, K: K)
      gradients.write(gradient: result.dweights, of: weights, accumulate: backward.accumulate)
      gradients.write(gradient: result.dbias, at: backward.biasAt, accumulate: backward.accumulate)
    }
  }
}
