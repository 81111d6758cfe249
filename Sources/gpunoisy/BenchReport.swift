import Autotuning
import ComputeKernels
import FileFormats
import Reports
import Training

/// One network and batch size, measured.
struct BenchRun {
  let settings: Benchmark.Settings
  /// Threads of the built-in CPU path, if they were chosen.
  let threads: Int?
  /// The choices of launches in force.
  let tuning: Tuning
  let result: Benchmark

  /// The network, and the method that trains it where that is not plain.
  var model: String { settings.name }
  var precision: String { settings.precision.rawValue }
  var bytesPerImage: Double { Double(result.byteCount) / Double(settings.batchSize) }
}

/// What `gpunoisy bench` found on one device; as JSON, schema `gpunoisy.bench/1`.
struct BenchReport {
  let device: String
  let driver: String
  let peaks: DevicePeaks?
  var runs: [BenchRun] = []

  init(device: String, driver: String, peaks: DevicePeaks?) {
    self.device = device
    self.driver = driver
    self.peaks = peaks
  }

  /// The document's members: the first run's among them, and if there are several, all of them in `runs`.
  var members: [JSONMember] {
    var members = [
      JSONMember("schema", JSONValue(BenchDocument.schema)), JSONMember("device", JSONValue(device)),
      JSONMember("driver", JSONValue(driver)),
    ]
    if let first = runs.first { members += first.members }
    if let peaks { members.append(JSONMember("peaks", peaks.json)) }
    if runs.count > 1 { members.append(JSONMember("runs", .array(runs.map { .object($0.members) }))) }
    return members
  }
}

extension Benchmark.Settings {
  /// What is measured, such as `resnet32` or `resnet32 with elr:momentum=0.7,lambda=3`.
  var name: String { network.description + (method.map { " with \($0)" } ?? "") }
}

extension BenchRun {
  /// The run's members of the document.
  var members: [JSONMember] {
    let rate = result.rate
    var members = [
      JSONMember("model", JSONValue(settings.network.description)),
      JSONMember("loss", JSONValue(settings.loss.description)),
      JSONMember("batch_size", JSONValue(settings.batchSize)), JSONMember("precision", JSONValue(precision)),
    ]
    if let threads { members.append(JSONMember("threads", JSONValue(threads))) }
    if let method = settings.method { members.append(JSONMember("method", JSONValue(method.description))) }
    if !tuning.numbers.isEmpty { members.append(JSONMember("tuning", TuningRecord.json(tuning))) }
    members += [
      JSONMember(
        "training",
        [
          "images_per_second": [
            "median": JSONValue(rate.median), "min": JSONValue(rate.min), "max": JSONValue(rate.max),
          ],
          "blocks": .array(result.imagesPerSecond.map { JSONValue($0) }),
          "steps_per_block": JSONValue(settings.steps), "step_ms": JSONValue(result.stepMilliseconds),
          "launches_per_step": JSONValue(result.launches),
        ]),
      JSONMember(
        "memory",
        ["plan_bytes": JSONValue(result.byteCount), "bytes_per_image": JSONValue(bytesPerImage.rounded())]),
      JSONMember("operations", .array(result.rows.map(\.json))),
    ]
    if settings.timesLosses {
      members.append(
        JSONMember(
          "losses",
          .array(
            result.losses.map {
              ["name": JSONValue($0.name), "ms": JSONValue($0.milliseconds), "step_share": JSONValue($0.share)]
            })))
    }
    return members
  }
}

extension Benchmark.Row {
  fileprivate var json: JSONValue {
    [
      "name": JSONValue(name), "shape": JSONValue(shape), "count": JSONValue(count), "launches": JSONValue(launches),
      "ms": JSONValue(milliseconds), "gflops": JSONValue(gigaflops), "gbs": JSONValue(gigabytes),
      "share": JSONValue(share), "limit": JSONValue(limit?.kind.rawValue),
      "limit_fraction": JSONValue(limit?.fraction),
    ]
  }
}

extension DevicePeaks {
  fileprivate var json: JSONValue {
    [
      "multiply_add_gflops": JSONValue(operations / 1e9), "matrix_gflops": JSONValue(matrixOperations.map { $0 / 1e9 }),
      "copy_gbs": JSONValue(memoryRate / 1e9),
      "copies": .array(copies.map { ["bytes": JSONValue(Int($0.bytes)), "gbs": JSONValue($0.rate / 1e9)] }),
      "launch_us": JSONValue(launch * 1e6),
    ]
  }
}
