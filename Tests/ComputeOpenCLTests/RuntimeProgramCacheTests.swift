import ComputeOpenCL
import Failures
import FileFormats
import Glibc
import OpenCLTestSupport
import Testing

@Suite("Cache of compiled kernels", .serialized, .enabled(if: FirstDevice.isPresent, FirstDevice.reason))
struct RuntimeProgramCacheTests {
  private let context: Context
  private let folder: TemporaryFolder
  private var cache: ProgramCache { ProgramCache(folder: "\(folder.path)/gpunoisy/kernels") }

  init() throws {
    context = try FirstDevice.context()
    folder = try TemporaryFolder()
  }

  private static func source(_ value: Int) -> [Program.Source] {
    [("value.cl", "__kernel void test_value(__global int *output) { output[0] = \(value); }")]
  }

  /// Builds a kernel that gives `value`, checks that it does, and tells whether it came from the cache.
  private func build(_ value: Int, options: String = "", in cache: ProgramCache) throws -> Bool {
    let program = try Program.build(Self.source(value), options: options, in: context, cache: cache)
    let output = try Buffer(context, byteCount: 4), queue = try CommandQueue(context)
    let kernel = try program.kernel("test_value")
    try kernel.bind([("output", .buffer(output))])
    try queue.enqueue(kernel, global: [1])
    #expect(try queue.read(Int32.self, count: 1, from: output) == [Int32(value)])
    return program.isFromCache
  }

  private func entryPath(_ value: Int) -> String {
    cache.path(
      for: ProgramCache.key(sources: Self.source(value), options: "-cl-kernel-arg-info", device: context.device))
  }

  @Test("the second build is a hit; another text or option is none")
  func hitAndMiss() throws {
    #expect(try !build(1, in: cache))
    #expect(try build(1, in: cache))
    #expect(try !build(2, in: cache))
    #expect(try !build(1, options: "-D OTHER", in: cache))
    #expect(try build(1, in: cache))
  }

  @Test("names of arguments are checked for kernels from the cache too")
  func argumentNames() throws {
    for _ in 0..<2 {
      let kernel = try Program.build(Self.source(1), in: context, cache: cache).kernel("test_value")
      let buffer = try Buffer(context, byteCount: 4)
      let failure = try failure { try kernel.bind([("outptu", .buffer(buffer))]) }
      #expect(failure.what == "test_value: argument 0 is 'output' in the kernel but 'outptu' on the host.")
    }
  }

  @Test(
    "a damaged entry is rebuilt and replaced",
    arguments: ["flipped", "truncated", "empty", "headless", "foreign", "folder"])
  func damage(kind: String) throws {
    #expect(try !build(1, in: cache))
    let path = entryPath(1)
    var bytes = try FileBytes.read(path)
    #expect(bytes.count > 80)
    switch kind {
    case "flipped": bytes[bytes.count - 1] ^= 1
    case "truncated": bytes.removeLast(bytes.count / 2)
    case "empty": bytes = []
    case "headless": bytes.removeFirst(16)
    case "foreign":
      _ = try build(2, in: cache)
      bytes = try FileBytes.read(entryPath(2))
    default: break
    }
    if kind == "folder" {
      unlink(path)
      mkdir(path, 0o700)
      #expect(try !build(1, in: cache))
      rmdir(path)
    } else {
      try AtomicFile.write(bytes, to: path)
    }
    #expect(try !build(1, in: cache))
    #expect(try build(1, in: cache))
  }

  @Test("a whole entry that the driver refuses is rebuilt and replaced")
  func refused() throws {
    let key = ProgramCache.key(sources: Self.source(1), options: "-cl-kernel-arg-info", device: context.device)
    cache.store(Array("no kernel".utf8), for: key)
    #expect(cache.binary(for: key) == Array("no kernel".utf8))
    #expect(try !build(1, in: cache))
    #expect(try build(1, in: cache))
  }

  @Test("folder and entries are closed to others")
  func permissions() throws {
    _ = try build(1, in: cache)
    var status = stat()
    #expect(stat(cache.folder, &status) == 0 && status.st_mode & 0o777 == 0o700)
    #expect(stat(entryPath(1), &status) == 0 && status.st_mode & 0o777 == 0o600)
  }

  @Test("a folder that others can write to is not used")
  func openFolder() throws {
    #expect(try !build(1, in: cache))
    chmod(cache.folder, 0o777)
    #expect(try !build(1, in: cache))
    chmod(cache.folder, 0o700)
    #expect(try build(1, in: cache))
  }

  @Test("a linked folder or entry is not followed")
  func links() throws {
    #expect(try !build(1, in: cache))
    let moved = "\(folder.path)/moved"
    rename(cache.folder, moved)
    symlink(moved, cache.folder)
    #expect(try !build(1, in: cache))
  }

  @Test("a cache that cannot be made is no error", arguments: ["/proc/none", "/dev/null/kernels", ""])
  func unwritable(path: String) throws {
    #expect(try !build(1, in: ProgramCache(folder: path)))
    #expect(try !build(1, in: ProgramCache(folder: path)))
  }
}

@Suite("Keys and places of cached kernels")
struct RuntimeProgramCacheKeyTests {
  @Test("all that matters is in the key")
  func key() {
    let device = DeviceInfo(name: "one", driverVersion: "1", platform: Platform(name: "P", vendor: "", version: "3"))
    func key(_ sources: [Program.Source], _ options: String, _ change: (inout DeviceInfo) -> Void = { _ in })
      -> SHA256.Digest
    {
      var device = device
      change(&device)
      return ProgramCache.key(sources: sources, options: options, device: device)
    }
    let keys = [
      key([("a.cl", "x")], ""), key([("a.cl", "x")], "-w"), key([("b.cl", "x")], ""), key([("a.cl", "y")], ""),
      key([("a.cl", "x"), ("b.cl", "")], ""), key([("a.clx", "")], ""),
      key([("a.cl", "x")], "") { $0.name = "two" }, key([("a.cl", "x")], "") { $0.driverVersion = "2" },
      key([("a.cl", "x")], "") { $0.platform.name = "Q" }, key([("a.cl", "x")], "") { $0.platform.version = "4" },
    ]
    #expect(Set(keys).count == keys.count)
    #expect(key([("a.cl", "x")], "") == keys[0])
  }

  @Test("the user's cache is under the XDG cache folder, if that is absolute")
  func standard() {
    func folder(_ variables: [String: String]) -> String? { ProgramCache.standard { variables[$0] }?.folder }
    #expect(folder(["XDG_CACHE_HOME": "/x", "HOME": "/h"]) == "/x/gpunoisy/kernels")
    #expect(folder(["XDG_CACHE_HOME": "x", "HOME": "/h"]) == "/h/.cache/gpunoisy/kernels")
    #expect(folder(["XDG_CACHE_HOME": "", "HOME": "/h"]) == "/h/.cache/gpunoisy/kernels")
    #expect(folder(["HOME": "h"]) == nil)
    #expect(folder([:]) == nil)
  }
}

/// A new folder that goes away with its contents.
private final class TemporaryFolder {
  let path: String

  init() throws {
    var template = Array("/tmp/gpunoisy-cache-XXXXXX".utf8CString)
    path = try #require(mkdtemp(&template).map { String(cString: $0) })
  }

  deinit { Self.removeAll(path) }

  private static func removeAll(_ path: String) {
    var status = stat()
    if lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR, let folder = opendir(path) {
      while let entry = readdir(folder) {
        let name = withUnsafePointer(to: &entry.pointee.d_name) {
          $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
        }
        if name != "." && name != ".." { removeAll("\(path)/\(name)") }
      }
      closedir(folder)
    }
    remove(path)
  }
}
