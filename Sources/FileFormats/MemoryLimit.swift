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
  /// What is left for this process, in bytes: the least of the limits that there are.
  public static var available: Int {
    var least = FileBytes.physicalMemory
    if let limit = controlGroup { least = min(least, limit) }
    if let limit = addressSpace { least = min(least, limit) }
    return max(0, least)
  }

  /// Checks that there is room for something large.
  ///
  /// - Parameters:
  ///   - bytes: all of the memory that it needs at one time.
  ///   - what: what needs it, as in `the images of 'photos'`.
  ///   - fix: what makes it smaller.
  /// - Throws: `.outOfMemory` with both numbers.
  public static func require(_ bytes: Int, for what: String, fix: String) throws(Failure) {
    let room = available
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
    let pages = text(of: "/proc/self/statm")?.split(separator: " ").first.flatMap { Int($0) } ?? 0
    return Int(limit.rlim_cur) - pages * sysconf(Int32(_SC_PAGESIZE))
  }

  /// The least limit of the control groups that this process is in; nil without one.
  private static var controlGroup: Int? {
    var limits: [Int] = []
    for line in text(of: "/proc/self/cgroup")?.split(separator: "\n") ?? [] {
      let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
      guard parts.count == 3, parts[1].isEmpty || parts[1].split(separator: ",").contains("memory") else { continue }
      let (root, name) =
        parts[1].isEmpty
        ? ("/sys/fs/cgroup", "memory.max") : ("/sys/fs/cgroup/memory", "memory.limit_in_bytes")
      // Each group above has a say.
      var folder = String(parts[2])
      while true {
        let path = root + (folder == "/" ? "" : folder) + "/" + name
        if let limit = text(of: path).flatMap({ Int($0.prefix { $0 != "\n" }) }) { limits.append(limit) }
        guard folder != "/", let slash = folder.lastIndex(of: "/") else { break }
        folder = slash == folder.startIndex ? "/" : String(folder[..<slash])
      }
    }
    return limits.min()
  }

  /// A small file whose size the system does not tell beforehand.
  private static func text(of path: String) -> String? {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return nil }
    defer { close(file) }
    var bytes = [UInt8](repeating: 0, count: 1 << 16)
    let count = read(file, &bytes, bytes.count)
    return count > 0 ? String(decoding: bytes.prefix(count), as: UTF8.self) : nil
  }
}
