import Datasets
import FileFormats
import TestSupport
import Testing
import Training

/// What is held out must leave no trace in training: a leak would flatter every accuracy.
@Suite struct `What is held out` {
  private static let count = 40, size = 4

  /// Settings of a data set in IDX files, of grey images that are white for some ids and black for the others.
  private func settings(_ scratch: ScratchFolder, white: Set<Int>) throws -> RunSettings {
    func file(_ name: String, _ shape: [Int], _ bytes: [UInt8]) throws {
      var header: [UInt8] = [0, 0, 8, UInt8(shape.count)]
      for length in shape { header += [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: length >> $0) } }
      try FileBytes.write(header + bytes, to: scratch(name))
    }
    for (part, white) in [("train", white), ("t10k", Set(0..<Self.count))] {
      let pixels = (0..<Self.count).flatMap { id in
        [UInt8](repeating: white.contains(id) ? 255 : 0, count: Self.size * Self.size)
      }
      try file("\(part)-images-idx3-ubyte", [Self.count, Self.size, Self.size], pixels)
      try file("\(part)-labels-idx1-ubyte", [Self.count], (0..<Self.count).map { UInt8($0 % 3) })
    }
    var settings = RunSettings()
    (settings.data, settings.validation) = (scratch.path, .fraction(0.25))
    return settings
  }

  @Test(arguments: [false, true])
  func `takes no part in the normalisation, nor does the test set`(validationNoise: Bool) throws {
    let scratch = ScratchFolder()
    var settings = try settings(scratch, white: [])
    (settings.noise, settings.validationNoise) = (try Noise("symmetric:0.2"), validationNoise)
    let first = try RunData(settings)
    let heldOut = (0..<Self.count).filter { first.dataset.train.labels[$0] < 0 }
    #expect(heldOut.count == 10 && first.heldOut?.count == 10)
    // The same samples are held out again: now they are white, and so is the test set.
    _ = try self.settings(scratch, white: Set(heldOut))
    let data = try RunData(settings)
    #expect(data.heldOut?.images.pixels.allSatisfy { $0 == 255 } == true)
    // Black images without any spread.
    #expect(data.normalization == Normalization(mean: [0], standardDeviation: [1]))
    #expect(data.dataset.normalization == data.normalization)
  }

  @Test func `changes the normalisation where it is trained on`() throws {
    let scratch = ScratchFolder()
    var settings = try settings(scratch, white: Set(0..<Self.count / 2))
    settings.validation = nil
    #expect(try RunData(settings).normalization == Normalization(mean: [0.5], standardDeviation: [0.5]))
  }
}
