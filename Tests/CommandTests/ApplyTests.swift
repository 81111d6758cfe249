import FileFormats
import Glibc
import TestSupport
import Testing

extension CommandTests {
  @Suite("Corrected data sets")
  struct Apply {
    /// Sixty photos of ten classes, of which two have no suffix or an unusual one, and a detection that has looked at them.
    private struct Case {
      let folder = ScratchFolder()
      let issues: CSV

      init() throws {
        try CommandUnderTest.output(
          ["data", "shapes", "--limit-train", "60", "--limit-test", "20", "--out", "photos", "-q"], in: folder)
        let first = folder("photos/train/\(try FileBytes.names(in: folder("photos/train"))[0])/")
        for (name, suffix) in zip(try FileBytes.names(in: first), ["", ".webp"]) {
          try #require(rename(first + name, first + name.dropLast(4) + suffix) == 0)
        }
        try CommandUnderTest.output(
          [
            "detect", "photos", "--model", "resnet20", "--batch-size", "30", "--epochs", "2", "--lr", "0.05",
            "--device", "cpu", "--percentile", "60", "--out", "run", "-q",
          ], in: folder)
        issues = try RunFiles(folder("run")).table("label_issues.csv")
      }

      func column(_ name: String) throws -> [String] {
        let index = try #require(issues.column(name))
        return issues.rows.map { $0[index] }
      }

      func verdicts(_ text: String) throws { try AtomicFile.write(text, to: folder("verdicts.csv")) }

      /// Every file below a folder with its bytes.
      func contents(_ name: String) throws -> [String: [UInt8]] {
        var found: [String: [UInt8]] = [:]
        for entry in try FileBytes.names(in: folder(name)) {
          if FileBytes.kind(of: folder("\(name)/\(entry)")) == .folder {
            found.merge(try contents("\(name)/\(entry)")) { $1 }
          } else {
            found["\(name)/\(entry)"] = try FileBytes.read(folder("\(name)/\(entry)"))
          }
        }
        return found
      }
    }

    @Test("follow what the page saved: moved, dropped, and linked where nothing changes")
    func page() throws {
      let test = try Case(), folder = test.folder
      let paths = try test.column("path"), given = try test.column("given_label"), names = try test.column("given_name")
      let classes = try FileBytes.names(in: folder("photos/train"))
      // The class behind the given one.
      let other = given.map { (Int($0)! + 1) % 10 }
      func row(_ id: Int, _ source: String, _ verdict: String, _ new: Int?) -> String {
        CSV.line([
          "\(id)", paths[id], source, "True", verdict, given[id], new.map(String.init) ?? "", names[id],
          new.map { classes[$0] } ?? "",
        ])
      }
      // The table's head as the page's script has it.
      let page = try RunFiles(folder("run")).text("report/index.html")
      let head = try #require(page.lines.first { $0.contains("const lines = [\"sample_id,") }).split(separator: "\"")[1]
      #expect(head == "sample_id,path,source,is_label_issue,verdict,given_label,new_label,given_name,new_name")
      // The check says that 3 is wrong, the grid that it is right: the grid counts.
      try test.verdicts(
        "\(head)\n"
          + row(3, "grid", "keep", Int(given[3])) + row(10, "grid", "accept", other[10])
          + row(20, "grid", "other", other[20]) + row(30, "grid", "none", nil) + row(40, "grid", "drop", nil)
          + row(3, "blind", "wrong", nil) + row(50, "blind", "wrong", nil) + row(51, "blind", "unsure", nil)
          + row(52, "blind", "right", Int(given[52])))
      let before = try test.contents("photos")
      // What a killed process left; none has that number.
      let left = "clean.gpunoisy-2147483647.tmp"
      try FileBytes.makeFolder(folder(left + "/train/arrow"))
      try FileBytes.write([1], to: folder(left + "/train/arrow/1.png"))
      let output = try CommandUnderTest.output(
        ["apply", "run", "--verdicts", "verdicts.csv", "--to", "clean"], in: folder)
      #expect(FileBytes.kind(of: folder(left)) == .missing)
      #expect(output.contains("2 labels, 3 samples dropped"))
      #expect(try test.contents("photos") == before)

      var expected: [String: [UInt8]] = [:]
      for (path, bytes) in before { expected["clean" + path.dropFirst("photos".count)] = bytes }
      for id in [10, 20, 30, 40, 50] {
        let removed = expected.removeValue(forKey: "clean/" + paths[id]), bytes = try #require(removed)
        let file = paths[id].split(separator: "/")[2]
        if id < 30 { expected["clean/train/\(classes[other[id]])/\(file)"] = bytes }
      }
      var found = try test.contents("clean")
      let removed = found.removeValue(forKey: "clean/changes.csv")
      let table = String(decoding: try #require(removed), as: UTF8.self)
      #expect(found == expected)
      func changed(_ id: Int, _ why: String, to new: Int?) -> String {
        CSV.line([
          "\(id)", paths[id], given[id], new.map(String.init) ?? "", names[id], new.map { classes[$0] } ?? "",
          "verdict \(why)", "review",
        ])
      }
      #expect(
        table == "sample_id,path,old_label,new_label,old_name,new_name,why,who\n" + changed(10, "accept", to: other[10])
          + changed(20, "other", to: other[20]) + changed(30, "none", to: nil) + changed(40, "drop", to: nil)
          + changed(50, "wrong", to: nil))
      var (one, two) = (stat(), stat())
      #expect(stat(folder("photos/" + paths[0]), &one) == 0 && stat(folder("clean/" + paths[0]), &two) == 0)
      #expect(one.st_ino == two.st_ino)
      // The corrected folder is data again, and what lies beside its images is known.
      let again = try CommandUnderTest.output(["data", "info", "clean"], in: folder)
      #expect(again.contains("ignored 1 file: 1 written by gpunoisy"), "\(again)")
    }

    @Test("take a table of few columns in any order, and become a manifest that can be opened")
    func manifest() throws {
      let test = try Case(), folder = test.folder
      let paths = try test.column("path"), given = try test.column("given_name")
      let wrong = (0..<60).first { given[$0] != "star" }!
      try test.verdicts(
        "note,label,verdict,suggested_label,given_label,path,id\n"
          + "later,star,wrong,ring,\(given[wrong]),\(paths[wrong]),\(wrong)\n"
          + ",,correct,,\(given[59]),\(paths[59]),59\n,,,,,,58\n")
      let output = try CommandUnderTest.output(
        [
          "apply", "run", "--verdicts", "verdicts.csv", "--to", "clean", "--layout", "manifest", "--copy", "--json",
        ], in: folder)
      let document = try JSONText.parse(Array(output.utf8), named: "standard output")
      #expect(document["relabelled"] == 1 && document["dropped"] == 0 && document["linked"] == 0)
      let table = try RunFiles(folder("clean")).table("manifest.csv")
      #expect(table.header == ["path", "label", "split"])
      #expect(
        Array(table.rows.prefix(60))
          == (0..<60).map { ["images/" + paths[$0], $0 == wrong ? "star" : given[$0], "train"] })
      for row in table.rows {
        #expect(try FileBytes.read(folder("clean/" + row[0])) == FileBytes.read(folder("photos" + row[0].dropFirst(6))))
      }
      let info = try CommandUnderTest.output(["data", "info", "clean/manifest.csv", "--json"], in: folder)
      #expect(try JSONText.parse(Array(info.utf8), named: "info")["train"] != nil)
    }

    @Test("follow the detector where it is told so, and verdicts before it")
    func policies() throws {
      let test = try Case(), folder = test.folder
      let flags = try test.column("is_label_issue").map { $0 == "True" }, given = try test.column("given_label")
      let suggested = try test.column("suggested_label"), confidence = try test.column("suggested_conf")
      let flagged = (0..<60).filter { flags[$0] }
      try #require(flagged.count > 1)
      func changes(_ name: String) throws -> [String: String] {
        let table = try RunFiles(folder(name)).table("changes.csv")
        return Dictionary(uniqueKeysWithValues: table.rows.map { ($0[0], $0[3]) })
      }
      try test.verdicts("id,verdict\n\(flagged[0]),unsure\n")
      try CommandUnderTest.output(
        [
          "apply", "run", "--policy", "drop-all", "--trust", "--verdicts", "verdicts.csv", "--to", "a", "--layout",
          "manifest",
        ],
        in: folder)
      #expect(try changes("a") == Dictionary(uniqueKeysWithValues: flagged.dropFirst().map { ("\($0)", "") }))
      #expect(try RunFiles(folder("a")).table("manifest.csv").rows.count == 80 - flagged.count + 1)

      let least = try #require(flagged.compactMap { Double(confidence[$0]) }.sorted().dropFirst().first)
      try CommandUnderTest.output(
        [
          "apply", "run", "--policy", "relabel", "--trust", "--min-conf", "\(least)", "--to", "b", "--layout",
          "manifest",
        ],
        in: folder)
      let sure = flagged.filter { Double(confidence[$0])! >= least && suggested[$0] != given[$0] }
      #expect(try changes("b") == Dictionary(uniqueKeysWithValues: sure.map { ("\($0)", suggested[$0]) }))
    }

    @Test("are written from data without files, too")
    func withoutFiles() throws {
      let folder = ScratchFolder()
      try CommandUnderTest.output(
        [
          "detect", "shapes", "--limit-train", "60", "--limit-test", "20", "--model", "resnet20", "--epochs", "2",
          "--device", "cpu", "--noise", "symmetric:0.2", "--out", "run", "-q",
        ], in: folder)
      try AtomicFile.write("id,verdict\n7,drop\n", to: folder("verdicts.csv"))
      try CommandUnderTest.output(["apply", "run", "--verdicts", "verdicts.csv", "--to", "clean"], in: folder)
      let table = try RunFiles(folder("clean")).table("manifest.csv")
      let issues = try RunFiles(folder("run")).table("label_issues.csv")
      let given = try #require(issues.column("given_name"))
      // True labels go along.
      #expect(table.header == ["path", "label", "split", "clean_label"] && table.rows.count == 79)
      #expect(table.rows[7][0] == "images/train/08.png")
      #expect(table.rows.prefix(7).map { $0[1] } == issues.rows.prefix(7).map { $0[given] })
    }

    @Test("are refused for wrong input, and nothing is written")
    func refusals() throws {
      let test = try Case(), folder = test.folder
      let paths = try test.column("path"), given = try test.column("given_label")
      func expect(
        _ code: Int32, _ text: String, _ verdicts: String, _ rest: [String] = [], to target: String = "clean",
        sourceLocation: SourceLocation = #_sourceLocation
      ) throws {
        try test.verdicts(verdicts)
        let before = try test.contents(".")
        let ending = try CommandUnderTest.run(
          ["apply", "run", "--verdicts", "verdicts.csv", "--to", target] + rest, in: folder)
        #expect(ending.code == code && ending.errors.contains(text), "\(ending.errors)", sourceLocation: sourceLocation)
        #expect(ending.errors.lines.count == 3, sourceLocation: sourceLocation)
        #expect(try test.contents(".") == before, sourceLocation: sourceLocation)
      }
      let fine = "id,verdict\n1,keep\n"
      try expect(65, "line 2 of 'verdicts.csv' has the sample_id '60'", "id,verdict\n60,drop\n")
      try expect(65, "line 2 of 'verdicts.csv' has the verdict 'yes'", "id,verdict\n1,yes\n")
      try expect(65, "there is no class 'zebra'", "id,verdict,label\n1,wrong,zebra\n")
      try expect(65, "contradicts itself", "id,verdict,label\n1,wrong,\(given[1])\n")
      try expect(65, "contradicts an earlier one", "id,verdict\n1,keep\n1,drop\n")
      try expect(65, "is about 'zebra.png'", "id,path,verdict\n1,zebra.png,keep\n")
      let next = (Int(given[1])! + 1) % 10
      try expect(65, "the label '\(next)'", "id,given_label,verdict\n1,\(next),keep\n")
      try expect(65, "disagree", "id,verdict,new_name,new_label\n1,wrong,ring,star\n")
      try expect(65, "holds no verdicts", "id,label\n1,3\n")
      let first = given.indices.filter { given[$0] == "0" }
      try expect(65, "without training samples", "id,verdict\n" + first.map { "\($0),drop\n" }.joined())
      try expect(73, "already exists", fine, to: "photos")
      try expect(73, "is inside", fine, to: "photos/clean")
      try expect(73, "does not exist", fine, to: "nowhere/clean")
      try expect(64, "--min-conf", fine, ["--min-conf", "0.5"])
      try expect(66, "'nothing.csv' does not exist", fine, ["--verdicts", "nothing.csv"])
      func refused(_ arguments: [String], _ code: Int32, _ text: String) throws {
        let ending = try CommandUnderTest.run(arguments + ["--to", "clean"], in: folder)
        #expect(ending.code == code && ending.errors.contains(text), "\(ending.errors)")
        #expect(FileBytes.kind(of: folder("clean")) == .missing)
      }
      try refused(["apply", "nowhere", "--policy", "drop-all"], 66, "'nowhere'")
      try refused(["apply", "photos", "--policy", "drop-all"], 65, "'photos'")
      let ending = try CommandUnderTest.run(["apply", "run", "--to", "clean"], in: folder)
      #expect(ending.code == 64 && ending.errors.contains("neither --verdicts nor --policy"))

      // One image takes the place of another: the data are no longer what the verdicts are about.
      try FileBytes.write(FileBytes.read(folder("photos/" + paths[5])), to: folder("photos/" + paths[6]))
      try expect(65, "the data has changed since the run 'run' started", fine)
      try #require(rename(folder("photos"), folder("moved")) == 0)
      try expect(66, "/photos' does not exist", fine)
    }
  }
}
