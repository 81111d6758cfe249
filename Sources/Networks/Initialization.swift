import Compute
import Statistics

extension ParameterTable {
  /// The first values of all parameters in their packed order, a pure function of the seed.
  ///
  /// Each element is drawn by its own counter (parameter, element), so that adding a layer changes no other layer.
  public func initialValues(seed: UInt64) -> [Float] {
    let random = CounterRandom(seed: seed)
    let values = entries.enumerated().map { index, parameter -> [Float] in
      switch parameter.initialization {
      case .constant(let value): [Float](repeating: value, count: parameter.count)
      case .normalFanOut: normal(random, index, parameter)
      case .truncatedNormal(let inputs): truncatedNormal(random, index, parameter, inputs)
      case .uniform(let bound):
        (0..<parameter.count).map {
          Float(random.uniform(.initialization, UInt32(index), UInt32($0)) * 2 - 1) * bound
        }
      }
    }
    return pack(values)
  }

  /// The standard deviation of a standard normal number that is cut off at ±2.
  private static let truncatedDeviation = 0.87962566103423978

  /// Draws again, with the counter's last word, until the number is within two deviations.
  private func truncatedNormal(
    _ random: CounterRandom, _ index: Int, _ parameter: Parameter, _ inputs: Int
  ) -> [Float] {
    let deviation = (2 / Double(inputs)).squareRoot() / Self.truncatedDeviation
    return (0..<parameter.count).map { i in
      var draw: UInt32 = 0, number = random.normal(.initialization, UInt32(index), UInt32(i))
      while abs(number) > 2 {
        draw += 1
        number = random.normal(.initialization, UInt32(index), UInt32(i), draw)
      }
      return Float(number * deviation)
    }
  }

  private func normal(_ random: CounterRandom, _ index: Int, _ parameter: Parameter) -> [Float] {
    let deviation = (2 / Double(parameter.shape[0] * parameter.shape[2] * parameter.shape[3])).squareRoot()
    return (0..<parameter.count).map { Float(random.normal(.initialization, UInt32(index), UInt32($0)) * deviation) }
  }
}
