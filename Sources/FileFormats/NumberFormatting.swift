/// Numbers as text: the shortest that reads back to the same bits, spelled as Python spells it, for files; few digits
/// and fixed places, always with a point, for people.
public enum NumberFormatting {
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

  /// `value` with that many digits after the point, rounded to nearest; `nan` and `inf` as words.
  public static func decimal(_ value: Double, places: Int) -> String {
    guard value.isFinite else { return value.isNaN ? "nan" : value < 0 ? "-inf" : "inf" }
    var scale = 1.0
    for _ in 0..<places { scale *= 10 }
    let scaled = (value.magnitude * scale).rounded()
    guard scaled < 0x1p63 else { return value.description }
    let digits = String(Int64(scaled))
    let padded = String(repeating: "0", count: max(0, places + 1 - digits.count)) + digits
    let sign = value < 0 && scaled > 0 ? "-" : ""
    return places == 0 ? sign + padded : "\(sign)\(padded.dropLast(places)).\(padded.suffix(places))"
  }

  /// A fraction in 0…1 as `85.4%`.
  public static func percent(_ fraction: Double, places: Int = 2) -> String {
    decimal(fraction * 100, places: places) + "%"
  }

  /// A count with thin groups of three: `21 480`.
  public static func grouped(_ count: Int) -> String {
    let digits = Array(String(count.magnitude))
    var text = count < 0 ? "-" : ""
    for (index, digit) in digits.enumerated() {
      if index > 0, (digits.count - index) % 3 == 0 { text += " " }
      text.append(digit)
    }
    return text
  }

  /// A duration of at least a minute in one rounded number: `12 min`, `2.5 h`, `3 days`.
  public static func roughly(seconds: Double) -> String {
    guard seconds.isFinite, seconds >= 0, seconds < 1e9 else { return "?" }
    switch seconds {
    case ..<5400: return "\(max(1, Int((seconds / 60).rounded()))) min"
    case ..<129_600: return decimal(seconds / 3600, places: 1) + " h"
    default: return "\(Int((seconds / 86400).rounded())) days"
    }
  }

  /// A duration as `42s`, `4m10s`, `3h05m` or `2d04h`.
  public static func duration(seconds: Double) -> String {
    guard seconds.isFinite, seconds >= 0, seconds < 1e9 else { return "?" }
    let whole = Int(seconds.rounded())
    func two(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
    switch whole {
    case ..<60: return "\(whole)s"
    case ..<3600: return "\(whole / 60)m\(two(whole % 60))s"
    case ..<86400: return "\(whole / 3600)h\(two(whole / 60 % 60))m"
    default: return "\(whole / 86400)d\(two(whole / 3600 % 24))h"
    }
  }
}
