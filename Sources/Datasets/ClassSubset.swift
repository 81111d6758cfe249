import Failures
import FileFormats

/// Some classes of a named data set, as a data set of their own: `classes:5-9:mnist`.
///
/// Classes are given by their positions and ranges of these, with commas between. They keep their order and their names,
/// and are numbered anew; samples are, too. How a method does on classes that a network has never seen can be tested this
/// way, as in person re-identification.
enum ClassSubset {
  static let prefix = "classes:"

  /// What a text asks for; nil for a text that asks for no classes.
  static func parts(of text: String) -> (classes: String, base: String)? {
    guard text.hasPrefix(prefix) else { return nil }
    let parts = text.dropFirst(prefix.count).split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    return parts.count == 2 ? (String(parts[0]), String(parts[1])) : nil
  }

  /// Opens the data set that a text names, and leaves out all other classes.
  ///
  /// - Throws: `.usage` for a name that is not known, or for classes that there are not; what opening that data set
  ///   throws.
  static func open(_ classes: String, of base: String, _ options: DatasetOptions) throws -> Dataset {
    guard Dataset.isName(base), parts(of: base) == nil else {
      throw Failure.unknown(
        "named data set", base, names: ["shapes"] + KnownNames.all.map(\.name),
        fix: "write one of these behind the classes, as in classes:5-9:mnist.")
    }
    let whole = try Dataset.open(base, options: options), chosen = try positions(classes, of: whole.classNames.count)
    let train = subset(chosen, of: whole.train)
    guard train.count > 0 else {
      throw Failure(
        .badInput, "'\(base)' has no training image of the classes \(classes).", why: "the set has other classes.",
        fix: "choose other classes.")
    }
    return Dataset(
      name: "\(whole.name)-classes-\(classes)", kind: .other, classNames: chosen.map { whole.classNames[$0] },
      train: train, test: whole.test.map { subset(chosen, of: $0) },
      source: "classes \(classes) of \(whole.source)")
  }

  /// The positions that a text like `0-4,7` means, in rising order.
  private static func positions(_ text: String, of count: Int) throws(Failure) -> [Int] {
    var chosen: Set<Int> = []
    for item in text.split(separator: ",", omittingEmptySubsequences: false) {
      let ends = item.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
      guard let first = ends[0], let last = ends[ends.count - 1], ends.count <= 2, 0 <= first, first <= last,
        last < count
      else {
        throw Failure(
          .usage, "'\(item)' is not a range of classes of this data set.",
          why: "classes are numbers from 0 to \(count - 1), or ranges of these, with commas between.",
          fix: "write them as in \(prefix)0-4,7:mnist.")
      }
      chosen.formUnion(first...last)
    }
    guard chosen.count > 1 else {
      throw Failure(
        .usage, "'\(text)' is one class.", why: "a classifier needs two at least.",
        fix: "name more classes, as in \(prefix)0-4,7:mnist.")
    }
    return chosen.sorted()
  }

  private static func subset(_ classes: [Int], of set: LabelledSet) -> LabelledSet {
    var place: [Int32: Int32] = [:]
    for (position, label) in classes.enumerated() { place[Int32(label)] = Int32(position) }
    var subset = set.selecting(set.labels.indices.filter { place[set.labels[$0]] != nil }.map { Int32($0) })
    subset.labels = subset.labels.map { place[$0] ?? LabelledSet.noLabel }
    subset.trueLabels = subset.trueLabels?.map { place[$0] ?? LabelledSet.noLabel }
    return subset
  }
}
