/// Mutation that knows of numbers in texts.
///
/// By bytes alone hardly any input is made in which one number has another sign or size, and everything else still makes
/// sense: `"train":-2` of `"train":2` takes a minus at one place of a thousand, and no new code runs until it stands there.
enum NumberMutation {
  /// What numbers are replaced by: the ends of integers, what is no count, what is not finite, what is no number.
  private static let values = [
    "-1", "-5", "0", "1", "2", "3", "7", "32", "100", "255", "256", "4096", "65536", "1000000", "2147483647",
    "2147483648", "-2147483648", "4294967295", "4294967296", "9223372036854775807", "9223372036854775808",
    "-9223372036854775808", "18446744073709551615", "0.5", "-0.5", "1.5", "-0", "1e-320", "1e38", "1e39", "1e308",
    "-1e308", "1e999", "nan", "inf", "-inf", "", "null", "true", "x",
  ].map { Array($0.utf8) }

  /// The input with one of its numbers replaced; nil where it has none.
  static func changed(_ bytes: [UInt8], seed: Int) -> [UInt8]? {
    let numbers = numbers(bytes)
    guard !numbers.isEmpty else { return nil }
    var changed = bytes
    changed.replaceSubrange(numbers[seed % numbers.count], with: values[seed / numbers.count % values.count])
    return changed
  }

  /// Where the numbers of an input stand: digits with a sign, a point and an exponent.
  private static func numbers(_ bytes: [UInt8]) -> [Range<Int>] {
    func isDigit(_ at: Int) -> Bool { at < bytes.count && (0x30...0x39).contains(bytes[at]) }
    var found: [Range<Int>] = [], at = 0
    while at < bytes.count {
      guard isDigit(at) else {
        at += 1
        continue
      }
      let start = at > 0 && bytes[at - 1] == UInt8(ascii: "-") ? at - 1 : at
      while isDigit(at) || at + 1 < bytes.count && [0x2E, 0x65, 0x45].contains(bytes[at]) && isDigit(at + 1) { at += 1 }
      found.append(start..<at)
    }
    return found
  }
}

/// libFuzzer's own mutation.
@_silgen_name("LLVMFuzzerMutate")
private func mutateBytes(_ data: UnsafeMutablePointer<UInt8>, _ size: Int, _ limit: Int) -> Int

/// What libFuzzer calls to make an input of another one: every fourth time a number is replaced, else bytes are mutated.
@_cdecl("LLVMFuzzerCustomMutator")
public func fuzzMutate(_ data: UnsafeMutablePointer<UInt8>, _ size: Int, _ limit: Int, _ seed: UInt32) -> Int {
  guard seed % 4 == 0,
    let changed = NumberMutation.changed(
      Array(UnsafeBufferPointer(start: data, count: size)), seed: Int(seed / 4)),
    !changed.isEmpty, changed.count <= limit
  else { return mutateBytes(data, size, limit) }
  for (index, byte) in changed.enumerated() { data[index] = byte }
  return changed.count
}
