/// Training images that are the same, pixel by pixel.
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

extension LabelledSet {
  /// The groups of samples with a label whose decoded pixels are equal, by their smallest id.
  public var duplicateGroups: [DuplicateGroup] {
    let size = images.imageSize
    return images.pixels.withUnsafeBytes { pixels in
      func bytes(_ id: Int32) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: pixels[Int(id) * size..<(Int(id) + 1) * size])
      }
      var buckets: [String: [Int32]] = [:]
      for id in labelledIDs {
        var hash = Fingerprint()
        hash.add(bytes(id))
        buckets[hash.hexadecimal, default: []].append(id)
      }
      var groups: [DuplicateGroup] = []
      for bucket in buckets.values where bucket.count > 1 {
        // A hash may lie: what is equal to the first goes with it, the rest is looked at again.
        var rest = bucket
        while let first = rest.first {
          let same = rest.filter { $0 == first || bytes($0).elementsEqual(bytes(first)) }
          rest.removeAll { same.contains($0) }
          guard same.count > 1 else { continue }
          groups.append(
            DuplicateGroup(ids: same, hasDifferentLabels: Set(same.map { labels[Int($0)] }).count > 1))
        }
      }
      return groups.sorted { $0.ids[0] < $1.ids[0] }
    }
  }
}
