import Failures

extension Failure {
  /// A training whose numbers have grown beyond all bounds.
  ///
  /// - Parameter what: what is not finite, as a sentence without its end.
  public static func diverged(_ what: String) -> Failure {
    Failure(
      .numerical, "\(what).", why: "training diverged.",
      fix: "lower --lr, or use --clip-norm 5; the last good checkpoint is saved.")
  }
}

extension Failure {
  /// A checkpoint that holds what no training gives.
  ///
  /// - Parameter why: what that is, as a sentence.
  public static func damagedCheckpoint(_ path: String, why: String) -> Failure {
    Failure(
      .badInput, "'\(path)' is damaged.", why: why, fix: "resume from another checkpoint, or start a new run.")
  }
}
