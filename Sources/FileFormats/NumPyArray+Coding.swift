import Failures

extension NumPyArray {
  /// What the first bytes of a `.npy` file say.
  public struct Header: Sendable, Equatable {
    /// The type of the elements.
    public let element: Element
    /// The number of elements along each axis.
    public let shape: [Int]
    /// Where the elements begin.
    public let dataOffset: Int
    /// How many bytes the elements take.
    public let dataCount: Int
    /// Whether each element's bytes come in the other order.
    let isBigEndian: Bool
  }

  /// NumPy refuses longer headers than this, too.
  private static let longestHeader = 10_000

  /// Whether the bytes begin like a `.npy` file.
  public static func isNumPy(_ bytes: some Collection<UInt8>) -> Bool {
    bytes.starts(with: [0x93, 0x4E, 0x55, 0x4D, 0x50, 0x59])
  }

  /// Reads an array.
  ///
  /// - Parameter name: how failures name the file.
  /// - Throws: `.badInput` for a damaged file, an array of objects, Fortran order, or an element type that is not
  ///   a number, a truth value or text.
  public init(decoding file: consuming [UInt8], name: String) throws {
    let header = try Self.header(of: file, name: name)
    guard file.count - header.dataOffset == header.dataCount else {
      throw Failure(
        .badInput, "\(name) has \(file.count) bytes instead of \(header.dataOffset + header.dataCount).",
        why: "its header declares an array of shape \(header.shape) and type \(header.element.descriptor).",
        fix: "write or copy the file again.")
    }
    // In place, where nobody else holds them: large sets would be there twice.
    var bytes = file
    bytes.removeFirst(header.dataOffset)
    if header.isBigEndian {
      let size: Int
      if case .text = header.element { size = 4 } else { size = header.element.size }
      for start in stride(from: 0, to: bytes.count, by: size) { bytes[start..<start + size].reverse() }
    }
    self.init(header.element, shape: header.shape, bytes: bytes)
  }

  /// The array as a `.npy` file of version 1.0, byte for byte as NumPy writes it.
  public func encoded() -> [UInt8] {
    let axes = shape.count == 1 ? "\(shape[0])," : shape.map(String.init).joined(separator: ", ")
    var header = Array("{'descr': '\(element.descriptor)', 'fortran_order': False, 'shape': (\(axes)), }".utf8)
    // NumPy leaves room to let the first axis grow in place, then fills up to a multiple of 64 with at least one blank.
    header += [UInt8](repeating: 0x20, count: shape.isEmpty ? 0 : 21 - String(shape[0]).utf8.count)
    let unpadded = 10 + header.count + 1
    header += [UInt8](repeating: 0x20, count: 64 - unpadded % 64) + [0x0A]
    precondition(header.count <= 0xFFFF, "a NumPy header for \(shape.count) axes")
    return [0x93, 0x4E, 0x55, 0x4D, 0x50, 0x59, 1, 0, UInt8(header.count & 0xFF), UInt8(header.count >> 8)] + header
      + bytes
  }

  /// Reads only the header, from the beginning of a file.
  ///
  /// - Throws: `.badInput`, as `init(decoding:name:)` does.
  public static func header(of file: [UInt8], name: String) throws -> Header {
    let damaged = { (why: String) in
      Failure(.badInput, "\(name) is not a readable NumPy array.", why: why, fix: "write it again with numpy.save.")
    }
    guard isNumPy(file), file.count >= 10 else { throw damaged("it does not start with NumPy's magic bytes.") }
    let version = file[6]
    guard (1...3).contains(version), file[7] == 0 else {
      throw damaged("its format version is \(version).\(file[7]); 1.0 to 3.0 are supported.")
    }
    let start = version == 1 ? 10 : 12
    guard file.count >= start else { throw damaged("it ends inside its header.") }
    let length =
      version == 1
      ? Int(file[8]) | Int(file[9]) << 8
      : Int(file[8]) | Int(file[9]) << 8 | Int(file[10]) << 16 | Int(file[11]) << 24
    guard length <= longestHeader else {
      throw damaged("its header has \(length) bytes; at most \(longestHeader) are allowed.")
    }
    guard file.count >= start + length else { throw damaged("it ends inside its header.") }

    var fields = HeaderFields(text: Array(file[start..<start + length]))
    guard let found = fields.parse() else {
      throw damaged("its header is not a dictionary of descr, fortran_order and shape.")
    }
    guard !found.isFortranOrder || found.shape.count < 2 else {
      throw Failure(
        .badInput, "\(name) is stored in Fortran order.", why: "only C order (the last axis fastest) is supported.",
        fix: "save it again with numpy.save(file, numpy.ascontiguousarray(array)).")
    }
    guard let (element, isBigEndian) = Self.element(found.descriptor) else {
      let isObject = found.descriptor.contains("O")
      throw Failure(
        .badInput, "\(name) holds elements of type '\(found.descriptor)'.",
        why: isObject
          ? "they are Python objects, stored as a pickle, which can run code when it is read."
          : "integers, floating-point numbers, booleans and text are supported.",
        fix: "save it with a basic type: array.astype('int64') for numbers, array.astype('U') for names.")
    }
    // An axis of length zero must not hide that the product of the others overflows.
    var size = element.size
    for axis in found.shape {
      let (product, overflow) = size.multipliedReportingOverflow(by: max(axis, 1))
      guard !overflow else { throw damaged("its shape \(found.shape) is too large.") }
      size = product
    }
    guard size < Int.max / 2 else { throw damaged("its shape \(found.shape) is too large.") }
    if found.shape.contains(0) { size = 0 }
    return Header(
      element: element, shape: found.shape, dataOffset: start + length, dataCount: size, isBigEndian: isBigEndian)
  }

  private static func element(_ descriptor: String) -> (Element, isBigEndian: Bool)? {
    let letters = Array(descriptor)
    guard letters.count >= 3, let size = Int(String(letters[2...])), String(size) == String(letters[2...]) else {
      return nil
    }
    let order = letters[0]
    guard order == "<" || order == ">" || order == "|" else { return nil }
    let isBigEndian = order == ">"
    switch letters[1] {
    case "b" where size == 1: return (.bool, false)
    case "i" where [1, 2, 4, 8].contains(size): return (.signed(size), isBigEndian)
    case "u" where [1, 2, 4, 8].contains(size): return (.unsigned(size), isBigEndian)
    case "f" where [2, 4, 8].contains(size): return (.float(size), isBigEndian)
    case "U" where (1...1_000_000).contains(size): return (.text(size), isBigEndian)
    default: return nil
    }
  }

  /// The Python dictionary in a header; exactly the grammar that NumPy writes, in any order of keys.
  private struct HeaderFields {
    let text: [UInt8]
    var position = 0

    init(text: [UInt8]) { self.text = text }

    mutating func parse() -> (descriptor: String, isFortranOrder: Bool, shape: [Int])? {
      var descriptor: String?, isFortranOrder: Bool?, shape: [Int]?
      guard take("{") else { return nil }
      while !take("}") {
        guard let key = string(), take(":") else { return nil }
        switch key {
        case "descr":
          // A structured type is a list; reported as the letter that stands for it.
          if peek() == 0x5B { return ("V", false, []) }
          guard descriptor == nil, let value = string() else { return nil }
          descriptor = value
        case "fortran_order":
          guard isFortranOrder == nil, let value = truth() else { return nil }
          isFortranOrder = value
        case "shape":
          guard shape == nil, let value = tuple() else { return nil }
          shape = value
        default: return nil
        }
        if !take(",") && peek() != 0x7D { return nil }
      }
      _ = peek()
      guard position == text.count, let descriptor, let isFortranOrder, let shape else { return nil }
      return (descriptor, isFortranOrder, shape)
    }

    /// The next byte that is no blank.
    private mutating func peek() -> UInt8? {
      while position < text.count, text[position] == 0x20 || text[position] == 0x0A { position += 1 }
      return position < text.count ? text[position] : nil
    }

    private mutating func take(_ symbol: Unicode.Scalar) -> Bool {
      guard let next = peek(), UInt32(next) == symbol.value else { return false }
      position += 1
      return true
    }

    private mutating func string() -> String? {
      guard let quote = peek(), quote == 0x27 || quote == 0x22 else { return nil }
      guard let end = text[(position + 1)...].firstIndex(of: quote) else { return nil }
      let value = String(validating: text[(position + 1)..<end], as: UTF8.self)
      position = end + 1
      return value
    }

    private mutating func truth() -> Bool? {
      _ = peek()
      for (word, value) in [("True", true), ("False", false)] where text[position...].starts(with: word.utf8) {
        position += word.utf8.count
        return value
      }
      return nil
    }

    private mutating func tuple() -> [Int]? {
      guard take("(") else { return nil }
      var axes: [Int] = []
      while !take(")") {
        guard let first = peek(), first >= 0x30 && first <= 0x39 else { return nil }
        var value = 0
        while position < text.count, text[position] >= 0x30, text[position] <= 0x39 {
          let (tens, overflow) = value.multipliedReportingOverflow(by: 10)
          let (sum, carry) = tens.addingReportingOverflow(Int(text[position] - 0x30))
          guard !overflow && !carry else { return nil }
          value = sum
          position += 1
        }
        axes.append(value)
        guard axes.count <= 32, take(",") || peek() == 0x29 else { return nil }
      }
      return axes
    }
  }
}
