/// The control groups of Linux that this process is in, versions 1 and 2: what a container, a job of a scheduler or a
/// service may use of the machine.
public struct ControlGroups: Sendable {
  /// Where the groups are mounted, and the file that says which of them are this process's.
  private let root: String, membership: String

  /// This process's groups; other places are for tests.
  public init(root: String = "/sys/fs/cgroup", membership: String = "/proc/self/cgroup") {
    (self.root, self.membership) = (root, membership)
  }

  /// The least limit of memory in bytes; nil without one.
  public var memory: Int? {
    files(of: "memory", version2: "memory.max", version1: "memory.limit_in_bytes")
      .compactMap { Self.number(FileBytes.systemText($0)?.prefix { $0 != "\n" }) }.min()
  }

  /// The least quota of processor time, as a number of processors that may be busy all the time; nil without one.
  ///
  /// Version 2 has the quota and its period in one file (`150000 100000`, `max 100000`), version 1 in two; -1 is none.
  public var processors: Double? {
    files(of: "cpu", version2: "cpu.max", version1: "cpu.cfs_quota_us").compactMap { path in
      let words = FileBytes.systemText(path)?.split { $0 == " " || $0 == "\n" } ?? []
      guard let quota = Self.number(words.first), quota > 0 else { return nil }
      let period =
        words.count > 1
        ? Self.number(words[1])
        : Self.number(
          FileBytes.systemText(String(path.dropLast("quota_us".count)) + "period_us")?.prefix { $0 != "\n" })
      return period.flatMap { $0 > 0 ? Double(quota) / Double($0) : nil }
    }.min()
  }

  /// A file of each group that has a say: the process's own one and those above it.
  ///
  /// In a container the group's path may be that of the host, which is not there; the root of the mount is then its own.
  private func files(of controller: String, version2: String, version1: String) -> [String] {
    var files: [String] = []
    for line in FileBytes.systemText(membership)?.split(separator: "\n") ?? [] {
      let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
      guard parts.count == 3, parts[1].isEmpty || parts[1].split(separator: ",").contains(controller[...]) else {
        continue
      }
      let (base, name) = parts[1].isEmpty ? (root, version2) : (root + "/" + controller, version1)
      var folder = String(parts[2])
      while true {
        files.append(base + (folder == "/" ? "" : folder) + "/" + name)
        guard folder != "/", let slash = folder.lastIndex(of: "/") else { break }
        folder = slash == folder.startIndex ? "/" : String(folder[..<slash])
      }
    }
    return files
  }

  private static func number(_ text: Substring?) -> Int? { text.flatMap { Int($0) } }
}
