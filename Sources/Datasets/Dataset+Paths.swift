extension Dataset {
  /// A name for each training sample [N] in tables: its file's path, or `NAME/train/ID` where the layout has no files.
  public var trainPaths: [String] {
    train.paths.isEmpty ? (0..<train.count).map { "\(name)/train/\($0)" } : train.paths
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
