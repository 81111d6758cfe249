import Failures
import FileFormats

/// A document of schema `gpunoisy.bench/1`, as far as it is compared.
struct BenchDocument {
  static let schema = "gpunoisy.bench/1"

  /// All operations of one name and shape.
  struct Operation {
    let name: String, shape: String
    let count: Int
    let milliseconds: Double
  }

  /// One network and batch size.
  struct Run {
    let model: String
    let batchSize: Int
    let precision: String
    /// Threads, if they were chosen.
    let threads: Int?
    let imagesPerSecond: Double
    let operations: [Operation]

    /// Whether both measured the same work; threads only tell apart where both say them.
    func matches(_ other: Run) -> Bool {
      model == other.model && batchSize == other.batchSize && precision == other.precision
        && (threads == nil || other.threads == nil || threads == other.threads)
    }
  }

  /// The file, or what stands for it in messages.
  let name: String
  let device: String
  let driver: String
  let runs: [Run]

  /// Reads what `gpunoisy bench --json` wrote.
  ///
  /// - Throws: `.missingInput` if there is no such file; `.badInput` if it is another document.
  init(contentsOf path: String) throws {
    let document = try JSONText.parse(FileBytes.read(path), named: path)
    func wrong(_ why: String) -> Failure {
      Failure(
        .badInput, "'\(path)' is not a document of gpunoisy bench.", why: why,
        fix: "use a file written by 'gpunoisy bench --json'.")
    }
    guard document["schema"]?.string == Self.schema else {
      throw wrong(
        document["schema"]?.string.map { "its schema is '\($0)', not '\(Self.schema)'." }
          ?? "it has no schema '\(Self.schema)'.")
    }
    name = path
    device = document["device"]?.string ?? "?"
    driver = document["driver"]?.string ?? "?"
    var all = [document]
    if case .array(let several) = document["runs"] { all = several }
    runs = try all.map { run in
      guard let model = run["model"]?.string, let batchSize = run["batch_size"]?.integer,
        let precision = run["precision"]?.string,
        let rate = run["training"]?["images_per_second"]?["median"]?.double, rate > 0
      else { throw wrong("it lacks model, batch_size, precision or training.images_per_second.median.") }
      var operations: [Operation] = []
      if case .array(let rows) = run["operations"] {
        operations = try rows.map { row in
          guard let name = row["name"]?.string, let shape = row["shape"]?.string, let ms = row["ms"]?.double, ms > 0
          else { throw wrong("one of its operations lacks name, shape or ms.") }
          return Operation(name: name, shape: shape, count: row["count"]?.integer ?? 1, milliseconds: ms)
        }
      }
      let name = model + (run["method"]?.string.map { " with \($0)" } ?? "")
      return Run(
        model: name, batchSize: batchSize, precision: precision, threads: run["threads"]?.integer,
        imagesPerSecond: rate, operations: operations)
    }
  }

  /// What was measured just now.
  init(_ report: BenchReport) {
    name = "now"
    device = report.device
    driver = report.driver
    runs = report.runs.map { run in
      Run(
        model: run.model, batchSize: run.settings.batchSize, precision: run.precision, threads: run.threads,
        imagesPerSecond: run.result.rate.median,
        operations: run.result.rows.map {
          Operation(name: $0.name, shape: $0.shape, count: $0.count, milliseconds: $0.milliseconds)
        })
    }
  }

  /// Checks that something of what is to be measured is in this document.
  ///
  /// - Throws: `.configuration`.
  func check(models: [(model: String, batchSize: Int, precision: String)]) throws(Failure) {
    let found = models.contains { wanted in
      runs.contains {
        $0.model == wanted.model && $0.batchSize == wanted.batchSize && $0.precision == wanted.precision
      }
    }
    guard !found else { return }
    let list = runs.map { "\($0.model) with batch \($0.batchSize) in \($0.precision)" }.joined(separator: ", ")
    throw Failure(
      .configuration, "'\(name)' has no comparable result.", why: "it has \(list).",
      fix: "use the --model, --batch-size and --precision of that file.")
  }
}
