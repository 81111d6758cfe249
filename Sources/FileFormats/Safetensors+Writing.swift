import Failures

extension SafetensorsFile {
  /// Replaces the file at `path` as a whole: after a crash there is the old file or the new one.
  ///
  /// - Throws: `Failure` of kind `cannotCreate` or `inputOutput`.
  public func write(to path: String) throws {
    try AtomicFile.write(encoded(), to: path)
  }

  /// The file's bytes, a function of the value: metadata sorted by key, tensors in their order.
  ///
  /// The header is padded with spaces to a multiple of 8 bytes and the data of wider elements comes first, so that every
  /// tensor lies aligned in the file (PyTorch refuses to map the others). The metadata gains `gpunoisy.sha256`.
  public func encoded() -> [UInt8] {
    var dataSize = 0
    var begins: [Int: Int] = [:]
    let fileOrder = entries.indices.sorted {
      (-entries[$0].tensor.type.byteCount, $0) < (-entries[$1].tensor.type.byteCount, $1)
    }
    for index in fileOrder {
      begins[index] = dataSize
      dataSize += entries[index].tensor.bytes.count
    }
    var data: [UInt8] = []
    data.reserveCapacity(dataSize)
    for index in fileOrder { data += entries[index].tensor.bytes }

    var facts = metadata
    facts[Self.checksumKey] = Self.checksum(data[...])
    var members = [
      JSONMember(
        "__metadata__", .object(facts.sorted { $0.key < $1.key }.map { JSONMember($0.key, .string($0.value)) }))
    ]
    for (index, entry) in entries.enumerated() {
      let begin = begins[index]!, end = begin + entry.tensor.bytes.count
      members.append(
        JSONMember(
          entry.name,
          [
            "dtype": .string(entry.tensor.type.rawValue),
            "shape": .array(entry.tensor.shape.map { JSONValue($0) }),
            "data_offsets": [JSONValue(begin), JSONValue(end)],
          ]))
    }
    var header = Array(JSONText.compact(.object(members)).utf8)
    header += [UInt8](repeating: UInt8(ascii: " "), count: (8 - header.count % 8) % 8)
    precondition(header.count <= Self.headerLimit, "a header of \(header.count) bytes")
    return (0..<8).map { UInt8(truncatingIfNeeded: header.count >> (8 * $0)) } + header + data
  }

  /// The SHA-256 of the data section in hexadecimal.
  static func checksum(_ data: ArraySlice<UInt8>) -> String {
    var hash = SHA256()
    data.withUnsafeBytes { hash.update($0) }
    return hash.digest().description
  }
}
