import FileFormats

/// Near-duplicates, images in several parts, and what an earlier round decided.
extension DetectionPage {
  /// An image that is in the training part and in another one, or nearly so.
  public struct Overlap: Sendable, Equatable {
    /// Its name there, and in the training part.
    public var path: String, trainPath: String
    /// Its label there, and in the training part; nil where it has none.
    public var label: Int?, trainLabel: Int?
    /// The cosine of the features of both; nil for equal images.
    public var cosine: Double?

    /// An image in two parts.
    public init(path: String, trainPath: String, label: Int?, trainLabel: Int?, cosine: Double?) {
      (self.path, self.trainPath, self.label, self.trainLabel) = (path, trainPath, label, trainLabel)
      self.cosine = cosine
    }
  }

  /// What an earlier round decided about a sample.
  public struct EarlierVerdict: Sendable, Equatable {
    /// The sample's id.
    public var id: Int
    /// `keep`, `other` or `drop`.
    public var verdict: String
    /// The right label; nil where there is none.
    public var label: Int?

    /// A verdict on a sample.
    public init(id: Int, verdict: String, label: Int?) {
      (self.id, self.verdict, self.label) = (id, verdict, label)
    }
  }

  /// The groups and earlier verdicts as the script reads them.
  var groupData: [JSONMember] {
    [
      JSONMember("groups", .array(groups.map { .array($0.map { JSONValue($0) }) })),
      JSONMember("groupName", .string(groupName)),
      JSONMember(
        "earlier", .array(earlier.map { [JSONValue($0.id), .string($0.verdict), JSONValue($0.label ?? -1)] })),
    ]
  }

  /// What the header says of an earlier round; nothing where there was none.
  var reviewedNote: String {
    guard let reviewedSummary else { return "" }
    return """

      <p>Looked at in an earlier round: \(HTMLText.escaped(reviewedSummary)). These are trusted and not listed again; \
      the verdicts that you save here contain them, too.</p>
      """
  }

  /// One entry of the list of images in several parts.
  func entry(_ overlap: Overlap) -> String {
    func named(_ label: Int?, _ path: String) -> String {
      (label.map { "<span class=\"given\">\(name($0))</span> " } ?? "") + "<code>\(HTMLText.escaped(path))</code>"
    }
    return named(overlap.label, overlap.path) + (overlap.cosine == nil ? " = " : " ≈ ")
      + named(overlap.trainLabel, overlap.trainPath)
      + (overlap.cosine.map { " (cosine \(NumberFormatting.decimal($0, places: 2)))" } ?? "")
  }
}
