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
