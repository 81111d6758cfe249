import Failures

/// What can be said of the labels of a whole set.
public enum DetectionVerdict: String, Sendable, CaseIterable {
  /// The images of the classes could not be distinguished.
  case notLearnt = "not-learnt"
  /// No sign of wrong labels.
  case none
  /// Whether labels are wrong cannot be told.
  case cannotTell = "cannot-tell"
  /// Hardly any label is wrong.
  case few
  /// Some labels are wrong; how many, and which, is not sure enough to act on without looking.
  case rough
  /// So many labels are wrong, and listed.
  case list

  /// Whether its list may be acted on without looking: by `train --exclude`, `detect --retrain` and `apply --policy`.
  public var isTrusted: Bool { self == .none || self == .few || self == .list }

  /// Refuses to act on a list that is not to be trusted.
  ///
  /// - Parameters:
  ///   - isTrusted: whether `--trust` was given.
  ///   - path: the list.
  ///   - option: the option that acts on it.
  /// - Throws: `.configuration`.
  public func requireTrust(_ isTrusted: Bool, in path: String, for option: String) throws(Failure) {
    guard !isTrusted, !self.isTrusted else { return }
    throw Failure(
      .configuration, "\(option) would act on a list that is not sure enough.",
      why: "the verdict in '\(path)' is \(rawValue): \(reason).",
      fix: "look at the images on the detection's page and save your verdicts, or add --trust.")
  }

  private var reason: String {
    switch self {
    case .notLearnt: "the images could not be distinguished"
    case .cannotTell: "whether labels are wrong could not be determined"
    case .rough: "some labels are wrong, but which is not sure"
    case .none, .few, .list: "the list may be acted on"
    }
  }
}
