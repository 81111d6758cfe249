import FileFormats

/// Files of tensors as inputs: the header, a byte that no text has, and the data.
///
/// The length of the header is left out, so that mutation may make it longer or shorter, and so is the checksum, which would
/// refuse all other data.
extension SafetensorsFile {
  /// The input that `tensorFile` makes a file of.
  var input: [UInt8] {
    let bytes = encoded(), length = bytes[..<8].reversed().reduce(0) { $0 << 8 | Int($1) }
    let header = Seeds.made { try JSONText.parse(bytes[8..<8 + length], named: "header") }
    let members = (header.members ?? []).map { member in
      guard member.name == "__metadata__", let facts = member.value.members else { return member }
      return JSONMember(member.name, .object(facts.filter { $0.name != Self.checksumKey }))
    }
    return .parts(JSONText.compact(.object(members)), last: Array(bytes[(8 + length)...]))
  }
}

extension [UInt8] {
  /// The bytes of the file of tensors that this input stands for.
  var tensorFile: [UInt8] {
    let parts = parts(2), length = parts[0].count
    return (0..<8).map { UInt8(truncatingIfNeeded: length >> (8 * $0)) } + parts[0] + parts[1]
  }
}
