/// Numbers as text that reads back to the same bits, spelled as Python spells them.
public enum NumberText {
  /// The shortest decimal text that reads back to exactly this value, laid out as Python's `repr` does.
  ///
  /// Plain digits from 1e-4 up to (but without) 1e16, otherwise an exponent of at least two digits: `0.1`, `1e-07`,
  /// `1e+16`. Always with `.` as the decimal mark, whatever the locale. Not-a-number is `nan`, infinity `inf` or `-inf`.
  public static func shortest(_ value: Double) -> String {
    guard !value.isNaN else { return "nan" }
    let text = value.description
    // Swift turns to exponents just above 2^53, Python at 1e16: between the two, integers are exact in Int64.
    if text.utf8.contains(UInt8(ascii: "e")), abs(value) < 1e16, abs(value) >= 1 {
      return "\(Int64(value)).0"
    }
    return text
  }

  /// As `shortest` for Double, with the digits that a 32-bit float needs.
  public static func shortest(_ value: Float) -> String {
    guard !value.isNaN else { return "nan" }
    let text = value.description
    if text.utf8.contains(UInt8(ascii: "e")), abs(value) < 1e16, abs(value) >= 1 {
      return shortest(Double(text)!)
    }
    return text
  }
}
