import FileFormats
import Glibc
import TestSupport
import Testing

extension CommandTests {
  @Suite("Reproduced tables")
  struct Repro {
    let folder = ScratchFolder()

    /// Two rows and a column of networks that learn in a second.
    private func write(
      claim: String = "above = \"ce-noise\"\nbelow = \"mae-noise\"", rate: String = "0.05", epochs: Int = 3
    ) throws {
      try AtomicFile.write(
        """
        title = "A small table"
        paper = "Nobody, nowhere"
        measures = ["test_acc", "noisy_acc"]
        differences = ["The images are drawn."]
        [settings]
        data = "shapes"
        model = "mlp"
        epochs = \(epochs)
        batch-size = 32
        noise = "symmetric:0.2"
        limit-train = 320
        limit-test = 100
        [quick]
        limit-train = 160
        [better]
        says = "CE ends above MAE."
        \(claim)
        source = "own choice"

        """, to: folder("small.toml"))
      try AtomicFile.write(
        """
        row,column,loss,lr,measure,published,std,tag,source
        CE,noise,ce,\(rate),test_acc,50,1,read,somewhere
        MAE,noise,mae,0.05,test_acc,,,,

        """, to: folder("small.csv"))
    }

    private func repro(_ rest: String, to out: String) -> [String] {
      ["repro", "small.toml", "--device", "cpu", "--out", out] + rest.split(separator: " ").map(String.init)
    }

    private func bytes(_ out: String) throws -> [[UInt8]] {
      try ["table.csv", "claims.csv", "table.md"].map { try FileBytes.read(folder("\(out)/\($0)")) }
    }

    @Test("are the same bytes after a kill, by two shards, and by an undisturbed campaign")
    func repeated() throws {
      try write(epochs: 12)
      let whole = try CommandUnderTest.run(repro("--runs 2", to: "whole"), in: folder)
      #expect([0, 10].contains(whole.code), "\(whole.errors)")
      let expected = try bytes("whole")
      let table = try CSV(decoding: expected[0], name: "table.csv")
      #expect(
        table.header == [
          "cell", "measure", "seed", "last", "best", "last10", "published", "std", "tag", "source", "verdict",
        ])
      #expect(table.rows.count == 8)
      #expect(table.rows[0][0...2] == ["ce-noise", "test_acc", "1"] && table.rows[0][6] == "0.5")
      #expect(table.rows[0][10] == "scaled")
      let page = try RunFiles(folder("whole")).text("index.html")
      #expect(page.contains("A small table, scale quick") && page.contains("chosen on the test set"))

      // Killed once the first run has a checkpoint.
      let killed = CommandUnderTest.start(repro("--runs 2", to: "killed"), in: folder)
      #expect(
        killed.wait { FileBytes.kind(of: folder("killed/ce-noise/seed-1/checkpoints/last.safetensors")) == .file })
      killed.send(SIGKILL)
      _ = try killed.end()
      let again = try CommandUnderTest.run(repro("--runs 2", to: "killed"), in: folder)
      #expect(again.code == whole.code, "\(again.errors)")
      #expect(try bytes("killed") == expected)

      // A third call trains nothing.
      let records = try ["ce-noise/seed-1", "mae-noise/seed-2"].map {
        try FileBytes.read(folder("killed/\($0)/run.json"))
      }
      let third = try CommandUnderTest.run(repro("--runs 2", to: "killed"), in: folder)
      #expect(third.code == whole.code && third.errors.contains("4 of them finished before"))
      #expect(
        try ["ce-noise/seed-1", "mae-noise/seed-2"].map { try FileBytes.read(folder("killed/\($0)/run.json")) }
          == records)
      #expect(try bytes("killed") == expected)

      let shards = (1...2).map {
        CommandUnderTest.start(repro("--runs 2 --shard \($0)/2", to: "shards"), in: folder)
      }
      for shard in shards { #expect([0, 10].contains(try shard.end().code)) }
      #expect(try bytes("shards") == expected)

      // More seeds keep those that are there.
      let more = try CommandUnderTest.run(repro("--runs 3 --only mae-noise --json", to: "killed"), in: folder)
      let document = try JSONText.parse(Array(more.output.utf8), named: "output")
      #expect(document["schema"]?.string == "gpunoisy.repro/1" && document["runs"]?.array?.count == 6)
    }

    @Test("have a line for each cell with a finished run or a published value")
    func lines() throws {
      try write(epochs: 1)
      try CommandUnderTest.output(repro("--runs 1 --only ce-noise", to: "one"), in: folder)
      let one = try RunFiles(folder("one")).text("table.md")
      #expect(one.contains("| CE | noise |") && !one.contains("| MAE |"), "\(one)")
      #expect(one.contains("1 cell has neither a finished run nor a published value"), "\(one)")
      // The published value of a cell that was not run, beside the other one.
      try CommandUnderTest.output(repro("--runs 1 --only mae-noise", to: "two"), in: folder)
      let two = try RunFiles(folder("two")).text("table.md")
      #expect(two.contains("| CE | noise | 50.0 ± 1.0 [read] | – | – | – | 0 |") && !two.contains("neither"), "\(two)")
      // No run, and nothing published of it.
      #expect(two.lines.count { $0.hasPrefix("| CE |") } == 1 && two.lines.count { $0.hasPrefix("| MAE |") } == 2)
      #expect(try RunFiles(folder("two")).text("index.html").contains("gpunoisy train --config mae-noise/seed-1.toml"))
    }

    @Test("stop at a signal with every run saved, and continue")
    func interrupted() throws {
      try write(epochs: 4000)
      let running = CommandUnderTest.start(repro("--runs 1 --jobs 2", to: "out"), in: folder)
      for cell in ["ce-noise", "mae-noise"] {
        #expect(running.wait { FileBytes.kind(of: folder("out/\(cell)/seed-1/checkpoints/last.safetensors")) == .file })
      }
      running.send(SIGINT)
      let ending = try running.end()
      #expect(ending.code == 130, "\(ending.errors)")
      for cell in ["ce-noise", "mae-noise"] {
        let record = try RunFiles(folder("out/\(cell)/seed-1")).record()
        #expect(record["status"]?.string == "stopped")
      }
      let limited = try CommandUnderTest.run(repro("--runs 1 --max-time 1s", to: "out"), in: folder)
      #expect(limited.code == 75, "\(limited.errors)")
    }

    @Test("tell a run that fails, finish the others, and try it again")
    func failing() throws {
      try write(rate: "1e6")
      let ending = try CommandUnderTest.run(repro("--runs 1", to: "out"), in: folder)
      #expect(ending.code == 70 && ending.errors.contains("ce-noise seed 1  FAILED:"), "\(ending.errors)")
      #expect(try RunFiles(folder("out")).text("table.md").contains("Failed: ce-noise, seed 1: "))
      #expect(try RunFiles(folder("out/mae-noise/seed-1")).record()["status"]?.string == "finished")
      let again = try CommandUnderTest.run(repro("--runs 1", to: "out"), in: folder)
      #expect(again.code == 70 && again.errors.contains("1 of them finished before"))
    }

    @Test("count a run only where it was planned, whole, and with the images of the others")
    func strangers() throws {
      try write()
      func calls(_ code: Int32, _ text: String) throws {
        let ending = try CommandUnderTest.run(repro("--runs 1", to: "out"), in: folder)
        #expect(ending.code == code && ending.errors.contains(text), "\(ending.code) \(ending.errors)")
      }
      func exchange() throws {
        for (from, to) in [
          ("ce-noise/seed-1", "aside"), ("mae-noise/seed-1", "ce-noise/seed-1"), ("aside", "mae-noise/seed-1"),
        ] {
          #expect(rename(folder("out/" + from), folder("out/" + to)) == 0)
        }
      }
      _ = try CommandUnderTest.run(repro("--runs 1", to: "out"), in: folder)
      try exchange()
      try calls(65, "its loss is mae")
      try exchange()
      let path = folder("out/ce-noise/seed-1/metrics.csv"),
        whole = try RunFiles(folder("out/ce-noise/seed-1")).text("metrics.csv")
      try AtomicFile.write(whole.lines.prefix(2).map { $0 + "\n" }.joined(), to: path)
      try calls(65, "metrics.csv' is not complete")
      var cells = whole.lines.map { $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init) }
      cells[1][try #require(cells[0].firstIndex(of: "test_acc"))] = "777"
      try AtomicFile.write(cells.map { $0.joined(separator: ",") + "\n" }.joined(), to: path)
      try calls(65, "'test_acc' is '777")
      // Another seed's images.
      try CommandUnderTest.output(
        ["data", "shapes", "--limit-train", "320", "--limit-test", "100", "--out", "d.npz", "-q"], in: folder)
      let table = try String(decoding: FileBytes.read(folder("small.toml")), as: UTF8.self)
      try AtomicFile.write(table.replacing("\"shapes\"", with: "\"d.npz\""), to: folder("small.toml"))
      let two = repro("--runs 2", to: "two"), record = folder("two/ce-noise/seed-2/run.json")
      _ = try CommandUnderTest.run(two, in: folder)
      let text = try String(decoding: FileBytes.read(record), as: UTF8.self)
      let samples = try #require(RunFiles(folder("two/ce-noise/seed-2")).record()["data"]?["samples"]?.string)
      try AtomicFile.write(text.replacing(samples, with: "0123456789abcdef"), to: record)
      let ending = try CommandUnderTest.run(two, in: folder)
      #expect(ending.code == 65 && ending.errors.contains("were trained on different images"), "\(ending.errors)")
    }

    @Test("end with 10 where a claim fails")
    func claims() throws {
      try write(claim: "cell = \"ce-noise\"\nat-least = 0.999")
      let ending = try CommandUnderTest.run(repro("--runs 3", to: "out"), in: folder)
      #expect(ending.code == 10, "\(ending.errors)")
      #expect(ending.output.contains("FAILS  CE ends above MAE."))
      let claims = try CSV(decoding: FileBytes.read(folder("out/claims.csv")), name: "claims.csv")
      #expect(claims.rows[0][1] == "fails" && claims.rows[0][6] == "3")
    }

    @Test("are planned without a trace, with the time of each cell")
    func plan() throws {
      try write()
      let output = try CommandUnderTest.output(repro("--runs 2 --dry-run --json", to: "out"), in: folder)
      let plan = try JSONText.parse(Array(output.utf8), named: "output")
      #expect(plan["cells"]?.array?.count == 2 && (plan["seconds"]?.double ?? 0) > 0)
      #expect(FileBytes.kind(of: folder("out")) == .missing)
      // Two at a time take half as long where each has a processor of its own.
      let shared = try CommandUnderTest.output(
        repro("--runs 2 --dry-run --jobs 2 --threads 1 --device cpu", to: "out"), in: folder)
      #expect(shared.contains("with 2 at a time") == (Processors.available > 1))
      let crowded = try CommandUnderTest.output(
        repro("--runs 2 --dry-run --jobs 2 --threads \(Processors.available) --device cpu", to: "out"), in: folder)
      #expect(!crowded.contains("at a time"))
      let missing = try CommandUnderTest.run(
        ["repro", "aum-cifar100", "--dry-run", "--device", "cpu", "--scale", "quick"], in: folder)
      #expect(missing.code == 0 && missing.output.contains("missing: the data set 'cifar100' was not found."))
    }

    @Test("refuse what cannot be meant, before anything is trained")
    func refusals() throws {
      try write()
      func refused(_ arguments: [String], _ code: Int32, _ text: String) throws {
        let ending = try CommandUnderTest.run(arguments, in: folder)
        #expect(ending.code == code && ending.errors.contains(text), "\(arguments): \(ending.code) \(ending.errors)")
      }
      try refused(["repro", "sce-mnits"], 64, "sce-mnist")
      try refused(["repro", "none.toml"], 66, "none.toml")
      try refused(["repro", "aum-cifar100", "--out", "new"], 66, "download https://")
      #expect(FileBytes.kind(of: folder("new")) == .missing)
      for (option, value) in [
        ("--scale", "0%"), ("--runs", "0"), ("--jobs", "0"), ("--shard", "3/2"),
        ("--max-time", "soon"), ("--only", "ce"), ("--precision", "fp64"),
      ] {
        try refused(repro("\(option) \(value)", to: "out"), 64, value)
      }
      #expect(FileBytes.kind(of: folder("out")) == .missing)
      try AtomicFile.write("mine", to: folder("note.txt"))
      try refused(["repro", "small.toml", "--out", ".", "--device", "cpu"], 73, "not empty")
      _ = try CommandUnderTest.run(repro("--runs 1", to: "out"), in: folder)
      try refused(repro("--scale 50%", to: "out"), 78, "another campaign")
      try write(rate: "0.01")
      try refused(repro("--runs 1", to: "out"), 78, "its lr is 0.05, and 0.01 is asked for")
      try refused(["repro", "small.toml", "--device", "7", "--out", "gpu"], 69, "7")
    }

    @Test("are listed")
    func list() throws {
      let list = try CommandUnderTest.output(["repro", "--list"], in: folder)
      for name in ["sce-mnist", "aum-cifar10", "co-teaching"] { #expect(list.contains(name)) }
      let document = try JSONText.parse(
        Array(try CommandUnderTest.output(["repro", "--json"], in: folder).utf8), named: "output")
      #expect(document["tables"]?.array?.count == list.lines.count - 1)
    }
  }
}
