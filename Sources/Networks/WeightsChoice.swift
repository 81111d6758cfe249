import Failures
import FileFormats

extension KnownWeights {
  /// The folder that `fetchCommand` puts weights into: `$GPUNOISY_WEIGHTS`, unless it is a file, or else `weights` in
  /// the cache folder.
  ///
  /// - Parameter environment: gives the value of an environment variable, or nil.
  public static func folder(environment: (String) -> String? = FileBytes.environment) -> String {
    if let place = place(environment), FileBytes.kind(of: place) != .file { return place }
    return CacheFolder.path("weights", environment: environment) ?? "weights"
  }

  private static func place(_ environment: (String) -> String?) -> String? {
    environment("GPUNOISY_WEIGHTS").map(FileBytes.expandingHome)
  }

  /// Where the file is: what `$GPUNOISY_WEIGHTS` names, or in the folder that it names; without it, in the cache folder's
  /// `weights`; nil where it is not.
  ///
  /// Its checksum is not looked at, but for a file in `$GPUNOISY_WEIGHTS` that has another name.
  public func path(environment: (String) -> String? = FileBytes.environment) -> String? {
    var folder = CacheFolder.path("weights", environment: environment)
    if let place = Self.place(environment) {
      if FileBytes.kind(of: place) == .file {
        if place.hasSuffix("/" + fileName) || place == fileName { return place }
        guard let bytes = try? FileBytes.read(place), matches(SHA256.digest(of: bytes)) else { return nil }
        return place
      }
      folder = place
    }
    return folder.map { "\($0)/\(fileName)" }.flatMap { FileBytes.kind(of: $0) == .file ? $0 : nil }
  }

  /// Whether a file's bytes are these weights.
  ///
  /// - Throws: `.badInput` for other bytes.
  func require(_ digest: SHA256.Digest, of path: String) throws(Failure) {
    guard !matches(digest) else { return }
    throw Failure(
      .badInput, "'\(path)' is not the file that '\(name)' is known by.",
      why: "its SHA-256 is \(digest.description.prefix(16))…; that of \(fileName) "
        + "\(hasWholeChecksum ? "is \(checksum.prefix(16))…" : "begins with \(checksum)").",
      fix: "fetch it again, or rename it if it is another file: \(fetchCommand(into: FileBytes.folder(of: path)))")
  }
}

/// A file of weights that was asked for by its path, or by the name of known weights.
public struct WeightsChoice: Sendable, Equatable {
  /// Where the file is.
  public let path: String
  /// The weights that its checksum shows it to be; nil for a file that is not known.
  public let known: KnownWeights?

  /// Finds the file and hashes it.
  ///
  /// The name of known weights comes before a file of that name in the current folder, which `./NAME` means.
  ///
  /// - Parameter environment: gives the value of an environment variable, or nil.
  /// - Throws: `.missingInput` where the file is not there, for known weights with the line that fetches it; `.badInput`
  ///   for a file that has the name of known weights and another checksum; what reading it throws.
  public init(_ text: String, environment: (String) -> String? = FileBytes.environment) throws {
    if let named = KnownWeights.named(text) {
      guard let path = named.path(environment: environment) else {
        throw Failure(
          .missingInput, "the weights '\(text)' are not on this machine.",
          why:
            "\(named.fileName) is neither in $GPUNOISY_WEIGHTS nor in the cache folder; nothing is downloaded by itself.",
          fix: named.fetchCommand(into: KnownWeights.folder(environment: environment)))
      }
      try named.require(SHA256.digest(of: FileBytes.read(path)), of: path)
      (self.path, known) = (path, named)
      return
    }
    guard FileBytes.kind(of: text) != .missing else {
      throw Failure(
        .missingInput, "'\(text)' does not exist.",
        why: "it is not a file, nor one of the known weights: "
          + "\(KnownWeights.catalogue.map(\.name).joined(separator: ", ")).",
        fix: "check the spelling of the path; known weights are listed by: gpunoisy weights")
    }
    let digest = SHA256.digest(of: try FileBytes.read(text))
    let fileName = FileBytes.parts(of: text).last
    try KnownWeights.catalogue.first { $0.fileName == fileName }?.require(digest, of: text)
    (path, known) = (text, KnownWeights.identified(by: digest))
  }

  /// What a checkpoint of this program says: its network, and whether all layers were trained, not the last one alone.
  ///
  /// - Returns: nil for other files, and for one that is damaged.
  public func checkpoint() -> (network: Network, isTrainedWhole: Bool)? {
    guard known == nil, let file = try? SafetensorsFile.read(path),
      let network = try? file.metadata["gpunoisy.model"].map({ try Network($0) })
    else { return nil }
    return (network, file["head.weight"] == nil)
  }
}
