import Failures
import FileFormats

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// The epochs of a run for TensorBoard: a file of its own for each start, as its readers expect.
///
/// Tags are the columns of metrics.csv, and `class_accuracy/dog` and so on; those of a training method's figures are
/// `method/NAME`. TensorBoard's step is the epoch.
final class TensorBoardLog {
  private let path: String
  private let descriptor: Int32

  static let prefix = "events.out.tfevents."
  /// With more classes than this, one curve for each would help nobody.
  private static let maxClassesInEvents = 100

  private let classNames: [String]

  /// Starts a file in a folder, which is made.
  ///
  /// Where a run goes on, older files lose later epochs, since some readers take each file by itself. A TensorBoard that
  /// has read them already is told by the new file.
  ///
  /// - Parameters:
  ///   - classNames: by label; where two are alike, or a label has none, its number stands for it.
  ///   - after: the epoch after which the run goes on; nil for a new run.
  /// - Throws: `Failure` of kind `cannotCreate` or `inputOutput`.
  init(folder: String, classNames: [String] = [], after epoch: Int?) throws {
    self.classNames = Set(classNames).count == classNames.count ? classNames : []
    try FileBytes.makeFolder(folder)
    for name in try FileBytes.names(in: folder) where name.hasPrefix(Self.prefix) {
      let file = "\(folder)/\(name)"
      let bytes = try FileBytes.read(file), kept = TensorBoardEvent.length(of: bytes, upToStep: epoch ?? 0)
      guard kept == bytes.count || truncate(file, off_t(kept)) == 0 else { throw SystemFailure.cannotWrite(file) }
    }
    // TensorBoard reads the files in the order of their names; a start within the same second must come later.
    let taken = try FileBytes.names(in: folder).compactMap { name in
      name.hasPrefix(Self.prefix) ? Int(name.dropFirst(Self.prefix.count).prefix { $0 != "." }) : nil
    }
    // A name that no start could have given counts for nothing.
    let seconds = max(UTCTime.now.seconds, (taken.filter { $0 < 1 << 40 }.max() ?? 0) + 1)
    let path = "\(folder)/\(Self.prefix)\(seconds).\(ThisProcess.host).\(ThisProcess.identifier).0"
    self.path = path
    descriptor = FileBytes.uninterrupted { open(path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0o666) }
    guard descriptor >= 0 else { throw SystemFailure.cannotCreate(path) }
    try write(.version, step: 0)
    if let epoch { try write(.restart, step: epoch + 1) }
  }

  deinit { close(descriptor) }

  /// Adds an epoch; what was not measured has no point.
  ///
  /// - Throws: `Failure` of kind `inputOutput`.
  func append(_ report: EpochReport) throws {
    var scalars: [(tag: String, value: Float)] = []
    func add(_ tag: String, _ value: Double?) {
      if let value { scalars.append((tag, Float(value))) }
    }
    add("lr", report.learningRate)
    add("train_loss", report.trainLoss)
    add("train_acc", report.trainAccuracy)
    add("test_loss", report.testLoss)
    add("test_acc", report.testAccuracy)
    add("seconds", report.seconds)
    add("images_per_second", report.imagesPerSecond)
    add("clean_acc", report.cleanAccuracy)
    add("noisy_acc", report.wrongAccuracy)
    add("val_loss", report.validationLoss)
    add("val_acc", report.validationAccuracy)
    if report.perClass.count <= Self.maxClassesInEvents {
      for (label, score) in report.perClass.enumerated() {
        add("class_accuracy/\(classNames.indices.contains(label) ? classNames[label] : "\(label)")", score.accuracy)
      }
    }
    for figure in report.figures { add("method/\(figure.name)", figure.value) }
    try write(.scalars(scalars), step: report.epoch)
  }

  private func write(_ content: TensorBoardEvent.Content, step: Int) throws {
    var now = timespec()
    clock_gettime(CLOCK_REALTIME, &now)
    let time = Double(now.tv_sec) + Double(now.tv_nsec) * 1e-9
    let record = TensorBoardEvent(time: time, step: step, content: content).record
    guard DescriptorWriting.write(record, to: descriptor) else { throw SystemFailure.cannotWrite(path) }
  }
}
