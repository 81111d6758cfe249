import Failures

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

// Paths, and what is in folders. Paths are compared by their bytes, as the file system does: characters that Unicode
// holds to be the same are different names, and a mark behind a slash makes one character with it.
extension FileBytes {
  /// The folder that a file of this path lies in: `.` for a bare name.
  public static func folder(of path: String) -> String {
    guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  /// The parts of a path between its slashes, empty ones too.
  public static func parts(of path: String) -> [String] {
    path.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).map { String(Substring($0)) }
  }

  /// Whether a path that stands in a file leads, by its text, to something in the folder that it is relative to: it does
  /// not begin with a slash, and no part of it is `..`.
  public static func staysInside(_ path: String) -> Bool {
    !path.isEmpty && path.utf8.first != UInt8(ascii: "/") && !path.utf8.contains(0) && !parts(of: path).contains("..")
  }

  /// Whether a text can be the name of a file or folder that is not hidden.
  public static func isName(_ text: String) -> Bool {
    (1...255).contains(text.utf8.count) && text.utf8.first != UInt8(ascii: ".") && !text.utf8.contains(0)
      && !text.utf8.contains(UInt8(ascii: "/"))
  }

  /// The path without slashes at its end, as people leave them behind a folder's name.
  public static func withoutLastSlash(_ path: String) -> String {
    let end = path.utf8.lastIndex { $0 != UInt8(ascii: "/") }
    return end.map { String(path[...$0]) } ?? String(path.prefix(1))
  }

  /// The path with slashes in place of backslashes, as other systems write them.
  public static func withSlashes(_ path: String) -> String {
    path.utf8.contains(UInt8(ascii: "\\")) ? String(path.map { $0 == "\\" ? "/" : $0 }) : path
  }

  /// What of a path lies below a folder, by their texts; nil for a path elsewhere and for the folder itself.
  public static func part(of path: String, below folder: String) -> String? {
    let start = folder.hasSuffix("/") ? folder : folder + "/"
    guard path.utf8.count > start.utf8.count, path.utf8.starts(with: start.utf8) else { return nil }
    return String(path.utf8.dropFirst(start.utf8.count))
  }

  /// Whether a path is a folder or lies within it, links resolved.
  ///
  /// It need not be there yet: what counts is the nearest folder above it that is.
  public static func lies(_ path: String, within folder: String) -> Bool {
    guard let root = resolved(folder) else { return false }
    var above = path
    while kind(of: above) == .missing, above != ".", above != "/" { above = self.folder(of: above) }
    guard let place = resolved(above) else { return false }
    return place.utf8.elementsEqual(root.utf8) || part(of: place, below: root) != nil
  }

  /// The path with all links resolved, or nil when there is nothing.
  public static func resolved(_ path: String) -> String? {
    guard !path.utf8.contains(0), let pointer = realpath(path, nil) else { return nil }
    defer { free(pointer) }
    return String(validatingCString: pointer)
  }

  /// The path from the root on, as it is named: links stay, but for those before a `..`, whose target decides.
  public static func absolute(_ path: String) -> String {
    var parts = parts(of: path).filter { !$0.isEmpty && $0 != "." }
    var base = path.utf8.first == UInt8(ascii: "/") ? "" : resolved(".") ?? "."
    if let last = parts.lastIndex(of: "..") {
      let head = base + "/" + parts[...last].joined(separator: "/")
      base = resolved(head) ?? head
      parts = Array(parts[(last + 1)...])
    }
    if base == "/" { base = "" }
    return parts.isEmpty ? base.isEmpty ? "/" : base : base + "/" + parts.joined(separator: "/")
  }

  /// The path with a leading `~` or `~/` replaced by the home folder, as a shell does it.
  ///
  /// Shells do not do it after `=`, and nobody does it in files.
  public static func expandingHome(_ path: String) -> String {
    guard path == "~" || path.hasPrefix("~/"), let home = environment("HOME") else { return path }
    return home + path.dropFirst()
  }

  /// The path in an environment variable, as a shell would write it there; nil when unset or empty.
  public static func environmentPath(_ name: String) -> String? { environment(name).map(expandingHome) }

  /// The names in a folder, sorted by their bytes; hidden ones (starting with a point) only where they are asked for.
  ///
  /// - Throws: `.missingInput` or `.inputOutput` when it cannot be read; `.badInput` for a name that is not UTF-8.
  public static func names(in folder: String, withHidden: Bool = false) throws -> [String] {
    guard let entries = entries(in: folder) else { throw cannotOpen(folder, errno) }
    let names = try entries.map { entry in
      guard let name = String(validating: entry, as: UTF8.self) else {
        throw Failure(
          .badInput, "the folder '\(folder)' holds a file whose name is not UTF-8.",
          why: "such a name cannot be written to the tables of a run.", fix: "rename the file.")
      }
      return name
    }
    return names.filter { withHidden || $0.utf8.first != UInt8(ascii: ".") }.sorted {
      $0.utf8.lexicographicallyPrecedes($1.utf8)
    }
  }

  /// The bytes of every name in a folder but `.` and `..`, in no order; nil, and `errno`, when it cannot be read to its
  /// end.
  public static func entries(in folder: String) -> [[UInt8]]? {
    guard !folder.utf8.contains(0), let handle = opendir(folder) else { return nil }
    defer { closedir(handle) }
    var entries: [[UInt8]] = []
    while true {
      errno = 0
      guard let entry = readdir(handle) else { return errno == 0 ? entries : nil }
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { Array($0.prefix { $0 != 0 }) }
      if name != Array(".".utf8), name != Array("..".utf8) { entries.append(name) }
    }
  }
}
