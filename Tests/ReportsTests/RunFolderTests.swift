import Failures
import FileFormats
import Glibc
import Reports
import TestSupport
import Testing

@Suite("The run folder")
struct RunFolderTests {
  private let scratch = ScratchFolder()

  private func report(_ epoch: Int, accuracy: Double? = 0.5, classes: Int = 2) -> EpochReport {
    EpochReport(
      epoch: epoch, epochs: 5, step: epoch * 10, learningRate: 0.1, trainLoss: 1 / Double(epoch), trainAccuracy: 0.25,
      testLoss: accuracy.map { 1 - $0 }, testAccuracy: accuracy, seconds: 1.23456789, imagesPerSecond: 1000.0004,
      cleanAccuracy: 0.9, wrongAccuracy: 1e-5,
      perClass: (0..<classes).map { .init(accuracy: $0 == 0 ? 0.5 : nil, confidence: $0 == 0 ? 1.0 / 3 : nil) })
  }

  private func text(_ path: String) throws -> String { String(decoding: try FileBytes.read(path), as: UTF8.self) }

  @Test("is made with its parents, and an empty one is taken")
  func creation() throws {
    let folder = try RunFolder.create(at: scratch("a/b/c/"))
    #expect(folder.path == scratch("a/b/c"))
    #expect(FileBytes.kind(of: scratch("a/b/c/checkpoints")) == .folder)
    #expect(folder.lastCheckpoint == scratch("a/b/c/checkpoints/last.safetensors"))
    try FileBytes.makeFolder(scratch("empty"))
    _ = try RunFolder.create(at: scratch("empty"))
  }

  @Test("that a run left before its first file was whole is taken again, and what is unfinished there goes")
  func killedAtOnce() throws {
    let path = scratch("killed")
    for attempt in 0..<2 {
      try FileBytes.makeFolder(path + "/checkpoints")
      for name in [".lock", ".gpunoisy-1-x.tmp"] { try FileBytes.write([1], to: path + "/" + name) }
      try RunFolder.checkFree(path, force: attempt == 1)
      _ = try RunFolder.create(at: path, force: attempt == 1)
      #expect(FileBytes.kind(of: path + "/.gpunoisy-1-x.tmp") == .missing)
    }
    // Other hidden files are somebody's.
    try FileBytes.write([1], to: path + "/.gpunoisy.tmp")
    #expect(throws: Failure.self) { try RunFolder.create(at: path) }
  }

  @Test("knows its own files by their bytes, whatever the folder's name")
  func ownFiles() throws {
    // An accent of its own, which no folder's name ends with: as a character it would belong to the slash.
    for name in ["Läufe", "Laüfe/e\u{301}", "実験", "a/\u{301}b"] {
      let path = scratch(name), elsewhere = path + "2"
      for folder in [path + "/stages", elsewhere] { try FileBytes.makeFolder(folder) }
      let own = ["labels.npy", "stages/pass1.safetensors"].map { path + "/" + $0 }
      let others = [path + "/mine.npy", path + "/stages/mine.csv", elsewhere + "/labels.npy"]
      for file in own + others { try FileBytes.write([1], to: file) }
      #expect(RunFolder.ownFiles(among: own + others, in: path + "/") == own, "\(name)")
    }
    // The same to Unicode, and two folders to the file system.
    for name in ["caf\u{E9}", "cafe\u{301}"] {
      try FileBytes.makeFolder(scratch(name))
      try FileBytes.write([1], to: scratch(name + "/labels.npy"))
    }
    #expect(RunFolder.ownFiles(among: [scratch("cafe\u{301}/labels.npy")], in: scratch("caf\u{E9}")) == [])
  }

  private func writeRecord(_ folder: RunFolder) throws {
    try folder.write(RunRecord(command: "train", version: "1", arguments: [], device: "cpu", seeds: [:]))
  }

  @Test("whose earlier run was being deleted when the process died is taken, by force or without")
  func halfCleared() throws {
    for (index, left) in [
      ["run.json", "metrics.csv"], ["retrain/metrics.csv", "stages/pass1.safetensors"], ["notes.md"], [],
    ].enumerated() {
      for force in [false, true] {
        let path = scratch("half-\(index)-\(force)")
        for name in left + [".gpunoisy-clearing", "report/index.html"] {
          try FileBytes.makeFolder(FileBytes.folder(of: path + "/" + name))
          try FileBytes.write([1], to: path + "/" + name)
        }
        if index == 1 { try writeRecord(RunFolder.resume(marked(path + "/retrain"))) }
        try RunFolder.checkFree(path, force: force)
        let folder = try RunFolder.create(at: path, force: force)
        for name in left + ["retrain/run.json", "report/index.html"] where name != "notes.md" {
          #expect(FileBytes.kind(of: path + "/" + name) == .missing, "\(name)")
        }
        #expect((FileBytes.kind(of: path + "/notes.md") == .file) == left.contains("notes.md"))
        // The mark stays until there is a run again.
        #expect(FileBytes.kind(of: path + "/.gpunoisy-clearing") == .file)
        try folder.write(FlatTOML(sections: []))
        try RunFolder.checkFree(path, force: true)
        try writeRecord(folder)
        #expect(FileBytes.kind(of: path + "/.gpunoisy-clearing") == .missing)
        #expect(FileBytes.kind(of: path + "/retrain/.gpunoisy-clearing") == .missing)
      }
    }
  }

  /// A run folder with settings alone, and the mark of one that is deleted.
  private func marked(_ path: String) throws -> String {
    try FileBytes.makeFolder(path)
    for name in ["config.toml", ".gpunoisy-clearing"] { try FileBytes.write([], to: path + "/" + name) }
    return path
  }

  @Test("whose run still has its settings is one to go on with, marked or not")
  func markedRun() throws {
    let path = try marked(scratch("marked"))
    #expect(throws: Failure.self) { try RunFolder.create(at: path) }
    try writeRecord(RunFolder.resume(path))
    #expect(FileBytes.kind(of: path + "/.gpunoisy-clearing") == .missing)
    #expect(FileBytes.kind(of: path + "/config.toml") == .file)
  }

  @Test("has files of its own in the training within it, and force deletes these, too")
  func retraining() throws {
    let path = scratch("outer"), inner = path + "/retrain", own = [inner + "/noisy_labels.npy", path + "/labels.npy"]
    do {
      try writeRecord(RunFolder.create(at: path))
      try writeRecord(RunFolder.create(at: inner))
    }
    for file in own + [inner + "/mine.npy"] { try FileBytes.write([1], to: file) }
    #expect(RunFolder.ownFiles(among: own + [inner + "/mine.npy"], in: path) == own)
    do {
      let busy = try RunFolder.resume(inner)
      #expect(throws: Failure.self) { try RunFolder.create(at: path, force: true) }
      withExtendedLifetime(busy) {}
    }
    #expect(own.allSatisfy { FileBytes.kind(of: $0) == .file })
    _ = try RunFolder.create(at: path, force: true)
    #expect(own.allSatisfy { FileBytes.kind(of: $0) == .missing } && FileBytes.kind(of: inner + "/mine.npy") == .file)
    // What is no run there is somebody's.
    try FileBytes.write([1], to: own[0])
    #expect(RunFolder.ownFiles(among: own, in: path) == [])
    #expect(#expect(throws: Failure.self) { try RunFolder.checkFree(inner, force: true) }?.kind == .cannotCreate)
  }

  @Test("that is not empty is refused with 73, and left as it is")
  func refusal() throws {
    try FileBytes.makeFolder(scratch("full"))
    try FileBytes.write([1], to: scratch("full/.hidden"))
    let failure = #expect(throws: Failure.self) { try RunFolder.create(at: scratch("full")) }
    #expect(failure?.kind.rawValue == 73)
    #expect(failure?.what.contains(scratch("full")) == true)
    #expect(FileBytes.kind(of: scratch("full/.lock")) == .missing)
    try FileBytes.write([1], to: scratch("file"))
    #expect(#expect(throws: Failure.self) { try RunFolder.create(at: scratch("file")) }?.kind == .cannotCreate)
  }

  @Test("is taken by force: an earlier run's files go, others stay")
  func force() throws {
    do {
      let folder = try RunFolder.create(at: scratch("run"))
      try folder.openTables(withCleanColumns: false)
      try FileBytes.write([1], to: folder.lastCheckpoint)
      try folder.write(RunRecord(command: "train", version: "1", arguments: [], device: "cpu", seeds: [:]))
      try FileBytes.write([1], to: folder.file("suspicion.csv"))
      try FileBytes.write([1], to: folder.file("checkpoints/.gpunoisy-1-x.tmp"))
      try FileBytes.write([1], to: folder.file("notes.md"))
    }
    _ = try RunFolder.create(at: scratch("run"), force: true)
    #expect(try FileBytes.names(in: scratch("run")) == ["checkpoints", "notes.md"])
    #expect(try FileBytes.names(in: scratch("run/checkpoints")) == [])
  }

  @Test("is no place for force where no run was: somebody's files stay")
  func foreignFolders() throws {
    for (name, record) in [("none", nil), ("other", "{\"schema\": \"else/1\"}"), ("damaged", "{")] {
      let path = scratch(name)
      try FileBytes.makeFolder(path)
      try FileBytes.write([1], to: path + "/labels.npy")
      if let record { try AtomicFile.write(record, to: path + "/run.json") }
      let before = try FileBytes.names(in: path)
      for attempt in [
        { try RunFolder.checkFree(path, force: true) }, { _ = try RunFolder.create(at: path, force: true) },
      ] {
        #expect(#expect(throws: Failure.self) { try attempt() }?.kind == .cannotCreate)
      }
      #expect(try FileBytes.names(in: path) == before)
    }
  }

  @Test("follows no link that lies in it")
  func links() throws {
    try FileBytes.write([1, 2, 3], to: scratch("precious"))
    try FileBytes.makeFolder(scratch("elsewhere"))
    for (name, target) in [
      ("log.txt", "precious"), ("metrics.csv", "precious"), ("tb", "elsewhere"), (".lock", "precious"),
      ("tb/events.out.tfevents.1.x", "precious"), ("stages/pass1.safetensors", "precious"),
    ] {
      let path = scratch("linked")
      do {
        let folder = try RunFolder.create(at: path)
        try folder.write(RunRecord(command: "train", version: "1", arguments: [], device: "cpu", seeds: [:]))
      }
      unlink(path + "/" + name)
      try FileBytes.makeFolder(FileBytes.folder(of: path + "/" + name))
      try #require(symlink(scratch(target), path + "/" + name) == 0)
      for attempt in [{ try RunFolder.resume(path) }, { try RunFolder.create(at: path, force: true) }] {
        let failure = #expect(throws: Failure.self) { _ = try attempt() }
        #expect(failure?.kind == .cannotCreate && failure?.what.contains("symbolic link") == true)
      }
      #expect(try FileBytes.read(scratch("precious")) == [1, 2, 3] && FileBytes.names(in: scratch("elsewhere")) == [])
      unlink(path + "/" + name)
      for file in try FileBytes.names(in: path) { unlink(path + "/" + file) }
      unlink(path + "/.lock")
      for folder in ["/checkpoints", "/tb", "/stages", ""] { rmdir(path + folder) }
    }
  }

  @Test("is locked while it is in use, and the message names who holds it")
  func locking() throws {
    var first: RunFolder? = try RunFolder.create(at: scratch("run"))
    try #require(first).write(RunRecord(command: "train", version: "1", arguments: [], device: "cpu", seeds: [:]))
    for attempt in [
      { try RunFolder.create(at: scratch("run"), force: true) }, { try RunFolder.resume(scratch("run")) },
    ] {
      let failure = #expect(throws: Failure.self) { _ = try attempt() }
      #expect(failure?.kind == .cannotCreate)
      #expect(failure?.why.hasPrefix("pid ") == true && failure?.why.contains(" on ") == true)
    }
    #expect(FileBytes.kind(of: scratch("run/run.json")) == .file, "a forced start must not clear a run in progress")
    first = nil
    _ = try RunFolder.resume(scratch("run"))
  }

  @Test("gets a name with time, data, network, loss and seed, and a suffix where it is taken")
  func names() throws {
    let name = RunName(
      time: UTCTime(seconds: 1_795_221_062), dataset: "/data/my birds/", network: "resnet32", loss: "sce", seed: 7)
    #expect(name.text == "2026-11-21T0031_my-birds_resnet32_sce_s7")
    let paths = try (0..<3).map { _ in try RunFolder.create(under: scratch("runs"), named: name).path }
    #expect(paths == [name.text, name.text + "-2", name.text + "-3"].map { scratch("runs/\($0)") })
    #expect(RunName(dataset: "..", network: "a/../b", loss: "é", seed: 1).text.hasSuffix("_data_b_-_s1"))
  }

  @Test("holds one row per epoch and class, byte for byte")
  func tables() throws {
    let folder = try RunFolder.create(at: scratch("run"))
    try folder.openTables(withCleanColumns: true)
    try folder.append(report(1))
    try folder.append(report(2, accuracy: nil, classes: 0))
    #expect(
      try text(folder.file("metrics.csv")) == """
        epoch,step,lr,train_loss,train_acc,test_loss,test_acc,seconds,images_per_second,clean_acc,noisy_acc
        1,10,0.1,1.0,0.25,0.5,0.5,1.235,1000.0,0.9,1e-05
        2,20,0.1,0.5,0.25,,,1.235,1000.0,0.9,1e-05

        """)
    #expect(
      try text(folder.file("per_class.csv")) == """
        epoch,class,accuracy,confidence
        1,0,0.5,0.3333333333333333
        1,1,,

        """)
    try folder.openTables(withCleanColumns: false)
    #expect(
      try text(folder.file("metrics.csv"))
        == "epoch,step,lr,train_loss,train_acc,test_loss,test_acc,seconds,images_per_second\n")
  }

  @Test("lists samples with paths that need quotes")
  func samples() throws {
    let folder = try RunFolder.create(at: scratch("run"))
    try folder.writeSamples(
      paths: ["a.png", "b,\"c\".png", "d\ne.png"], classNames: ["x", "y", "z,z"], givenLabels: [1, 0, 2],
      cleanLabels: [1, 1, 2])
    #expect(
      try text(folder.file("samples.csv"))
        == "sample_id,path,given_label,clean_label,given_name,clean_name\n0,a.png,1,1,y,y\n"
        + "1,\"b,\"\"c\"\".png\",0,1,x,y\n2,\"d\ne.png\",2,2,\"z,z\",\"z,z\"\n")
    try folder.writeSamples(ids: [5, 9], paths: ["a", "b"], classNames: ["x", "y"], givenLabels: [1, -1])
    #expect(try text(folder.file("samples.csv")) == "sample_id,path,given_label,given_name\n5,a,1,y\n9,b,-1,\n")
    try folder.writeSamples(paths: ["a", "b"], classNames: ["x", "y"], givenLabels: [1, 0], heldOut: [1])
    #expect(
      try text(folder.file("samples.csv"))
        == "sample_id,path,given_label,held_out,given_name\n0,a,1,False,y\n1,b,0,True,x\n")
  }

  @Test("lists margins from high to low, equal ones by id, what is no number last")
  func margins() throws {
    let folder = try RunFolder.create(at: scratch("run"))
    try folder.writeMargins(ids: [9, 4, 7, 1, 3, 2], margins: [0.5, 0.5, -1e-7, .nan, 12, .nan])
    #expect(try text(folder.file("aum_values.csv")) == "sample_id,aum\n3,12.0\n4,0.5\n9,0.5\n7,-1e-07\n1,\n2,\n")
  }

  @Test("on resume loses the torn tail and the epochs after the checkpoint, wherever the crash came")
  func resuming() throws {
    do {
      let folder = try RunFolder.create(at: scratch("whole"))
      try folder.openTables(withCleanColumns: true)
      for epoch in 1...4 { try folder.append(report(epoch)) }
    }
    let whole = ["metrics.csv", "per_class.csv"].map { try! FileBytes.read(scratch("whole/\($0)")) }
    for length in 0...whole[0].count {
      for kept in [0, 2] {
        let path = scratch("cut-\(length)-\(kept)")
        let folder = try RunFolder.create(at: path)
        try FileBytes.write(Array(whole[0].prefix(length)), to: folder.file("metrics.csv"))
        try FileBytes.write(Array(whole[1].prefix(length)), to: folder.file("per_class.csv"))
        try folder.openTables(withCleanColumns: true, after: kept)
        let rows = try RunHistory.read(folder: path).epochs
        #expect(rows.allSatisfy { $0.epoch <= kept })
        // What is left is a beginning of what was there, and the run goes on from it.
        let present = rows.count
        for epoch in (present + 1)...4 { try folder.append(report(epoch)) }
        #expect(try FileBytes.read(folder.file("metrics.csv")) == whole[0], "cut at \(length), resumed after \(kept)")
      }
    }
    let folder = try RunFolder.create(at: scratch("cut"))
    for (name, bytes) in zip(["metrics.csv", "per_class.csv"], whole) {
      try FileBytes.write(bytes, to: folder.file(name))
    }
    try folder.openTables(withCleanColumns: true, after: 3)
    try folder.append(report(4))
    #expect(try FileBytes.read(folder.file("metrics.csv")) == whole[0])
    #expect(try FileBytes.read(folder.file("per_class.csv")) == whole[1])
  }

  @Test("with epochs that cannot be is not read")
  func impossibleEpochs() throws {
    let folder = try RunFolder.create(at: scratch("run"))
    try folder.openTables(withCleanColumns: false)
    for epoch in 1...3 { try folder.append(report(epoch)) }
    let text = String(decoding: try FileBytes.read(folder.file("metrics.csv")), as: UTF8.self)
    for wrong in ["9223372036854775807", "-9223372036854775808", "0", "2"] {
      try AtomicFile.write(
        text.replacing("\n1,", with: "\n\(wrong),", maxReplacements: 1), to: folder.file("metrics.csv"))
      let failure = #expect(throws: Failure.self) { try RunHistory.read(folder: folder.path) }
      #expect(failure?.kind == .badInput, "\(wrong)")
    }
  }

  @Test("has no epochs yet where the header of a table is not whole")
  func tornHeader() throws {
    let folder = try RunFolder.create(at: scratch("torn"))
    for text in ["", "epoch,st"] {
      for name in ["metrics.csv", "per_class.csv"] { try AtomicFile.write(text, to: folder.file(name)) }
      #expect(try RunHistory.read(folder: folder.path).epochs.isEmpty)
      try folder.openTables(withCleanColumns: false, after: 0)
      try folder.append(report(1))
      #expect(try RunHistory.read(folder: folder.path).epochs.map(\.epoch) == [1])
    }
  }

  @Test("with other columns is not resumed")
  func otherColumns() throws {
    let folder = try RunFolder.create(at: scratch("run"))
    try folder.openTables(withCleanColumns: true)
    try folder.append(report(1))
    let failure = #expect(throws: Failure.self) { try folder.openTables(withCleanColumns: false, after: 1) }
    #expect(failure?.kind == .badInput)
  }

  @Test("is no run folder without run.json, and not there at all is 66")
  func resumingNothing() throws {
    try FileBytes.makeFolder(scratch("photos"))
    #expect(#expect(throws: Failure.self) { try RunFolder.resume(scratch("photos")) }?.kind == .badInput)
    #expect(#expect(throws: Failure.self) { try RunFolder.resume(scratch("nosuch")) }?.kind == .missingInput)
  }

  @Test("tells its history to the last bit")
  func history() throws {
    let folder = try RunFolder.create(at: scratch("run"))
    try folder.openTables(withCleanColumns: true)
    var reports = (1...12).map { report($0, accuracy: 0.1 + 0.7 / Double($0)) }
    for index in reports.indices {
      reports[index].seconds = 2.5
      reports[index].imagesPerSecond = 1234
      reports[index].epochs = 12
      try folder.append(reports[index])
    }
    let history = try RunHistory.read(folder: folder.path)
    #expect(history.epochs == reports)
    #expect(history.accuracy?.bestEpoch == 1)
    try FileBytes.write(Array("epoch,step\n1,x\n".utf8), to: folder.file("metrics.csv"))
    let failure = #expect(throws: Failure.self) { try RunHistory.read(folder: folder.path) }
    #expect(failure?.kind == .badInput && failure?.what.contains("line 2") == true)
  }

  @Test("opens in pandas as promised", .enabled(if: PythonOracle.has("pandas"), "\(PythonOracle.absence)"))
  func pandas() throws {
    let folder = try RunFolder.create(at: scratch("run"))
    try folder.openTables(withCleanColumns: true)
    for epoch in 1...3 { try folder.append(report(epoch)) }
    try folder.writeSamples(
      paths: ["a.png", "b,\"c\" é.png", "d\ne.png"], classNames: ["x", "y", "z"], givenLabels: [1, 0, 2])
    try folder.writeMargins(ids: [0, 1, 2], margins: [0.1 + 0.2, -3, 1e-9])
    let script = """
      import sys, pandas as pd
      run = sys.argv[1]
      m = pd.read_csv(run + "/metrics.csv")
      assert m.epoch.tolist() == [1, 2, 3] and abs(m.train_loss[2] - 1 / 3) < 1e-15 and m.test_acc.dtype == float, m
      c = pd.read_csv(run + "/per_class.csv")
      assert len(c) == 6 and c.accuracy.isna().sum() == 3, c
      s = pd.read_csv(run + "/samples.csv")
      assert s.path.tolist() == ["a.png", 'b,"c" é.png', "d\\ne.png"], s
      # The aum package writes its table like this; ours has the same bytes.
      a = pd.DataFrame({"sample_id": [0, 1, 2], "aum": [0.1 + 0.2, -3.0, 1e-9]}).sort_values("aum", ascending=False)
      ours = open(run + "/aum_values.csv", newline="").read()
      assert ours == a.to_csv(index=False), ours
      print("ok")
      """
    let result = try PythonOracle.run(script, [folder.path])
    #expect(result.code == 0 && result.output == "ok\n", "\(result.output)")
  }
}
