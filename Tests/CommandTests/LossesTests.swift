import FileFormats
import TestSupport
import Testing

extension CommandTests {
  @Suite("losses")
  struct Losses {
    @Test("It prints formulas, parameters, published values and sources, of all or of some")
    func lists() throws {
      let folder = ScratchFolder()
      let all = try CommandUnderTest.output(["losses"], in: folder)
      #expect(all.contains("nce+agce:cifar100  alpha=10,beta=0.1,a=1.8,q=3"))
      #expect(all.contains("bi-tempered") && all.contains("symmetric: summed over all labels it is 1"))
      let one = try CommandUnderTest.output(["losses", "sce:cifar100,beta=2"], in: folder)
      #expect(one.contains("alpha=6  ") && one.contains("beta=2  ") && !one.contains("Combinations"))
      let document = try JSONText.parse(
        try CommandUnderTest.output(["losses", "--json", "gce"], in: folder).utf8, named: "losses")
      let loss = try #require(document["losses"]?.array?.first)
      #expect(loss["name"]?.string == "gce" && loss["parameters"]?.array?.first?["default"]?.double == 0.7)
    }

    @Test(
      "It tells how large gradients are, by closed forms",
      arguments: [
        // -f'(p) p, the larger of that at p = 1/10 and at 1/2.
        ("ce", 1), ("mae", 1), ("sce:alpha=2,beta=0.5,A=-4", 3), ("gce:q=0.5", 0.707106781), ("taylor:t=2", 0.75),
        ("agce:a=0.9,q=2", 0.7), ("nmae", 0.5 / 9), ("ce+mae:alpha=2,beta=3", 5), ("esoftmax", 1),
        ("focal:gamma=1,detached=1", 0.9),
      ] as [(String, Double)])
    func scales(text: String, scale: Double) throws {
      let document = try JSONText.parse(
        try CommandUnderTest.output(["losses", "--json", text], in: ScratchFolder()).utf8, named: "losses")
      let given = try #require(document["losses"]?.array?.first?["gradient_scale"]?.double)
      #expect(abs(given / scale - 1) < 1e-6)
    }

    @Test("It draws value and gradient of losses of a row, and refuses others")
    func draws() throws {
      let folder = ScratchFolder()
      try CommandUnderTest.output(
        ["losses", "--plot", "p.svg", "ce", "gce:q=0.5", "nce+rce", "ce+sr", "peer"], in: folder)
      let drawing = String(decoding: try FileBytes.read(folder("p.svg")), as: UTF8.self)
      #expect(drawing.hasPrefix("<svg") && drawing.hasSuffix("</svg>\n"))
      // A line in each of the two panels for each of five losses, and its name beside them.
      #expect(drawing.split(separator: "<polyline").count == 11)
      #expect(drawing.contains("gce:q=0.5,k=0") && !drawing.contains("nan") && !drawing.contains("inf"))
      let refused = try CommandUnderTest.run(["losses", "--plot", "q.svg", "dmi"], in: folder)
      #expect(refused.code == 64 && refused.errors.contains("dmi"))
    }

    @Test("Anchors leave epochs for the correction")
    func anchors() throws {
      let ending = try CommandUnderTest.run(
        CommandUnderTest.training() + ["--loss", "forward", "--transition", "anchors:2", "--epochs", "2"],
        in: ScratchFolder())
      #expect(ending.code == 78 && ending.errors.contains("anchors:2"))
    }

    @Test("Corrections need a matrix, and take a file, true labels, or an estimate that checkpoints keep")
    func transitions() throws {
      let folder = ScratchFolder()
      let short = ["--epochs", "2", "--noise", "symmetric:0.3", "--limit-test", "64", "-q"]
      func train(_ rest: String...) throws -> SpawnedProgram.Ending {
        try CommandUnderTest.run(CommandUnderTest.training() + short + rest, in: folder)
      }
      #expect(try train("--loss", "forward").code == 78)
      #expect(try train("--loss", "ce", "--transition", "true").code == 78)
      #expect(try train("--loss", "forward", "--transition", "nosuch.csv").code == 66)
      try FileBytes.write(Array("0.9,0.1\n0.1,0.9\n".utf8), to: folder("small.csv"))
      #expect(try train("--loss", "forward", "--transition", "small.csv").code == 65)
      let rows = (0..<10).map { row in
        (0..<10).map { $0 == row ? "0.7" : $0 == (row + 1) % 10 ? "0.3" : "0" }.joined(separator: ",")
      }
      try FileBytes.write(Array((rows.joined(separator: "\n") + "\n").utf8), to: folder("pair.csv"))
      for (name, matrix) in [("file", "pair.csv"), ("true", "true"), ("anchors", "anchors:1")] {
        let ending = try train("--loss", "forward", "--transition", matrix, "--out", name)
        #expect(ending.code == 0, "\(matrix): \(ending.errors)")
      }
      #expect(try train("--loss", "backward", "--transition", "true", "--out", "backward").code == 0)
      // What was estimated is in the checkpoint, and is not what it began with.
      let checkpoint = try SafetensorsFile.read(folder("anchors/checkpoints/last.safetensors"))
      let estimate = try checkpoint.floats("state.transition", shape: [10, 10])
      #expect(estimate.contains { $0 > 0 && $0 < 1 })
      for row in 0..<10 { #expect(abs(estimate[row * 10..<row * 10 + 10].reduce(0, +) - 1) < 1e-5) }
    }
  }
}
