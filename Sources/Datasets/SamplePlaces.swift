/// Which training sample a number means, or a part and a number in it.
///
/// Lists number the samples of a part, or of several parts one after the other: those of the run that wrote them, which may
/// have judged other parts than those that are looked at now, or fewer samples.
struct SamplePlaces {
  /// What is at a place.
  enum Found {
    /// The training sample of this id.
    case here(Int)
    /// A sample of the data that is not among these: beyond a limit, or of another part.
    case elsewhere
    /// No sample.
    case nowhere
  }

  private let here: [SplitPart: Range<Int>], whole: [SplitPart: Int]
  private let counted: [(part: SplitPart, count: Int)]
  /// Whether the numbers are counted otherwise than the data set's own.
  let translates: Bool

  /// - Parameter origin: the run that wrote the numbers; nil for numbers of this very data set.
  init(_ dataset: Dataset, countedBy origin: ListOrigin?) {
    let parts = dataset.openedParts
    whole = Dictionary(uniqueKeysWithValues: parts.map { ($0.part, $0.samples.count) })
    let own = dataset.placed.isEmpty ? [(.train, dataset.train.count)] : dataset.placed.map { ($0.part, $0.count) }
    var first = 0, here: [SplitPart: Range<Int>] = [:]
    for (part, count) in own {
      here[part] = first..<first + count
      first += count
    }
    self.here = here
    // What is beyond the limit has a number, too.
    let known = dataset.placed.isEmpty ? [(.train, max(whole[.train] ?? 0, dataset.train.count))] : own
    counted = origin?.counted(in: parts) ?? known
    translates =
      counted.map(\.part) != known.map(\.0) || zip(counted, known).dropLast().contains { $0.count != $1.1 }
  }

  /// The sample at a place.
  func find(_ place: (part: SplitPart, id: Int)) -> Found {
    if let ids = here[place.part], place.id < ids.count { return .here(ids.lowerBound + place.id) }
    return place.id < whole[place.part] ?? 0 ? .elsewhere : .nowhere
  }

  /// The sample that a number means.
  func find(_ number: Int) -> Found {
    guard number >= 0 else { return .nowhere }
    var rest = number
    for (part, count) in counted {
      if rest < count { return find((part, rest)) }
      rest -= count
    }
    return .nowhere
  }

  /// The id of the sample that a number means, where it is among these.
  func id(_ number: Int) -> Int? {
    if case .here(let id) = find(number) { id } else { nil }
  }
}
