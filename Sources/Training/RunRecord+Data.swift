import Datasets
import Failures
import Reports

extension RunRecord {
  /// Checks that a data set is the one that the run recorded.
  ///
  /// - Parameters:
  ///   - run: the run's folder.
  ///   - fix: what to do about other data.
  /// - Throws: `.badInput`.
  public func require(_ dataset: Dataset, of run: String, fix: String) throws(Failure) {
    let fingerprint = dataset.fingerprint
    guard data?.fingerprint != fingerprint else { return }
    throw Failure(
      .badInput, "the data has changed since the run '\(run)' started.",
      why: "the run records \(data?.trainCount ?? 0) training images with fingerprint "
        + "\(data?.fingerprint ?? "none"); now it is \(dataset.train.count) with \(fingerprint).",
      fix: fix)
  }
}
