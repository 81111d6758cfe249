extension Dataset {
  /// A name for each training sample [N] in tables: its file's path, or `NAME/train/ID` where the layout has no files.
  public var trainPaths: [String] {
    train.paths.isEmpty ? (0..<train.count).map { path(of: $0) } : train.paths
  }

  /// The name of one training sample.
  private func path(of id: Int) -> String {
    let place = place(of: id)
    return "\(name)/\(place.part.rawValue)/\(place.id)"
  }

  /// The name of a sample of a part, as `trainPaths` has it.
  public func path(of id: Int, in part: SplitPart) -> String {
    let paths = parts.first { $0.part == part }?.samples.paths ?? []
    return paths.indices.contains(id) ? paths[id] : "\(name)/\(part.rawValue)/\(id)"
  }

  /// A 64-bit hash, as 16 hexadecimal digits, of what the first `count` training ids stand for: the files' paths, or
  /// where the layout has no files, the pixels.
  ///
  /// Labels and, where there are files, the size that images are brought to make no difference. Computed anew on each
  /// call.
  public func sampleFingerprint(first count: Int? = nil) -> String {
    let samples = count.map { train.first($0) } ?? train
    var hash = Fingerprint()
    hash.add(samples.count)
    if samples.paths.isEmpty {
      hash.add([samples.images.height, samples.images.width, samples.images.channels])
      samples.images.pixels.withUnsafeBytes { hash.add($0) }
    } else {
      for path in samples.paths {
        var path = path
        path.withUTF8 { hash.add(UnsafeRawBufferPointer($0)) }
      }
    }
    return hash.hexadecimal
  }
}
