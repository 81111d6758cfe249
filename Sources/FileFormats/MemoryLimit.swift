import Failures

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// How much memory this process may have: the machine's, its control group's, and what `ulimit -v` leaves.
///
/// Linux promises memory that is not there and kills whoever uses it, so that a large need has to be compared before it is
/// asked for.
public enum MemoryLimit {
  /// What this process may have, in bytes: the least of the limits that there are.
  public static var available: Int { max(0, min(total, addressSpace ?? Int.max)) }

  /// Bytes that are not promised to anybody: threads, for each of which the C library reserves 64 MB of addresses, and
  /// files that are read and written.
  private static let reserve = 128_000_000

  /// What is left beside the memory that this process has used, in bytes, less a reserve for the rest of the program.
  ///
  /// Other programs' memory is not there either: the machine would kill somebody to make room.
  ///
  /// - Parameter allocated: bytes that it has asked for; some of them may not have been used yet, and count all the same.
  public static func left(besides allocated: Int) -> Int {
    let used = used, promised = max(0, allocated - used)
    let room = min(total - max(allocated, used), (unused ?? Int.max) - promised)
    return max(0, min(room, addressSpace ?? Int.max) - reserve)
  }

  /// What the machine could give without taking it from anybody, in bytes (`MemAvailable`: free memory, and caches that
  /// can be dropped); nil where it does not say.
  private static var unused: Int? {
    let lines = (FileBytes.systemText("/proc/meminfo") ?? "").split(separator: "\n")
    guard let line = lines.first(where: { $0.hasPrefix("MemAvailable:") }) else { return nil }
    return line.split(separator: " ").dropFirst().first.flatMap { Int($0) }.map { $0 * 1024 }
  }

  /// The machine's memory, or what the control groups allow of it.
  private static var total: Int { min(FileBytes.physicalMemory, ControlGroups().memory ?? Int.max) }

  /// Memory that is this process's alone, in bytes: resident pages but for those of files.
  private static var used: Int {
    let pages = statm
    return pages.count > 2 ? max(0, pages[1] - pages[2]) * sysconf(Int32(_SC_PAGESIZE)) : 0
  }

  /// `/proc/self/statm` in pages: size, resident, resident and shared with files, and others.
  private static var statm: [Int] {
    (FileBytes.systemText("/proc/self/statm") ?? "").split { $0 == " " || $0 == "\n" }.compactMap { Int($0) }
  }

  /// Checks that there is room for something large.
  ///
  /// - Parameters:
  ///   - bytes: all of the memory that it needs at one time.
  ///   - what: what needs it, as in `the images of 'photos'`.
  ///   - fix: what makes it smaller.
  /// - Throws: `.outOfMemory` with both numbers.
  public static func require(_ bytes: Int, for what: String, fix: String) throws(Failure) {
    try require(bytes, of: available, for: what, fix: fix)
  }

  /// The same where so much room is left.
  public static func require(_ bytes: Int, of room: Int, for what: String, fix: String) throws(Failure) {
    guard bytes > room else { return }
    throw Failure(
      .outOfMemory, "\(what) does not fit into memory.",
      why: "\(size(bytes)) are needed, and this process may have \(size(room)).", fix: fix)
  }

  /// `1.5 GB`, `38 MB`.
  static func size(_ bytes: Int) -> String {
    let tenths = bytes / 100_000_000
    return tenths >= 10 ? "\(tenths / 10).\(tenths % 10) GB" : "\(max(1, bytes / 1_000_000)) MB"
  }

  /// What `ulimit -v` leaves beside what is mapped already; nil without such a limit.
  private static var addressSpace: Int? {
    var limit = rlimit()
    #if os(Linux)
      guard getrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit) == 0, limit.rlim_cur < rlim_t(Int.max) else {
        return nil
      }
    #else
      guard getrlimit(RLIMIT_AS, &limit) == 0, limit.rlim_cur < rlim_t(Int.max) else { return nil }
    #endif
    return Int(limit.rlim_cur) - (statm.first ?? 0) * sysconf(Int32(_SC_PAGESIZE))
  }
}
