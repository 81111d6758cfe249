import Failures

/// Named tensors and string facts in one file: the format of checkpoints and of weights from Python.
///
/// Layout: the header's length as 8 little-endian bytes, a JSON object, then the data. Each member of the object gives a
/// tensor's `dtype`, `shape` and `data_offsets` (begin and end within the data); `__metadata__` maps strings to strings.
///
/// - Source: the format's description, https://github.com/huggingface/safetensors.
public struct SafetensorsFile: Sendable, Equatable {
  /// The longest header that is read or written, in bytes.
  public static let headerLimit = 8 << 20
  /// The metadata key under which the writer records the SHA-256 of the data section.
  public static let checksumKey = "gpunoisy.sha256"

  /// The element types that are understood.
  public enum ElementType: String, Sendable, CaseIterable {
    case float64 = "F64"
    case float32 = "F32"
    case float16 = "F16"
    case bfloat16 = "BF16"
    case int64 = "I64"
    case int32 = "I32"
    case uint64 = "U64"
    case uint8 = "U8"

    /// Bytes of one element.
    public var byteCount: Int {
      switch self {
      case .float64, .int64, .uint64: 8
      case .float32, .int32: 4
      case .float16, .bfloat16: 2
      case .uint8: 1
      }
    }
  }

  /// A shape and its elements as little-endian bytes, last axis fastest.
  public struct Tensor: Sendable, Equatable {
    /// What an element is.
    public let type: ElementType
    /// Sizes of the axes; empty for a single number.
    public let shape: [Int]
    /// As many bytes as the shape and type call for.
    public let bytes: [UInt8]

    /// A tensor of these bytes, as many as type and shape call for.
    public init(_ type: ElementType, shape: [Int], bytes: [UInt8]) {
      let count = Self.byteCount(type, shape)
      precondition(count == bytes.count, "\(type.rawValue) \(shape) has \(count ?? -1) bytes, got \(bytes.count)")
      self.type = type
      self.shape = shape
      self.bytes = bytes
    }

    /// Elements in all.
    public var count: Int { bytes.count / type.byteCount }

    /// The bytes of a tensor, or nil if an axis is negative or the size overflows.
    static func byteCount(_ type: ElementType, _ shape: [Int]) -> Int? {
      var size = type.byteCount
      // An axis of 0 makes the tensor empty, whatever overflow the others would cause.
      if shape.contains(0) { size = 0 }
      for axis in shape {
        let (product, overflow) = size.multipliedReportingOverflow(by: axis)
        guard axis >= 0, !overflow else { return nil }
        size = product
      }
      return size
    }
  }

  /// A tensor and its name.
  public struct Entry: Sendable, Equatable {
    /// The name, such as `layer1.0.conv1.weight`.
    public let name: String
    /// What goes by it.
    public let tensor: Tensor
  }

  /// The path that messages name; not part of the file's contents.
  public var path: String
  /// Facts about the file, string to string.
  public var metadata: [String: String]
  /// The tensors in the header's order.
  public private(set) var entries: [Entry] = []
  private var indices: [String: Int] = [:]

  /// A file without tensors.
  public init(path: String = "tensors", metadata: [String: String] = [:]) {
    self.path = path
    self.metadata = metadata
  }

  /// The tensor of that name, or nil; setting one keeps its place, or appends it; setting nil removes it.
  public subscript(name: String) -> Tensor? {
    get { indices[name].map { entries[$0].tensor } }
    set {
      switch (indices[name], newValue) {
      case (let index?, let tensor?): entries[index] = Entry(name: name, tensor: tensor)
      case (nil, let tensor?):
        precondition(name != "__metadata__", "'__metadata__' is the header's own name")
        indices[name] = entries.count
        entries.append(Entry(name: name, tensor: tensor))
      case (let index?, nil):
        entries.remove(at: index)
        indices = Dictionary(uniqueKeysWithValues: entries.indices.map { (entries[$0].name, $0) })
      case (nil, nil): break
      }
    }
  }

  /// The names in the header's order.
  public var names: [String] { entries.map(\.name) }

  /// Same metadata, names, order, types, shapes and bytes; the path does not count.
  public static func == (left: Self, right: Self) -> Bool {
    left.metadata == right.metadata && left.entries == right.entries
  }
}
