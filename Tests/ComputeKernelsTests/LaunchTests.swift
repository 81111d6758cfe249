import Compute
import ComputeKernels
import FileFormats
import Networks
import Testing

/// Every launch of every network against hashes of what they were: equal launches of equal kernels are equal bits.
///
/// A line of `Frozen/launches.txt` is a step, a family of kernels, and the hash of all its launches: kernel, arguments in
/// the kernel's order, grid and scratch; and of where its values are kept. After an intended change
/// `GPUNOISY_LAUNCHES=FOLDER` writes the new file, `launches.txt`, and the text behind every hash, for `diff`.
@Suite struct `Launches` {
  private static let frozen =
    String((#filePath as String).dropLast("LaunchTests.swift".count)) + "Frozen/launches.txt"

  @Test func `are what they were, for all networks and families`() throws {
    var expected: [String: String] = [:]
    for line in String(decoding: try FileBytes.read(Self.frozen), as: UTF8.self).split(separator: "\n") {
      let words = line.split(separator: " ", maxSplits: 1)
      expected[String(words[1])] = String(words[0])
    }
    let folder = FileBytes.environment("GPUNOISY_LAUNCHES")
    var lines: [String] = []
    for family in try LoweredFamily.all() {
      var text = ""
      for step in LoweredStep.all {
        let name = "\(family.name), \(step.name)", described = try family.describe(step)
        let hash = Self.hash(described)
        lines.append("\(hash) \(name)")
        if folder != nil { text += "# \(name)\n\(described)" }
        #expect(expected.removeValue(forKey: name) == hash, "\(name)")
      }
      if let folder { try FileBytes.write(Array(text.utf8), to: "\(folder)/\(family.name).txt") }
    }
    #expect(expected.isEmpty, "what is no longer there: \(expected.keys.sorted())")
    if let folder {
      let text = lines.map { "\($0)\n" }.joined()
      try FileBytes.write(Array(text.utf8), to: "\(folder)/launches.txt")
    }
  }

  /// FNV-1a in 64 bits.
  private static func hash(_ text: String) -> String {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    let digits = String(hash, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }
}
