/// What a pickle describes, found without running it.
///
/// A pickle is a program for a stack machine that can call any function. This reads its instructions and builds a table
/// of what they name: containers, numbers, texts, and, for a call, the function's name with its arguments. Nothing is
/// imported or called, whatever the names are; whoever asks for values decides which calls mean something.
///
/// Values are indices into that table, so that neither deep nesting nor sharing costs more than the instructions do.
///
/// - Source: Python's `pickletools`, protocols 2 to 5; instructions of protocols 0 and 1, which are text, are refused.
public struct PickledValues: Sendable {
  /// One value; texts and bytes are ranges of the file's bytes.
  public enum Value: Sendable, Equatable {
    case none
    case bool(Bool)
    case integer(Int)
    /// A whole number of more than 64 bits, little-endian.
    case longInteger(Range<Int>)
    case float(Double)
    case text(Range<Int>)
    case bytes(Range<Int>)
    /// A position in `objects`.
    case object(Int)
  }

  /// A value that has parts.
  public struct Object: Sendable {
    /// What an object is, and with it what its parts are.
    public enum Kind: Sendable {
      /// The elements.
      case tuple, list
      /// Keys and values in turn.
      case dictionary
      /// Module and name, both texts.
      case global
      /// A function or class and its arguments, and then each state that it was given.
      case call
      /// What a file holds outside of the pickle: its identity.
      case persistent
    }

    /// What it is.
    public let kind: Kind
    /// Its parts, as the kind says.
    public fileprivate(set) var parts: [Value]
  }

  /// Why a pickle is not read.
  public struct Damage: Error, Sendable {
    /// A part of a sentence, such as `it has the instruction 105`.
    public let why: String

    /// Damage for this reason.
    public init(_ why: String) { self.why = why }
  }

  /// The most instructions of a pickle; weights of a large network with their optimiser have 100,000.
  public static let maxInstructions = 1 << 20

  /// Every object that was made, in the order of the instructions.
  public private(set) var objects: [Object] = []
  /// What the pickle is of.
  public private(set) var root = Value.none
  /// The bytes that texts are ranges of.
  public let file: [UInt8]

  private var stack: [Value] = []
  /// Heights of the stack at each mark.
  private var marks: [Int] = []
  private var memo: [Int: Value] = [:]
  private var position: Int
  /// How many pairs of lists became dictionaries: one list can do so again and again.
  private var copied = 0

  /// Reads the pickle that begins at a position of a file, which is then its end.
  public init(_ file: [UInt8], at start: inout Int) throws(Damage) {
    self.file = file
    position = start
    for _ in 0..<Self.maxInstructions {
      let code = file[try take(1).lowerBound]
      if code == UInt8(ascii: ".") {
        root = try pop()
        (stack, marks, memo) = ([], [], [:])
        start = position
        return
      }
      var isKnown = try container(code)
      if !isKnown { isKnown = try literal(code) }
      if !isKnown { isKnown = try memory(code) }
      guard isKnown else {
        throw Damage("it has the instruction \(code), which weights and labels do not need")
      }
    }
    throw Damage("it has more than \(Self.maxInstructions) instructions")
  }

  // MARK: - What values are

  /// The longest text that is a name, in bytes.
  private static let maxText = 1 << 10

  /// The text of a value, if it can be a name; nil for others, and for bytes that are not UTF-8.
  public func text(_ value: Value?) -> String? {
    // Any number of tensors can share one long text.
    guard case .text(let range)? = value, range.count <= Self.maxText else { return nil }
    return String(validating: file[range], as: UTF8.self)
  }

  /// The object of a value, if it is of this kind.
  public func object(_ value: Value?, _ kind: Object.Kind) -> Object? {
    guard case .object(let index)? = value, objects[index].kind == kind else { return nil }
    return objects[index]
  }

  /// `module.name` of a global; nil for other values.
  public func global(_ value: Value?) -> String? {
    guard let parts = object(value, .global)?.parts, let module = text(parts[0]), let name = text(parts[1]) else {
      return nil
    }
    return "\(module).\(name)"
  }

  /// A call by the name of its function, with its arguments; nil for other values.
  public func call(_ value: Value?) -> (function: String, arguments: [Value])? {
    guard let parts = object(value, .call)?.parts else { return nil }
    // A function that is the result of a call has no name.
    return (global(parts[0]) ?? "a class of its own", object(parts[1], .tuple)?.parts ?? [])
  }

  /// The whole numbers of a tuple of at most 64; nil for other values.
  public func integers(_ value: Value?) -> [Int]? {
    guard let parts = object(value, .tuple)?.parts, parts.count <= 64 else { return nil }
    let numbers = parts.compactMap { part in if case .integer(let number) = part { number } else { nil } }
    return numbers.count == parts.count ? numbers : nil
  }

  // MARK: - Instructions

  /// Carries out an instruction that makes or fills a container, or a call; false for any other.
  private mutating func container(_ code: UInt8) throws(Damage) -> Bool {
    switch code {
    case UInt8(ascii: "("): marks.append(stack.count)
    case UInt8(ascii: ")"): make(.tuple, [])
    case UInt8(ascii: "]"): make(.list, [])
    case UInt8(ascii: "}"): make(.dictionary, [])
    case 0x8F: make(.list, [])  // a set
    case UInt8(ascii: "t"), 0x91: make(.tuple, try popToMark())  // or a frozen set
    case 0x85...0x87: make(.tuple, try pop(Int(code) - 0x84))
    case UInt8(ascii: "a"): try append(pop(1), to: .list)
    case UInt8(ascii: "e"), 0x90: try append(popToMark(), to: .list)
    case UInt8(ascii: "s"): try append(pop(2), to: .dictionary)
    case UInt8(ascii: "u"): try append(popToMark(), to: .dictionary)
    case UInt8(ascii: "c"): make(.global, [.text(try line()), .text(try line())])
    case 0x93:
      let names = try pop(2)
      guard text(names[0]) != nil, text(names[1]) != nil else { throw Damage("a name in it is not a short text") }
      make(.global, names)
    case UInt8(ascii: "R"), 0x81: try call(pop(2))
    case 0x92: try call(Array(pop(3).prefix(2)))
    case UInt8(ascii: "b"): try build()
    case UInt8(ascii: "Q"): make(.persistent, try pop(1))
    default: return false
    }
    return true
  }

  /// Carries out an instruction that pushes a number or a text; false for any other.
  private mutating func literal(_ code: UInt8) throws(Damage) -> Bool {
    switch code {
    case UInt8(ascii: "N"): stack.append(.none)
    case 0x88: stack.append(.bool(true))
    case 0x89: stack.append(.bool(false))
    case UInt8(ascii: "K"): stack.append(.integer(try number(1)))
    case UInt8(ascii: "M"): stack.append(.integer(try number(2)))
    case UInt8(ascii: "J"): stack.append(.integer(Int(Int32(truncatingIfNeeded: try number(4)))))
    case UInt8(ascii: "G"):
      let bits = file[try take(8)].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
      stack.append(.float(Double(bitPattern: bits)))
    case 0x8A: stack.append(long(try take(try number(1))))
    case 0x8B: stack.append(long(try take(try number(4))))
    case UInt8(ascii: "X"), UInt8(ascii: "T"): stack.append(.text(try take(try number(4))))
    case 0x8C, UInt8(ascii: "U"): stack.append(.text(try take(try number(1))))
    case 0x8D: stack.append(.text(try take(try number(8))))
    case UInt8(ascii: "B"): stack.append(.bytes(try take(try number(4))))
    case UInt8(ascii: "C"): stack.append(.bytes(try take(try number(1))))
    case 0x8E, 0x96: stack.append(.bytes(try take(try number(8))))
    default: return false
    }
    return true
  }

  /// Carries out an instruction of the memo or of the file's form; false for any other.
  private mutating func memory(_ code: UInt8) throws(Damage) -> Bool {
    switch code {
    case 0x80:
      let version = try number(1)
      guard (2...5).contains(version) else { throw Damage("it is a pickle of protocol \(version), and not of 2 to 5") }
    case 0x95: _ = try take(8)
    case UInt8(ascii: "q"): memo[try number(1)] = try top()
    case UInt8(ascii: "r"): memo[try number(4)] = try top()
    case 0x94: memo[memo.count] = try top()
    case UInt8(ascii: "h"): stack.append(try remembered(try number(1)))
    case UInt8(ascii: "j"): stack.append(try remembered(try number(4)))
    default: return false
    }
    return true
  }

  private mutating func make(_ kind: Object.Kind, _ parts: [Value]) {
    stack.append(.object(objects.count))
    objects.append(Object(kind: kind, parts: parts))
  }

  /// An ordered dictionary is one; every other call stays a name with arguments.
  private mutating func call(_ parts: [Value]) throws(Damage) {
    guard global(parts[0]) == "collections.OrderedDict", let arguments = object(parts[1], .tuple)?.parts else {
      return make(.call, parts)
    }
    // Python 2 gives the pairs as an argument.
    let pairs = object(arguments.first, .list)?.parts ?? []
    copied += pairs.count
    guard copied <= Self.maxInstructions else { throw Damage("it has too many values") }
    let members = pairs.map { object($0, .tuple)?.parts ?? object($0, .list)?.parts ?? [] }
    guard members.allSatisfy({ $0.count == 2 }), arguments.isEmpty || arguments.count == 1 else {
      return make(.call, parts)
    }
    make(.dictionary, members.flatMap { $0 })
  }

  /// Adds to the container on top; what a call made is nobody's business, and takes anything.
  private mutating func append(_ values: [Value], to kind: Object.Kind) throws(Damage) {
    guard case .object(let index) = try top(), [kind, .call].contains(objects[index].kind) else {
      throw Damage("it fills something that is not a container")
    }
    guard kind == .list || values.count % 2 == 0 else { throw Damage("a key in it has no value") }
    if objects[index].kind == kind { objects[index].parts += values }
  }

  /// Attributes of an object; those of a dictionary say nothing of its members.
  private mutating func build() throws(Damage) {
    let state = try pop()
    guard case .object(let index) = try top() else { throw Damage("it gives a state to something that has none") }
    if objects[index].kind == .call { objects[index].parts.append(state) }
  }

  // MARK: - Stack and bytes

  /// What is on the stack above the last mark is there to be taken.
  private var floor: Int { marks.last ?? 0 }

  private func top() throws(Damage) -> Value {
    guard stack.count > floor, let value = stack.last else { throw Damage("its instructions are out of order") }
    return value
  }

  private mutating func pop() throws(Damage) -> Value {
    let value = try top()
    stack.removeLast()
    return value
  }

  private mutating func pop(_ count: Int) throws(Damage) -> [Value] {
    guard stack.count >= floor + count else { throw Damage("its instructions are out of order") }
    defer { stack.removeLast(count) }
    return Array(stack.suffix(count))
  }

  private mutating func popToMark() throws(Damage) -> [Value] {
    guard let mark = marks.popLast() else { throw Damage("its instructions are out of order") }
    defer { stack.removeLast(stack.count - mark) }
    return Array(stack[mark...])
  }

  private func remembered(_ index: Int) throws(Damage) -> Value {
    guard let value = memo[index] else { throw Damage("it refers to a value that it did not store") }
    return value
  }

  private mutating func take(_ count: Int) throws(Damage) -> Range<Int> {
    guard count >= 0, count <= file.count - position else { throw Damage("it ends in an instruction") }
    defer { position += count }
    return position..<position + count
  }

  /// A little-endian number; -1 where it has more than 63 bits.
  private mutating func number(_ size: Int) throws(Damage) -> Int {
    let bits = file[try take(size)].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    return Int(exactly: bits) ?? -1
  }

  private func long(_ range: Range<Int>) -> Value {
    guard range.count <= 8 else { return .longInteger(range) }
    let isNegative = range.last.map { file[$0] >= 0x80 } ?? false
    return .integer(file[range].reversed().reduce(isNegative ? -1 : 0) { $0 << 8 | Int($1) })
  }

  private mutating func line() throws(Damage) -> Range<Int> {
    let start = position
    while file[try take(1).lowerBound] != UInt8(ascii: "\n") {}
    return start..<position - 1
  }
}
