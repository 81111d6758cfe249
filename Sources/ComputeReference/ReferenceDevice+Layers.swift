import CLayout
import Compute

extension ReferenceDevice {
  func bind(_ add: Add, _ memory: ReferenceMemory) -> Prepared {
    let (a, b, output) = (memory[add.a], memory[add.b], memory[add.output])
    return Prepared { output.write(ReferenceMath.add(a.numbers(count: add.count), b.numbers(count: add.count))) }
  }

  func bind(_ rectify: Rectify, _ memory: ReferenceMemory) -> Prepared {
    let (input, output) = (memory[rectify.input], memory[rectify.output])
    return Prepared {
      output.write(ReferenceMath.rectify(input.numbers(count: rectify.count), slope: rectify.slope))
    }
  }

  func bind(_ backward: RectifyBackward, _ memory: ReferenceMemory) -> Prepared {
    let (doutput, output, dinput) = (memory[backward.doutput], memory[backward.output], memory[backward.dinput])
    return Prepared {
      dinput.write(
        ReferenceMath.rectifyBackward(
          doutput.numbers(count: backward.count), output: output.numbers(count: backward.count),
          slope: backward.slope))
    }
  }

  func bind(_ bias: AddBias, _ memory: ReferenceMemory) -> Prepared {
    let (input, output, parameters) = (memory[bias.input], memory[bias.output], memory[.parameters])
    return Prepared {
      output.write(
        ReferenceMath.bias(
          input.numbers(count: bias.M * bias.C), parameters.numbers(at: bias.biasAt, count: bias.C)))
    }
  }

  func bind(_ backward: AddBiasBackward, _ memory: ReferenceMemory) -> Prepared {
    let (doutput, gradients) = (memory[backward.doutput], memory[.gradients])
    return Prepared {
      let gradient = ReferenceMath.biasBackward(doutput.numbers(count: backward.M * backward.C), C: backward.C)
      gradients.write(gradient: gradient, at: backward.biasAt, accumulate: backward.accumulate)
    }
  }

  func bind(_ dropout: ApplyDropout, _ memory: ReferenceMemory) -> Prepared {
    let (input, output, counters) = (memory[dropout.input], memory[dropout.output], memory[.counters])
    let count = dropout.B * dropout.M * dropout.C
    return Prepared {
      let draw = ReferenceMath.DropoutDraw(
        seed: Self.seed(counters), epoch: counters.integer(at: COUNTER_EPOCH),
        first: counters.integer(at: COUNTER_OFFSET), peer: dropout.peer, member: counters.integer(at: COUNTER_MEMBER))
      output.write(
        ReferenceMath.dropout(input.numbers(count: count), dropout.dropout, M: dropout.M, C: dropout.C, draw))
    }
  }

  func bind(_ flatten: Flatten, _ memory: ReferenceMemory) -> Prepared {
    let (M, C) = (flatten.M, flatten.C), (input, output) = (memory[flatten.input], memory[flatten.output])
    return Prepared { output.write(ReferenceMath.flatten(input.numbers(count: flatten.B * M * C), M: M, C: C)) }
  }

  func bind(_ backward: FlattenBackward, _ memory: ReferenceMemory) -> Prepared {
    let (M, C) = (backward.M, backward.C), (doutput, dinput) = (memory[backward.doutput], memory[backward.dinput])
    return Prepared {
      dinput.write(ReferenceMath.flattenBackward(doutput.numbers(count: backward.B * M * C), M: M, C: C))
    }
  }

  // MARK: Images

  func bind(_ shortcut: ApplyShortcut, _ memory: ReferenceMemory) -> Prepared {
    let (input, output) = (memory[shortcut.input], memory[shortcut.output])
    return Prepared {
      output.write(
        ReferenceMath.shortcut(
          input.numbers(count: shortcut.shape.reduce(1, *)), kind: shortcut.kind, shape: shortcut.shape,
          outputShape: shortcut.outputShape))
    }
  }

  func bind(_ backward: ApplyShortcutBackward, _ memory: ReferenceMemory) -> Prepared {
    let (doutput, dinput) = (memory[backward.doutput], memory[backward.dinput])
    return Prepared {
      dinput.write(
        ReferenceMath.shortcutBackward(
          doutput.numbers(count: backward.outputShape.reduce(1, *)), kind: backward.kind, shape: backward.shape,
          outputShape: backward.outputShape))
    }
  }

  func bind(_ pool: Pool, _ memory: ReferenceMemory) -> Prepared {
    let window = pool.window, (input, output) = (memory[pool.input], memory[pool.output])
    return Prepared {
      output.write(
        ReferenceMath.pool(
          input.numbers(count: window.B * window.H * window.W * window.C), maximum: pool.maximum, window))
    }
  }

  func bind(_ backward: PoolBackward, _ memory: ReferenceMemory) -> Prepared {
    let window = backward.window
    let (doutput, input, dinput) = (memory[backward.doutput], memory[backward.input], memory[backward.dinput])
    return Prepared {
      dinput.write(
        ReferenceMath.poolBackward(
          doutput.numbers(count: window.B * window.P * window.Q * window.C),
          input: input.numbers(count: window.B * window.H * window.W * window.C), maximum: backward.maximum, window))
    }
  }

  func bind(_ average: GlobalAverage, _ memory: ReferenceMemory) -> Prepared {
    let (B, M, C) = (average.B, average.M, average.C), (input, output) = (memory[average.input], memory[average.output])
    return Prepared { output.write(ReferenceMath.globalAverage(input.numbers(count: B * M * C), B: B, M: M, C: C)) }
  }

  func bind(_ backward: GlobalAverageBackward, _ memory: ReferenceMemory) -> Prepared {
    let (B, M, C) = (backward.B, backward.M, backward.C)
    let (doutput, dinput) = (memory[backward.doutput], memory[backward.dinput])
    return Prepared {
      dinput.write(ReferenceMath.globalAverageBackward(doutput.numbers(count: B * C), B: B, M: M, C: C))
    }
  }
}
