import Failures

/// A file or folder below a data set's folder that holds no sample.
public struct PassedOver: Sendable, Equatable {
  /// Why something is passed over, in the order in which the reasons are listed.
  public enum Reason: String, Sendable, CaseIterable {
    case noImage = "not an image"
    case noClass = "an image in no class folder"
    case noLabels = "an image in a part without classes"
    case otherFolder = "a folder beside train, val and test"
    case run = "with runs of gpunoisy"
    case record = "written by gpunoisy"
    case system = "made by the operating system or a storage device"
    case hidden = "hidden"
    case empty = "an empty folder"

    /// What so many are called: `3 not images`, `1 image in no class folder`.
    func phrase(_ count: Int) -> String {
      let (one, several) =
        switch self {
        case .noImage: ("not an image", "not images")
        case .noClass: ("image in no class folder", "images in no class folder")
        case .noLabels: ("image without a class", "images without classes")
        case .otherFolder: ("beside train, val and test", "beside train, val and test")
        case .run: ("with runs of gpunoisy", "with runs of gpunoisy")
        case .system, .hidden, .record: (rawValue, rawValue)
        case .empty: ("empty", "empty")
        }
      return "\(count) \(count == 1 ? one : several)"
    }
  }

  /// The list of changes that `gpunoisy apply` writes beside the corrected images.
  public static let changesName = "changes.csv"

  /// Where it is, relative to the data set's folder; a folder's path ends in a slash.
  public let path: String
  /// Why it is passed over.
  public let reason: Reason

  /// A file or folder with the reason.
  public init(path: String, reason: Reason) { (self.path, self.reason) = (path, reason) }

  /// `ignored 8 files and 1 folder: 4 not images, 4 hidden, 1 empty (dog/)`; nil for none.
  ///
  /// Empty folders are named, the first three of them: each could have been meant as a class.
  static func summary(_ all: [PassedOver]) -> String? {
    guard !all.isEmpty else { return nil }
    let parts = Reason.allCases.compactMap { reason -> String? in
      let paths = all.filter { $0.reason == reason }.map(\.path)
      guard !paths.isEmpty else { return nil }
      let isNamed = reason == .empty || reason == .otherFolder
      let names = paths.prefix(3).map { $0.shortened(to: 40) }.joined(separator: ", ") + (paths.count > 3 ? ", …" : "")
      return reason.phrase(paths.count) + (isNamed ? " (\(names))" : "")
    }
    let folders = all.count { $0.path.hasSuffix("/") }
    let counts = [("file", all.count - folders), ("folder", folders)].filter { $1 > 0 }
    let total = counts.map { "\($1) \($0)\($1 == 1 ? "" : "s")" }.joined(separator: " and ")
    return "ignored \(total): \(parts.joined(separator: ", "))"
  }
}
