import FileFormats
import Statistics

/// A data set in memory: classes, training samples and, where there are any, test samples.
public struct Dataset: Sendable {
  /// Which well-known data set it is; noise models and defaults depend on it.
  public enum Kind: String, Sendable {
    case shapes, mnist
    case fashionMNIST = "fashion-mnist"
    case cifar10, cifar100, other
  }

  /// An image that could not be read and was skipped.
  public struct BadImage: Sendable, Equatable {
    /// The file, relative to the data set's folder.
    public let path: String
    /// The decoder's message.
    public let reason: String
  }

  /// A short name for run folders and tables.
  public let name: String
  /// Which well-known data set it is.
  public let kind: Kind
  /// The names of the classes [K]; the index is the label.
  public let classNames: [String]
  /// The training samples.
  public var train: LabelledSet
  /// The test samples, where the layout has any.
  public var test: LabelledSet?
  /// A part of the training samples that is held out; see `holdingOut`.
  public var heldOut: LabelledSet?
  /// The ids that the samples of `heldOut` had in `train`, where they were taken from it.
  public internal(set) var heldOutIDs: [Int32] = []
  /// Training samples whose labels are known to be right, and which are not trained on; see `trusting`.
  public internal(set) var trusted: TrustedSamples?
  /// Where the data came from, as a phrase for people: the layout and the path.
  public let source: String
  /// The folder that the samples' paths are relative to; nil where the layout has no files.
  public internal(set) var root: String?
  /// What the samples' paths begin with although no folder below the root has that name; mostly nothing.
  public internal(set) var absentPrefix = ""
  /// The images that were skipped because they could not be read.
  public var badImages: [BadImage]
  /// The images that were read although their files are damaged (`BadImagePolicy.repair`).
  public internal(set) var repairedImages: [BadImage] = []
  /// What sizes the images had in their files; nil where the layout has no files.
  public internal(set) var sizing: ImageSizing?
  /// Whether nobody says what the images show: their labels stand for none.
  public internal(set) var isUnlabelled = false
  /// What is odd about the data and worth a warning, as sentences.
  public var warnings: [String] = []
  /// What is worth a line without being a reason to worry, as sentences.
  public internal(set) var remarks: [String] = []
  /// The files and folders below the data that hold no sample, in the order of their folders.
  public internal(set) var passedOver: [PassedOver] = []
  /// The parts whose samples stand in the place of the training samples, in order; empty for these themselves.
  var placed: [PlacedPart] = []
  /// The parts as the layout has them, whatever has become of them since; see `openedParts`.
  var opened: [(part: SplitPart, samples: LabelledSet)] = []
  /// What is known of the run in whose folder a file lies; whoever opens a data set says how to find it out.
  public var origin: @Sendable (_ path: String) -> ListOrigin? = { _ in nil }
  var countBeforeLimit: Int?
  /// The most classes of a classifier, and of a table of noise.
  public static let mostClasses = 4096

  /// A data set of these parts; `kind` is found by the class names when it is left out.
  public init(
    name: String, kind: Kind? = nil, classNames: [String], train: LabelledSet, test: LabelledSet?, source: String,
    badImages: [BadImage] = []
  ) {
    precondition(!classNames.isEmpty, "a data set without classes")
    self.name = name
    self.kind = kind ?? KnownClasses.kind(of: classNames)
    (self.classNames, self.train, self.test, self.source) = (classNames, train, test, source)
    self.badImages = badImages
  }

  /// The number of classes, K.
  public var classCount: Int { classNames.count }

  /// The number of training samples before any were left out by `limited`: that of files which cover the whole set.
  public var wholeTrainCount: Int { countBeforeLimit ?? train.count }

  /// The samples to measure accuracy on: the test set, or the held-out part where there is none.
  public var evaluation: LabelledSet? { test ?? heldOut }

  /// A 64-bit hash of shapes, labels and pixels of the training and test samples, as 16 hexadecimal digits.
  ///
  /// Computed anew on each call (some 0.1 s per 200 MB). Guards against mistakes, not against malice.
  public var fingerprint: String {
    var hash = Fingerprint()
    hash.add(classCount)
    for set in [train, test] {
      hash.add(set.map { [$0.count, $0.images.height, $0.images.width, $0.images.channels] } ?? [])
      if let set {
        set.labels.withUnsafeBytes { hash.add($0) }
        set.images.pixels.withUnsafeBytes { hash.add($0) }
      }
    }
    return hash.hexadecimal
  }

  /// A 64-bit hash of the rest, which `fingerprint` leaves out: the held-out samples, the true labels, the samples that are
  /// trusted, and the names of the classes.
  ///
  /// Computed anew on each call.
  public var restFingerprint: String {
    var hash = Fingerprint()
    func add(_ labels: [Int32]?) {
      // No labels and an empty list differ.
      guard let labels else { return hash.add(-1) }
      labels.withUnsafeBytes { hash.add($0) }
    }
    for set in [train, test, heldOut] { add(set?.trueLabels) }
    if let heldOut {
      hash.add([heldOut.count, heldOut.images.height, heldOut.images.width, heldOut.images.channels])
      add(heldOut.labels)
      heldOut.images.pixels.withUnsafeBytes { hash.add($0) }
    }
    for labels in [trusted?.ids, trusted?.labels, trusted?.given] { add(labels) }
    for name in classNames {
      var name = name
      name.withUTF8 { hash.add(UnsafeRawBufferPointer($0)) }
    }
    return hash.hexadecimal
  }

  /// The data set with only the first `train` training ids and the first `test` test ids; nil keeps all.
  ///
  /// Replace labels before limiting: a file of labels belongs to the whole training set.
  public func limited(train trainCount: Int? = nil, test testCount: Int? = nil) -> Dataset {
    precondition(trainCount ?? 1 > 0 && testCount ?? 1 > 0, "a data set limited to nothing")
    var limited = self
    limited.opened = openedParts
    if let trainCount {
      limited.countBeforeLimit = wholeTrainCount
      limited.train = train.first(trainCount)
    }
    if let testCount { limited.test = test?.first(testCount) }
    return limited
  }
}
