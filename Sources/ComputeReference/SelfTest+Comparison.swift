import Compute

/// The largest error among some numbers, and where it is.
struct Discrepancy {
  let unit: Double
  var error = 0.0
  var detail = ""

  init(unit: Double) { self.unit = unit }

  mutating func note(_ error: Double, _ detail: @autoclosure () -> String) {
    guard error > self.error else { return }
    self.error = error
    self.detail = detail()
  }

  mutating func name(_ operand: Operand) {
    guard !detail.isEmpty else { return }
    switch operand {
    case .value(let value): detail = "value \(value.index)\(detail)"
    case .store(let store): detail = "\(store)\(detail)"
    }
  }

  /// The error of a float in roundings.
  ///
  /// Results below the smallest normal number may be flushed to zero on any device; a few of those pass.
  ///
  /// - Parameter storing: the relative rounding that storing the result costs; not counted as an error.
  mutating func compare(
    _ actual: Double, _ expected: Double, roundings: Double, storing: Double = 0, at index: Int
  ) {
    var error = 0.0
    if !expected.isFinite || !actual.isFinite {
      error = expected == actual || expected.isNaN && actual.isNaN ? 0 : .infinity
    } else {
      let allowed = 64 * Double(Float.leastNormalMagnitude) + storing * max(abs(expected), abs(actual))
      let difference = abs(actual - expected) - allowed
      if difference > 0 { error = difference / (roundings * unit) }
    }
    note(error, "[\(index)] is \(actual) instead of \(expected)")
  }
}

extension SelfTest {
  func compareElements<Element: BinaryInteger & BitwiseCopyable>(
    _ type: Element.Type, _ bytes: [UInt8], _ expected: ReferenceDevice.Buffer, unit: Double
  ) -> Discrepancy {
    var found = Discrepancy(unit: unit)
    bytes.withUnsafeBytes { raw in
      for index in 0..<raw.count / MemoryLayout<Element>.stride {
        let offset = index * MemoryLayout<Element>.stride
        let actual = raw.loadUnaligned(fromByteOffset: offset, as: type)
        let wanted = expected.bytes.load(fromByteOffset: offset, as: type)
        if actual != wanted { found.note(.infinity, "[\(index)] is \(actual) instead of \(wanted)") }
      }
    }
    return found
  }

  func compareFloats(
    _ bytes: [UInt8], _ expected: ReferenceDevice.Buffer, meaningful: [Range<Int>]?, storing: Double, unit: Double
  ) -> Discrepancy {
    var found = Discrepancy(unit: unit)
    bytes.withUnsafeBytes { raw in
      for index in (meaningful ?? [0..<raw.count / 4]).joined() {
        found.compare(
          Double(raw.loadUnaligned(fromByteOffset: index * 4, as: Float.self)), expected.number(at: index).value,
          roundings: expected.roundings(at: index), storing: storing, at: index)
      }
    }
    return found
  }

  /// Compares the sums that two columns stand for: `sum` − `lost`.
  func compareSums(
    _ sum: D.Buffer, _ lost: D.Buffer, _ columns: (sum: Store, lost: Store),
    _ expected: [Operand: ReferenceDevice.Buffer], _ operationCase: OperationCase
  ) throws -> Discrepancy {
    var found = Discrepancy(unit: unit(of: operationCase.operation))
    guard let expectedSum = expected[.store(columns.sum)], let expectedLost = expected[.store(columns.lost)] else {
      return found
    }
    let count = (operationCase.contents[.store(columns.sum)]?.byteCount ?? 0) / 4
    let sums = try device.read(Float.self, count: count, from: sum)
    let losts = try device.read(Float.self, count: count, from: lost)
    for index in 0..<count {
      found.compare(
        Double(sums[index]) - Double(losts[index]),
        expectedSum.number(at: index).value - expectedLost.number(at: index).value,
        roundings: expectedSum.roundings(at: index), at: index)
    }
    found.name(.store(columns.sum))
    return found
  }
}
