import FileFormats
import TestSupport
import Testing

@Suite("Control groups") struct ControlGroupTests {
  /// Groups in a folder, by the files that they have.
  private func groups(_ membership: String, _ files: [String: String]) throws -> (ScratchFolder, ControlGroups) {
    let scratch = ScratchFolder()
    try AtomicFile.write(membership, to: scratch("membership"))
    for (path, text) in files {
      try FileBytes.makeFolder(FileBytes.folder(of: scratch("groups/" + path)))
      try AtomicFile.write(text, to: scratch("groups/" + path))
    }
    return (scratch, ControlGroups(root: scratch("groups"), membership: scratch("membership")))
  }

  @Test("of version 2: the least limit of the group and of those above it")
  func version2() throws {
    let (scratch, groups) = try groups(
      "0::/jobs/7\n",
      [
        "cpu.max": "max 100000\n", "jobs/cpu.max": "150000 100000\n", "jobs/7/cpu.max": "300000 100000\n",
        "memory.max": "max\n", "jobs/memory.max": "max\n", "jobs/7/memory.max": "4096\n",
        "jobs/8/cpu.max": "1 100000\n",
      ])
    #expect(groups.processors == 1.5 && groups.memory == 4096)
    withExtendedLifetime(scratch) {}
  }

  @Test("of version 1: the controllers have folders of their own")
  func version1() throws {
    let (scratch, groups) = try groups(
      "5:memory:/box\n4:cpu,cpuacct:/box\n0::/\n",
      [
        "cpu/box/cpu.cfs_quota_us": "50000\n", "cpu/box/cpu.cfs_period_us": "100000\n",
        "cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n",
        "memory/box/memory.limit_in_bytes": "8192\n", "memory/memory.limit_in_bytes": "9223372036854771712\n",
      ])
    #expect(groups.processors == 0.5 && groups.memory == 8192)
    withExtendedLifetime(scratch) {}
  }

  @Test("of a container whose path is the host's: the root of the mount is its own")
  func container() throws {
    let (scratch, groups) = try groups("0::/docker/1a2b\n", ["cpu.max": "200000 100000\n", "memory.max": "1000\n"])
    #expect(groups.processors == 2 && groups.memory == 1000)
    withExtendedLifetime(scratch) {}
  }

  @Test(
    "without a limit, and with files that make no sense, limit nothing",
    arguments: ["max 100000\n", "", "\n", "-1 100000\n", "0 100000\n", "100000 0\n", "x y\n"])
  func none(text: String) throws {
    let (scratch, groups) = try groups("0::/\n", ["cpu.max": text])
    #expect(groups.processors == nil && groups.memory == nil)
    #expect(ControlGroups(root: scratch("nosuch"), membership: scratch("nosuch")).processors == nil)
  }

  @Test(
    "give a thread for each processor of the quota, a part of one included",
    arguments: [(8, nil, 8), (8, 1.5, 2), (8, 0.25, 1), (2, 3.0, 2), (4, 4.0, 4), (1, nil, 1), (8, 1e30, 8)])
  func threads(allowed: Int, quota: Double?, count: Int) {
    #expect(Processors.count(allowed: allowed, quota: quota) == count)
  }

  @Test("A process may use the processors of its mask")
  func mask() {
    #expect(Processors.allowed(inStatus: "Name:\tx\nCpus_allowed:\tf\nCpus_allowed_list:\t0-3\n") == 4)
    #expect(Processors.allowed(inStatus: "Cpus_allowed:\t00000000,80000001,00000003\n") == 4)
    #expect(Processors.allowed(inStatus: "Cpus_allowed:\t0\n") == nil)
    #expect(Processors.allowed(inStatus: "") == nil)
    #expect(Processors.available >= 1)
  }
}
