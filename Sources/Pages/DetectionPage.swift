import Datasets
import Detection
import FileFormats

/// The page about a detection: one file that needs no network and no other file.
///
/// What can be read without a script (chart, tables, problems, method) is written out; cards with images are made by
/// the script when they are looked at, from data within the page.
public struct DetectionPage: Sendable {
  /// The data that was looked at.
  public struct DataSummary: Sendable, Equatable {
    /// Its name, and where it came from as a phrase for people.
    public var name: String, source: String
    /// The names of the classes [K]; the index is the label.
    public var classNames: [String]
    /// A hash of its images and labels, by which a browser knows again whose verdicts it keeps.
    public var fingerprint: String

    /// A data set of this description.
    public init(name: String, source: String, classNames: [String], fingerprint: String) {
      (self.name, self.source, self.classNames, self.fingerprint) = (name, source, classNames, fingerprint)
    }
  }

  /// One sample as the page knows it.
  public struct Sample: Sendable, Equatable {
    /// The sample's id and its rank, 1 for the most suspicious.
    public var id: Int, rank: Int
    /// What the cut-off is laid upon, low for suspicious labels; nil for a sample that was not judged.
    public var key: Double?
    /// The given label, and another one that it seems to need; nil where the networks find the given one most likely.
    public var given: Int, suggested: Int?
    /// The probability of the suggested label, 0…1.
    public var confidence: Double?
    /// Whether the run suspects the label.
    public var isFlagged: Bool
    /// The true label, where it is known.
    public var truth: Int?
    /// The sample's file, where it has one.
    public var path: String?

    /// A sample of these parts; a suggestion of the given label is none.
    public init(
      id: Int, rank: Int, key: Double?, given: Int, suggested: Int? = nil, confidence: Double? = nil,
      isFlagged: Bool = false, truth: Int? = nil, path: String? = nil
    ) {
      (self.id, self.rank, self.key, self.given) = (id, rank, key, given)
      (self.suggested, self.confidence) = suggested == given ? (nil, nil) : (suggested, confidence)
      (self.isFlagged, self.truth, self.path) = (isFlagged, truth, path)
    }
  }

  /// An image file that a browser can show.
  public struct Image: Sendable, Equatable {
    /// `image/png` or `image/jpeg`.
    public var type: String
    /// The file.
    public var bytes: [UInt8]

    /// An image file.
    public init(type: String, bytes: [UInt8]) { (self.type, self.bytes) = (type, bytes) }

    /// How many characters it takes in a page, besides what an empty file takes.
    public var encodedCount: Int { (bytes.count + 2) / 3 * 4 }

    var address: String { "data:\(type);base64,\(Base64.text(bytes))" }
  }

  /// What samples are ordered by; low for suspicious labels.
  public enum Measure: Sendable, Equatable {
    /// The area under the margin.
    case area
    /// Label quality, by predictions of networks that had not been trained on the sample.
    case quality
    /// The probability that the label is right, by features.
    case probability
    /// Label quality: the probability that the label is right, by DivideMix's mixtures of losses.
    case divided
    /// Label quality: the probability of the label, by co-teaching's networks.
    case loss
    /// Label quality, by the mean of two ranks.
    case rank

    var name: String {
      switch self {
      case .area: "area under the margin (AUM)"
      case .quality, .divided, .loss, .rank: "label quality"
      case .probability: "probability that the label is right"
      }
    }

    /// In few letters, for cards.
    var shortName: String {
      switch self {
      case .area: "AUM"
      case .quality, .divided, .loss, .rank: "quality"
      case .probability: "right"
      }
    }
  }

  /// One line of the box that says how the result came about.
  public struct Fact: Sendable, Equatable {
    /// What it is about.
    public var name: String
    /// What there is to say.
    public var text: String
    /// Whether this is a command line.
    public var isCommand: Bool

    /// A line of the box.
    public init(_ name: String, _ text: String, isCommand: Bool = false) {
      (self.name, self.text, self.isCommand) = (name, text, isCommand)
    }
  }

  /// A command that may come next.
  public struct Command: Sendable, Equatable {
    /// What it does, as an imperative.
    public var purpose: String
    /// The command line.
    public var line: String

    /// A command.
    public init(_ purpose: String, _ line: String) { (self.purpose, self.line) = (purpose, line) }
  }

  /// More samples than these are not in the page; the table of the run has them all.
  public static let mostSamples = 300_000
  /// The most bytes that the paths of samples without an image may take.
  public static let mostPathBytes = 5 << 20

  /// The data that was looked at.
  public var data: DataSummary
  /// The samples in the order of their rank.
  public var samples: [Sample]
  /// The result, counted: by class and by pair of classes.
  public var tables: DetectionTables
  /// The test accuracy of each class [K]; nil for a class without test samples, empty where none was measured.
  public var classAccuracies: [Double?] = []
  /// How well suspicion fits, where the true labels are known.
  public var score: DetectionScore?
  /// The rank correlation of the first two passes.
  public var passCorrelation: Double?
  /// Equal images, by their ids.
  public var duplicates: [DuplicateGroup] = []
  /// What samples are ordered by.
  public var measure = Measure.area
  /// What can be said of the whole set, in sentences; nil for a detection that says nothing of it.
  public var statement: String?
  /// Where the cut-off lies at first.
  public var cut: Double?
  /// The keys of the threshold samples of all passes.
  public var thresholds: [Double] = []
  /// The folder that paths are relative to, in full; nil for data without files.
  public var root: String?
  /// What paths begin with although no folder below the root has that name.
  public var absentPrefix = ""
  /// Images by the sample's id; the pixels of a PNG stay squares.
  public var images: [Int: Image] = [:]
  /// Margins over the epochs by the sample's id; what was not measured is no number.
  public var margins: [Int: [Float]] = [:]
  /// The ids of the blind check in their order.
  public var blindCheck: [Int] = []
  /// Samples whose image is all of one colour.
  public var blankImages: [Int] = []
  /// Files that could not be read, and why.
  public var unreadable: [(path: String, reason: String)] = []
  /// How the result came about.
  public var facts: [Fact] = []
  /// The commands that may come next.
  public var commands: [Command] = []

  /// A page about a result.
  public init(data: DataSummary, samples: [Sample], tables: DetectionTables) {
    (self.data, self.samples, self.tables) = (data, samples, tables)
  }

  /// Near-duplicates, by their ids: groups of samples of which one at least is suspected.
  public var groups: [[Int]] = []
  /// What such a group is of.
  public var groupName = "near-duplicates"
  /// The images that are in the training part and in another one, the worst first; and one line about them.
  public var overlaps: [Overlap] = [], overlapSummary: String?
  /// What an earlier round decided, which the saved verdicts repeat; and one line about it.
  public var earlier: [EarlierVerdict] = [], reviewedSummary: String?

  /// The page.
  public var html: String {
    PageParts.document(
      title: title, policy: PageParts.policy, style: PageParts.style,
      body: """
        \(header)
        \(blind)
        \(overview)
        \(tableSections)
        \(cards)
        \(next)
        \(problems)
        \(method)
        <script type="application/json" id="data">\(HTMLText.embedded(scriptData))</script>
        <script>\(PageParts.script)</script>
        """)
  }

  var title: String { "Suspected labels of \(data.name)" }

  var classNames: [String] { data.classNames }

  /// The samples that are in the page.
  var shown: [Sample] {
    guard samples.count > Self.mostSamples else { return samples }
    let kept = Set(images.keys)
    return Array(samples[..<Self.mostSamples]) + samples[Self.mostSamples...].filter { kept.contains($0.id) }
  }

  /// The ends of the axis that the cut-off moves on.
  var range: (low: Double, high: Double) {
    let keys = samples.prefix(Self.mostSamples).compactMap(\.key) + thresholds + (cut.map { [$0] } ?? [])
    guard let low = keys.min(), let high = keys.max() else { return (0, 1) }
    return high > low ? (low, high) : (low, max(low + 1, low.nextUp))
  }

  /// Where the cut-off lies at first: as given, else so that as many lie below it as are suspected.
  var firstCut: Double {
    let flagged = samples.count(where: \.isFlagged)
    return cut ?? (flagged < samples.count ? samples[flagged].key : nil) ?? range.high
  }
}
