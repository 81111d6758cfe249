import FileFormats
import Glibc

/// Compiled kernels on disk, so that the next start need not compile them.
///
/// One file for each key; an entry is trusted only if it belongs to this user, its folder is closed to others, and its
/// checksum holds. A cache that cannot be read or written is as good as none: that is never an error.
public struct ProgramCache: Equatable, Sendable {
  /// The largest binary that is kept or loaded, in bytes.
  public static let largestBinary = 256 << 20

  /// Where the entries are.
  public let folder: String

  /// A cache in `folder`, which is made with permissions 0700 when the first entry is stored.
  public init(folder: String) { self.folder = folder }

  /// The user's own cache, in `CacheFolder`; nil where there is none.
  ///
  /// - Parameter environment: gives the value of an environment variable, or nil.
  public static func standard(
    environment: (String) -> String? = FileBytes.environment
  ) -> ProgramCache? {
    CacheFolder.path("kernels", environment: environment).map(ProgramCache.init(folder:))
  }

  /// The user's own cache, where it helps on `device`.
  ///
  /// It does not on PoCL, which keeps compiled kernels itself: asked for a program's binary, it compiles each kernel once
  /// more for work-groups of any size, which takes seconds.
  public static func standard(for device: DeviceInfo) -> ProgramCache? {
    device.platform.name == "Portable Computing Language" ? nil : standard()
  }

  /// What an entry is found by: a digest of all that the compiled kernels depend on.
  public static func key(sources: [Program.Source], options: String, device: DeviceInfo) -> SHA256.Digest {
    var hash = SHA256()
    // Each text comes behind its length, so that moving a letter from one to the next gives another key.
    func add(_ text: String) {
      hash.update("\(text.utf8.count):")
      hash.update(text)
    }
    add("gpunoisy kernels, format \(ProgramCacheEntry.format)")
    for text in [device.platform.name, device.platform.version, device.name, device.driverVersion, options] {
      add(text)
    }
    for source in sources {
      add(source.fileName)
      add(source.text)
    }
    return hash.digest()
  }

  /// The binary that was stored for `key`, if it is there and whole.
  public func binary(for key: SHA256.Digest) -> [UInt8]? {
    guard isFolderOurs, let bytes = readFile(path(for: key)) else { return nil }
    return ProgramCacheEntry.payload(of: bytes, key: key)
  }

  /// Stores `binary` for `key`, in place of what was there; does nothing where that cannot be.
  public func store(_ binary: [UInt8], for key: SHA256.Digest) {
    guard binary.count <= Self.largestBinary, makeFolder(), isFolderOurs else { return }
    try? AtomicFile.write(ProgramCacheEntry.bytes(payload: binary, key: key), to: path(for: key), permissions: 0o600)
  }

  /// The file of the entry for `key`.
  public func path(for key: SHA256.Digest) -> String { "\(folder)/\(key).bin" }

  /// Whether the folder is a real folder of this user's into which nobody else can put files.
  private var isFolderOurs: Bool {
    var status = stat()
    guard lstat(folder, &status) == 0 else { return false }
    return status.st_mode & S_IFMT == S_IFDIR && status.st_uid == geteuid() && status.st_mode & 0o022 == 0
  }

  /// Makes the folder and those above it, closed to others.
  private func makeFolder() -> Bool {
    var path = ""
    for name in folder.split(separator: "/") {
      path += path.isEmpty && !folder.hasPrefix("/") ? name : "/\(name)"
      if mkdir(path, 0o700) != 0 && errno != EEXIST { return false }
    }
    return true
  }

  /// The bytes of a plain file of this user's; nil for anything else.
  private func readFile(_ path: String) -> [UInt8]? {
    let file = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
    guard file >= 0 else { return nil }
    defer { close(file) }
    var status = stat()
    guard fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_uid == geteuid(),
      status.st_size <= Self.largestBinary + ProgramCacheEntry.headerSize
    else { return nil }
    let size = Int(status.st_size)
    let bytes = [UInt8](unsafeUninitializedCapacity: size) { memory, count in
      while count < size {
        let step = read(file, memory.baseAddress.map { $0 + count }, size - count)
        if step < 0 && errno == EINTR { continue }
        if step <= 0 { break }
        count += step
      }
    }
    return bytes.count == size ? bytes : nil
  }
}

/// The layout of an entry: magic (16 bytes), key (32), SHA-256 of the payload (32), the payload.
private enum ProgramCacheEntry {
  /// Changes whenever the layout or the meaning of a key does.
  static let format = 1
  static let headerSize = 80
  private static let magic = Array("gpunoisy-kernel\u{1}".utf8)

  static func bytes(payload: [UInt8], key: SHA256.Digest) -> [UInt8] {
    magic + key.bytes + SHA256.digest(of: payload).bytes + payload
  }

  /// Nil if `bytes` is no whole entry for `key`.
  static func payload(of bytes: [UInt8], key: SHA256.Digest) -> [UInt8]? {
    guard bytes.count > headerSize, bytes.starts(with: magic), bytes[16..<48].elementsEqual(key.bytes) else {
      return nil
    }
    let payload = Array(bytes[headerSize...])
    return bytes[48..<headerSize].elementsEqual(SHA256.digest(of: payload).bytes) ? payload : nil
  }
}
