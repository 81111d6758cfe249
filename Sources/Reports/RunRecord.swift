import Failures
import FileFormats

/// What run.json says: what was run, on what, and how it went.
public struct RunRecord: Sendable, Equatable {
  /// How a run stands.
  public enum Status: String, Sendable, CaseIterable {
    /// It is under way, or the process died.
    case running
    /// All epochs are done.
    case finished
    /// It was stopped on request, and can be resumed.
    case stopped
    /// It ended with an error.
    case failed
  }

  /// Which data was read, so that a resumed run can tell whether it is still the same.
  public struct Data: Sendable, Equatable {
    /// The name or path that was given.
    public var name: String
    /// The layout that was recognised.
    public var layout: String
    /// Where it was read, as an absolute path; nil for data sets by name, and in records of earlier versions.
    public var path: String?
    /// Training samples.
    public var trainCount: Int
    /// Test samples.
    public var testCount: Int
    /// Classes.
    public var classCount: Int
    /// A 64-bit hash of shapes, labels and pixels, as 16 hexadecimal digits (`Dataset.fingerprint`): it guards against
    /// mistakes, not against malice.
    public var fingerprint: String
    /// A hash of what the training ids stand for (`Dataset.sampleFingerprint`); nil in records of earlier versions.
    public var samples: String?
    /// The names of the classes [K]; nil in records of earlier versions.
    public var classNames: [String]?
    /// A hash of the rest of the data, such as what is held out (`Dataset.restFingerprint`); nil in records of earlier
    /// versions.
    public var rest: String?

    /// What was read.
    public init(
      name: String, layout: String, trainCount: Int, testCount: Int, classCount: Int, fingerprint: String,
      samples: String? = nil, classNames: [String]? = nil, path: String? = nil, rest: String? = nil
    ) {
      self.name = name
      self.layout = layout
      self.trainCount = trainCount
      self.testCount = testCount
      self.classCount = classCount
      self.fingerprint = fingerprint
      self.samples = samples
      self.classNames = classNames
      self.path = path
      self.rest = rest
    }
  }

  /// A start of the run: the first one, or one that resumed it.
  public struct Start: Sendable, Equatable {
    /// When.
    public var time: UTCTime
    /// The machine, the device and its driver.
    public var host: String, device: String, driver: String

    /// A start.
    public init(time: UTCTime, host: String, device: String, driver: String) {
      (self.time, self.host, self.device, self.driver) = (time, host, device, driver)
    }

    var json: JSONValue {
      [
        "time": .string(time.text), "host": .string(host), "device": .string(device), "driver": .string(driver),
      ]
    }

    init?(json: JSONValue) {
      guard let time = json["time"]?.string.flatMap(UTCTime.init(text:)), let host = json["host"]?.string,
        let device = json["device"]?.string, let driver = json["driver"]?.string
      else { return nil }
      self.init(time: time, host: host, device: device, driver: driver)
    }
  }

  /// The number of the format: 1 has image sizes in config.toml as height x width, 2 as width x height.
  ///
  /// A run keeps that of the version which began it.
  public var schemaNumber = 2
  /// How the run stands.
  public var status: Status = .running
  /// Why it stopped or failed, as one sentence.
  public var reason: String?
  /// The subcommand.
  public var command: String
  /// The program's version.
  public var version: String
  /// The command line, the program's name included.
  public var arguments: [String]
  /// When it began.
  public var started: UTCTime
  /// When this record was written.
  public var updated: UTCTime
  /// When it ended; nil while it is under way.
  public var ended: UTCTime?
  /// The machine.
  public var host: String
  /// The process on that machine.
  public var pid: Int
  /// The device's name.
  public var device: String
  /// The driver's version; empty without a driver.
  public var driver: String
  /// The kernel parameters in force; reused on resume, since another tiling sums in another order.
  public var tuning: JSONValue
  /// Every seed by its name.
  public var seeds: [String: UInt64]
  /// The name of the published protocol that the settings began with; nil for none.
  public var recipe: String?
  /// The training method and the optimiser, as settings name them; nil in records of earlier versions.
  public var method: String?, optimizer: String?
  /// Where each setting that is not a default comes from, by its name; empty in records of earlier versions.
  public var origins: [String: String] = [:]
  /// Which data was read.
  public var data: Data?
  /// Epochs done.
  public var epoch: Int
  /// Steps done.
  public var step: Int
  /// Steps at the last checkpoint that was saved; nil before the first, and in records of earlier versions.
  public var checkpoint: Int?
  /// What else is read: the SHA-256 of each input file by the setting that names it, as `labels` or `noise`.
  public var inputs: [String: String] = [:]
  /// When, on which device and driver the run was started, the first time and each time that it was resumed.
  public var starts: [Start] = []
  /// The test accuracy so far.
  public var accuracy: AccuracySummary?
  /// What was worth a warning.
  public var warnings: [String]

  /// A run that starts now in this process.
  public init(
    command: String, version: String, arguments: [String], device: String, driver: String = "",
    tuning: JSONValue = .object([]), seeds: [String: UInt64], data: Data? = nil, started: UTCTime = .now
  ) {
    self.command = command
    self.version = version
    self.arguments = arguments
    self.started = started
    updated = started
    host = ThisProcess.host
    pid = ThisProcess.identifier
    self.device = device
    self.driver = driver
    self.tuning = tuning
    self.seeds = seeds
    self.data = data
    epoch = 0
    step = 0
    warnings = []
    starts = [Start(time: started, host: host, device: device, driver: driver)]
  }
}

extension RunRecord {
  /// The name of the format, which stands before its number in the first member of run.json.
  private static let schemaName = "gpunoisy.run/"

  /// The number of the format of a document; nil where it is no record of a run, or of a later version.
  static func schemaNumber(of json: JSONValue) -> Int? {
    guard let text = json["schema"]?.string, text.hasPrefix(schemaName) else { return nil }
    return Int(text.dropFirst(schemaName.count)).flatMap { (1...2).contains($0) ? $0 : nil }
  }

  /// The document as run.json holds it.
  public var json: JSONValue {
    [
      "schema": .string(Self.schemaName + "\(schemaNumber)"), "status": .string(status.rawValue),
      "reason": JSONValue(reason),
      "command": .string(command), "version": .string(version),
      "argv": .array(arguments.map { .string($0) }), "started": .string(started.text),
      "updated": .string(updated.text), "ended": JSONValue(ended?.text), "host": .string(host),
      "pid": JSONValue(pid), "device": .string(device), "driver": .string(driver), "tuning": tuning,
      "seeds": .object(seeds.sorted { $0.key < $1.key }.map { JSONMember($0.key, JSONValue($0.value)) }),
      "recipe": JSONValue(recipe), "method": JSONValue(method), "optimizer": JSONValue(optimizer),
      "origins": .object(origins.sorted { $0.key < $1.key }.map { JSONMember($0.key, .string($0.value)) }),
      "data": data?.json ?? .null, "epoch": JSONValue(epoch), "step": JSONValue(step),
      "checkpoint": JSONValue(checkpoint),
      "inputs": .object(inputs.sorted { $0.key < $1.key }.map { JSONMember($0.key, .string($0.value)) }),
      "starts": .array(starts.map(\.json)),
      "accuracy": accuracy?.json ?? .null, "warnings": .array(warnings.map { .string($0) }),
    ]
  }

  /// The most steps that a run can have.
  private static let mostSteps = 1 << 48

  /// Reads run.json of a run folder.
  ///
  /// - Throws: `Failure` of kind `missingInput` or `badInput`.
  public static func read(folder: String) throws -> RunRecord {
    let path = folder + "/" + RunFolder.recordName
    let json = try JSONText.parse(try FileBytes.read(path), named: path)
    func wrong(_ name: String) -> Failure {
      Failure(
        .badInput, "'\(path)' is damaged.", why: "its '\(name)' is missing or is not in this version's format.",
        fix: "start a new run; --init takes the weights over.")
    }
    func text(_ name: String) throws -> String {
      guard let text = json[name]?.string else { throw wrong(name) }
      return text
    }
    func count(_ name: String, upTo most: Int) throws -> Int {
      guard let value = json[name]?.integer, (0...most).contains(value) else { throw wrong(name) }
      return value
    }
    func time(_ name: String) throws -> UTCTime {
      guard let time = UTCTime(text: try text(name)) else { throw wrong(name) }
      return time
    }
    guard let number = schemaNumber(of: json) else { throw wrong("schema") }
    guard let status = Status(rawValue: try text("status")) else { throw wrong("status") }
    var seeds: [String: UInt64] = [:]
    for member in json["seeds"]?.members ?? [] {
      guard let seed = member.value.unsigned else { throw wrong("seeds") }
      seeds[member.name] = seed
    }
    var record = RunRecord(
      command: try text("command"), version: try text("version"),
      arguments: (json["argv"]?.array ?? []).compactMap(\.string), device: try text("device"),
      driver: try text("driver"), tuning: json["tuning"] ?? .null, seeds: seeds,
      started: try time("started"))
    record.schemaNumber = number
    record.status = status
    record.recipe = json["recipe"]?.string
    record.method = json["method"]?.string
    record.optimizer = json["optimizer"]?.string
    for member in json["origins"]?.members ?? [] { record.origins[member.name] = member.value.string }
    record.reason = json["reason"]?.string
    record.updated = try time("updated")
    record.ended = json["ended"]?.string.flatMap(UTCTime.init(text:))
    record.host = try text("host")
    record.pid = try count("pid", upTo: .max)
    if let data = json["data"], data != .null {
      guard let value = Data(json: data) else { throw wrong("data") }
      record.data = value
    }
    record.epoch = try count("epoch", upTo: 1_000_000)
    record.step = try count("step", upTo: mostSteps)
    // Earlier versions do not have it, and a run before its first checkpoint has none.
    if json["checkpoint"] ?? .null != .null { record.checkpoint = try count("checkpoint", upTo: mostSteps) }
    for member in json["inputs"]?.members ?? [] { record.inputs[member.name] = member.value.string }
    if let starts = json["starts"]?.array { record.starts = starts.compactMap(RunRecord.Start.init(json:)) }
    record.accuracy = json["accuracy"].flatMap(AccuracySummary.init(json:))
    record.warnings = (json["warnings"]?.array ?? []).compactMap(\.string)
    return record
  }
}

extension RunRecord.Data {
  /// The object within run.json.
  public var json: JSONValue {
    [
      "name": .string(name), "layout": .string(layout), "path": JSONValue(path),
      "train": JSONValue(trainCount), "test": JSONValue(testCount),
      "classes": JSONValue(classCount), "fingerprint": .string(fingerprint), "samples": JSONValue(samples),
      "class_names": classNames.map { .array($0.map { .string($0) }) } ?? .null, "rest": JSONValue(rest),
    ]
  }

  /// Reads what `json` gives; nil if a member is missing, or a count that cannot be.
  public init?(json: JSONValue) {
    guard let name = json["name"]?.string, let layout = json["layout"]?.string,
      let train = json["train"]?.integer, let test = json["test"]?.integer,
      let classes = json["classes"]?.integer, let fingerprint = json["fingerprint"]?.string,
      train >= 0, test >= 0, classes >= 1
    else { return nil }
    self.init(
      name: name, layout: layout, trainCount: train, testCount: test, classCount: classes, fingerprint: fingerprint,
      samples: json["samples"]?.string, classNames: json["class_names"]?.array?.compactMap(\.string),
      path: json["path"]?.string, rest: json["rest"]?.string)
  }
}
