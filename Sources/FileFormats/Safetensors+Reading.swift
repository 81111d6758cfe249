import Failures

extension SafetensorsFile {
  /// Reads and checks a file.
  ///
  /// - Throws: `Failure` of kind `missingInput` or `inputOutput` if it cannot be read, `badInput` if it is damaged, with
  ///   the reason.
  public static func read(_ path: String) throws -> SafetensorsFile {
    try SafetensorsFile(parsing: try FileBytes.read(path), path: path)
  }

  /// Reads a file's bytes; stricter than the format's own readers.
  ///
  /// Everything is checked before anything is allocated: the header's length, a header that begins with `{`, names that
  /// occur once, known types, shapes whose size does not overflow, offsets that cover the data without holes, overlaps
  /// or remains; and the data's SHA-256 where the metadata records one.
  ///
  /// - Parameter path: the name for messages.
  /// - Throws: `Failure` of kind `badInput`.
  public init(parsing bytes: [UInt8], path: String) throws {
    self.init(path: path)
    func damaged(_ why: String) -> Failure {
      Failure(
        .badInput, "'\(path)' is not a valid safetensors file.", why: why + ".",
        fix: "use another copy; if this is a run's checkpoint, resume from the other one in its folder.")
    }
    if TorchFile.isTorch(bytes) { throw Self.pickleFailure(bytes, path: path) }
    guard bytes.count >= 8 else { throw damaged("it has \(bytes.count) bytes; the header's length alone takes 8") }
    let length = bytes[..<8].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    guard length <= UInt64(Self.headerLimit) else {
      throw damaged("its header claims \(length) bytes, more than \(Self.headerLimit)")
    }
    guard length <= UInt64(bytes.count - 8) else {
      throw damaged("its header claims \(length) bytes, but only \(bytes.count - 8) follow")
    }
    let dataStart = 8 + Int(length)
    guard length > 0, bytes[8] == UInt8(ascii: "{") else { throw damaged("its header does not start with {") }
    let header = try JSONText.parse(bytes[8..<dataStart], named: path + " (header)", limits: .init(depth: 4))

    var pending: [(name: String, header: TensorHeader)] = []
    for member in header.members ?? [] {
      if member.name == "__metadata__" {
        guard let facts = member.value.members else { throw damaged("__metadata__ is not an object") }
        for fact in facts {
          guard let text = fact.value.string else { throw damaged("the metadata '\(fact.name)' is not a string") }
          metadata[fact.name] = text
        }
      } else {
        pending.append((member.name, try TensorHeader(member, damaged: damaged)))
      }
    }

    var end = 0
    for (name, header) in pending.sorted(by: { ($0.header.begin, $0.header.end) < ($1.header.begin, $1.header.end) }) {
      guard header.begin == end else {
        throw damaged("the data of '\(name)' starts at \(header.begin), not at \(end) where the previous one ends")
      }
      end = header.end
    }
    guard end == bytes.count - dataStart else {
      throw damaged("the tensors cover \(end) bytes, the file has \(bytes.count - dataStart) bytes of data")
    }
    if let expected = metadata[Self.checksumKey] {
      let actual = Self.checksum(bytes[dataStart...])
      guard actual == expected else { throw damaged("its data has the SHA-256 \(actual), not \(expected) as recorded") }
    }
    for (name, header) in pending {
      self[name] = Tensor(
        header.type, shape: header.shape, bytes: Array(bytes[(dataStart + header.begin)..<(dataStart + header.end)]))
    }
  }

  /// What the header says of one tensor; `end - begin` is the size that type and shape call for.
  private struct TensorHeader {
    var type: ElementType
    var shape: [Int]
    var begin: Int
    var end: Int

    init(_ member: JSONMember, damaged: (String) -> Failure) throws {
      let name = member.name
      guard let fields = member.value.members, Set(fields.map(\.name)) == ["dtype", "shape", "data_offsets"] else {
        throw damaged("the entry of '\(name)' is not {dtype, shape, data_offsets}")
      }
      guard let code = member.value["dtype"]?.string, let type = ElementType(rawValue: code) else {
        throw damaged("'\(name)' has an unknown type; known are \(ElementType.allCases.map(\.rawValue))")
      }
      let axes = member.value["shape"]?.array ?? [nil]
      let offsets = member.value["data_offsets"]?.array ?? []
      shape = axes.compactMap(\.integer)
      guard shape.count == axes.count, let size = Tensor.byteCount(type, shape) else {
        throw damaged("the shape of '\(name)' is not a list of sizes, or it is too large")
      }
      guard offsets.count == 2, let begin = offsets[0].integer, let end = offsets[1].integer, 0 <= begin, begin <= end
      else { throw damaged("the offsets of '\(name)' are not two positions in order") }
      guard end - begin == size else {
        throw damaged("'\(name)' is \(code) \(shape), which takes \(size) bytes, but its offsets span \(end - begin)")
      }
      self.type = type
      self.begin = begin
      self.end = end
    }
  }

  /// What `torch.save` writes is read where weights are, and nowhere else: nothing in it says what the network is.
  private static func pickleFailure(_ bytes: [UInt8], path: String) -> Failure {
    Failure(
      .badInput, "'\(path)' looks like a PyTorch pickle, not like a safetensors file.",
      why: "it starts like a \(ZipArchive.isZip(bytes) ? "zip archive" : "pickle"), and only --init reads these.",
      fix: "give a checkpoint of a run; weights from PyTorch start one: gpunoisy train --model NAME --init FILE")
  }
}
