import Failures
import FileFormats

/// The margins of a few epochs, evenly spread, of a training whose length need not be known.
///
/// While there is room every epoch is kept; when there is none, every second one goes, and from then on only every
/// second one comes. What is kept is a function of the epochs seen, so that a resumed run keeps the same.
public struct MarginSketch: Sendable, Equatable {
  /// Epochs that are kept at most.
  public static let mostEpochs = 32

  /// The kept epochs, counted from 1.
  public private(set) var epochs: [Int] = []
  /// Their margins, [N] each; not a number where a sample was not seen.
  public private(set) var rows: [[Float]] = []
  private var stride = 1

  /// An empty sketch.
  public init() {}

  /// Takes in the margins [N] of the next epoch, counted from 1.
  public mutating func add(_ margins: [Float], epoch: Int) {
    guard (epoch - 1) % stride == 0 else { return }
    if epochs.count == Self.mostEpochs {
      stride *= 2
      let kept = epochs.indices.filter { (epochs[$0] - 1) % stride == 0 }
      (epochs, rows) = (kept.map { epochs[$0] }, kept.map { rows[$0] })
      guard (epoch - 1) % stride == 0 else { return }
    }
    epochs.append(epoch)
    rows.append(margins)
  }

  /// Puts the sketch of `samples` samples, N, into a file of tensors; an empty one leaves nothing there.
  public func store(in file: inout SafetensorsFile, samples: Int) {
    guard !epochs.isEmpty else { return }
    file["detect.sketch"] = .init(rows.flatMap { $0 }, shape: [rows.count, samples])
    file["detect.sketch_epochs"] = .init(epochs.map { Int32($0) }, shape: [epochs.count])
  }

  /// Reads what `store` wrote, or an empty sketch where there is none.
  ///
  /// - Throws: `.badInput` for tensors of other shapes, and epochs that are not in ascending order from 1 on.
  public init(from file: SafetensorsFile, samples: Int) throws {
    guard let tensor = file["detect.sketch_epochs"] else { return }
    epochs = try file.integers("detect.sketch_epochs", shape: tensor.shape).map { Int($0) }
    guard epochs.count <= Self.mostEpochs, zip([0] + epochs, epochs).allSatisfy(<),
      epochs.last ?? 0 <= Int(Int32.max)
    else {
      throw Failure(
        .badInput, "'\(file.path)' is damaged.", why: "detect.sketch_epochs does not count epochs.",
        fix: "restore the file from a copy, or repeat the detection.")
    }
    let values = try file.floats("detect.sketch", shape: [epochs.count, samples])
    guard !values.contains(where: \.isInfinite) else {
      throw Failure(
        .badInput, "'\(file.path)' is damaged.", why: "a margin in detect.sketch is infinite.",
        fix: "restore the file from a copy, or repeat the detection.")
    }
    rows = epochs.indices.map { Array(values[$0 * samples..<($0 + 1) * samples]) }
    if epochs.count > 1 { stride = epochs[1] - epochs[0] }
  }
}
