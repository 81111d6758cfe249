import FileFormats
import Glibc
import TestSupport
import Testing

extension CommandTests {
  @Suite("The page of a finished detection, made again")
  struct DetectedReport {
    private let folder = ScratchFolder()

    private func detect(_ rest: String) throws {
      try CommandUnderTest.output(
        [
          "detect", "shapes", "--limit-train", "60", "--limit-test", "20", "--model", "resnet20", "--batch-size", "30",
          "--epochs", "2", "--lr", "0.05", "--device", "cpu", "--noise", "symmetric:0.2", "--percentile", "60", "--out",
          "run", "-q",
        ] + rest.split(separator: " ").map(String.init), in: folder)
    }

    /// A file as it is: what it holds, and when that last changed.
    private struct File: Equatable {
      let bytes: [UInt8]
      let seconds: Int, nanoseconds: Int
    }

    /// Every file below a folder, hidden ones too, but for those in `report`.
    private func files(_ name: String = "run") throws -> [String: File] {
      var found: [String: File] = [:]
      let handle = try #require(opendir(folder(name)))
      defer { closedir(handle) }
      while let entry = readdir(handle) {
        let child = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
          pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
        }
        let path = "\(name)/\(child)"
        guard ![".", "..", "report"].contains(child) else { continue }
        if FileBytes.kind(of: folder(path)) == .folder {
          found.merge(try files(path)) { $1 }
        } else {
          var status = stat()
          try #require(stat(folder(path), &status) == 0)
          found[path] = File(
            bytes: try FileBytes.read(folder(path)), seconds: status.st_mtim.tv_sec,
            nanoseconds: status.st_mtim.tv_nsec)
        }
      }
      return found
    }

    /// Expects that nothing changed but for what is in `report`.
    private func expectSame(_ before: [String: File], sourceLocation: SourceLocation = #_sourceLocation) throws {
      let after = try files()
      #expect(after.keys.sorted() == before.keys.sorted(), sourceLocation: sourceLocation)
      #expect(before.filter { after[$0.key] != $0.value }.keys.sorted() == [], sourceLocation: sourceLocation)
    }

    /// The page without the time at which it was written.
    private func page() throws -> String {
      let pieces = try RunFiles(folder("run")).text("report/index.html").split(separator: ", written ", maxSplits: 1)
      try #require(pieces.count == 2)
      return String(pieces[0]) + pieces[1].dropFirst("2026-11-21T00:31:02Z".count)
    }

    @Test("changes nothing else, trains nothing, and keeps what people wrote into the tables")
    func untouched() throws {
      try detect("--loss gce --retrain drop --retrain-epochs 1 --trust")
      let made = try page()
      try #require(rename(folder("run/retrain"), folder("moved")) == 0)
      try #require(unlink(folder("run/report/index.html")) == 0)
      let table = try RunFiles(folder("run")).text("label_issues.csv")
      try #require(table.contains(",True,"))
      try AtomicFile.write(
        table.replacing(",True,", with: ",False,", maxReplacements: 1), to: folder("run/label_issues.csv"))
      let before = try files()
      for _ in 0..<2 {
        // A device that there is not: none is opened.
        let ending = try CommandUnderTest.run(["report", "run/", "--device", "no such device"], in: folder)
        #expect(ending.code == 0 && ending.errors.isEmpty, "\(ending.errors)")
        #expect(ending.output == "page           run/report/index.html\n")
        try expectSame(before)
        #expect(FileBytes.kind(of: folder("run/retrain")) == .missing)
        #expect(try page() == made)
      }
      #expect(made.contains("--retrain drop") && made.contains("gce:q="))
    }

    @Test("is what detect wrote, and is refused where a file of the run is missing, damaged, or of other settings")
    func damagedFiles() throws {
      try detect("--detector aum+cl --folds 2")
      let made = try page()
      try CommandUnderTest.output(["report", "run"], in: folder)
      #expect(try page() == made)
      let before = try files(), html = try RunFiles(folder("run")).text("report/index.html")

      /// Expects a refusal while a file has other bytes, or is not there.
      func expect(
        _ code: Int32, _ text: String, _ name: String, _ change: ([UInt8]) throws -> [UInt8]?,
        sourceLocation: SourceLocation = #_sourceLocation
      ) throws {
        let path = folder("run/" + name), bytes = try FileBytes.read(path)
        if let changed = try change(bytes) {
          try FileBytes.write(changed, to: path)
        } else {
          try #require(unlink(path) == 0)
        }
        let during = try files(), ending = try CommandUnderTest.run(["report", "run"], in: folder)
        #expect(ending.code == code && ending.errors.contains(text), "\(ending.errors)", sourceLocation: sourceLocation)
        #expect(ending.errors.lines.count == 3 && ending.output.isEmpty, sourceLocation: sourceLocation)
        try expectSame(during, sourceLocation: sourceLocation)
        #expect(
          try RunFiles(folder("run")).text("report/index.html") == html, sourceLocation: sourceLocation)
        try FileBytes.write(bytes, to: path)
      }
      func setting(_ old: String, _ new: String) -> ([UInt8]) throws -> [UInt8] {
        { bytes in
          let text = String(decoding: bytes, as: UTF8.self)
          try #require(text.contains(old))
          return Array(text.replacing(old, with: new, maxReplacements: 1).utf8)
        }
      }
      try expect(66, "'run/stages/pass2.safetensors' does not exist", "stages/pass2.safetensors") { _ in nil }
      try expect(65, "not a valid safetensors file", "stages/fold1.safetensors") { $0.dropLast(100) }
      try expect(65, "it belongs to fold1, not to pass1", "stages/pass1.safetensors") { _ in
        try FileBytes.read(folder("run/stages/fold1.safetensors"))
      }
      try expect(65, "is not finite", "stages/pass1.safetensors") { _ in
        var file = try SafetensorsFile.read(folder("run/stages/pass1.safetensors"))
        var sums = try file.doubles("detect.margin_sum", shape: [60])
        sums[0] = .nan
        file["detect.margin_sum"] = .init(sums, shape: [60])
        try file.write(to: folder("nan.safetensors"))
        return try FileBytes.read(folder("nan.safetensors"))
      }
      try expect(66, "'run/metrics.csv' does not exist", "metrics.csv") { _ in nil }
      try expect(65, "it has 7 epochs; 4 networks of 2 make 8", "metrics.csv") { bytes in
        Array(bytes[...bytes.dropLast().lastIndex(of: 0x0A)!])
      }
      try expect(66, "'run/run.json' does not exist", "run.json") { _ in nil }
      try expect(78, "is not finished", "run.json", setting("\"status\": \"finished\"", "\"status\": \"stopped\""))
      func expectSetting(_ text: String, _ old: String, _ new: String) throws {
        try expect(65, text, "config.toml", setting(old, new))
      }
      try expectSetting("the data has changed since the run 'run' started", "limit-train = 60", "limit-train = 59")
      try expectSetting("its seed is 2, but run.json says 1", "\nseed = 1\n", "\nseed = 2\n")
      try expectSetting("its predictions have the shape [30, 10], not [20, 10]", "folds = 2", "folds = 3")
      try expectSetting("it has margins of 2 epochs; the settings say 1", "epochs = 2", "epochs = 1")
      #expect(before.keys.sorted() == (try files()).keys.sorted())
      try CommandUnderTest.output(["report", "run"], in: folder)
      #expect(try page() == made)
    }
  }
}
