import FileFormats

/// Writes pickles of protocol 2 instruction by instruction, and with them files as `torch.save` writes them.
enum PickleBytes {
  /// The instruction with which a pickle starts.
  static let start: [UInt8] = [0x80, 2]
  static let stop = ascii(".")

  static func ascii(_ text: String) -> [UInt8] { Array(text.utf8) }
  static func little(_ number: Int, _ size: Int) -> [UInt8] {
    (0..<size).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
  }
  static func text(_ text: String) -> [UInt8] { ascii("X") + little(text.utf8.count, 4) + ascii(text) }
  static func integer(_ number: Int) -> [UInt8] {
    Int32(exactly: number) != nil ? ascii("J") + little(number, 4) : [0x8A, 8] + little(number, 8)
  }
  static func global(_ module: String, _ name: String) -> [UInt8] { ascii("c\(module)\n\(name)\n") }
  static func tuple(_ parts: [[UInt8]]) -> [UInt8] { ascii("(") + parts.joined() + ascii("t") }
  static func list(_ parts: [[UInt8]]) -> [UInt8] { ascii("](") + parts.joined() + ascii("e") }
  static func call(_ module: String, _ name: String, _ arguments: [[UInt8]]) -> [UInt8] {
    global(module, name) + tuple(arguments) + ascii("R")
  }
  static func dictionary(_ members: [(String, [UInt8])]) -> [UInt8] {
    ascii("}(") + members.flatMap { text($0.0) + $0.1 } + ascii("u")
  }

  /// A tensor in a storage.
  static func tensor(
    _ key: String, of size: Int, shape: [Int], strides: [Int]? = nil, offset: Int = 0, kind: String = "FloatStorage"
  ) -> [UInt8] {
    var plain: [Int] = []
    for axis in shape.indices { plain.append(shape[(axis + 1)...].reduce(1) { $0 &* $1 }) }
    let storage =
      tuple([text("storage"), global("torch", kind), text(key), text("cpu"), integer(size)]) + ascii("Q")
    return call(
      "torch._utils", "_rebuild_tensor_v2",
      [
        storage, integer(offset), tuple(shape.map(integer)), tuple((strides ?? plain).map(integer)), [0x89],
        call("collections", "OrderedDict", []),
      ])
  }

  static func floats(_ values: [Float]) -> [UInt8] { values.flatMap { little(Int($0.bitPattern), 4) } }

  /// The older format: five pickles, then the storages.
  static func old(_ object: [UInt8], _ storages: [(key: String, count: Int, bytes: [UInt8])]) -> [UInt8] {
    let magic: [UInt8] = [0x8A, 10, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19]
    let system = dictionary([("protocol_version", integer(1001)), ("little_endian", [0x88])])
    let keys = list(storages.map { text($0.key) })
    let pickles = [magic, integer(1001), system, object, keys].flatMap { start + $0 + stop }
    return pickles + storages.flatMap { little($0.count, 8) + $0.bytes }
  }

  /// The zip format.
  static func zip(_ object: [UInt8], _ storages: [(key: String, count: Int, bytes: [UInt8])]) throws -> [UInt8] {
    try ZipArchive.stored(
      [("a/data.pkl", start + object + stop), ("a/byteorder", ascii("little"))]
        + storages.map { ("a/data/\($0.key)", $0.bytes) })
  }
}
