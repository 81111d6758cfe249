/// A JSON document: objects keep the order of their members, numbers keep their digits.
///
/// Built with literals (`["epochs": 3, "device": nil]`), read by `JSONText.parse`, written by `JSONText.compact` and
/// `JSONText.indented`.
public enum JSONValue: Sendable, Equatable {
  case null
  case bool(Bool)
  case number(JSONNumber)
  case string(String)
  case array([JSONValue])
  case object([JSONMember])

  /// A number, or null if it is absent or not finite (JSON has no spelling for those).
  public init(_ value: Double?) {
    guard let value, value.isFinite else {
      self = .null
      return
    }
    self = .number(JSONNumber(value))
  }

  /// An integer, or null if it is absent.
  public init(_ value: Int?) {
    self = value.map { .number(JSONNumber($0)) } ?? .null
  }

  /// An unsigned integer with all 64 bits, or null if it is absent.
  public init(_ value: UInt64?) {
    self = value.map { .number(JSONNumber($0)) } ?? .null
  }

  /// A text, or null if it is absent.
  public init(_ value: String?) {
    self = value.map { .string($0) } ?? .null
  }

  /// The member of that name, or nil if this is not an object or has no such member.
  public subscript(name: String) -> JSONValue? {
    guard case .object(let members) = self else { return nil }
    return members.first { $0.name == name }?.value
  }

  /// The text, if this is a string.
  public var string: String? {
    if case .string(let text) = self { text } else { nil }
  }

  /// The value, if this is a number that is an integer and fits.
  public var integer: Int? {
    if case .number(let number) = self { number.integer } else { nil }
  }

  /// The value, if this is a number that is an integer of 0 or more and fits 64 bits.
  public var unsigned: UInt64? {
    if case .number(let number) = self { number.unsigned } else { nil }
  }

  /// The value, if this is a number.
  public var double: Double? {
    if case .number(let number) = self { number.double } else { nil }
  }

  /// The value, if this is true or false.
  public var bool: Bool? {
    if case .bool(let value) = self { value } else { nil }
  }

  /// The elements, if this is an array.
  public var array: [JSONValue]? {
    if case .array(let elements) = self { elements } else { nil }
  }

  /// The members in their order, if this is an object.
  public var members: [JSONMember]? {
    if case .object(let members) = self { members } else { nil }
  }
}

/// One `"name": value` of a JSON object.
public struct JSONMember: Sendable, Equatable {
  /// The text in quotes before the colon.
  public var name: String
  /// What it stands for.
  public var value: JSONValue

  /// A member of this name.
  public init(_ name: String, _ value: JSONValue) {
    self.name = name
    self.value = value
  }
}

/// A JSON number as it is written, so that 64-bit seeds and shortest floats survive.
public struct JSONNumber: Sendable, Equatable {
  /// The number in JSON's grammar.
  public let text: String

  /// An integer.
  public init(_ value: Int) {
    text = String(value)
  }

  /// An integer with all 64 bits.
  public init(_ value: UInt64) {
    text = String(value)
  }

  /// The shortest text that reads back to `value`, which must be finite.
  public init(_ value: Double) {
    precondition(value.isFinite, "JSON cannot spell \(value)")
    text = NumberFormatting.shortest(value)
  }

  /// A number that a parser has already checked against the grammar.
  init(checked text: String) {
    self.text = text
  }

  /// The value, if it is written without fraction and exponent and fits.
  public var integer: Int? { Int(text) }

  /// The value, if it is 0 or more, written without fraction and exponent, and fits 64 bits.
  public var unsigned: UInt64? { UInt64(text) }

  /// The nearest Double; infinite if the number is too large for one.
  public var double: Double { Double(text) ?? .nan }
}

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral {
  /// A string.
  public init(stringLiteral value: String) {
    self = .string(value)
  }

  /// An integer.
  public init(integerLiteral value: Int) {
    self = .number(JSONNumber(value))
  }

  /// A number.
  public init(floatLiteral value: Double) {
    self.init(value)
  }
}

extension JSONValue: ExpressibleByBooleanLiteral, ExpressibleByNilLiteral {
  /// True or false.
  public init(booleanLiteral value: Bool) {
    self = .bool(value)
  }

  /// Null.
  public init(nilLiteral: ()) {
    self = .null
  }
}

extension JSONValue: ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral {
  /// An array.
  public init(arrayLiteral elements: JSONValue...) {
    self = .array(elements)
  }

  /// An object whose members keep this order.
  public init(dictionaryLiteral elements: (String, JSONValue)...) {
    self = .object(elements.map { JSONMember($0.0, $0.1) })
  }
}
