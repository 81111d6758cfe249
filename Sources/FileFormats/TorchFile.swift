import Failures

/// A file that `torch.save` wrote, `.pth` or `.pt`: the tensors of its dictionaries, read without running anything.
///
/// Both formats are read: a zip archive with `data.pkl` and a member for each storage, and the older one, five pickles
/// with the storages behind them. A tensor is a view of a storage: offset, shape and strides, all in elements. Of the
/// calls in the pickle only those that make tensors and parameters mean something; whatever else stands beside the
/// weights stays a name that is never looked up, and a weight that depends on such a name is refused when it is asked for.
///
/// - Source: PyTorch, `torch/serialization.py` and `torch/_utils.py`.
struct TorchFile {
  /// The tensors of a dictionary by their names, in its order.
  struct TensorDictionary {
    /// The key in the file's outermost dictionary, as in `state_dict`; empty for that dictionary itself.
    let name: String
    let members: [(name: String, content: Content)]
  }

  /// What goes by a name of a dictionary.
  enum Content {
    case tensor(View)
    /// Something that is not a tensor, or not one that can be read, and why.
    case other(String)
  }

  /// The elements of a tensor: positions in a storage.
  struct View {
    let type: SafetensorsFile.ElementType
    let storage: Storage
    let offset: Int
    let shape: [Int], strides: [Int]

    /// Elements in all; an axis of 0 makes the tensor empty, whatever overflow the others would cause.
    var count: Int { shape.contains(0) ? 0 : shape.reduce(1, *) }
  }

  /// Where a storage's bytes are.
  enum Storage {
    case range(Range<Int>)
    case member(ZipArchive.Member)
  }

  /// The keys under which weights stand beside other things, as the programs that write them have it.
  static let dictionaryNames = ["state_dict", "model_state_dict", "model", "net", "state_dict_ema"]
  /// The most bytes of a pickle; that of ResNet-18 has 15,000.
  private static let maxPickle = 64 << 20

  /// The dictionaries that hold tensors, the outermost first.
  private(set) var dictionaries: [TensorDictionary] = []
  private let path: String
  private let bytes: [UInt8]
  private let archive: ZipArchive?
  /// The storages by their keys.
  private var storages: [String: Storage] = [:]

  /// Whether a file begins as `torch.save` writes them; a safetensors file whose header has 640 bytes may, too.
  static func isTorch(_ bytes: [UInt8]) -> Bool {
    // A header's length can begin with the same two bytes; it goes on with zeros and a brace.
    let isHeader = bytes.count >= 9 && bytes[3..<8].allSatisfy { $0 == 0 } && bytes[8] == UInt8(ascii: "{")
    let isPickle = bytes.count >= 2 && bytes[0] == 0x80 && (2...5).contains(bytes[1])
    return ZipArchive.isZip(bytes) || isPickle && !isHeader
  }

  /// Reads the structure of a file and checks it against the file's size; elements are read when they are asked for.
  ///
  /// - Throws: `.badInput` for a file that is damaged, or that holds something else.
  init(parsing bytes: [UInt8], path: String) throws {
    (self.bytes, self.path) = (bytes, path)
    let archive = ZipArchive.isZip(bytes) ? try ZipArchive(decoding: bytes, name: path) : nil
    self.archive = archive
    do {
      let values = if let archive { try readArchive(archive) } else { try readPickles() }
      dictionaries = try tensorDictionaries(values)
    } catch let damage as PickledValues.Damage {
      throw refusal(damage.why)
    }
  }

  /// The failure for a file that is not read.
  func refusal(_ why: String) -> Failure {
    Failure(
      .badInput, "'\(path)' cannot be read as PyTorch weights.", why: "\(why).",
      fix: "save it again: torch.save(model.state_dict(), FILE), or download it again.")
  }

  // MARK: - The two formats

  /// The pickle of the archive; its storages are members beside it.
  private mutating func readArchive(_ archive: ZipArchive) throws -> PickledValues {
    let pickles = archive.members.filter { $0.name.hasSuffix("/data.pkl") }
    guard let pickle = pickles.first, pickles.count == 1 else {
      throw PickledValues.Damage("it is a zip archive with \(pickles.count) members that are called data.pkl")
    }
    let folder = String(pickle.name.dropLast("data.pkl".count))
    guard archive[folder + "constants.pkl"] == nil else {
      throw PickledValues.Damage("it is a TorchScript program, and not a dictionary of weights")
    }
    if let order = archive[folder + "byteorder"] {
      guard try archive.contents(of: order, limit: 16) == Array("little".utf8) else {
        throw PickledValues.Damage("its numbers are big-endian")
      }
    }
    let start = folder + "data/"
    var unpacked = 0
    for member in archive.members where member.name.hasPrefix(start) {
      storages[String(member.name.dropFirst(start.count))] = .member(member)
      unpacked += member.size
    }
    // torch.save compresses nothing; archives that somebody packed again get little smaller.
    guard unpacked <= 2 * bytes.count else {
      throw PickledValues.Damage("its \(bytes.count) bytes would unpack to \(unpacked)")
    }
    var position = 0
    return try PickledValues(archive.contents(of: pickle, limit: Self.maxPickle), at: &position)
  }

  /// The five pickles, and for each key of the last one the number of elements and the elements.
  private mutating func readPickles() throws -> PickledValues {
    let magic: [UInt8] = [0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19]
    var position = 0
    let first = try PickledValues(bytes, at: &position)
    guard case .longInteger(let range) = first.root, bytes[range].elementsEqual(magic) else {
      throw PickledValues.Damage("it is a Python pickle, but not one that torch.save wrote")
    }
    let version = try PickledValues(bytes, at: &position)
    guard version.root == .integer(1001) else { throw PickledValues.Damage("its version is not 1001") }
    let system = try PickledValues(bytes, at: &position)
    guard value("little_endian", in: system.root, of: system) != .bool(false) else {
      throw PickledValues.Damage("its numbers are big-endian")
    }
    let values = try PickledValues(bytes, at: &position)
    guard position <= Self.maxPickle else { throw PickledValues.Damage("its pickle has \(position) bytes") }
    let keys = try PickledValues(bytes, at: &position)
    let sizes = try storageSizes(values)
    for key in keys.object(keys.root, .list)?.parts ?? [] {
      guard let key = keys.text(key), let size = sizes[key] else {
        throw PickledValues.Damage("it lists a storage that no tensor has")
      }
      guard bytes.count - position >= 8 else { throw PickledValues.Damage("it ends before the storage '\(key)'") }
      let count = bytes[position..<position + 8].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
      position += 8
      guard count == UInt64(size.count) else {
        throw PickledValues.Damage("the storage '\(key)' has \(count) elements, and \(size.count) by its tensors")
      }
      let (byteCount, overflow) = size.count.multipliedReportingOverflow(by: size.width)
      guard !overflow, byteCount <= bytes.count - position else {
        throw PickledValues.Damage(
          "the storage '\(key)' has \(count) elements, but the file ends \(bytes.count - position) bytes later")
      }
      guard storages.updateValue(.range(position..<position + byteCount), forKey: key) == nil else {
        throw PickledValues.Damage("it has the storage '\(key)' twice")
      }
      position += byteCount
    }
    guard position == bytes.count else {
      throw PickledValues.Damage("\(bytes.count - position) bytes follow its last storage")
    }
    return values
  }

  /// Elements and their bytes of every storage that the pickle names.
  private func storageSizes(_ values: PickledValues) throws -> [String: (count: Int, width: Int)] {
    var sizes: [String: (count: Int, width: Int)] = [:]
    for index in values.objects.indices where values.objects[index].kind == .persistent {
      let parts = values.object(values.objects[index].parts[0], .tuple)?.parts ?? []
      // Beside a whole network stands the text of its class.
      if values.text(parts.first) == "module" { continue }
      guard parts.count >= 5, let key = values.text(parts[2]), case .integer(let count) = parts[4], count >= 0,
        let width = Self.elements[values.global(parts[1]) ?? ""]?.width
      else {
        let kind = values.global(parts.count > 1 ? parts[1] : nil) ?? "an unknown kind"
        throw PickledValues.Damage("it holds a storage of \(kind.shortened())")
      }
      if let before = sizes.updateValue((count, width), forKey: key), before != (count, width) {
        throw PickledValues.Damage("it gives the storage '\(key)' two sizes")
      }
    }
    return sizes
  }

  /// What a storage's class says of its elements; no type for those that are not weights.
  private static let elements: [String: (type: SafetensorsFile.ElementType?, width: Int)] = [
    "torch.FloatStorage": (.float32, 4), "torch.DoubleStorage": (.float64, 8), "torch.HalfStorage": (.float16, 2),
    "torch.BFloat16Storage": (.bfloat16, 2), "torch.LongStorage": (nil, 8), "torch.IntStorage": (nil, 4),
    "torch.ShortStorage": (nil, 2), "torch.CharStorage": (nil, 1), "torch.ByteStorage": (nil, 1),
    "torch.BoolStorage": (nil, 1), "torch.QInt8Storage": (nil, 1), "torch.QUInt8Storage": (nil, 1),
    "torch.QInt32Storage": (nil, 4), "torch.ComplexFloatStorage": (nil, 8), "torch.ComplexDoubleStorage": (nil, 16),
    "torch.storage.UntypedStorage": (nil, 1),
  ]

  // MARK: - Dictionaries and tensors

  private func tensorDictionaries(_ values: PickledValues) throws -> [TensorDictionary] {
    guard values.object(values.root, .dictionary) != nil else {
      let what = values.call(values.root).map { "what \($0.function.shortened()) makes" } ?? "one value"
      throw PickledValues.Damage("it holds \(what), and not a dictionary of weights by name")
    }
    let inner = Self.dictionaryNames.map { ($0, value($0, in: values.root, of: values)) }
    return try ([("", values.root)] + inner).compactMap { name, dictionary in
      guard let parts = values.object(dictionary, .dictionary)?.parts else { return nil }
      var names: Set<String> = []
      var members: [(String, Content)] = []
      for index in stride(from: 0, to: parts.count, by: 2) {
        guard let key = values.text(parts[index]) else { continue }
        guard names.insert(key).inserted else {
          throw PickledValues.Damage("it has '\(key.shortened())' twice")
        }
        members.append((key, content(parts[index + 1], of: values)))
      }
      return TensorDictionary(name: name, members: members)
    }
  }

  /// The value of a key of a dictionary.
  private func value(_ key: String, in dictionary: PickledValues.Value?, of values: PickledValues)
    -> PickledValues.Value?
  {
    guard let parts = values.object(dictionary, .dictionary)?.parts else { return nil }
    let index = stride(from: 0, to: parts.count, by: 2).first { values.text(parts[$0]) == key }
    return index.map { parts[$0 + 1] }
  }

  private func content(_ value: PickledValues.Value, of values: PickledValues) -> Content {
    do {
      return .tensor(try view(value, of: values))
    } catch {
      return .other(error.why)
    }
  }

  /// A tensor: `_rebuild_tensor_v2(storage, offset, shape, strides, …)`, perhaps as a parameter.
  private func view(_ value: PickledValues.Value, of values: PickledValues) throws(PickledValues.Damage) -> View {
    guard var call = values.call(value) else { throw PickledValues.Damage("is not a tensor") }
    if call.function == "torch._utils._rebuild_parameter" {
      guard let data = values.call(call.arguments.first) else { throw PickledValues.Damage("is not a tensor") }
      call = data
    }
    guard call.function == "torch._utils._rebuild_tensor_v2" else {
      throw PickledValues.Damage("is made by \(call.function.shortened()), which is not run")
    }
    let arguments = call.arguments
    guard arguments.count >= 4, let id = values.object(arguments[0], .persistent)?.parts[0],
      let identity = values.object(id, .tuple)?.parts, identity.count >= 5, values.text(identity[0]) == "storage",
      let key = values.text(identity[2]), case .integer(let size) = identity[4],
      case .integer(let offset) = arguments[1],
      let shape = values.integers(arguments[2]), let strides = values.integers(arguments[3])
    else { throw PickledValues.Damage("is not described as a tensor is") }
    let kind = values.global(identity[1]) ?? "an unknown kind"
    guard let known = Self.elements[kind], let type = known.type else {
      throw PickledValues.Damage("is a tensor of \(kind.shortened()), and not of floats")
    }
    // The old format can name a part of another storage; torch.save has not done so since 2018.
    guard identity.count == 5 || identity[5] == .none else {
      throw PickledValues.Damage("is a part of another storage")
    }
    guard let storage = storages[key] else { throw PickledValues.Damage("has a storage that the file lacks") }
    let byteCount =
      switch storage {
      case .range(let range): range.count
      case .member(let member): member.size
      }
    guard size >= 0, byteCount / known.width == size, byteCount % known.width == 0 else {
      throw PickledValues.Damage("has a storage of \(byteCount) bytes, but of \(size) elements of \(known.width) bytes")
    }
    guard Self.fits(shape, strides, offset, in: size) else {
      throw PickledValues.Damage("has the shape \(shape), which its storage of \(size) elements does not hold")
    }
    return View(type: type, storage: storage, offset: offset, shape: shape, strides: strides)
  }

  /// Whether all elements lie in a storage, and are no more than it has: a stride of 0 makes one element many.
  private static func fits(_ shape: [Int], _ strides: [Int], _ offset: Int, in size: Int) -> Bool {
    guard shape.count == strides.count, shape.count <= 8, offset >= 0, offset <= size,
      (shape + strides).allSatisfy({ $0 >= 0 })
    else { return false }
    guard !shape.contains(0) else { return true }
    var count = 1, last = offset
    for (axis, stride) in zip(shape, strides) {
      let product = count.multipliedReportingOverflow(by: axis)
      let step = stride.multipliedReportingOverflow(by: axis - 1)
      let sum = last.addingReportingOverflow(step.partialValue)
      guard !product.overflow, !step.overflow, !sum.overflow else { return false }
      (count, last) = (product.partialValue, sum.partialValue)
    }
    return count <= size && last < size
  }

  // MARK: - Elements

  /// The tensors of these views, last axis fastest.
  ///
  /// - Throws: `.badInput` for a storage that is damaged, or for tensors that together are far larger than the file.
  func tensors(_ views: [(name: String, view: View)]) throws -> [(name: String, tensor: SafetensorsFile.Tensor)] {
    let total = views.reduce(0) { $0 + $1.view.count * $1.view.type.byteCount }
    // Tied weights are in the file once.
    guard total <= 4 * bytes.count else {
      throw refusal("its tensors share storages so often that they have \(total) bytes, the file \(bytes.count)")
    }
    var unpacked: [Int: ArraySlice<UInt8>] = [:]
    return try views.map { name, view in
      let storage: ArraySlice<UInt8>
      switch view.storage {
      case .range(let range): storage = bytes[range]
      case .member(let member):
        storage = try unpacked[member.dataOffset] ?? archive.map { try $0.slice(of: member) } ?? []
        unpacked[member.dataOffset] = storage
      }
      return (name, .init(view.type, shape: view.shape, bytes: Self.elements(of: view, in: storage)))
    }
  }

  private static func elements(of view: View, in storage: ArraySlice<UInt8>) -> [UInt8] {
    let width = view.type.byteCount, count = view.count, rank = view.shape.count
    guard count > 0 else { return [] }
    // An axis of 1 has a stride that nothing checks and nobody needs.
    let strides = zip(view.shape, view.strides).map { $0 == 1 ? 0 : $1 }
    var plain = 1, isPlain = true
    for axis in (0..<rank).reversed() where view.shape[axis] > 1 {
      isPlain = isPlain && strides[axis] == plain
      plain *= view.shape[axis]
    }
    return storage.withUnsafeBytes { source in
      guard !isPlain else { return Array(source[(view.offset * width)..<((view.offset + count) * width)]) }
      return [UInt8](unsafeUninitializedCapacity: count * width) { target, filled in
        var index = [Int](repeating: 0, count: rank), position = view.offset
        for element in 0..<count {
          for byte in 0..<width { target[element * width + byte] = source[position * width + byte] }
          var axis = rank - 1
          while axis >= 0 {
            index[axis] += 1
            position += strides[axis]
            if index[axis] < view.shape[axis] { break }
            position -= strides[axis] * view.shape[axis]
            index[axis] = 0
            axis -= 1
          }
        }
        filled = count * width
      }
    }
  }
}
