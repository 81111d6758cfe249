import Failures
import FileFormats

/// The arrays of labels in CIFAR-N's `.pt` files, found without running the pickle that they are.
///
/// Such a file is a dictionary of NumPy arrays (`PickledValues`). A key ends in `label`, or in `label` and a digit. The
/// bytes of an array are a text, in which each character is a byte, or bytes.
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
    var arrays: [String: [Int]] = [:], start = 0, copied = 0
    let values: PickledValues
    do { values = try PickledValues(bytes, at: &start) } catch { throw unknown(path, error.why) }
    for object in values.objects where object.kind == .dictionary {
      for index in stride(from: 0, to: object.parts.count, by: 2) {
        guard case .text(let text) = object.parts[index], isKey(bytes[text]),
          let elements = elements(of: object.parts[index + 1], in: values)
        else { continue }
        // One array can go by many keys.
        copied += elements.count
        guard copied <= 4 * bytes.count else { throw unknown(path, "its keys share arrays") }
        if let labels = integers(bytes[elements]) { arrays[String(decoding: bytes[text], as: UTF8.self)] = labels }
      }
    }
    guard !arrays.isEmpty else {
      throw unknown(path, "it has no array of 64-bit integers under a key such as 'clean_label'")
    }
    return arrays
  }

  /// Where the bytes of an array are; nil for other values.
  ///
  /// Protocols up to 4 make an empty array, whose state ends in the bytes; protocol 5 makes it from the bytes.
  private static func elements(of array: PickledValues.Value, in values: PickledValues) -> Range<Int>? {
    guard let call = values.call(array) else { return nil }
    let state = values.object(values.object(array, .call)?.parts.last, .tuple)?.parts
    let content = call.function.hasSuffix("._frombuffer") ? call.arguments.first : state?.last
    let encoded = values.call(content)
    switch encoded?.function == "_codecs.encode" ? encoded?.arguments.first : content {
    case .text(let range)?, .bytes(let range)?: return range
    default: return nil
    }
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
