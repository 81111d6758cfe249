import Failures

/// What a device can still give, so that a large need is compared before it is taken.
public struct DeviceMemory: Sendable, Equatable {
  /// Bytes that are left.
  public var left: Int
  /// Whose they are: `this process` or a device's name.
  public var owner: String
  /// Whether it is this process's own, of which the rest of the program needs some, too.
  public var isHost: Bool

  /// What is left, and whose it is.
  public init(left: Int, owner: String, isHost: Bool = false) {
    (self.left, self.owner, self.isHost) = (max(0, left), owner, isHost)
  }
}

extension Device {
  /// Checks that there is room for something large that is about to be allocated piece by piece.
  ///
  /// Memory that is promised and not there ends the process in the midst of a step, or the device.
  ///
  /// - Parameters:
  ///   - byteCount: all of it.
  ///   - what: what it is for, as `a batch of 128 images`.
  ///   - parts: what the bytes are, as `its activations`.
  ///   - fix: what makes it smaller, from the bytes that are left.
  /// - Throws: `.outOfMemory` with both numbers; never for a device that does not tell what it has.
  public func requireRoom(for byteCount: Int, of what: String, _ parts: String, fix: (Int) -> String) throws(Failure) {
    guard let memory, byteCount > memory.left else { return }
    throw Failure(
      .outOfMemory, "\(what) needs more memory than there is.",
      why:
        "\(parts) take \(Self.megabytes(byteCount)) MB, and \(memory.owner) has \(Self.megabytes(memory.left)) MB left.",
      fix: fix(memory.left))
  }

  /// Whole MB of 10^6 bytes, rounded up.
  private static func megabytes(_ byteCount: Int) -> Int {
    byteCount / 1_000_000 + (byteCount % 1_000_000 == 0 ? 0 : 1)
  }
}

extension StepProgram {
  /// What makes a batch fit into `left` bytes where it needs `needed`: the options that help.
  func smaller(_ left: Int, of needed: Int) -> String {
    // Evaluation has made its batches smaller before it says so.
    guard operations.contains(where: { if case .update = $0 { true } else { false } }) else {
      return "close other programs, or use a --device with more memory."
    }
    // Nearly all of it grows with the batch.
    let fitting = Int(Double(batch) * Double(left) / Double(max(needed, 1)))
    let size = fitting > 0 && fitting < batch ? " (about \(fitting) would fit)" : ""
    let mixed = elementTypes.contains(.bfloat16) ? "" : ", or --precision mixed, which halves activations"
    return "use a smaller --batch-size\(size), a smaller --image-size or network\(mixed)."
  }
}
