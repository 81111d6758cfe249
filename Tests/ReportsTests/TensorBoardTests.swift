import FileFormats
import Reports
import TestSupport
import Testing

@Suite("Event files for TensorBoard")
struct TensorBoardTests {
  private let scratch = ScratchFolder()

  private func report(_ epoch: Int, loss: Double) -> EpochReport {
    EpochReport(
      epoch: epoch, epochs: 9, step: epoch * 300, learningRate: 0.1, trainLoss: loss, trainAccuracy: 0.25,
      testLoss: epoch == 1 ? nil : 2, testAccuracy: epoch == 1 ? nil : 0.5, seconds: 1, imagesPerSecond: 1000,
      cleanAccuracy: 0.9, wrongAccuracy: 1e-5,
      perClass: [.init(accuracy: 0.75, confidence: 0.5), .init(accuracy: nil, confidence: nil)],
      figures: [.init("kept", epoch == 1 ? nil : loss / 8), .init("label_recall", nil)])
  }

  /// Framed by hand: the length and the message each with a checksum behind it.
  @Test("begin with the version, as a TFRecord")
  func framing() throws {
    let folder = try RunFolder.create(at: scratch("run"))
    try folder.openTables(withCleanColumns: false)
    let names = try FileBytes.names(in: scratch("run/tb"))
    #expect(names.count == 1 && names[0].hasPrefix("events.out.tfevents."))
    let bytes = try FileBytes.read(scratch("run/tb/\(names[0])"))
    // wall_time: tag and 8 bytes; file_version: tag, length 13, text.
    #expect(bytes.count == 8 + 4 + 24 + 4 && bytes[0..<8] == [24, 0, 0, 0, 0, 0, 0, 0])
    #expect(bytes[12] == 0x09 && bytes[21..<36] == [0x1A, 13] + Array("brain.Event:2".utf8))
    func checksum(_ range: Range<Int>) -> [UInt8] {
      let sum = CRC32C.checksum(bytes[range]), masked = (sum >> 15 | sum << 17) &+ 0xA282_EAD8
      return (0..<4).map { UInt8(truncatingIfNeeded: masked >> (8 * $0)) }
    }
    #expect(Array(bytes[8..<12]) == checksum(0..<8) && Array(bytes[36..<40]) == checksum(12..<36))
  }

  @Test("have a point for each figure that was measured, in a group of their own")
  func figures() throws {
    let folder = try RunFolder.create(at: scratch("run"))
    try folder.openTables(withCleanColumns: true, figures: ["kept", "label_recall"], classNames: ["cat"])
    func text() throws -> String {
      let name = try FileBytes.names(in: scratch("run/tb"))[0]
      return String(decoding: try FileBytes.read(scratch("run/tb/\(name)")), as: UTF8.self)
    }
    try folder.append(report(1, loss: 1))
    #expect(try text().contains("train_loss") && !text().contains("kept"))
    try folder.append(report(2, loss: 1))
    #expect(try text().contains("method/kept") && !text().contains("label_recall"))
    #expect(try text().contains("class_accuracy/cat") && !text().contains("class_accuracy/0"))
  }

  @Test("count on from the newest file, and not from a name that no start could have given")
  func names() throws {
    for name in ["9223372036854775807", "99999999999999999999", "9000000000", "x"] {
      try FileBytes.makeFolder(scratch("run/tb"))
      try FileBytes.write([], to: scratch("run/tb/events.out.tfevents.\(name).host.1.0"))
    }
    try AtomicFile.write("", to: scratch("run/config.toml"))
    let folder = try RunFolder.resume(scratchRun())
    try folder.openTables(withCleanColumns: false)
    let made = try FileBytes.names(in: scratch("run/tb")).filter { $0.hasPrefix("events.out.tfevents.9000000001.") }
    #expect(made.count == 1)
  }

  @Test(
    "are what TensorBoard's own reader reads, also after a run went on from an earlier epoch",
    .enabled(if: PythonOracle.has("tensorboard"), "\(PythonOracle.absence)"))
  func reader() throws {
    do {
      let folder = try RunFolder.create(at: scratch("run"))
      try folder.openTables(withCleanColumns: true, figures: ["kept", "label_recall"])
      for epoch in 1...4 { try folder.append(report(epoch, loss: Double(epoch))) }
    }
    // A write that a power cut interrupted.
    let file = scratch("run/tb/" + (try FileBytes.names(in: scratch("run/tb"))[0]))
    try FileBytes.write(FileBytes.read(file) + [24, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 9, 9], to: file)
    do {
      // Epochs 3 and 4 are lost with the checkpoint, and run again.
      let folder = try RunFolder.resume(scratchRun())
      try folder.openTables(withCleanColumns: true, figures: ["kept", "label_recall"], after: 2)
      for epoch in 3...5 { try folder.append(report(epoch, loss: 10 * Double(epoch))) }
    }
    #expect(try FileBytes.names(in: scratch("run/tb")).count == 2)
    let script = """
      import glob, sys
      from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
      from tensorboard.backend.event_processing.event_file_loader import RawEventFileLoader
      from tensorboard.compat.proto.event_pb2 import Event
      files = sorted(glob.glob(sys.argv[1] + "/tb/events.out.tfevents.*"))
      counts = [sum(1 for _ in RawEventFileLoader(file).Load()) for file in files]
      assert counts == [3, 5], counts
      first = Event.FromString(next(RawEventFileLoader(files[0]).Load()))
      assert first.file_version == "brain.Event:2" and first.wall_time > 1.6e9
      found = EventAccumulator(sys.argv[1] + "/tb")
      found.Reload()
      def curve(tag): return [(event.step, round(event.value, 6)) for event in found.Scalars(tag)]
      assert curve("train_loss") == [(1, 1), (2, 2), (3, 30), (4, 40), (5, 50)], curve("train_loss")
      assert curve("test_acc") == [(epoch, 0.5) for epoch in range(2, 6)], curve("test_acc")
      assert curve("noisy_acc") == [(epoch, 1e-5) for epoch in range(1, 6)]
      assert curve("class_accuracy/0")[0] == (1, 0.75)
      assert curve("method/kept") == [(2, 0.25), (3, 3.75), (4, 5), (5, 6.25)], curve("method/kept")
      assert set(found.Tags()["scalars"]) == {"lr", "train_loss", "train_acc", "test_loss", "test_acc", "seconds",
        "images_per_second", "clean_acc", "noisy_acc", "class_accuracy/0",
        "method/kept"}, found.Tags()
      """
    let result = try PythonOracle.run(script, [scratch("run")])
    #expect(result.code == 0, "\(result.output)")
  }

  /// The run's folder, with the record that makes it one.
  private func scratchRun() throws -> String {
    try AtomicFile.write("{}", to: scratch("run/run.json"))
    return scratch("run")
  }
}
