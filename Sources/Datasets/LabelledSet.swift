/// Images with one label each; a sample's id is its index here.
public struct LabelledSet: Sendable, Equatable {
  /// The label of a sample that must never be drawn: its image could not be read, or it is held out.
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

  /// How many samples carry each label [K].
  public func classCounts(_ classCount: Int) -> [Int] {
    var counts = [Int](repeating: 0, count: classCount)
    for label in labels where label >= 0 { counts[Int(label)] += 1 }
    return counts
  }

  /// The same samples, their images in grey or in colour.
  public func converted(channels: Int) -> LabelledSet {
    LabelledSet(images: images.converted(channels: channels), labels: labels, paths: paths, trueLabels: trueLabels)
  }

  /// The samples with the first `count` ids.
  public func first(_ count: Int) -> LabelledSet {
    guard count < self.count else { return self }
    return LabelledSet(
      images: images.first(count), labels: Array(labels.prefix(count)), paths: Array(paths.prefix(count)),
      trueLabels: trueLabels.map { Array($0.prefix(count)) })
  }

  /// The samples with these ids, in this order, as a set of its own with new ids.
  public func selecting(_ ids: [Int32]) -> LabelledSet {
    LabelledSet(
      images: images.selecting(ids), labels: ids.map { labels[Int($0)] },
      paths: paths.isEmpty ? [] : ids.map { paths[Int($0)] },
      trueLabels: trueLabels.map { all in ids.map { all[Int($0)] } })
  }
}
