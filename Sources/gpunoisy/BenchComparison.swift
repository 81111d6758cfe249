import FileFormats
import Reports

/// Two documents of `gpunoisy bench`, set against each other: how many times as fast as then.
struct BenchComparison {
  /// An operation that both have, or one of them.
  struct Operation {
    let name: String, shape: String
    /// Milliseconds of all of this name and shape within a step; nil where there is none.
    let then: Double?, now: Double?
    /// How many times as fast as then.
    var ratio: Double? {
      guard let then, let now else { return nil }
      return then / now
    }
  }

  /// One network and batch size that both have.
  struct Pair {
    let then: BenchDocument.Run, now: BenchDocument.Run
    let operations: [Operation]
    var ratio: Double { now.imagesPerSecond / then.imagesPerSecond }
  }

  let then: BenchDocument, now: BenchDocument
  let pairs: [Pair]

  init(now: BenchDocument, then: BenchDocument) {
    self.then = then
    self.now = now
    pairs = now.runs.compactMap { run in
      guard let earlier = then.runs.first(where: { $0.matches(run) }) else { return nil }
      return Pair(then: earlier, now: run, operations: Self.operations(earlier.operations, run.operations))
    }
  }

  /// In the order of now, the most expensive first; then what there is no longer.
  private static func operations(
    _ then: [BenchDocument.Operation], _ now: [BenchDocument.Operation]
  ) -> [Operation] {
    guard !then.isEmpty, !now.isEmpty else { return [] }
    func find(_ operation: BenchDocument.Operation, in list: [BenchDocument.Operation]) -> BenchDocument.Operation? {
      list.first { $0.name == operation.name && $0.shape == operation.shape }
    }
    return now.map {
      Operation(name: $0.name, shape: $0.shape, then: find($0, in: then)?.milliseconds, now: $0.milliseconds)
    }
      + then.filter { find($0, in: now) == nil }.map {
        Operation(name: $0.name, shape: $0.shape, then: $0.milliseconds, now: nil)
      }
  }

  /// The comparison for people.
  var text: String {
    var lines = "then       \(then.device)  (\(then.driver)), '\(then.name)'\n"
    if then.device != now.device || then.driver != now.driver {
      lines += "now        \(now.device)  (\(now.driver)): not the same device or driver\n"
    }
    var table = TextTable([
      .init("model"), .init("batch", .right), .init("precision"), .init("then images/s", .right),
      .init("now images/s", .right), .init("now / then", .right),
    ])
    for pair in pairs {
      table.append([
        pair.now.model, "\(pair.now.batchSize)", pair.now.precision, fixed(pair.then.imagesPerSecond, 1),
        fixed(pair.now.imagesPerSecond, 1), fixed(pair.ratio, 3) + "×",
      ])
    }
    lines += "\n" + table.text
    for pair in pairs where !pair.operations.isEmpty {
      var table = TextTable([
        .init("operation"), .init("shape"), .init("then ms", .right), .init("now ms", .right),
        .init("as fast", .right),
      ])
      func milliseconds(_ value: Double?) -> String { value.map { fixed($0, 3) } ?? "-" }
      for operation in pair.operations {
        table.append([
          operation.name, operation.shape, milliseconds(operation.then), milliseconds(operation.now),
          operation.ratio.map { fixed($0, 2) + "×" } ?? (operation.then == nil ? "new" : "gone"),
        ])
      }
      let all = pair.operations.reduce((0, 0)) { ($0.0 + ($1.then ?? 0), $0.1 + ($1.now ?? 0)) }
      table.append(["all", "", fixed(all.0, 3), fixed(all.1, 3), fixed(all.0 / all.1, 2) + "×"])
      lines += "\n\(pair.now.model), batch \(pair.now.batchSize), \(pair.now.precision)\n" + table.text
    }
    return lines
  }

  /// The member `comparison` of the document.
  var json: JSONValue {
    [
      "file": JSONValue(then.name), "device": JSONValue(then.device), "driver": JSONValue(then.driver),
      "runs": .array(
        pairs.map { pair in
          [
            "model": JSONValue(pair.now.model), "batch_size": JSONValue(pair.now.batchSize),
            "precision": JSONValue(pair.now.precision), "threads": JSONValue(pair.now.threads),
            "images_per_second_then": JSONValue(pair.then.imagesPerSecond), "ratio": JSONValue(pair.ratio),
            "operations": .array(
              pair.operations.map {
                [
                  "name": JSONValue($0.name), "shape": JSONValue($0.shape), "then_ms": JSONValue($0.then),
                  "now_ms": JSONValue($0.now), "ratio": JSONValue($0.ratio),
                ]
              }),
          ]
        }),
    ]
  }
}
