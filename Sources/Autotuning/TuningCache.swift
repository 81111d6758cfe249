import Compute
import ComputeKernels
import Failures
import FileFormats

/// What `gpunoisy tune` found, kept for later runs on the same device.
///
/// One JSON file for each device, driver, processor, precision and version of the kernels, in the user's cache folder. It
/// is only ever made by `gpunoisy tune`.
public struct TuningCache: Sendable {
  /// What a tuning belongs to; anything else makes it worthless.
  public struct Key: Sendable, Hashable {
    /// The device's name, which for the built-in CPU path has the instruction set and the threads in it.
    public var device: String
    /// The driver with its version.
    public var driver: String
    /// The processor's name, for the home folder may be shared by machines.
    public var processor: String
    /// What is computed with.
    public var precision: Precision
    /// SHA-256 of all kernels.
    public var kernels: String

    /// The key of a device, with the kernels of this program.
    public init<D: Device>(_ device: D, _ precision: Precision, processor: String = Self.processor) {
      self.device = device.name
      driver = device.driver
      self.processor = processor
      self.precision = precision
      var hash = SHA256()
      for file in KernelSources.files { hash.update("\(file.name) \(file.text.utf8.count)\n\(file.text)") }
      kernels = hash.digest().description
    }

    /// This machine's processor, by /proc/cpuinfo.
    public static let processor: String = {
      // Files under /proc have a size of 0, whatever they hold.
      let text = FileBytes.systemText("/proc/cpuinfo") ?? ""
      let line = text.split(separator: "\n").first { $0.hasPrefix("model name") || $0.hasPrefix("Model") }
      return line?.split(separator: ":").dropFirst().first.map { $0.drop { $0 == " " } }.map(String.init) ?? ""
    }()

    fileprivate var fields: [(name: String, value: String)] {
      [
        ("device", device), ("driver", driver), ("processor", processor), ("precision", precision.rawValue),
        ("kernels", kernels),
      ]
    }
  }

  /// A tuning with what it belongs to and when it was made.
  public struct Entry: Sendable, Equatable {
    /// The choices.
    public var tuning: Tuning
    /// When it was made, as text.
    public var made: String

    /// A tuning, made at some time.
    public init(tuning: Tuning, made: String) {
      self.tuning = tuning
      self.made = made
    }
  }

  /// The member with the SHA-256 of all others, as `store` writes them.
  private static let checksum = "sha256"

  /// The SHA-256 of a document's members but for the checksum, as text.
  private static func digest(of members: [JSONMember]) -> String {
    SHA256.digest(of: JSONText.indented(.object(members.filter { $0.name != checksum }))).description
  }

  /// The first member of a file.
  public static let schema = "gpunoisy.tuning/1"

  /// Where the files are.
  public let folder: String

  /// A cache in a folder, which is made when the first file is stored.
  public init(folder: String) { self.folder = folder }

  /// The user's own; nil where there is no home folder.
  public static var standard: TuningCache? { CacheFolder.path("tuning").map(TuningCache.init(folder:)) }

  /// The file of a key.
  public func path(for key: Key) -> String {
    let digest = SHA256.digest(of: key.fields.map(\.value).joined(separator: "\n")).description
    return "\(folder)/\(digest.prefix(24)).json"
  }

  /// What is kept for a key; nil if there is nothing.
  ///
  /// - Throws: `.badInput` if the file is damaged, or belongs to something else.
  public func entry(for key: Key) throws -> Entry? {
    let path = path(for: key)
    guard FileBytes.kind(of: path) == .file else { return nil }
    return try Self.entry(at: path, for: key)
  }

  /// Reads a file of `gpunoisy tune`.
  ///
  /// - Parameter key: what it must belong to, with a checksum that holds; nil for anything, also without a checksum, as
  ///   somebody may have written it by hand.
  /// - Throws: `.missingInput`, `.badInput`.
  public static func entry(at path: String, for key: Key? = nil) throws -> Entry {
    let document = try JSONText.parse(FileBytes.read(path), named: path)
    func wrong(_ why: String) -> Failure {
      Failure(
        .badInput, "'\(path)' has no usable tuning.", why: why,
        fix: "run 'gpunoisy tune' again, or use --tuning defaults.")
    }
    guard document["schema"]?.string == schema, let choices = document["choices"] else {
      throw wrong("its schema is not '\(schema)'.")
    }
    let sum = document[checksum]?.string
    if sum != nil || key != nil, sum != digest(of: document.members ?? []) {
      throw wrong(sum == nil ? "it has no checksum." : "its checksum does not hold: the file is damaged or was edited.")
    }
    for (name, value) in key?.fields ?? [] where document[name]?.string != value {
      throw wrong("its \(name) is '\(document[name]?.string ?? "")', not '\(value)'.")
    }
    return Entry(
      tuning: try TuningRecord.tuning(choices, named: path), made: document["made"]?.string ?? "an unknown time")
  }

  /// Stores an entry in place of what was there.
  ///
  /// - Throws: `.cannotCreate` or `.inputOutput` where that cannot be.
  public func store(_ entry: Entry, for key: Key) throws {
    try FileBytes.makeFolder(folder)
    let members =
      [JSONMember("schema", .string(Self.schema)), JSONMember("made", .string(entry.made))]
      + key.fields.map { JSONMember($0.name, .string($0.value)) }
      + [JSONMember("choices", TuningRecord.json(entry.tuning))]
    let sum = JSONMember(Self.checksum, .string(Self.digest(of: members)))
    try AtomicFile.write(JSONText.indented(.object(members + [sum])), to: path(for: key))
  }
}
