import FileFormats
import Glibc

/// The memory of the process that runs the tests.
public enum ProcessMemory {
  /// Resident pages but for those of files, in bytes: other tests of this process take and give them meanwhile.
  public static var used: Int {
    let pages = (FileBytes.systemText("/proc/self/statm") ?? "").split(separator: " ").compactMap { Int($0) }
    return pages.count > 2 ? (pages[1] - pages[2]) * sysconf(Int32(_SC_PAGESIZE)) : 0
  }
}
