#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// A moment, in whole seconds, written in UTC.
public struct UTCTime: Sendable, Equatable, Comparable {
  /// Seconds since 1970-01-01T00:00:00Z, without leap seconds.
  public var seconds: Int

  /// The moment that many seconds after 1970 began.
  public init(seconds: Int) {
    self.seconds = seconds
  }

  /// Reads what `text` gives; nil for anything else.
  public init?(text: String) {
    let digits = text.utf8.filter { (0x30...0x39).contains($0) }
    guard digits.count == 14 else { return nil }
    func number(_ range: Range<Int>) -> Int { digits[range].reduce(0) { $0 * 10 + Int($1 - 0x30) } }
    var fields = tm()
    fields.tm_year = Int32(number(0..<4) - 1900)
    fields.tm_mon = Int32(number(4..<6) - 1)
    fields.tm_mday = Int32(number(6..<8))
    fields.tm_hour = Int32(number(8..<10))
    fields.tm_min = Int32(number(10..<12))
    fields.tm_sec = Int32(number(12..<14))
    seconds = Int(timegm(&fields))
    // Reading back catches other punctuation and dates that do not exist.
    guard self.text == text else { return nil }
  }

  /// The present moment.
  public static var now: UTCTime { UTCTime(seconds: Int(time(nil))) }

  /// `2026-11-21T00:31:02Z`, as ISO 8601 writes it.
  public var text: String {
    let parts = parts
    return "\(parts.day)T\(parts.hour):\(parts.minute):\(parts.second)Z"
  }

  /// `2026-11-21T0031`, which sorts by time and is a legal file name everywhere.
  public var minuteText: String {
    let parts = parts
    return "\(parts.day)T\(parts.hour)\(parts.minute)"
  }

  /// Whether `left` comes before `right`.
  public static func < (left: UTCTime, right: UTCTime) -> Bool { left.seconds < right.seconds }

  private var parts: (day: String, hour: String, minute: String, second: String) {
    var moment = time_t(seconds)
    var fields = tm()
    gmtime_r(&moment, &fields)
    func two(_ value: Int32) -> String { value < 10 ? "0\(value)" : "\(value)" }
    return (
      "\(fields.tm_year + 1900)-\(two(fields.tm_mon + 1))-\(two(fields.tm_mday))", two(fields.tm_hour),
      two(fields.tm_min), two(fields.tm_sec)
    )
  }
}
