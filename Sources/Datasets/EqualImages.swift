/// Samples that are the same image, pixel by pixel.
public struct DuplicateGroup: Sendable, Equatable {
  /// The samples' ids, ascending; at least two.
  public let ids: [Int32]
  /// Whether they carry more than one label, so that at least one of these is wrong or the image shows both.
  public let hasDifferentLabels: Bool

  /// A group of these samples, ascending.
  public init(ids: [Int32], hasDifferentLabels: Bool) {
    (self.ids, self.hasDifferentLabels) = (ids, hasDifferentLabels)
  }
}

/// A sample outside the training part whose image, or nearly the same one, is in the training part, too.
public struct PartOverlap: Sendable, Equatable {
  /// The sample's part, and its id there.
  public let part: SplitPart, id: Int
  /// The training sample, by its id in its part.
  public let twin: Int
  /// The cosine of their features; nil for equal pixels.
  public let cosine: Double?

  /// A sample and its twin.
  public init(part: SplitPart, id: Int, twin: Int, cosine: Double? = nil) {
    (self.part, self.id, self.twin, self.cosine) = (part, id, twin, cosine)
  }
}

/// The images of a data set that are the same, pixel by pixel: each is hashed once.
public struct EqualImages: Sendable {
  /// The groups among the samples with a label of one set, by their smallest id.
  public let groups: [DuplicateGroup]
  /// The samples of other parts that have a copy in the training part, in the order of their ids.
  public let overlaps: [PartOverlap]

  /// Looks through the samples with a label.
  ///
  /// - Parameters:
  ///   - set: the samples among which groups are looked for.
  ///   - place: where a sample of the set stands in the data set.
  ///   - others: the parts that are not in the set.
  public init(
    in set: LabelledSet, place: (Int) -> (part: SplitPart, id: Int) = { (.train, $0) },
    others: [(part: SplitPart, samples: LabelledSet)] = []
  ) {
    let sets = [set] + others.map(\.samples)
    func bytes(_ entry: Entry, _ body: (UnsafeRawBufferPointer) -> Bool) -> Bool {
      let images = sets[entry.set].images, size = images.imageSize
      return images.pixels.withUnsafeBytes {
        body(UnsafeRawBufferPointer(rebasing: $0[Int(entry.id) * size..<(Int(entry.id) + 1) * size]))
      }
    }
    var buckets: [String: [Entry]] = [:]
    for (index, samples) in sets.enumerated() where samples.images.imageSize == set.images.imageSize {
      let size = samples.images.imageSize
      samples.images.pixels.withUnsafeBytes { pixels in
        for id in samples.labelledIDs {
          var hash = Fingerprint()
          hash.add(UnsafeRawBufferPointer(rebasing: pixels[Int(id) * size..<(Int(id) + 1) * size]))
          buckets[hash.hexadecimal, default: []].append(Entry(set: index, id: id))
        }
      }
    }
    var groups: [DuplicateGroup] = [], overlaps: [PartOverlap] = []
    for bucket in buckets.values where bucket.count > 1 {
      // A hash may lie: what is equal to the first goes with it, the rest is looked at again.
      var rest = bucket
      while let first = rest.first {
        func isSame(_ entry: Entry) -> Bool {
          entry == first || bytes(entry) { a in bytes(first) { a.elementsEqual($0) } }
        }
        let end = rest.partition { isSame($0) }, same = rest[end...].sorted { ($0.set, $0.id) < ($1.set, $1.id) }
        rest.removeSubrange(end...)
        let own = same.filter { $0.set == 0 }.map(\.id)
        if own.count > 1 {
          groups.append(
            DuplicateGroup(ids: own, hasDifferentLabels: Set(own.map { set.labels[Int($0)] }).count > 1))
        }
        let places = same.map { $0.set == 0 ? place(Int($0.id)) : (others[$0.set - 1].part, Int($0.id)) }
        guard let twin = places.first(where: { $0.0 == .train }) else { continue }
        overlaps += places.filter { $0.0 != .train }.map { PartOverlap(part: $0.0, id: $0.1, twin: twin.1) }
      }
    }
    self.groups = groups.sorted { $0.ids[0] < $1.ids[0] }
    self.overlaps = overlaps.sorted { ($0.part.rawValue, $0.id) < ($1.part.rawValue, $1.id) }
  }

  /// A sample of one of the sets.
  private struct Entry: Equatable {
    let set: Int, id: Int32
  }
}
