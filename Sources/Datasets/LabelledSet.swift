/// Images with one label each; a sample's id is its index here.
public struct LabelledSet: Sendable, Equatable {
  /// The label of a sample that must never be drawn: nobody gave it one, its image could not be read, or it is held out.
  public static let noLabel: Int32 = -1

  /// The images, as many as labels.
  public let images: ImageSet
  /// The given labels [N], each in 0..<K or `noLabel`.
  public var labels: [Int32]
  /// The file of each sample, relative to the data set's folder; empty where the layout has no files.
  public let paths: [String]
  /// The labels believed to be right [N], where known.
  ///
  /// For scoring only, never for training.
  public var trueLabels: [Int32]?
  /// The ids of the samples whose images could not be read; they have no label, whatever a file says.
  public private(set) var unreadable: Set<Int> = []

  /// A set with these images and labels, of which those of unreadable images are dropped.
  init(
    images: ImageSet, labels: [Int32], paths: [String], trueLabels: [Int32]? = nil, unreadable: some Sequence<Bool>
  ) {
    let bad = Set(unreadable.enumerated().filter(\.element).map(\.offset))
    func readable(_ labels: [Int32]) -> [Int32] {
      labels.enumerated().map { bad.contains($0) ? LabelledSet.noLabel : $1 }
    }
    self.init(images: images, labels: readable(labels), paths: paths, trueLabels: trueLabels.map(readable))
    self.unreadable = bad
  }

  /// A set with these images and labels.
  public init(images: ImageSet, labels: [Int32], paths: [String] = [], trueLabels: [Int32]? = nil) {
    precondition(labels.count == images.count, "\(images.count) images with \(labels.count) labels")
    precondition(paths.isEmpty || paths.count == images.count, "\(images.count) images with \(paths.count) paths")
    precondition(trueLabels.map { $0.count == images.count } ?? true, "\(images.count) images, other true labels")
    (self.images, self.labels, self.paths, self.trueLabels) = (images, labels, paths, trueLabels)
  }

  /// The number of samples, N, with and without a label.
  public var count: Int { images.count }

  /// The ids of the samples that have a label, in ascending order: those that training and scoring may use.
  public var labelledIDs: [Int32] {
    (0..<Int32(count)).filter { labels[Int($0)] >= 0 }
  }

  /// The ids of the samples that have no label, but an image that could be read.
  public var unlabelledIDs: [Int32] {
    (0..<Int32(count)).filter { labels[Int($0)] < 0 && !unreadable.contains(Int($0)) }
  }

  /// How many samples carry each label [K].
  public func classCounts(_ classCount: Int) -> [Int] {
    var counts = [Int](repeating: 0, count: classCount)
    for label in labels where label >= 0 { counts[Int(label)] += 1 }
    return counts
  }

  /// The same samples, their images in grey or in colour.
  public func converted(channels: Int) -> LabelledSet { with(images: images.converted(channels: channels)) }

  /// The same samples with other images.
  public func with(images: ImageSet) -> LabelledSet {
    var set = LabelledSet(images: images, labels: labels, paths: paths, trueLabels: trueLabels)
    set.unreadable = unreadable
    return set
  }

  /// The same samples with images of a size and without their pixels: for what only counts memory.
  public func outline(_ size: PixelSize) -> LabelledSet { with(images: images.outline(size)) }

  /// The samples with the first `count` ids.
  public func first(_ count: Int) -> LabelledSet {
    guard count < self.count else { return self }
    var set = LabelledSet(
      images: images.first(count), labels: Array(labels.prefix(count)), paths: Array(paths.prefix(count)),
      trueLabels: trueLabels.map { Array($0.prefix(count)) })
    set.unreadable = unreadable.filter { $0 < count }
    return set
  }

  /// These samples and then others, whose images have the same size.
  func followed(by others: LabelledSet) -> LabelledSet {
    func known(_ set: LabelledSet) -> [Int32] {
      set.trueLabels ?? [Int32](repeating: LabelledSet.noLabel, count: set.count)
    }
    let hasTruth = trueLabels != nil || others.trueLabels != nil
    var set = LabelledSet(
      images: images.followed(by: others.images), labels: labels + others.labels, paths: paths + others.paths,
      trueLabels: hasTruth ? known(self) + known(others) : nil)
    set.unreadable = unreadable.union(others.unreadable.map { $0 + count })
    return set
  }

  /// The samples with these ids, in this order, as a set of its own with new ids.
  public func selecting(_ ids: [Int32]) -> LabelledSet {
    var set = LabelledSet(
      images: images.selecting(ids), labels: ids.map { labels[Int($0)] },
      paths: paths.isEmpty ? [] : ids.map { paths[Int($0)] },
      trueLabels: trueLabels.map { all in ids.map { all[Int($0)] } })
    if !unreadable.isEmpty { set.unreadable = Set(ids.indices.filter { unreadable.contains(Int(ids[$0])) }) }
    return set
  }
}
