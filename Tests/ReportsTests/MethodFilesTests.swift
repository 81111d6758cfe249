import Failures
import FileFormats
import Reports
import TestSupport
import Testing

/// What training methods add to a run's folder: columns of metrics.csv, and suspicion.csv.
@Suite struct `What training methods write down` {
  private let scratch = ScratchFolder()

  private func report(_ epoch: Int, _ figures: [EpochReport.Figure]) -> EpochReport {
    EpochReport(
      epoch: epoch, epochs: 3, step: epoch * 10, learningRate: 0.1, trainLoss: 1 / Double(epoch), trainAccuracy: 0.25,
      testLoss: 1, testAccuracy: 0.5, seconds: 2.5, imagesPerSecond: 1000, cleanAccuracy: 0.9, wrongAccuracy: 1e-5,
      validationLoss: 2, validationAccuracy: 0.125, figures: figures)
  }

  private func text(_ path: String) throws -> String { String(decoding: try FileBytes.read(path), as: UTF8.self) }

  @Test func `are columns behind all others, one for each figure`() throws {
    let folder = try RunFolder.create(at: scratch("run")), names = ["kept", "label_precision"]
    try folder.openTables(withCleanColumns: true, withValidationColumns: true, figures: names)
    try folder.append(report(1, [.init("kept", 512), .init("label_precision", nil)]))
    try folder.append(report(2, [.init("kept", .nan), .init("label_precision", 0.1 + 0.2)]))
    #expect(
      try text(folder.file("metrics.csv")) == """
        epoch,step,lr,train_loss,train_acc,test_loss,test_acc,seconds,images_per_second,clean_acc,noisy_acc,val_loss,\
        val_acc,kept,label_precision
        1,10,0.1,1.0,0.25,1.0,0.5,2.5,1000.0,0.9,1e-05,2.0,0.125,512.0,
        2,20,0.1,0.5,0.25,1.0,0.5,2.5,1000.0,0.9,1e-05,2.0,0.125,,0.30000000000000004

        """)
    try folder.openTables(withCleanColumns: false, figures: ["kept"])
    #expect(
      try text(folder.file("metrics.csv"))
        == "epoch,step,lr,train_loss,train_acc,test_loss,test_acc,seconds,images_per_second,kept\n")
  }

  @Test func `read back to the last bit, also after the run went on`() throws {
    let names = ["kept", "test_acc_2", "label, \"precision\""]
    let reports = (1...3).map { epoch in
      report(
        epoch,
        [.init(names[0], 1 / Double(epoch)), .init(names[1], epoch == 2 ? nil : -1e-9), .init(names[2], .infinity)])
    }
    do {
      let folder = try RunFolder.create(at: scratch("run"))
      try folder.openTables(withCleanColumns: true, withValidationColumns: true, figures: names)
      for report in reports { try folder.append(report) }
      #expect(try RunHistory.read(folder: folder.path).epochs == reports)
      // Epoch 3 is lost with the checkpoint, and run again.
      try folder.openTables(withCleanColumns: true, withValidationColumns: true, figures: names, after: 2)
      #expect(try RunHistory.read(folder: folder.path, epochCount: 3).epochs == Array(reports.prefix(2)))
      try folder.append(reports[2])
    }
    #expect(try RunHistory.read(folder: scratch("run")).epochs == reports)
  }

  @Test(arguments: [[], ["kept"], ["label_precision", "kept"], ["kept", "label_precision", "label_recall"]])
  func `are not continued with other columns`(names: [String]) throws {
    let folder = try RunFolder.create(at: scratch("run"))
    try folder.openTables(withCleanColumns: true, figures: ["kept", "label_precision"])
    let before = try text(folder.file("metrics.csv"))
    let failure = #expect(throws: Failure.self) {
      try folder.openTables(withCleanColumns: true, figures: names, after: 1)
    }
    #expect(failure?.kind == .badInput && failure?.why.contains("kept,label_precision") == true)
    #expect(try text(folder.file("metrics.csv")) == before)
  }

  @Test func `are missing in the tables of older versions and of plain training`() throws {
    try FileBytes.makeFolder(scratch("old"))
    let head = EpochReport.columns.joined(separator: ",")
    func epochs(_ head: String, _ row: String) throws -> [EpochReport] {
      try AtomicFile.write("\(head)\n\(row)\n", to: scratch("old/metrics.csv"))
      return try RunHistory.read(folder: scratch("old")).epochs
    }
    let row = "1,10,0.1,1.0,0.25,1.0,0.5,2.5,1000.0"
    #expect(try epochs(head, row).map(\.figures) == [[]])
    // What is not known is a figure, whoever wrote it; names that are known or occur twice are not.
    let some = try epochs("loss_2,\(head),kept,per_class,,kept", "0.5,\(row),,x,,7")
    #expect(some.map(\.figures) == [[.init("loss_2", 0.5), .init("kept", nil)]])
    let failure = #expect(throws: Failure.self) { try epochs("\(head),kept", "\(row),many") }
    #expect(failure?.kind == .badInput && failure?.why.contains("'kept' is 'many'") == true)
  }

  @Test func `are members of the document by their names`() {
    let json = report(1, [.init("kept", 512), .init("label_recall", nil), .init("label_precision", .nan)]).json
    #expect(json["kept"] == 512.0 && json["label_recall"] == .null && json["label_precision"] == .null)
    #expect(report(1, []).json.members?.last?.name == "val_acc")
  }

  @Test func `list the most suspicious first, equal ones by id, without those that were not judged`() throws {
    let folder = try RunFolder.create(at: scratch("run"))
    try folder.writeSuspicion(
      suspicion: [0.5, 2, .nan, 0.5, 1e-9, -.infinity, 7], paths: ["a", "b,c", "d", "e", "f", "g", "h"],
      givenLabels: [0, 1, 2, 0, 1, 2, -1], predictedLabels: [1, 1, 1, -1, 0, 0, 0], cleanLabels: [0, 0, 0, -1, 1, 1, 1])
    #expect(
      try text(folder.file("suspicion.csv")) == """
        sample_id,suspicion,path,given_label,predicted_label,clean_label
        1,2.0,"b,c",1,1,0
        0,0.5,a,0,1,0
        3,0.5,e,0,,
        4,1e-09,f,1,0,1
        5,-inf,g,2,0,1

        """)
    try folder.writeSuspicion(
      ids: [9, 4], suspicion: [1, 1], paths: ["a", "b"], givenLabels: [0, 1], predictedLabels: [1, 1])
    #expect(
      try text(folder.file("suspicion.csv"))
        == "sample_id,suspicion,path,given_label,predicted_label\n4,1.0,b,1,1\n9,1.0,a,0,1\n")
  }
}
