import Failures
import FileFormats
import TestSupport
import Testing

@Suite("Files of weights")
struct WeightsFileTests {
  private typealias P = PickleBytes

  /// A file that torch wrote; `Frozen/frozen.py` says what is in it.
  private static func frozen(_ name: String) throws -> [UInt8] {
    try FileBytes.read(FileBytes.folder(of: #filePath) + "/Frozen/" + name)
  }

  private func read(_ bytes: [UInt8], _ names: [String] = ["w"]) throws -> WeightsFile {
    try WeightsFile(parsing: bytes, path: "weights.pth", for: names)
  }

  /// Why a file is refused.
  private func refusal(_ bytes: [UInt8], _ names: [String] = ["w"]) throws -> String {
    let failure = #expect(throws: Failure.self) { try read(bytes, names) }
    #expect(failure?.kind == .badInput)
    return failure?.why ?? ""
  }

  /// One tensor of one storage, in both formats.
  private func files(
    _ tensor: [UInt8], bytes: [UInt8] = P.floats([1, 2, 3, 4, 5, 6]), count: Int = 6
  ) throws -> [[UInt8]] {
    let object = P.dictionary([("w", tensor)]), storages = [(key: "0", count: count, bytes: bytes)]
    return [P.old(object, storages), try P.zip(object, storages)]
  }

  @Test(
    "PyTorch's two formats: floats of every width, strides, tied and converted parameters", arguments: ["zip", "old"])
  func torch(format: String) throws {
    let names = ["conv1.weight", "bn1.weight", "bn1.running_mean", "fc.weight", "fc.bias"]
    let file = try read(Self.frozen("\(format).pth"), names)
    #expect(file.place == "state_dict, names after 'module.'")
    #expect(file.tensors.names == names)
    #expect(try file.tensors.floats("conv1.weight", shape: [2, 3, 2, 2]) == (0..<24).map { Float($0) / 8 })
    #expect(try file.tensors.floats("bn1.weight", shape: [2]) == [1.5, -2])
    #expect(try file.tensors.floats("bn1.running_mean", shape: [2]) == [0.25, -3])
    #expect(try file.tensors.floats("fc.weight", shape: [2, 3]) == [0, 2, 4, 1, 3, 5])
    #expect(try file.tensors.floats("fc.bias", shape: [2]) == [2, 3])
    // Weights that the network does not have are passed over, and those that the file does not have are not there.
    #expect(try read(Self.frozen("\(format).pth"), ["conv1.weight", "conv2.weight"]).tensors.names == ["conv1.weight"])
  }

  @Test("a file that is cut off anywhere is refused", arguments: ["zip", "old"])
  func truncated(format: String) throws {
    let bytes = try Self.frozen("\(format).pth")
    for length in 0..<bytes.count {
      let failure = #expect(throws: Failure.self) { try read(Array(bytes[..<length]), ["conv1.weight"]) }
      #expect(failure?.kind == .badInput, "\(length)")
    }
    if format == "old" { #expect(try refusal(bytes + [0], ["conv1.weight"]).contains("1 bytes follow")) }
  }

  @Test("a file with any byte changed is read or refused", arguments: ["zip", "old"])
  func damaged(format: String) throws {
    let bytes = try Self.frozen("\(format).pth")
    for position in bytes.indices {
      for change: UInt8 in [0x01, 0x80, 0xFF] {
        var other = bytes
        other[position] ^= change
        do { _ = try read(other, ["conv1.weight", "fc.bias"]) } catch let failure as Failure {
          #expect(failure.kind == .badInput)
        }
      }
    }
  }

  @Test("a view of a storage: offset and strides")
  func views() throws {
    for bytes in try files(P.tensor("0", of: 6, shape: [2, 2], strides: [1, 3], offset: 1)) {
      #expect(try read(bytes).tensors.floats("w", shape: [2, 2]) == [2, 5, 3, 6])
    }
    for bytes in try files(P.tensor("0", of: 6, shape: [])) {
      #expect(try read(bytes).tensors.floats("w", shape: []) == [1])
    }
    for bytes in try files(P.tensor("0", of: 6, shape: [1, 2, 1, 2], strides: [.max, 1, .max, 3], offset: 1)) {
      #expect(try read(bytes).tensors.floats("w", shape: [1, 2, 1, 2]) == [2, 5, 3, 6])
    }
    for shape in [[0, 3], [.max, .max, 0]] {
      for bytes in try files(P.tensor("0", of: 6, shape: shape)) {
        #expect(try read(bytes).tensors.floats("w", shape: shape) == [])
      }
    }
  }

  @Test("shapes that a storage does not hold are refused before anything is allocated")
  func shapes() throws {
    let cases: [(shape: [Int], strides: [Int]?, offset: Int)] = [
      ([7], nil, 0), ([6], nil, 1), ([2, 2], [4, 2], 0), ([1 << 40], [0], 0), ([1 << 31, 1 << 31, 4], nil, 0),
      ([-1], nil, 0), ([2], [-1], 3), ([2], [1], -1), ([2], [.max], 0), ([2, 2], [1], 0),
      ([.max, .max], [.max, .max], .max),
    ]
    for (shape, strides, offset) in cases {
      for bytes in try files(P.tensor("0", of: 6, shape: shape, strides: strides, offset: offset)) {
        #expect(try refusal(bytes).contains("has the shape"), "\(shape) \(strides ?? [])")
      }
    }
  }

  @Test("a storage must have the bytes that its tensors say")
  func storages() throws {
    for size in [5, 7, 1 << 40, -1, .max] {
      let tensor = P.tensor("0", of: size, shape: [2])
      for bytes in try files(tensor, count: size) { #expect(!(try refusal(bytes)).isEmpty, "\(size)") }
      for bytes in try files(tensor) { #expect(!(try refusal(bytes)).isEmpty, "\(size)") }
    }
    for bytes in try files(P.tensor("1", of: 6, shape: [2])) { #expect(!(try refusal(bytes)).isEmpty) }
    for bytes in try files(P.tensor("0", of: 6, shape: [2], kind: "LongStorage")) {
      #expect(!(try refusal(bytes)).isEmpty)
    }
    // One storage as ten thousand tensors: refused by their sum.
    let names = (0..<10_000).map { "w\($0)" }, values = [Float](repeating: 1, count: 1000)
    let first = P.text("w0") + P.tensor("0", of: 1000, shape: [1000]) + P.ascii("q") + [0]
    let fetch: [UInt8] = P.ascii("h") + [0]
    let others: [UInt8] = names.dropFirst().flatMap { P.text($0) + fetch }
    let object = P.ascii("}(") + first + others + P.ascii("u")
    let file = P.old(object, [("0", 1000, P.floats(values))])
    #expect(try read(file, ["w0", "w9999"]).tensors.names == ["w0", "w9999"])
    #expect(try refusal(file, names).contains("share storages"))
  }

  @Test("calls beside the weights are passed over and never run; a weight that needs one is refused")
  func foreign() throws {
    let scratch = ScratchFolder()
    let attack = P.call("os", "system", [P.text("touch \(scratch("ran"))")])
    let tensor = P.tensor("0", of: 2, shape: [2])
    let storages = [(key: "0", count: 2, bytes: P.floats([1, 2]))]
    let beside = P.dictionary([("hook", attack), ("state_dict", P.dictionary([("w", tensor), ("other", attack)]))])
    for bytes in [P.old(beside, storages), try P.zip(beside, storages)] {
      let file = try read(bytes)
      #expect(try file.tensors.floats("w", shape: [2]) == [1, 2] && file.place == "state_dict")
      #expect(try refusal(bytes, ["w", "other"]).contains("os.system"))
    }
    for object in [attack, P.dictionary([("w", attack)]), P.dictionary([("w", P.call("a", "b", [tensor]))])] {
      for bytes in [P.old(object, storages), try P.zip(object, storages)] { #expect(!(try refusal(bytes)).isEmpty) }
    }
    #expect(FileBytes.kind(of: scratch("ran")) == .missing)
  }

  @Test("deep nesting, sharing and other bombs end in a sentence")
  func bombs() throws {
    let nested = [UInt8](repeating: UInt8(ascii: "]"), count: 200_000)
    let closed = nested + [UInt8](repeating: UInt8(ascii: "a"), count: 199_999)
    #expect(try refusal(P.old(P.dictionary([("x", closed)]), [])).contains("none of the network's names"))
    #expect(try refusal(P.old([UInt8](repeating: UInt8(ascii: "]"), count: 1 << 21), [])).contains("instructions"))
    // Each tuple holds the one before it twice: 2^100 values for who walks through them.
    let store: [UInt8] = P.ascii("q") + [0], fetch: [UInt8] = P.ascii("h") + [0]
    let double: [UInt8] = store + fetch + [0x86]
    let doubled = P.text("x") + Array([[UInt8]](repeating: double, count: 100).joined())
    #expect(try refusal(P.old(P.dictionary([("x", doubled)]), [])).contains("none of the network's names"))
    // One list of pairs makes one dictionary after another.
    let pairs = P.list([[UInt8]](repeating: P.tuple([P.text("a"), P.integer(1)]), count: 5000)) + store
    let again: [UInt8] = P.global("collections", "OrderedDict") + fetch + [0x85] + P.ascii("R")
    let many = Array([[UInt8]](repeating: again, count: 5000).joined())
    #expect(try refusal(P.old(P.list([pairs, many]), [])).contains("too many values"))
    // Thousands of tensors that share one long text, or one long shape.
    let long = P.text(String(repeating: "k", count: 1 << 20)) + store
    let shape = P.tuple([[UInt8]](repeating: P.integer(1), count: 100_000)) + P.ascii("q") + [1]
    let storage = P.tuple([P.text("storage"), P.global("torch", "FloatStorage"), fetch, P.text("cpu"), P.integer(1)])
    let tensors = (0..<5000).map { index in
      let getShape: [UInt8] = P.ascii("h") + [1]
      let arguments = [storage + P.ascii("Q"), P.integer(0), getShape, getShape]
      return ("t\(index)", P.call("torch._utils", "_rebuild_tensor_v2", arguments))
    }
    let members = P.dictionary([("a", long), ("b", shape)]) + P.ascii("(")
    let more: [UInt8] = tensors.flatMap { P.text($0.0) + $0.1 } + P.ascii("u")
    #expect(try refusal(P.zip(members + more, [])).contains("none of the network's names"))
    // Sizes that the file does not have.
    let sizes: [[UInt8]] = [
      P.ascii("X") + P.little(-1, 4), [0x8D] + P.little(.max, 8), [0x8E] + P.little(-1, 8), [0x8B, 255, 255, 255, 127],
    ]
    for size in sizes { #expect(try refusal(P.old(size, [])).contains("ends in an instruction")) }
  }

  @Test("instructions out of order, and unknown ones, are refused")
  func order() throws {
    let wrong = [
      "t", "u", "R", "b", "a", "s", "Q", ".", "h\u{1}", "(.", "N(t.", "NNa", "}NNNs", "Nb", "](N(e", "}(Nu", "i", "o",
    ]
    for text in wrong {
      #expect(!(try refusal(P.old(P.ascii(text), []))).isEmpty, "\(text)")
    }
    #expect(try refusal([0x80, 2] + P.text("x") + P.stop).contains("not one that torch.save wrote"))
  }

  @Test("the dictionary is taken whose names fit, and what stands before all names is removed")
  func dictionaries() throws {
    let storages = [(key: "0", count: 2, bytes: P.floats([1, 2])), (key: "1", count: 2, bytes: P.floats([3, 4]))]
    let one = P.tensor("0", of: 2, shape: [2]), other = P.tensor("1", of: 2, shape: [2])
    let names = ["a.w", "b.w"]
    let cases: [([(String, [UInt8])], place: String?)] = [
      ([("a.w", one), ("b.w", other)], nil),
      ([("module.a.w", one), ("module.b.w", other)], "names after 'module.'"),
      ([("best", other), ("model", P.dictionary([("a.w", one), ("b.w", other)]))], "model"),
      (
        [
          ("state_dict", P.dictionary([("net.a.w", one), ("net.b.w", other), ("loss.a.w", other)])),
          ("state_dict_ema", P.dictionary([("net.a.w", other), ("net.b.w", one)])),
        ], "state_dict, names after 'net.'"
      ),
    ]
    for (members, place) in cases {
      for bytes in [P.old(P.dictionary(members), storages), try P.zip(P.dictionary(members), storages)] {
        let file = try read(bytes, names)
        #expect(file.place == place)
        #expect(try file.tensors.floats("a.w", shape: [2]) == [1, 2])
        #expect(try file.tensors.floats("b.w", shape: [2]) == [3, 4])
      }
    }
    let twice = P.old(P.dictionary([("a.w", one), ("a.w", other)]), storages)
    #expect(try refusal(twice, names).contains("twice"))
  }

  @Test("safetensors, by the bytes and not the name")
  func safetensors() throws {
    var file = SafetensorsFile()
    file["module.w"] = .init([Float(1), 2], shape: [2])
    let weights = try read(file.encoded())
    #expect(weights.place == "names after 'module.'")
    #expect(try weights.tensors.floats("w", shape: [2]) == [1, 2])
    #expect(try read(SafetensorsFile().encoded()).tensors.names.isEmpty)
  }

  @Test("archives that are something else, or big-endian, or packed into a bomb")
  func archives() throws {
    let object = P.start + P.dictionary([("w", P.tensor("0", of: 2, shape: [2]))]) + P.stop
    let data = P.floats([1, 2])
    func archive(_ others: [(name: String, bytes: [UInt8])]) throws -> [UInt8] {
      try ZipArchive.stored([("a/data.pkl", object), ("a/data/0", data)] + others)
    }
    #expect(try read(archive([])).tensors.names == ["w"])
    #expect(try refusal(archive([("a/byteorder", P.ascii("big"))])).contains("big-endian"))
    #expect(try refusal(archive([("a/constants.pkl", [])])).contains("TorchScript"))
    #expect(try refusal(archive([("b/data.pkl", object)])).contains("2 members"))
    #expect(try refusal(ZipArchive.stored([("x.npy", data)])).contains("0 members"))
  }
}
