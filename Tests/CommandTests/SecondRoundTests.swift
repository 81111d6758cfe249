import FileFormats
import TestSupport
import Testing

extension CommandTests {
  /// `detect --verdicts`: what somebody has looked at is trusted.
  @Suite("A second round of a detection")
  struct SecondRound {
    private static let wrong: Set = [5, 18, 40, 77, 101, 130, 161, 190, 201, 222]

    @Test("trusts what was looked at, lists the rest, and writes all of it into the copy")
    func features() throws {
      let folder = ScratchFolder()
      try Stripes.write(to: folder, wrong: Self.wrong)
      try CommandUnderTest.output(Stripes.detect + ["--no-report", "--out", "one"], in: folder)
      let first = try RunFiles(folder("one")).column("is_label_issue", of: "label_issues.csv")
      let listed = first.indices.filter { first[$0] == "True" }
      try #require(listed.count >= 8 && Self.wrong.isSubset(of: listed))
      // A wrong one is confirmed, one corrected, one dropped, one left open; all of these were listed.
      try AtomicFile.write(
        "sample_id,source,verdict,new_label\n5,grid,keep,\n18,grid,accept,0\n40,grid,drop,\n77,blind,unsure,\n",
        to: folder("verdicts.csv"))
      let ending = try CommandUnderTest.run(
        [
          "detect", "stripes.npz", "--device", "cpu", "--verdicts", "verdicts.csv", "--out", "two", "--progress",
          "lines",
        ],
        in: folder)
      #expect(ending.code == 0, "\(ending.errors)")
      #expect(ending.errors.contains("3 labels: 1 right, 1 changed, 1 left out; 1 undecided"), "\(ending.errors)")
      #expect(ending.output.contains("reviewed       3 labels") && ending.output.contains("nobody has looked at"))
      #expect(!ending.output.contains(" --exclude "), "labels that were corrected would be trained on")
      let second = try RunFiles(folder("two")).column("is_label_issue", of: "label_issues.csv")
      let left = Self.wrong.subtracting([5, 18, 40]),
        ranks = try RunFiles(folder("two")).column("rank", of: "label_issues.csv")
      let again = second.indices.filter { second[$0] == "True" }
      #expect(!again.isEmpty && left.isSuperset(of: again), "\(again)")
      #expect(left.allSatisfy { Int(ranks[$0])! <= left.count }, "the wrong ones that are left come first")
      let chance = try RunFiles(folder("two")).column("chance", of: "label_issues.csv"),
        reviewed = try RunFiles(folder("two")).column("reviewed", of: "label_issues.csv")
      #expect(Double(chance[5]) == 0 && Double(chance[18]) == 0 && chance[40].isEmpty)
      #expect([reviewed[5], reviewed[18], reviewed[40], reviewed[77]] == ["keep", "relabel:0", "drop", ""])
      let suggested = try RunFiles(folder("two")).column("suggested_label", of: "label_issues.csv"),
        given = try RunFiles(folder("two")).column("given_label", of: "label_issues.csv")
      #expect(given[18] == "1" && suggested[18] == "0")
      let found = try RunFiles(folder("two")).document("detect.json")
      #expect(found["reviewed"]?["count"]?.integer == 3 && found["features"]?["trusted"]?.integer == 2)
      #expect(found["features"]?["judged"]?.integer == 239)
      // It is recorded, and part of what a resumed run must be.
      let record = try RunFiles(folder("two")).record()
      #expect(record["inputs"]?["verdicts"]?.string != nil)
      let resumed = try CommandUnderTest.run(["detect", "--resume", "two"], in: folder)
      #expect(resumed.code == 0 && resumed.errors.contains("already finished"))
      // Whoever looks at the run needs its own copy alone: a browser's next download may replace the file.
      try AtomicFile.write("sample_id,verdict\n7,drop\n", to: folder("verdicts.csv"))
      try CommandUnderTest.output(["report", "two", "-q"], in: folder)

      // The copy has what both rounds decided.
      try AtomicFile.write("sample_id,verdict\n77,drop\n", to: folder("more.csv"))
      try CommandUnderTest.output(["apply", "two", "--verdicts", "more.csv", "--to", "copy"], in: folder)
      let changes = try RunFiles(folder("copy")).table("changes.csv")
      #expect(changes.rows.map { $0[0] } == ["18", "40", "77"] && changes.rows.map { $0[3] } == ["0", "", ""])
    }

    @Test("goes on with the table that the page of a second round saves")
    func saved() throws {
      let folder = ScratchFolder()
      try Stripes.write(to: folder, wrong: Self.wrong)
      try AtomicFile.write(
        "sample_id,path,source,is_label_issue,verdict,given_label,new_label,given_name,new_name\n"
          + "5,,earlier,False,keep,0,0,0,0\n18,,grid,True,other,1,0,1,0\n40,,blind,True,wrong,1,,1,\n",
        to: folder("verdicts.csv"))
      try CommandUnderTest.output(
        Stripes.detect + ["--no-report", "--verdicts", "verdicts.csv", "--out", "run"], in: folder)
      let reviewed = try RunFiles(folder("run")).column("reviewed", of: "label_issues.csv")
      #expect([reviewed[5], reviewed[18], reviewed[40]] == ["keep", "relabel:0", "drop"])
    }

    @Test("trains networks on what was corrected, and does not list it")
    func networks() throws {
      let folder = ScratchFolder()
      try Stripes.write(to: folder, wrong: Self.wrong)
      try AtomicFile.write("id,verdict,label\n5,keep,\n18,wrong,0\n40,drop,\n", to: folder("v.csv"))
      let detect =
        Stripes.detect + ["--verdicts", "v.csv", "--no-report", "--epochs", "2", "--model", "mlp", "--trust"]
      try CommandUnderTest.output(detect + ["--detector", "aum+cl", "--folds", "2", "--out", "run"], in: folder)
      let issues = try RunFiles(folder("run")).column("is_label_issue", of: "label_issues.csv")
      #expect([5, 18, 40].allSatisfy { issues[$0] == "False" })
      let areas = try RunFiles(folder("run")).column("aum", of: "label_issues.csv"),
        ranks = try RunFiles(folder("run")).column("rank", of: "label_issues.csv")
      #expect(areas[40].isEmpty && !areas[5].isEmpty)
      #expect([5, 18, 40].map { ranks[$0] } == ["238", "239", "240"])
      let ids = try NumPyArray(decoding: FileBytes.read(folder("run/sample_ids.npy")), name: "sample_ids.npy")
      let labels = try NumPyArray(decoding: FileBytes.read(folder("run/labels.npy")), name: "labels.npy")
      #expect(ids.shape == [239] && labels.shape == [239] && labels.doubles?[18] == 0)
    }

    @Test("that was stopped ends as one that was not")
    func stopped() throws {
      let folder = ScratchFolder()
      try Stripes.write(to: folder, wrong: Self.wrong)
      try AtomicFile.write("id,verdict,label\n5,keep,\n18,wrong,0\n40,drop,\n", to: folder("v.csv"))
      let detect =
        Stripes.detect + ["--verdicts", "v.csv", "--no-report", "--epochs", "3", "--model", "mlp", "--trust"]
        + ["--detector", "aum"]
      try CommandUnderTest.output(detect + ["--out", "whole"], in: folder)
      let stopped = try CommandUnderTest.run(detect + ["--out", "run", "--max-time", "0.001s"], in: folder)
      #expect(stopped.code == 75, "\(stopped.errors)")
      try CommandUnderTest.output(["detect", "--resume", "run", "--max-time", "1h"], in: folder)
      for name in ["label_issues.csv", "aum_values.csv"] {
        #expect(try RunFiles(folder("run")).text(name) == RunFiles(folder("whole")).text(name), "\(name)")
      }
    }

    @Test("that was killed behind its first file keeps its own copy of the verdicts all the same")
    func killedAtOnce() throws {
      let folder = ScratchFolder()
      try Stripes.write(to: folder, wrong: Self.wrong)
      try AtomicFile.write("id,verdict\n5,keep\n", to: folder("v.csv"))
      try CommandUnderTest.output(
        Stripes.detect + ["--verdicts", "v.csv", "--no-report", "--out", "whole"], in: folder)
      try FileBytes.makeFolder(folder("run"))
      try FileBytes.write(FileBytes.read(folder("whole/config.toml")), to: folder("run/config.toml"))
      try CommandUnderTest.output(["detect", "--resume", "run", "-q"], in: folder)
      for name in ["earlier_verdicts.csv", "label_issues.csv"] {
        #expect(try RunFiles(folder("run")).text(name) == RunFiles(folder("whole")).text(name), "\(name)")
      }
    }

    @Test(
      "wrong input is refused",
      arguments: [
        ("id,verdict\n240,keep\n", "", 65, "the data has no sample"),
        ("path,verdict\nx/y.png,keep\n", "", 65, "the data has no such image"),
        ("id,given_label,verdict\n5,1,keep\n", "", 65, "in this data it is"),
        ("id,verdict\n5,accept\n", "", 65, "does not name the label"),
        ("id,label\n5,1\n", "", 65, "holds no verdicts"), ("", "", 66, "does not exist"),
        ("id,verdict\n5,keep\n", "--retrain", 78, "--retrain cannot be used with --verdicts"),
      ])
    func refused(table: String, options: String, code: Int, text: String) throws {
      let folder = ScratchFolder()
      try Stripes.write(to: folder, wrong: Self.wrong)
      if !table.isEmpty { try AtomicFile.write(table, to: folder("v.csv")) }
      let ending = try CommandUnderTest.run(
        Stripes.detect + ["--verdicts", "v.csv", "--out", "run"] + options.split(separator: " ").map(String.init),
        in: folder)
      #expect(ending.code == Int32(code) && ending.errors.contains(text), "\(ending.code): \(ending.errors)")
      #expect(FileBytes.kind(of: folder("run")) == .missing)
    }

    @Test("labels that were corrected since are taken as looked at")
    func followed() throws {
      let folder = ScratchFolder()
      // In the table sample 5 has the label 1 and gets 0, which it has by now.
      try Stripes.write(to: folder, wrong: [5, 40])
      try AtomicFile.write("id,given_label,verdict,new_label\n5,1,accept,0\n", to: folder("v.csv"))
      try CommandUnderTest.output(
        Stripes.detect + ["--verdicts", "v.csv", "--no-report", "--out", "run"], in: folder)
      #expect(try RunFiles(folder("run")).column("reviewed", of: "label_issues.csv")[5] == "keep")
    }
  }
}
