/// Which of the names that there are somebody may have meant.
public enum NearestNames {
  /// Names from the nearest on, by `distance`.
  public static func sorted(_ names: [String], by text: String) -> [String] {
    let ranked = names.map { (name: $0, distance: distance(text, $0)) }
    return ranked.enumerated().sorted { ($0.element.distance, $0.offset) < ($1.element.distance, $1.offset) }
      .map(\.element.name)
  }

  /// The name that a text is a misspelling of; nil where none is near.
  ///
  /// Letters count without their case and without hyphens, underscores and blanks: `ResNet-18` is `resnet18`. A third of
  /// the letters may differ.
  public static func nearest(to text: String, among names: [String]) -> String? {
    let wanted = plain(text)
    guard !wanted.isEmpty, let best = names.map({ ($0, edits(wanted, plain($0))) }).min(by: { $0.1 < $1.1 }) else {
      return nil
    }
    return best.1 <= max(1, wanted.count / 3) && best.1 < wanted.count ? best.0 : nil
  }

  /// The number of letters to insert, remove or replace to make one name of another, and 1; a name that begins with the
  /// first counts 1.
  public static func distance(_ from: String, _ to: String) -> Int {
    to.hasPrefix(from.lowercased()) ? 1 : edits(Array(from.lowercased()), Array(to)) + 1
  }

  private static func plain(_ text: String) -> [Character] { text.lowercased().filter { !"-_ ".contains($0) } }

  /// Levenshtein's distance, over the first 64 letters.
  private static func edits(_ from: [Character], _ to: [Character]) -> Int {
    let (from, to) = (from.prefix(64), to.prefix(64))
    var costs = Array(0...to.count)
    for (row, letter) in from.enumerated() {
      var diagonal = costs[0]
      costs[0] = row + 1
      for (column, other) in to.enumerated() {
        let cost = min(costs[column] + 1, costs[column + 1] + 1, diagonal + (letter == other ? 0 : 1))
        (diagonal, costs[column + 1]) = (costs[column + 1], cost)
      }
    }
    return costs[to.count]
  }
}

extension Failure {
  /// There is nothing of that name: the nearest name comes first, and then all of them.
  ///
  /// - Parameters:
  ///   - kind: what was named, as in "network", whose plural has an s more.
  ///   - aliases: other names of some of them.
  public static func unknown(
    _ kind: String, _ name: String, names: [String], aliases: [String] = [], fix: String
  ) -> Failure {
    let nearest = NearestNames.nearest(to: name, among: names + aliases)
    let plural = kind.hasSuffix("s") ? kind + "es" : kind + "s"
    return Failure(
      .usage, "there is no \(kind) '\(name)'.",
      why: (nearest.map { "the nearest name is \($0); " } ?? "")
        + "the \(plural) are \(names.joined(separator: ", ")).",
      fix: fix)
  }
}
