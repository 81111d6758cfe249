import CLayout
import Compute

extension ReferenceDevice {
  /// The layers of plain convolutional networks.
  func plainLayer(_ operation: TensorOperation, _ buffer: (Operand) -> Buffer) -> Prepared {
    func value(_ value: Value) -> Buffer { buffer(.value(value)) }
    switch operation {
    case .bias(let input, let biasAt, let output, let M, let C):
      let (input, output, parameters) = (value(input), value(output), buffer(.store(.parameters)))
      return Prepared {
        output.write(ReferenceMath.bias(input.numbers(count: M * C), parameters.numbers(at: biasAt, count: C)))
      }
    case .biasBackward(let doutput, let biasAt, let M, let C, let accumulate):
      let (doutput, gradients) = (value(doutput), buffer(.store(.gradients)))
      return Prepared {
        let gradient = ReferenceMath.biasBackward(doutput.numbers(count: M * C), C: C)
        gradients.write(gradient: gradient, at: biasAt, accumulate: accumulate)
      }
    case .dropout(let input, let dropout, let output, let B, let M, let C, let peer):
      let (input, output, counters) = (value(input), value(output), buffer(.store(.counters)))
      return Prepared {
        let draw = ReferenceMath.DropoutDraw(
          seed: Self.seed(counters), epoch: counters.integer(at: COUNTER_EPOCH),
          first: counters.integer(at: COUNTER_OFFSET), peer: peer, member: counters.integer(at: COUNTER_MEMBER))
        output.write(ReferenceMath.dropout(input.numbers(count: B * M * C), dropout, M: M, C: C, draw))
      }
    case .flatten(let input, let output, let B, let M, let C):
      let (input, output) = (value(input), value(output))
      return Prepared { output.write(ReferenceMath.flatten(input.numbers(count: B * M * C), M: M, C: C)) }
    case .flattenBackward(let doutput, let dinput, let B, let M, let C):
      let (doutput, dinput) = (value(doutput), value(dinput))
      return Prepared { dinput.write(ReferenceMath.flattenBackward(doutput.numbers(count: B * M * C), M: M, C: C)) }
    default: preconditionFailure("\(operation.name) is not a layer of a plain network")
    }
  }
}
