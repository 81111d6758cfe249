import Failures

extension SafetensorsFile.Tensor {
  /// 32-bit floats; their number must be the product of `shape`.
  public init(_ values: [Float], shape: [Int]) {
    self.init(.float32, shape: shape, bytes: littleEndian(values))
  }

  /// 64-bit floats; their number must be the product of `shape`.
  public init(_ values: [Double], shape: [Int]) {
    self.init(.float64, shape: shape, bytes: littleEndian(values))
  }

  /// 64-bit integers; their number must be the product of `shape`.
  public init(_ values: [Int64], shape: [Int]) {
    self.init(.int64, shape: shape, bytes: littleEndian(values))
  }

  /// 32-bit integers; their number must be the product of `shape`.
  public init(_ values: [Int32], shape: [Int]) {
    self.init(.int32, shape: shape, bytes: littleEndian(values))
  }

  /// Unsigned 64-bit integers; their number must be the product of `shape`.
  public init(_ values: [UInt64], shape: [Int]) {
    self.init(.uint64, shape: shape, bytes: littleEndian(values))
  }

  /// Bytes; their number must be the product of `shape`.
  public init(_ values: [UInt8], shape: [Int]) {
    self.init(.uint8, shape: shape, bytes: values)
  }

  /// The elements if they are floats of any width, rounded to 32 bits; nil for integers.
  public var floats: [Float]? {
    switch type {
    case .float32: elements(UInt32.self).map { Float(bitPattern: $0) }
    case .float64: elements(UInt64.self).map { Float(Double(bitPattern: $0)) }
    case .bfloat16: elements(UInt16.self).map { Float(bitPattern: UInt32($0) << 16) }
    case .float16: elements(UInt16.self).map(Self.float(half:))
    case .int64, .int32, .uint64, .uint8: nil
    }
  }

  /// The elements if they are floats of any width; nil for integers.
  public var doubles: [Double]? {
    type == .float64 ? elements(UInt64.self).map { Double(bitPattern: $0) } : floats?.map(Double.init)
  }

  /// The elements if they are signed integers or bytes; nil otherwise.
  public var integers: [Int64]? {
    switch type {
    case .int64: elements(UInt64.self).map { Int64(bitPattern: $0) }
    case .int32: elements(UInt32.self).map { Int64(Int32(bitPattern: $0)) }
    case .uint8: bytes.map(Int64.init)
    case .float64, .float32, .float16, .bfloat16, .uint64: nil
    }
  }

  /// The elements if they are unsigned 64-bit integers; nil otherwise.
  public var unsignedIntegers: [UInt64]? {
    type == .uint64 ? elements(UInt64.self) : nil
  }

  private func elements<Word: FixedWidthInteger>(_ word: Word.Type) -> [Word] {
    bytes.withUnsafeBytes { buffer in
      (0..<count).map { index in
        Word(littleEndian: buffer.loadUnaligned(fromByteOffset: index * MemoryLayout<Word>.size, as: Word.self))
      }
    }
  }

  /// IEEE half precision; every value is exact in 32 bits.
  private static func float(half bits: UInt16) -> Float {
    let sign: Float = bits >> 15 == 0 ? 1 : -1
    let exponent = Int(bits >> 10 & 31), fraction = Float(bits & 1023)
    switch exponent {
    case 0: return sign * fraction * 0x1p-24
    case 31: return fraction == 0 ? sign * .infinity : .nan
    default: return sign * Float(sign: .plus, exponent: exponent - 15, significand: 1 + fraction * 0x1p-10)
    }
  }
}

extension SafetensorsFile {
  /// The floats of a tensor that must be there with this shape.
  ///
  /// - Throws: `Failure` of kind `badInput` that names the file, the tensor and both shapes.
  public func floats(_ name: String, shape: [Int]) throws -> [Float] {
    try values(name, shape, kind: "floats") { $0.floats }
  }

  /// The floats of a tensor that must be there with this shape, in double precision.
  ///
  /// - Throws: as `floats(_:shape:)`.
  public func doubles(_ name: String, shape: [Int]) throws -> [Double] {
    try values(name, shape, kind: "floats") { $0.doubles }
  }

  /// The integers of a tensor that must be there with this shape.
  ///
  /// - Throws: as `floats(_:shape:)`.
  public func integers(_ name: String, shape: [Int]) throws -> [Int64] {
    try values(name, shape, kind: "integers") { $0.integers }
  }

  /// The integers of a tensor that must be there with this shape, each of which 32 bits can hold.
  ///
  /// - Throws: as `floats(_:shape:)`.
  public func shortIntegers(_ name: String, shape: [Int]) throws -> [Int32] {
    try values(name, shape, kind: "32-bit integers") { tensor in
      tensor.integers.flatMap { values in
        let short = values.compactMap { Int32(exactly: $0) }
        return short.count == values.count ? short : nil
      }
    }
  }

  /// The unsigned 64-bit integers of a tensor that must be there with this shape.
  ///
  /// - Throws: as `floats(_:shape:)`.
  public func unsignedIntegers(_ name: String, shape: [Int]) throws -> [UInt64] {
    try values(name, shape, kind: "unsigned 64-bit integers") { $0.unsignedIntegers }
  }

  /// The bytes of a U8 tensor that must be there with this shape.
  ///
  /// - Throws: as `floats(_:shape:)`.
  public func bytes(_ name: String, shape: [Int]) throws -> [UInt8] {
    try values(name, shape, kind: "bytes") { $0.type == .uint8 ? $0.bytes : nil }
  }

  private func values<Value>(
    _ name: String, _ shape: [Int], kind: String, _ convert: (Tensor) -> [Value]?
  ) throws -> [Value] {
    guard let tensor = self[name] else {
      throw Failure(
        .badInput, "'\(path)' has no tensor '\(name)'.", why: "it holds \(entries.count) other tensors.",
        fix: "use a file that was saved from the same network.")
    }
    guard tensor.shape == shape else {
      throw Failure(
        .badInput, "the tensor '\(name)' in '\(path)' has the wrong shape.",
        why: "its shape is \(tensor.shape), but must be \(shape).",
        fix: "use a file that was saved from the same network and data.")
    }
    guard let values = convert(tensor) else {
      throw Failure(
        .badInput, "the tensor '\(name)' in '\(path)' has the wrong type.",
        why: "it is \(tensor.type.rawValue), but must be \(kind).", fix: "save it again with the right type.")
    }
    return values
  }
}

/// The elements' bytes in the order of the file.
private func littleEndian(_ values: [some Any]) -> [UInt8] {
  // Every platform that this package builds for keeps numbers little-endian, as the file does.
  #if _endian(big)
    #error("convert the elements to little-endian bytes here")
  #endif
  return values.withUnsafeBytes { Array($0) }
}
