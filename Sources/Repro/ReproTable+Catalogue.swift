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
      let near = Self.names.sorted { Self.distance(name, $0) < Self.distance(name, $1) }.prefix(3)
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

  /// The number of letters to insert, remove or replace to make one name of another; a name that begins with the first
  /// counts as nearer.
  static func distance(_ from: String, _ to: String) -> Int {
    let (from, to) = (Array(from.lowercased().prefix(64)), Array(to))
    var costs = Array(0...to.count)
    for (row, letter) in from.enumerated() {
      var diagonal = costs[0]
      costs[0] = row + 1
      for (column, other) in to.enumerated() {
        let cost = min(costs[column] + 1, costs[column + 1] + 1, diagonal + (letter == other ? 0 : 1))
        (diagonal, costs[column + 1]) = (costs[column + 1], cost)
      }
    }
    return to.starts(with: from) ? 1 : costs[to.count] + 1
  }
}
