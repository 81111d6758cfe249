import FileFormats
import TestSupport
import Testing

/// A data set in IDX files that a small network learns within a few epochs: in images of class k, block k is white.
enum BlockImages {
  private static let side = 10, classes = 5

  /// Writes `count` training images and as many test images.
  ///
  /// - Parameter shift: how far the labels of the test set are from the blocks.
  static func write(to folder: String, count: Int, shift: Int = 0) throws {
    try FileBytes.makeFolder(folder)
    func file(_ name: String, _ shape: [Int], _ bytes: [UInt8]) throws {
      var header: [UInt8] = [0, 0, 8, UInt8(shape.count)]
      for length in shape { header += [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: length >> $0) } }
      try FileBytes.write(header + bytes, to: "\(folder)/\(name)")
    }
    for (part, shift) in [("train", 0), ("t10k", shift)] {
      // Two rows of pixels for each class; the others are grey, each in its own way.
      var pixels: [UInt8] = []
      for id in 0..<count {
        for place in 0..<side * side {
          let grey = (id * 7919 + place * 104_729) % 97
          pixels.append(place / (2 * side) == id % classes ? 255 : UInt8(grey))
        }
      }
      try file("\(part)-images-idx3-ubyte", [count, side, side], pixels)
      try file("\(part)-labels-idx1-ubyte", [count], (0..<count).map { UInt8(($0 + shift) % classes) })
    }
  }
}

extension CommandTests {
  @Suite("The best checkpoint")
  struct BestCheckpoint {
    /// The first epoch, from 1, with the largest of these numbers.
    private static func best(_ column: [String]) throws -> Int {
      let values = try column.map { try #require(Double($0)) }, largest = try #require(values.max())
      return try #require(values.firstIndex(of: largest)) + 1
    }

    private static func train(_ rest: String...) -> [String] {
      [
        "train", "data", "--model", "mlp", "--epochs", "6", "--lr", "0.0002", "--batch-size", "100", "--device", "cpu",
        "-q",
      ] + rest
    }

    /// The network learns the training labels, by which those of the test set are all wrong: the better it gets by what
    /// was held out, the worse by the test set.
    @Test("is chosen by what was held out, not by the test set")
    func heldOut() throws {
      let folder = ScratchFolder()
      try BlockImages.write(to: folder("data"), count: 400, shift: 1)
      try CommandUnderTest.output(Self.train("--val", "100", "--out", "run"), in: folder)
      let run = RunFiles(folder("run"))
      let byValidation = try Self.best(run.column("val_acc", of: "metrics.csv"))
      let byTest = try Self.best(run.column("test_acc", of: "metrics.csv"))
      try #require(byValidation != byTest, "the two sets must disagree")
      let checkpoint = try SafetensorsFile.read(folder("run/checkpoints/best.safetensors"))
      let accuracy = try #require(Double(run.column("val_acc", of: "metrics.csv")[byValidation - 1]))
      #expect(checkpoint.metadata["gpunoisy.best"] == "\(accuracy),\(byValidation)")
      #expect(checkpoint.metadata["gpunoisy.position"]?.split(separator: ",").first == "\(byValidation)")
    }

    @Test("is chosen by the test set where nothing is held out")
    func testSet() throws {
      let folder = ScratchFolder()
      try BlockImages.write(to: folder("data"), count: 400)
      try CommandUnderTest.output(Self.train("--out", "run"), in: folder)
      let run = RunFiles(folder("run")), best = try Self.best(run.column("test_acc", of: "metrics.csv"))
      let checkpoint = try SafetensorsFile.read(folder("run/checkpoints/best.safetensors"))
      #expect(checkpoint.metadata["gpunoisy.position"]?.split(separator: ",").first == "\(best)")
    }
  }
}
