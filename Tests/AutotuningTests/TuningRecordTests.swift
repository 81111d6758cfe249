import Autotuning
import Compute
import ComputeCPU
import ComputeKernels
import Failures
import FileFormats
import TestSupport
import Testing

@Suite struct `A tuning on paper` {
  private static func window(_ B: Int, _ C: Int) -> Window {
    Window(B: B, H: 16, W: 16, C: C, O: 32, KH: 3, KW: 3, stride: 1, padding: 1)
  }

  private let tuning = Tuning([
    .init(.winogradRows, window(128, 16)): 8, .init(.winogradRows, window(128, 32)): 4,
    .init(.weightChunks, window(64, 32)): 32,
  ])

  @Test func `is read as it was written`() throws {
    let text = JSONText.indented(TuningRecord.json(tuning))
    #expect(try TuningRecord.tuning(JSONText.parse(text.utf8, named: "text"), named: "text") == tuning)
    #expect(TuningRecord.json(.standard) == .object([]))
    #expect(try TuningRecord.tuning(.object([]), named: "text") == .standard)
  }

  @Test(arguments: [
    "[]", #"{"nosuch": []}"#, #"{"winograd-rows": [{"number": 8}]}"#,
    #"{"winograd-rows": [{"window": [1, 2, 3], "number": 8}]}"#,
    #"{"winograd-rows": [{"window": [0, 1, 1, 1, 1, 1, 1, 1, 1], "number": 8}]}"#,
  ])
  func `that is damaged is refused`(text: String) throws {
    let json = try JSONText.parse(text.utf8, named: "text")
    #expect(throws: Failure.self) { try TuningRecord.tuning(json, named: "text") }
  }

  @Test func `is kept for exactly one device, driver, processor, precision and version of the kernels`() throws {
    let scratch = ScratchFolder(), cache = TuningCache(folder: scratch("cache"))
    let device = try CPUDevice(threads: 1), key = TuningCache.Key(device, .fp32, processor: "this one")
    #expect(try cache.entry(for: key) == nil)
    let entry = TuningCache.Entry(tuning: tuning, made: "2026-11-21T00:00:00Z")
    try cache.store(entry, for: key)
    #expect(try cache.entry(for: key) == entry)
    var others = [key, key, key, key, key]
    others[0].device += "x"
    others[1].driver += "x"
    others[2].processor += "x"
    others[3].precision = .mixed
    others[4].kernels += "0"
    for other in others { #expect(try cache.entry(for: other) == nil) }
    // A file under another key's name is not believed.
    try FileBytes.write(FileBytes.read(cache.path(for: key)), to: cache.path(for: others[3]))
    #expect(throws: Failure.self) { try cache.entry(for: others[3]) }
  }

  @Test func `that is damaged on disk is told`() throws {
    let scratch = ScratchFolder(), cache = TuningCache(folder: scratch("cache"))
    let key = TuningCache.Key(try CPUDevice(threads: 1), .fp32)
    try cache.store(.init(tuning: tuning, made: "now"), for: key)
    try FileBytes.write(Array(FileBytes.read(cache.path(for: key)).dropLast(20)), to: cache.path(for: key))
    #expect(throws: Failure.self) { try cache.entry(for: key) }
    #expect(throws: Failure.self) { try TuningCache.entry(at: scratch("nosuch")) }
  }

  @Test func `of which one character has changed is never believed`() throws {
    let scratch = ScratchFolder(), cache = TuningCache(folder: scratch("cache"))
    let key = TuningCache.Key(try CPUDevice(threads: 1), .fp32), path = cache.path(for: key)
    try cache.store(.init(tuning: tuning, made: "2026-11-21T00:00:00Z"), for: key)
    let whole = try FileBytes.read(path)
    let digits = whole.indices.filter { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(whole[$0]) }
    for index in digits {
      var changed = whole
      changed[index] = whole[index] == UInt8(ascii: "8") ? UInt8(ascii: "4") : UInt8(ascii: "8")
      try FileBytes.write(changed, to: path)
      #expect(throws: Failure.self, "the digit at byte \(index)") { try cache.entry(for: key) }
      // Named, a file whose checksum has lost its name may be read, if nothing else has changed.
      let named = try? TuningCache.entry(at: path)
      #expect(named == nil || named?.tuning == tuning, "the digit at byte \(index)")
    }
    // Written by hand: believed where it was asked for by name, not in the cache.
    try FileBytes.write(
      Array(String(decoding: whole, as: UTF8.self).replacing(/,\s*"sha256": "[0-9a-f]*"/, with: "").utf8), to: path)
    #expect(throws: Failure.self) { try cache.entry(for: key) }
    #expect(try TuningCache.entry(at: path).tuning == tuning)
  }

  /// A tuning of one processor must not be believed on another that has the same instruction set.
  @Test func `names the processor that the system names`() throws {
    let text = try #require(FileBytes.systemText("/proc/cpuinfo"))
    guard text.contains("model name") else { return }
    #expect(!TuningCache.Key.processor.isEmpty && text.contains(TuningCache.Key.processor))
  }
}
