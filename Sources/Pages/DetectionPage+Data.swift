import FileFormats

extension DetectionPage {
  /// What the script reads: samples column by column, images and margins by id.
  var scriptData: JSONValue { .object((sampleData.members ?? []) + groupData) }

  private var sampleData: JSONValue {
    let shown = shown, range = range
    func column(_ value: (Sample) -> JSONValue) -> JSONValue { .array(shown.map(value)) }
    let knowsTruth = samples.contains { $0.truth != nil }
    let known = Set(shown.map(\.id))
    return [
      "identity": .string(identity),
      "classes": .array(classNames.map { .string($0) }),
      "keyName": .string(measure.shortName),
      "total": JSONValue(samples.count), "low": JSONValue(range.low), "high": JSONValue(range.high),
      "cut": JSONValue(min(max(firstCut, range.low), range.high)),
      "suspected": JSONValue(samples.count(where: \.isFlagged)),
      "wrong": knowsTruth ? JSONValue(samples.count { $0.truth != nil && $0.truth != $0.given }) : .null,
      "root": root.map { .string($0) } ?? .null, "prefix": .string(absentPrefix),
      "samples": [
        "id": column { JSONValue($0.id) }, "rank": column { JSONValue($0.rank) },
        "key": column { rounded($0.key, 1e5) }, "given": column { JSONValue($0.given) },
        "suggested": column { JSONValue($0.suggested ?? -1) },
        "confidence": column { JSONValue($0.confidence.map { Int(($0 * 100).rounded()) }) },
        "flagged": .string(String(decoding: shown.map { UInt8(ascii: $0.isFlagged ? "1" : "0") }, as: UTF8.self)),
        "truth": knowsTruth ? column { JSONValue($0.truth ?? -1) } : .null,
        "path": paths(shown),
      ],
      "images": .object(
        images.sorted { $0.key < $1.key }.map { JSONMember("\($0.key)", .string($0.value.address)) }),
      "margins": .object(
        margins.sorted { $0.key < $1.key }.map { id, values in
          JSONMember("\(id)", .array(values.map { rounded(Double($0), 1e3) }))
        }),
      "blind": .array(blindCheck.filter { known.contains($0) }.map { JSONValue($0) }),
    ]
  }

  /// What a browser keeps verdicts under: other data, labels or suggestions do not inherit them.
  private var identity: String {
    var hash = SHA256()
    hash.update(data.fingerprint)
    hash.update(samples.map { "\($0.id) \($0.given) \($0.suggested ?? -1) \($0.isFlagged)\n" }.joined())
    return Base64.text(hash.digest().bytes)
  }

  /// Paths of all samples while there is room, then of those with an image alone.
  private func paths(_ shown: [Sample]) -> JSONValue {
    guard shown.contains(where: { $0.path != nil }) else { return .null }
    var room = Self.mostPathBytes
    return .array(
      shown.map { sample in
        guard let path = sample.path else { return .null }
        if images[sample.id] == nil {
          room -= path.utf8.count
          guard room >= 0 else { return .null }
        }
        return .string(path)
      })
  }

  private func rounded(_ value: Double?, _ scale: Double) -> JSONValue {
    JSONValue(value.map { ($0 * scale).rounded() / scale })
  }
}
