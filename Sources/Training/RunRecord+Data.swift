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
    func changed(_ why: String) -> Failure {
      Failure(.badInput, "the data has changed since the run '\(run)' started.", why: why, fix: fix)
    }
    guard data?.fingerprint == found.fingerprint else {
      throw changed(
        "the run records \(data?.trainCount ?? 0) training images with fingerprint "
          + "\(data?.fingerprint ?? "none"); now it is \(found.dataset.train.count) with \(found.fingerprint).")
    }
    // Earlier versions did not record it.
    guard data?.rest ?? found.rest == found.rest else {
      throw changed(
        "images and labels for training and tests are the same, but what is held out, the true labels or the names of the "
          + "classes are not.")
    }
  }
}
