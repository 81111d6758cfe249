import FileFormats
import Images
import TestSupport
import Testing

extension CommandTests {
  @Suite("Images without classes")
  struct ClusterTests {
    private static let method =
      "asymmetric-co-teaching:labels=clusters,every=2,share=0.2,minimum=3,reciprocal=10,margin=1"

    private func training(_ data: String, _ rest: String) -> [String] {
      ["train", data]
        + "--model mlp:width=128 --epochs 4 --batch-size 32 --lr 0.02 --device cpu --augment none".split(separator: " ")
        .map(String.init) + ["--method", Self.method] + rest.split(separator: " ").map(String.init)
    }

    /// 96 images of four kinds, flat in `images`, and the same by kind in `kinds`.
    private func data() throws -> ScratchFolder {
      let folder = ScratchFolder()
      try FileBytes.makeFolder(folder("images"))
      for kind in 0..<4 {
        try FileBytes.makeFolder(folder("kinds/\(kind)"))
        for number in 0..<24 {
          let pixels = (0..<16 * 16 * 3).map { place -> UInt8 in
            let (y, x) = (place / 48, place / 3 % 16), at = kind % 2 == 0 ? x : y
            return UInt8((at / (1 + kind) % 2 == 0 ? 180 : 60) + (number * 29 + place * 7) % 51)
          }
          let bytes = try JPEG.encode(Image(height: 16, width: 16, channels: 3, pixels: pixels))
          try FileBytes.write(bytes, to: folder("kinds/\(kind)/\(number).jpg"))
          try FileBytes.write(bytes, to: folder("images/\(24 * kind + number).jpg"))
        }
      }
      return folder
    }

    @Test("are clustered and trained on")
    func folder() throws {
      let folder = try data()
      #expect(try CommandUnderTest.run(training("images", "--out refused --method plain"), in: folder).code != 0)
      let ending = try CommandUnderTest.run(training("images", "--out whole"), in: folder)
      #expect(ending.code == 0, "\(ending.errors)")
      let whole = RunFiles(folder("whole"))
      let counts = try whole.column("clusters", of: "metrics.csv").compactMap(Double.init)
      #expect(counts.count == 4 && counts.allSatisfy { $0 >= 2 } && counts[0] == counts[1])
      #expect(try whole.column("pair_f", of: "metrics.csv").allSatisfy(\.isEmpty))
      #expect(try whole.column("test_acc", of: "metrics.csv").allSatisfy(\.isEmpty))
      #expect(FileBytes.kind(of: folder("whole/suspicion.csv")) == .missing)
      try CommandUnderTest.output(["report", "whole", "--no-samples"], in: folder)
    }

    @Test("are scored where classes are known, and begin with given weights")
    func scored() throws {
      let folder = try data()
      try CommandUnderTest.output(
        "train kinds --model mlp:width=128 --epochs 2 --batch-size 32 --lr 0.02 --device cpu --augment none --out first"
          .split(separator: " ").map(String.init), in: folder)
      let weights = "first/checkpoints/last.safetensors"
      let ending = try CommandUnderTest.run(training("kinds", "--init \(weights) --out run"), in: folder)
      #expect(ending.code == 0, "\(ending.errors)")
      let run = RunFiles(folder("run"))
      for name in ["pair_precision", "pair_recall", "pair_f", "rank_1", "outliers"] {
        let values = try run.column(name, of: "metrics.csv").compactMap(Double.init)
        #expect(values.count == 4 && values.allSatisfy { (0...1).contains($0) }, "\(name)")
      }
      let mixed = try CommandUnderTest.run(training("kinds", "--precision mixed --out mixed"), in: folder)
      #expect(mixed.code == 78 && mixed.errors.contains("--precision fp32") && mixed.errors.lines.count == 3)
    }
  }
}
