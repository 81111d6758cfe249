import Failures

/// The name and the arguments of a kernel, read from its declaration in OpenCL C.
///
/// Drivers can tell argument names only for programs that were just compiled, and not all do; the source can always.
public struct KernelSignature: Equatable, Sendable {
  /// What a host passes for an argument.
  public enum Kind: Equatable, Sendable {
    /// A pointer to global or constant memory.
    case buffer
    /// A pointer to local memory.
    case local
    case int, uint, long, ulong, float
    /// A value of any other type.
    case other
  }

  /// One argument of a kernel.
  public struct Argument: Equatable, Sendable {
    /// Its name in the kernel.
    public var name: String
    /// What a host passes for it.
    public var kind: Kind
    /// The type without qualifiers; for a pointer, of what it points to: `float`.
    public var type: String

    /// An argument.
    public init(name: String, kind: Kind, type: String) {
      self.name = name
      self.kind = kind
      self.type = type
    }
  }

  /// Its name in the source.
  public var name: String
  /// The folder of its file, which tells kernels of one name in two families apart; nil for a file without.
  public var room: String?
  /// What it takes, in order.
  public var arguments: [Argument]

  /// What messages call it: `workgroup/batchnorm_combine`.
  public var title: String { room.map { "\($0)/\(name)" } ?? name }

  /// A kernel with given arguments.
  public init(name: String, room: String? = nil, arguments: [Argument]) {
    self.name = name
    self.room = room
    self.arguments = arguments
  }

  /// All kernels that `source` declares with `__kernel void NAME(…)`, in their order.
  ///
  /// A macro without parameters may stand for some arguments if `source` defines it, and `MACRO(NAME)(…)` counts as
  /// `NAME`; kernels that a macro declares are not seen. Both branches of an `#if` are read.
  ///
  /// - Parameter file: the source's name, of which the part before the last slash is the kernels' room.
  public static func all(in source: String, file: String = "") -> [KernelSignature] {
    let room = file.lastIndex(of: "/").map { String(file[..<$0]) }
    var reader = DeclarationReader(KernelTokens(source))
    var signatures: [KernelSignature] = []
    while reader.skip(pastAnyOf: ["__kernel", "kernel"]) {
      guard var signature = reader.declaration() else { continue }
      signature.room = room
      signatures.append(signature)
    }
    return signatures
  }

  /// Checks the names by which a host calls the arguments, in order.
  ///
  /// - Throws: `.bug` with a sentence that names the first difference.
  public func check(_ labels: [String]) throws(Failure) {
    try Self.check(labels, against: arguments.map(\.name), of: title)
  }

  /// Checks a host's argument names against those of a kernel, which a driver may have told.
  ///
  /// - Throws: `.bug` with a sentence that names the first difference.
  public static func check(_ labels: [String], against names: [String], of kernel: String) throws(Failure) {
    if let index = zip(names, labels).enumerated().first(where: { $1.0 != $1.1 })?.offset {
      throw mismatch(
        "\(kernel): argument \(index) is '\(names[index])' in the kernel but '\(labels[index])' on the host.")
    }
    if names.count != labels.count {
      throw mismatch("\(kernel) takes \(arguments(names.count)), the host gives \(labels.count).")
    }
  }

  /// The failure for a host and a kernel that disagree about arguments.
  public static func mismatch(_ what: String) -> Failure {
    Failure(
      .bug, what, why: "The host's list of arguments and the kernel's declaration differ.",
      fix: "give them the same names in the same order.")
  }

  private static func arguments(_ count: Int) -> String { count == 1 ? "1 argument" : "\(count) arguments" }
}

/// Reads kernel declarations from the words and signs of a source.
private struct DeclarationReader {
  private let source: KernelTokens
  private let tokens: [String]
  private var position = 0

  init(_ source: KernelTokens) {
    self.source = source
    tokens = source.tokens
  }

  private var next: String? { position < tokens.count ? tokens[position] : nil }

  mutating func skip(pastAnyOf words: Set<String>) -> Bool {
    while let token = next {
      position += 1
      if words.contains(token) { return true }
    }
    return false
  }

  /// Reads on from behind `__kernel`; nil if what follows is no declaration.
  mutating func declaration() -> KernelSignature? {
    skipAttributes()
    guard next == "void" else { return nil }
    position += 1
    skipAttributes()
    guard var name = next, name.isIdentifier else { return nil }
    position += 1
    guard var list = parenthesized() else { return nil }
    if next == "(", list.count == 1, let inner = list.first, inner.isIdentifier, let arguments = parenthesized() {
      name = inner
      list = arguments
    }
    list = source.expanding(list)
    if list.isEmpty || list == ["void"] { return KernelSignature(name: name, arguments: []) }
    let pieces = list.split(separator: ",", omittingEmptySubsequences: false)
    let arguments = pieces.compactMap { KernelSignature.Argument(tokens: Array($0)) }
    return arguments.count == pieces.count ? KernelSignature(name: name, arguments: arguments) : nil
  }

  private mutating func skipAttributes() {
    while next == "__attribute__" {
      position += 1
      if parenthesized() == nil { return }
    }
  }

  /// The tokens between an opening parenthesis here and the one that closes it.
  private mutating func parenthesized() -> [String]? {
    guard next == "(" else { return nil }
    var depth = 0
    for index in position..<tokens.count {
      if tokens[index] == "(" { depth += 1 }
      if tokens[index] == ")" { depth -= 1 }
      if depth == 0 {
        defer { position = index + 1 }
        return Array(tokens[(position + 1)..<index])
      }
    }
    return nil
  }
}

extension KernelSignature.Argument {
  /// Reads `__global const float *restrict input`.
  fileprivate init?(tokens: [String]) {
    let isArray = tokens.contains("[")
    let words = tokens.prefix { $0 != "[" }.filter(\.isIdentifier)
    guard let name = words.last, words.count >= 2 else { return nil }
    let type = words.dropLast().filter { !Self.qualifiers.contains($0) }.joined(separator: " ")
    self.init(name: name, kind: .other, type: type)
    if isArray || tokens.contains("*") {
      kind = words.contains("__local") || words.contains("local") ? .local : .buffer
    } else {
      kind = Self.values[type] ?? .other
    }
  }

  private static let qualifiers: Set<String> = [
    "__global", "global", "__constant", "constant", "__local", "local", "__private", "private", "const", "restrict",
    "__restrict", "volatile",
  ]

  private static let values: [String: KernelSignature.Kind] = [
    "int": .int, "uint": .uint, "unsigned": .uint, "unsigned int": .uint, "long": .long, "ulong": .ulong,
    "unsigned long": .ulong, "float": .float,
  ]
}
