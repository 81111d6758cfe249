#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// How many processors this process may keep busy.
public enum Processors {
  /// The processors that this process may use, 1 at least: what its affinity allows (`taskset`, a cpuset), and not more
  /// than its control groups give it time for.
  ///
  /// More threads than that would only wait for each other: a group that has used up its time stands still as a whole.
  public static let available: Int = count(allowed: allowed, quota: ControlGroups().processors)

  /// min(allowed, ⌈quota⌉), 1 at least: a share of a processor is worth a thread.
  ///
  /// - Parameter quota: in processors; nil for none.
  public static func count(allowed: Int, quota: Double?) -> Int {
    max(1, min(allowed, quota.map { $0 < Double(allowed) ? Int($0.rounded(.up)) : allowed } ?? allowed))
  }

  /// The processors that the system may run this process on.
  private static var allowed: Int {
    FileBytes.systemText("/proc/self/status").flatMap(allowed(inStatus:))
      ?? max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
  }

  /// The processors in the mask of `/proc/self/status`: `Cpus_allowed:`, hexadecimal words with commas between them.
  public static func allowed(inStatus text: String) -> Int? {
    let line = text.split(separator: "\n").first { $0.hasPrefix("Cpus_allowed:") }
    let count = line?.dropFirst("Cpus_allowed:".count).reduce(0) { $0 + ($1.hexDigitValue?.nonzeroBitCount ?? 0) }
    return count.flatMap { $0 > 0 ? $0 : nil }
  }
}
