/// The samples as they were opened, before another size, limits, changed pixels, a held-out part and a judged one: what the
/// numbers of lists count, and what runs are known again by.
extension Dataset {
  /// The parts as they were opened.
  var openedParts: [(part: SplitPart, samples: LabelledSet)] { opened.isEmpty ? parts : opened }

  /// A hash of what the ids of a run stand for that judges these parts, or is trained on them, up to limits; nil where the
  /// data does not have the parts, or where their images were released.
  ///
  /// Unlike `sampleFingerprint(first:)` it does not change with the size of images.
  public func sampleFingerprint(of split: JudgedSplit, limitTrain: Int? = nil, limitTest: Int? = nil) -> String? {
    let limits: [SplitPart: Int?] = [.train: limitTrain, .test: limitTest]
    let found = openedParts.filter { split.parts.contains($0.part) }
    return found.isEmpty
      ? nil : LabelledSet.fingerprint(of: found.map { ($0.samples, (limits[$0.part] ?? nil) ?? $0.samples.count) })
  }

  /// Whether a run had these samples; true, too, where it cannot be told.
  func has(samplesOf origin: ListOrigin) -> Bool {
    guard let samples = origin.samples else { return true }
    let isOwnPart = (placed.isEmpty ? [.train] : placed.map(\.part)) == origin.counted(in: openedParts).map(\.part)
    // Runs of earlier versions have the hash of images that were brought to a size.
    func own() -> String? {
      isOwnPart && train.count >= origin.trainCount ? train.fingerprint(first: origin.trainCount) : nil
    }
    if origin.split == .train {
      guard let train = openedParts.first(where: { $0.part == .train })?.samples else { return true }
      guard train.count >= origin.trainCount else { return false }
      return train.fingerprint(first: origin.trainCount).map { $0 == samples } ?? true || own() == samples
    }
    let opened = sampleFingerprint(of: origin.split, limitTrain: origin.limitTrain, limitTest: origin.limitTest)
    return opened.map { $0 == samples } ?? true || own() == samples
  }

  /// The data set without the images that only its lists needed; what these count stays.
  public func releasingOpened() -> Dataset {
    var released = self
    released.opened = openedParts.map { part, samples in
      (part, samples.outline(PixelSize(width: samples.images.width, height: samples.images.height)))
    }
    return released
  }
}

extension LabelledSet {
  /// Whether the images have been left out.
  var isOutline: Bool { images.pixels.count != images.byteCount }

  /// A 64-bit hash, as 16 hexadecimal digits, of what the ids stand for: the files' paths, or where there are none, the
  /// pixels; nil where these have been left out.
  ///
  /// - Parameter count: how many ids, from the first; nil for all.
  func fingerprint(first count: Int? = nil) -> String? { Self.fingerprint(of: [(self, count ?? self.count)]) }

  /// The same of the first samples of some sets, one after the other.
  static func fingerprint(of sets: [(samples: LabelledSet, count: Int)]) -> String? {
    let parts = sets.map { ($0.samples, max(0, min($0.count, $0.samples.count))) }
    var hash = Fingerprint()
    hash.add(parts.reduce(0) { $0 + $1.1 })
    if parts.contains(where: { !$0.0.paths.isEmpty }) {
      for (set, count) in parts {
        for path in set.paths.prefix(count) {
          var path = path
          path.withUTF8 { hash.add(UnsafeRawBufferPointer($0)) }
        }
      }
      return hash.hexadecimal
    }
    guard let images = parts.first?.0.images, !parts.contains(where: \.0.isOutline) else { return nil }
    hash.add([images.height, images.width, images.channels])
    let pixels = parts.map { set, count in set.images.pixels[..<(set.images.byteCount / max(1, set.count) * count)] }
    // One part, the most usual case, is not copied.
    (pixels.count == 1 ? pixels[0] : ArraySlice(pixels.joined())).withUnsafeBytes { hash.add($0) }
    return hash.hexadecimal
  }
}
