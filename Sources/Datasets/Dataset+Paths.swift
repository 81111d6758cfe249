import FileFormats

extension Dataset {
  /// A name for each training sample [N] in tables: its file's path, or `NAME/train/ID` where the layout has no files.
  ///
  /// Such a name is no more than the sample's number in its part: the data may be called otherwise by now, and other data
  /// may be called so.
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

  /// Whether a path in a table is that of a training sample; of a made-up one the part and the number count.
  public func isPath(_ text: String, of id: Int) -> Bool {
    guard train.paths.isEmpty else { return train.paths.indices.contains(id) && train.paths[id] == text }
    let own = place(of: id)
    return Self.place(named: text).map { $0.part == own.part && $0.id == own.id } ?? false
  }

  /// Where a sample stands by a name that was made up for it; nil for other texts.
  static func place(named text: String) -> (part: SplitPart, id: Int)? {
    let words = FileBytes.parts(of: FileBytes.withSlashes(text.trimmingBlanks))
    guard words.count >= 3, let number = words.last, number.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
      let id = Int(number), let part = SplitPart(rawValue: words[words.count - 2])
    else { return nil }
    return (part, id)
  }

  /// A 64-bit hash, as 16 hexadecimal digits, of what the first `count` training ids stand for: the files' paths, or
  /// where the layout has no files, the pixels.
  ///
  /// Labels and, where there are files, the size that images are brought to make no difference. Computed anew on each
  /// call.
  public func sampleFingerprint(first count: Int? = nil) -> String {
    train.fingerprint(first: count) ?? ""
  }
}
