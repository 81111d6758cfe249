import Failures
import FileFormats

/// The arrays of labels in CIFAR-N's `.pt` files, found without running the pickle that they are.
///
/// A pickle is a program; this reads along its instructions, carries none of them out, and knows no others than those
/// of a dictionary of NumPy arrays. The bytes of an array are a text of its own, in which each character is a byte; the
/// key is the last text before that ends in `label`, or `label` and a digit.
enum LabelPickle {
  /// The most bytes of such a file.
  private static let largest = 1 << 28

  /// The arrays of 64-bit integers by their keys.
  ///
  /// - Throws: `.badInput` for any other pickle.
  static func arrays(_ file: [UInt8], _ path: String) throws -> [String: [Int]] {
    var bytes = file
    if ZipArchive.isZip(file) {
      let archive = try ZipArchive(decoding: file, name: "'\(path)'")
      guard let member = archive.members.first(where: { $0.name.hasSuffix("/data.pkl") }) else {
        throw unknown(path, "the archive has no data.pkl")
      }
      bytes = try archive.contents(of: member, limit: largest)
    }
    var arrays: [String: [Int]] = [:], key: String?, position = 0
    while let instruction = try step(bytes, &position, path) {
      guard case .text(let text) = instruction else { continue }
      if isKey(text) {
        key = String(decoding: text, as: UTF8.self)
      } else if let name = key, let values = integers(text) {
        arrays[name] = values
        key = nil
      }
    }
    guard !arrays.isEmpty else {
      throw unknown(path, "it has no array of 64-bit integers under a key such as 'clean_label'")
    }
    return arrays
  }

  private enum Instruction {
    case text(ArraySlice<UInt8>)
    case other
  }

  /// Reads one instruction; nil at the end of the program.
  private static func step(_ bytes: [UInt8], _ position: inout Int, _ path: String) throws -> Instruction? {
    func take(_ count: Int) throws -> ArraySlice<UInt8> {
      guard count >= 0, count <= bytes.count - position else { throw unknown(path, "it ends in an instruction") }
      defer { position += count }
      return bytes[position..<position + count]
    }
    func number(_ size: Int) throws -> Int { try take(size).reversed().reduce(0) { $0 << 8 | Int($1) } }
    let code = try take(1).first ?? 0
    switch code {
    case UInt8(ascii: "."): return nil
    case UInt8(ascii: "X"), UInt8(ascii: "B"): return .text(try take(number(4)))
    case 0x8C, UInt8(ascii: "C"): return .text(try take(number(1)))
    case UInt8(ascii: "c"):
      for _ in 0..<2 {
        while try take(1).first != UInt8(ascii: "\n") {}
      }
    case 0x80, UInt8(ascii: "q"), UInt8(ascii: "h"), UInt8(ascii: "K"): _ = try take(1)
    case UInt8(ascii: "M"): _ = try take(2)
    case UInt8(ascii: "J"), UInt8(ascii: "r"), UInt8(ascii: "j"): _ = try take(4)
    case 0x95: _ = try take(8)
    case 0x85...0x89, 0x93, 0x94: break
    case UInt8(ascii: "("), UInt8(ascii: ")"), UInt8(ascii: "}"), UInt8(ascii: "]"), UInt8(ascii: "t"),
      UInt8(ascii: "R"), UInt8(ascii: "b"), UInt8(ascii: "N"), UInt8(ascii: "s"), UInt8(ascii: "u"),
      UInt8(ascii: "a"), UInt8(ascii: "e"):
      break
    default: throw unknown(path, "it has the instruction \(code)")
    }
    return .other
  }

  private static func isKey(_ text: ArraySlice<UInt8>) -> Bool {
    let word = text.last.map { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) } == true ? text.dropLast() : text
    return word.count < 100 && Array(word.suffix(5)) == Array("label".utf8)
  }

  /// Little-endian integers from a text whose characters are bytes; nil unless there are whole integers of classes.
  private static func integers(_ text: ArraySlice<UInt8>) -> [Int]? {
    // Labels are below 128, so each byte is one character, and longer characters mean something else.
    guard text.count >= 8, text.count % 8 == 0, text.allSatisfy({ $0 < 0x80 }) else { return nil }
    var values: [Int] = []
    for start in stride(from: text.startIndex, to: text.endIndex, by: 8) {
      guard text[start + 1..<start + 8].allSatisfy({ $0 == 0 }) else { return nil }
      values.append(Int(text[start]))
    }
    return values
  }

  private static func unknown(_ path: String, _ why: String) -> Failure {
    Failure(
      .badInput, "'\(path)' is not a pickle in CIFAR-N's format.",
      why: "\(why); pickles are never executed, because they can run any code.",
      fix: "load it in Python and save its labels with numpy.save('labels.npy', labels).")
  }
}
