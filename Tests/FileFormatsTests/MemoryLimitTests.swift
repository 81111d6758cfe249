import FileFormats
import TestSupport
import Testing

@Suite("The memory that is left")
struct MemoryLimitTests {
  @Test("is not what other programs have, nor what was asked for and not used yet")
  func left() {
    // Pages in use have been asked for: what is asked for beyond them counts.
    let used = ProcessMemory.used
    let all = MemoryLimit.left(besides: 0), some = MemoryLimit.left(besides: used + (4 << 30))
    // Others take and give memory meanwhile.
    #expect(all > 0 && all < FileBytes.physicalMemory)
    #expect(abs(all - some - (4 << 30)) < 2 << 30 || some == 0)
    let text = FileBytes.systemText("/proc/meminfo") ?? ""
    let line = text.split(separator: "\n").first { $0.hasPrefix("MemAvailable:") } ?? ""
    guard let unused = line.split(separator: " ").dropFirst().first.flatMap({ Int($0) }) else { return }
    #expect(all < unused * 1024 + (2 << 30))
  }
}
