import Failures
import Reports

extension RunRecord {
  /// Checks that data is what the run recorded.
  ///
  /// - Parameters:
  ///   - run: the run's folder.
  ///   - fix: what to do about other data.
  /// - Throws: `.badInput`.
  public func require(_ found: RunData, of run: String, fix: String) throws(Failure) {
    guard data?.fingerprint != found.fingerprint else { return }
    throw Failure(
      .badInput, "the data has changed since the run '\(run)' started.",
      why: "the run records \(data?.trainCount ?? 0) training images with fingerprint "
        + "\(data?.fingerprint ?? "none"); now it is \(found.dataset.train.count) with \(found.fingerprint).",
      fix: fix)
  }
}
