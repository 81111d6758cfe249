import CTables
import Failures
import FileFormats

extension ReproTable {
  /// The names of all tables, in the order in which they are listed.
  public static var names: [String] { embedded.map(\.name) }

  /// Every table.
  ///
  /// - Throws: `.badInput` for a damaged one.
  public static func all() throws -> [ReproTable] {
    try embedded.map { try ReproTable(name: $0.name, document: $0.document, table: $0.cells) }
  }

  /// The table of that name, or of a TOML file with a CSV of the same name beside it.
  ///
  /// - Throws: `.usage` for an unknown name, with those that are like it; `.missingInput`, `.badInput` for files.
  public init(named name: String) throws {
    if name.hasSuffix(Self.ending) {
      let path = String(name.dropLast(Self.ending.count)), base = path.split(separator: "/").last.map(String.init) ?? ""
      try self.init(name: base, document: FileBytes.read(name), table: FileBytes.read(path + ".csv"))
      source = name
      return
    }
    guard let found = Self.embedded.first(where: { $0.name == name }) else {
      let near = NearestNames.sorted(Self.names, by: name).prefix(3)
      throw Failure(
        .usage, "there is no table '\(name.shortened())'.",
        why: "the nearest names are \(near.joined(separator: ", ")).",
        fix: "choose one of these; 'gpunoisy repro --list' names all.")
    }
    try self.init(name: found.name, document: found.document, table: found.cells)
  }

  private static let ending = ".toml"

  private static let embedded: [(name: String, document: [UInt8], cells: [UInt8])] = {
    func bytes(_ text: UnsafePointer<CChar>) -> [UInt8] { Array(String(cString: text).utf8) }
    var tables: [(String, [UInt8], [UInt8])] = [], next = gpunoisy_tables()!
    while let name = next.pointee.name {
      tables.append((String(cString: name), bytes(next.pointee.document), bytes(next.pointee.cells)))
      next += 1
    }
    return tables
  }()
}
