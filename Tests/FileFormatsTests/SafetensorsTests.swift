import Failures
import FileFormats
import TestSupport
import Testing

@Suite("Safetensors files")
struct SafetensorsTests {
  /// One tensor of every type, with odd sizes, a single number and an empty one.
  private func sample() -> SafetensorsFile {
    var file = SafetensorsFile(path: "sample", metadata: ["gpunoisy.schema": "1", "text": "é \"quoted\"\n\u{1}"])
    file["state.flags"] = .init([UInt8](1...5), shape: [5])
    file["conv1.weight"] = .init((0..<12).map { Float($0) / 7 }, shape: [2, 3, 2])
    file["state.count"] = .init([Int64.min, -1, .max], shape: [3])
    file["state.seed"] = .init([UInt64.max], shape: [])
    file["state.sum"] = .init([0.1, -.infinity, .greatestFiniteMagnitude], shape: [3, 1])
    file["state.order"] = .init([Int32.min, 7], shape: [2])
    file["empty"] = .init([Float](), shape: [4, 0])
    file["half"] = .init(.float16, shape: [3], bytes: [0x00, 0x3C, 0x01, 0x80, 0xFF, 0x7B])
    file["brain"] = .init(.bfloat16, shape: [2], bytes: [0x80, 0x3F, 0x49, 0xC0])
    return file
  }

  @Test("come back as they were written, in order, with their values")
  func roundTrip() throws {
    let file = sample()
    var back = try SafetensorsFile(parsing: file.encoded(), path: "sample")
    #expect(back.metadata["gpunoisy.sha256"]?.count == 64)
    back.metadata["gpunoisy.sha256"] = nil
    #expect(back == file)
    #expect(back.names == file.names)
    #expect(try back.floats("conv1.weight", shape: [2, 3, 2]) == (0..<12).map { Float($0) / 7 })
    #expect(try back.integers("state.count", shape: [3]) == [.min, -1, .max])
    #expect(try back.integers("state.order", shape: [2]) == [Int64(Int32.min), 7])
    #expect(try back.unsignedIntegers("state.seed", shape: []) == [.max])
    #expect(try back.doubles("state.sum", shape: [3, 1]) == [0.1, -.infinity, .greatestFiniteMagnitude])
    #expect(try back.bytes("state.flags", shape: [5]) == [1, 2, 3, 4, 5])
    #expect(try back.floats("half", shape: [3]) == [1, -0x1p-24, 65504])
    #expect(try back.floats("brain", shape: [2]) == [1, -3.140625])
  }

  @Test("are a function of the value, begin their data on a multiple of 8, and keep every tensor aligned")
  func layout() throws {
    let bytes = sample().encoded()
    #expect(bytes == sample().encoded())
    let length = bytes[..<8].reversed().reduce(0) { $0 << 8 | Int($1) }
    #expect(length % 8 == 0)
    #expect(bytes[8] == UInt8(ascii: "{"))
    let header = try JSONText.parse(bytes[8..<(8 + length)], named: "header")
    for entry in sample().entries {
      let begin = try #require(header[entry.name]?["data_offsets"]?.array?[0].integer)
      #expect(begin % entry.tensor.type.byteCount == 0, "\(entry.name) begins at \(begin)")
    }
  }

  @Test("replace what stands at a path, and are read from there")
  func throughDisk() throws {
    let scratch = ScratchFolder()
    try FileBytes.write([1, 2, 3], to: scratch("a.safetensors"))
    try sample().write(to: scratch("a.safetensors"))
    let back = try SafetensorsFile.read(scratch("a.safetensors"))
    #expect(back.entries == sample().entries)
    #expect(back.path == scratch("a.safetensors"))
    #expect(try FileBytes.names(in: scratch.path) == ["a.safetensors"])
  }

  @Test("keep order when tensors are replaced and removed")
  func editing() {
    var file = sample()
    file["conv1.weight"] = .init([Float(1)], shape: [1])
    file["state.flags"] = nil
    #expect(file.names == sample().names.filter { $0 != "state.flags" })
    #expect(file["conv1.weight"]?.shape == [1])
    #expect(file["brain"] == sample()["brain"])
    #expect(file["nosuch"] == nil)
  }

  @Test("say when an integer is more than 32 bits can hold, and never cut it off")
  func shortIntegers() throws {
    var file = SafetensorsFile()
    file["fits"] = .init([-3, 2_147_483_647] as [Int64], shape: [2])
    file["wraps"] = .init([5 + 4_294_967_296] as [Int64], shape: [1])
    #expect(try file.shortIntegers("fits", shape: [2]) == [-3, 2_147_483_647])
    #expect { try file.shortIntegers("wraps", shape: [1]) } throws: { ($0 as? Failure)?.kind == .badInput }
  }

  @Test("say which tensor is absent or does not fit")
  func wrongShapes() throws {
    let file = sample()
    for read in [
      { _ = try file.floats("fc.weight", shape: [10, 64]) }, { _ = try file.floats("conv1.weight", shape: [12]) },
      { _ = try file.integers("conv1.weight", shape: [2, 3, 2]) },
    ] {
      let failure = #expect(throws: Failure.self) { try read() }
      #expect(failure?.kind == .badInput)
      #expect(failure?.what.contains("sample") == true && failure?.what.contains("weight") == true)
    }
  }

  @Test("cut anywhere are refused")
  func truncation() throws {
    let bytes = sample().encoded()
    for count in 0..<bytes.count {
      let failure = #expect(throws: Failure.self, "cut to \(count) bytes") {
        try SafetensorsFile(parsing: Array(bytes[..<count]), path: "cut.safetensors")
      }
      #expect(failure?.kind == .badInput)
      #expect(failure?.what.contains("cut.safetensors") == true)
    }
    #expect(throws: Failure.self) { try SafetensorsFile(parsing: bytes + [0], path: "longer") }
  }

  @Test("with any bit flipped are refused, unless only a name, a key or the padding changed")
  func flips() throws {
    let bytes = sample().encoded(), original = try SafetensorsFile(parsing: bytes, path: "sound")
    let dataStart = 8 + bytes[..<8].reversed().reduce(0) { $0 << 8 | Int($1) }
    for position in bytes.indices {
      for bit in 0..<8 {
        var damaged = bytes
        damaged[position] ^= 1 << bit
        do {
          let read = try SafetensorsFile(parsing: damaged, path: "flipped")
          #expect(position < dataStart, "byte \(position) of the data changed unnoticed")
          // The checksum covers the data; of the header, what is read must still describe all of it.
          #expect(read.entries.reduce(0) { $0 + $1.tensor.bytes.count } == bytes.count - dataStart)
          #expect(read.entries.count == original.entries.count)
        } catch let failure as Failure {
          #expect(failure.kind == .badInput)
        }
      }
    }
  }

  @Test(
    "with a hostile header are refused with the reason",
    arguments: [
      (#" {"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}"#, "does not start with {"),
      (
        #"{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}"#,
        "twice"
      ),
      (#"{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}"#, "cover 1 bytes"),
      (#"{"a":{"dtype":"U8","shape":[3],"data_offsets":[0,3]}}"#, "cover 3 bytes"),
      (#"{"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}"#, "starts at 1"),
      (
        #"{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}"#,
        "starts at 1"
      ),
      (#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,2]}}"#, "takes 8 bytes"),
      (#"{"a":{"dtype":"F8","shape":[2],"data_offsets":[0,2]}}"#, "unknown type"),
      (#"{"a":{"dtype":"U8","shape":[4294967296,4294967296],"data_offsets":[0,2]}}"#, "too large"),
      (#"{"a":{"dtype":"U8","shape":[-2],"data_offsets":[0,2]}}"#, "not a list of sizes"),
      (#"{"a":{"dtype":"U8","shape":[2.0],"data_offsets":[0,2]}}"#, "not a list of sizes"),
      (#"{"a":{"dtype":"U8","shape":2,"data_offsets":[0,2]}}"#, "not a list of sizes"),
      (#"{"a":{"dtype":"U8","shape":[2],"data_offsets":[2,0]}}"#, "in order"),
      (#"{"a":{"dtype":"U8","shape":[2],"data_offsets":[-1,1]}}"#, "in order"),
      (#"{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,99999999999999999999]}}"#, "in order"),
      (#"{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2],"more":1}}"#, "not {dtype"),
      (#"{"a":7}"#, "not {dtype"),
      (#"{"__metadata__":{"k":1},"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}"#, "not a string"),
      (#"{"__metadata__":[],"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}"#, "not an object"),
      (#"{"__metadata__":{"gpunoisy.sha256":"00"},"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}"#, "SHA-256"),
      (#"{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},}"#, "a name in quotes"),
      (#"{"a":{"dtype":"U8","shape":[[[[2]]]],"data_offsets":[0,2]}}"#, "nested deeper"),
    ])
  func hostileHeaders(header: String, reason: String) throws {
    let failure = #expect(throws: Failure.self) {
      try SafetensorsFile(parsing: framed(header) + [1, 2], path: "hostile")
    }
    #expect(failure?.kind == .badInput)
    #expect(failure?.why.contains(reason) == true, "\(failure?.why ?? "-")")
  }

  @Test("whose header claims the impossible are refused before anything is allocated")
  func hugeHeader() throws {
    for claim: UInt64 in [.max, 1 << 63, 1 << 40, (8 << 20) + 1, 100] {
      let bytes: [UInt8] = (0..<8).map { UInt8(truncatingIfNeeded: claim >> (8 * $0)) } + Array("{}".utf8)
      #expect(throws: Failure.self) { try SafetensorsFile(parsing: bytes, path: "huge") }
    }
  }

  @Test("that are pickles are refused with the way out")
  func pickles() throws {
    for start in [[0x80, 0x02, 0x7D, 0x71, 0x00, 0x28, 0x58, 0x05, 0, 0], [0x50, 0x4B, 0x03, 0x04, 0x14, 0, 0, 0, 0]] {
      let failure = #expect(throws: Failure.self) {
        try SafetensorsFile(parsing: start.map { UInt8($0) }, path: "weights.pth")
      }
      #expect(failure?.kind == .badInput)
      #expect(failure?.fix.contains("--init") == true)
    }
    // A header of 0x280 bytes begins like a pickle of protocol 2.
    let header = #"{"__metadata__":{"k":"\#(String(repeating: "x", count: 0x280 - 25))"}}"#
    #expect(header.utf8.count == 0x280)
    #expect(try SafetensorsFile(parsing: framed(header), path: "640").entries.isEmpty)
  }

  /// The header behind its length.
  private func framed(_ header: String) -> [UInt8] {
    let bytes = Array(header.utf8)
    let length = (0..<8).map { UInt8(truncatingIfNeeded: bytes.count >> (8 * $0)) }
    return length + bytes
  }
}
