import FileFormats

/// Text on its way into a page.
public enum HTMLText {
  /// Text as the content of an element or of an attribute in double quotes; never markup, whatever it says.
  ///
  /// Control characters, which HTML forbids, become U+FFFD.
  public static func escaped(_ text: String) -> String {
    var escaped = ""
    escaped.reserveCapacity(text.utf8.count)
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": escaped += "&amp;"
      case "<": escaped += "&lt;"
      case ">": escaped += "&gt;"
      case "\"": escaped += "&quot;"
      case "'": escaped += "&#39;"
      case "\t", "\n": escaped.unicodeScalars.append(scalar)
      case _ where scalar.value < 0x20 || (0x7F..<0xA0).contains(scalar.value): escaped += "\u{FFFD}"
      default: escaped.unicodeScalars.append(scalar)
      }
    }
    return escaped
  }

  /// A document as JSON that can stand in a `script` element: no character in it begins or ends anything.
  public static func embedded(_ document: JSONValue) -> String {
    var bytes: [UInt8] = []
    let text = Array(JSONText.compact(document).utf8)
    bytes.reserveCapacity(text.count + 1024)
    // These occur in strings alone, where an escape means the same.
    for byte in text {
      switch byte {
      case UInt8(ascii: "<"): bytes += Array("\\u003C".utf8)
      case UInt8(ascii: ">"): bytes += Array("\\u003E".utf8)
      case UInt8(ascii: "&"): bytes += Array("\\u0026".utf8)
      default: bytes.append(byte)
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
