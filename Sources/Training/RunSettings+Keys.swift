import Datasets
import Failures
import FileFormats
import Sessions

/// One setting by name: the same for the command line (`--batch-size`), configuration files and resumed runs.
public struct SettingKey: Sendable {
  /// The name in a configuration file and, behind `--`, on the command line.
  public let name: String
  /// The configuration file's section.
  public let section: String
  /// The jobs that read it; all others refuse it on the command line, and pass over it in a file.
  public var jobs: Set<JobKind> = [.train, .detect]
  /// Reads a value from text.
  let set: @Sendable (inout RunSettings, _ text: String) throws -> Void
  /// The value in force; nil where it is not set.
  let get: @Sendable (RunSettings) -> FlatTOML.Value?
}

extension RunSettings {
  /// The text of a schedule that follows the job.
  private static var automatic: String { "auto" }

  /// Every setting, in the order of config.toml.
  public static let keys: [SettingKey] = trainingKeys + detectionKeys

  private static let trainingKeys: [SettingKey] = [
    text("data", "data", \.data),
    optionalText("data-root", "data", \.dataRoot),
    SettingKey(
      name: "image-size", section: "data", set: { $0.imageSize = try PixelSize(parsing: $1) },
      get: { $0.imageSize.map { .string("\($0)") } }),
    optionalText("labels", "data", \.labels),
    optionalText("clean-labels", "data", \.cleanLabels),
    optionalText("exclude", "data", \.exclude),
    choice("exclude-by", "data", \.excludeBy),
    SettingKey(
      name: "exclude-above", section: "data", set: { $0.excludeAbove = try finite("exclude-above", $1) },
      get: { $0.excludeAbove.map { .double($0) } }),
    text("noise", "data", \.noise),
    SettingKey(
      name: "noise-seed", section: "data", set: { $0.noiseSeed = try seed("noise-seed", $1) },
      get: { $0.noiseSeed.map { .unsigned($0) } }),
    choice("pixels", "data", \.pixels),
    optionalCount("limit-train", "data", \.limitTrain),
    optionalCount("limit-test", "data", \.limitTest),
    SettingKey(
      name: "val", section: "data",
      set: { settings, text in
        if text != nothing { _ = try HeldOutPart(parsing: text) }
        settings.validation = text == nothing ? nil : text
      }, get: { optional($0.validation, in: $0) }
    ).only(.train),
    flag("val-noise", "data", \.validationNoise).only(.train),
    choice("on-bad-image", "data", \.onBadImage),
    text("model", "model", \.model),
    optionalText("init", "model", \.initialWeights).only(.train),
    text("loss", "loss", \.loss),
    SettingKey(
      name: "transition", section: "loss", set: { $0.transition = $1 == nothing ? nil : $1 },
      get: { optional($0.transition, in: $0) }
    ).only(.train),
    text("method", "loss", \.method).only(.train),
    count("epochs", "optimiser", \.epochs, 1...1_000_000),
    optionalCount("max-steps", "optimiser", \.maxSteps).only(.train),
    count("batch-size", "optimiser", \.batchSize, 1...65_536),
    choice("optimizer", "optimiser", \.optimizer),
    number("lr", "optimiser", \.learningRate, 0...1e6),
    number("momentum", "optimiser", \.momentum, 0...0.9999999),
    flag("nesterov", "optimiser", \.nesterov),
    number("beta1", "optimiser", \.firstDecay, 0...0.9999999),
    number("beta2", "optimiser", \.secondDecay, 0...0.9999999),
    number("weight-decay", "optimiser", \.weightDecay, 0...1e3),
    number("l1", "optimiser", \.l1, 0...1e3),
    SettingKey(
      name: "schedule", section: "optimiser",
      set: { $0.schedule = $1 == automatic ? nil : try named("schedule", $1) as Schedule },
      get: { .string($0.schedule?.rawValue ?? automatic) }),
    SettingKey(
      name: "milestones", section: "optimiser",
      set: { settings, text in
        settings.milestones = try text.split(separator: ",").map {
          try whole("milestones", String($0), 1...1_000_000)
        }
      }, get: { .list($0.milestones.map { .integer($0) }) }),
    number("gamma", "optimiser", \.gamma, 0...1),
    number("clip-norm", "optimiser", \.clipNorm, 0...1e9),
    SettingKey(
      name: "augment", section: "input", set: { $0.augment = try named("augment", $1) },
      get: { $0.augment.map { .string($0.rawValue) } }),
    flag("shuffle", "input", \.shuffle),
    flag("drop-last", "input", \.dropLast),
    text("device", "device", \.device),
    text("precision", "device", \.precision),
    optionalCount("threads", "device", \.threads, most: 1024),
    SettingKey(
      name: "recipe", section: "run", set: { try $0.setRecipe($1) },
      get: { $0.recipe.map { .string($0) } }),
    SettingKey(
      name: "seed", section: "run", set: { $0.seed = try seed("seed", $1) }, get: { .unsigned($0.seed) }),
    flag("aum", "run", \.aum).only(.train),
    SettingKey(
      name: "checkpoint-every", section: "run",
      set: { $0.checkpointEvery = try CheckpointInterval(parsing: $1) },
      get: { .string($0.checkpointEvery.description) }),
    SettingKey(
      name: "max-time", section: "run", set: { $0.maxTime = try duration("max-time", $1) },
      get: { $0.maxTime.map { .string("\(NumberFormatting.shortest($0))s") } }),
  ]

  /// Sets one setting from text.
  ///
  /// - Throws: `.usage` for an unknown name, or a value that is out of range.
  public mutating func set(_ name: String, to text: String) throws {
    guard let key = Self.keys.first(where: { $0.name == name }) else {
      throw Failure(
        .usage, "there is no setting '\(name)'.",
        why: "the settings are \(Self.keys.map(\.name).joined(separator: ", ")).", fix: "correct the name.")
    }
    try key.set(&self, text)
  }

  /// What takes back a value that a recipe or a file has set.
  private static let nothing = "none"

  /// A value that may be missing.
  ///
  /// With a recipe, which may have set it, `none` says that it is.
  private static func optional(_ text: String?, in settings: RunSettings) -> FlatTOML.Value? {
    (text ?? (settings.recipe == nil ? nil : nothing)).map { .string($0) }
  }

  private mutating func setRecipe(_ name: String) throws {
    guard recipe == nil || recipe == name else {
      throw Failure(
        .usage, "the recipes '\(recipe ?? "")' and '\(name)' cannot both be taken.",
        why: "a recipe is a whole protocol; two would make a mixture of both.",
        fix: "name one of them, here or in the configuration file.")
    }
    try Recipe(named: name).apply(to: &self)
  }

  // MARK: Kinds of settings

  typealias Path<Value> = WritableKeyPath<RunSettings, Value> & Sendable

  private static func text(_ name: String, _ section: String, _ path: Path<String>) -> SettingKey {
    SettingKey(name: name, section: section, set: { $0[keyPath: path] = $1 }, get: { .string($0[keyPath: path]) })
  }

  private static func optionalText(_ name: String, _ section: String, _ path: Path<String?>) -> SettingKey {
    SettingKey(
      name: name, section: section, set: { $0[keyPath: path] = $1 == nothing ? nil : $1 },
      get: { optional($0[keyPath: path], in: $0) })
  }

  private static func count(
    _ name: String, _ section: String, _ path: Path<Int>, _ range: ClosedRange<Int>
  ) -> SettingKey {
    SettingKey(
      name: name, section: section, set: { $0[keyPath: path] = try whole(name, $1, range) },
      get: { .integer($0[keyPath: path]) })
  }

  private static func optionalCount(
    _ name: String, _ section: String, _ path: Path<Int?>, most: Int = Int(Int32.max)
  ) -> SettingKey {
    SettingKey(
      name: name, section: section,
      set: { $0[keyPath: path] = $1 == nothing ? nil : try whole(name, $1, 1...most) },
      get: { $0[keyPath: path].map { .integer($0) } ?? optional(nil, in: $0) })
  }

  private static func number(
    _ name: String, _ section: String, _ path: Path<Double>, _ range: ClosedRange<Double>
  ) -> SettingKey {
    SettingKey(
      name: name, section: section,
      set: { settings, text in
        guard let value = Double(text), range.contains(value) else {
          throw outOfRange(name, text, "a number from \(range.lowerBound) to \(range.upperBound)")
        }
        settings[keyPath: path] = value
      }, get: { .double($0[keyPath: path]) })
  }

  private static func flag(_ name: String, _ section: String, _ path: Path<Bool>) -> SettingKey {
    SettingKey(
      name: name, section: section,
      set: { settings, text in
        switch text.lowercased() {
        case "on", "true", "yes": settings[keyPath: path] = true
        case "off", "false", "no": settings[keyPath: path] = false
        default: throw outOfRange(name, text, "on or off")
        }
      }, get: { .bool($0[keyPath: path]) })
  }

  private static func choice<Value: RawRepresentable & CaseIterable & Sendable>(
    _ name: String, _ section: String, _ path: Path<Value>
  ) -> SettingKey where Value.RawValue == String {
    SettingKey(
      name: name, section: section, set: { $0[keyPath: path] = try named(name, $1) },
      get: { .string($0[keyPath: path].rawValue) })
  }

  static func named<Value: RawRepresentable & CaseIterable>(_ name: String, _ text: String) throws -> Value
  where Value.RawValue == String {
    guard let value = Value(rawValue: text) else {
      throw outOfRange(name, text, "one of \(Value.allCases.map(\.rawValue).joined(separator: ", "))")
    }
    return value
  }

  static func whole(_ name: String, _ text: String, _ range: ClosedRange<Int>) throws -> Int {
    guard let value = Int(text), range.contains(value) else {
      throw outOfRange(name, text, "a whole number from \(range.lowerBound) to \(range.upperBound)")
    }
    return value
  }

  private static func seed(_ name: String, _ text: String) throws -> UInt64 {
    guard let value = UInt64(text) else { throw outOfRange(name, text, "a whole number from 0 to \(UInt64.max)") }
    return value
  }

  static func outOfRange(_ name: String, _ text: String, _ expected: String) -> Failure {
    Failure(
      .usage, "--\(name) \(text) is out of range.", why: "it must be \(expected).",
      fix: "correct it; --help tells what each option takes.")
  }

  /// Seconds from text such as `90s`, `15m`, `11h50m`; a plain number counts seconds.
  static func duration(_ name: String, _ text: String) throws -> Double {
    var total = 0.0, digits = "", isPlain = true
    let units: [Character: Double] = ["s": 1, "m": 60, "h": 3600, "d": 86_400]
    for character in text {
      if let unit = units[character], let value = Double(digits) {
        total += value * unit
        digits = ""
        isPlain = false
      } else {
        digits.append(character)
      }
    }
    if isPlain, let seconds = Double(digits) { (total, digits) = (seconds, "") }
    guard digits.isEmpty, total > 0, total.isFinite else {
      throw outOfRange(name, text, "a time such as 90s, 15m or 11h50m")
    }
    return total
  }
}

extension RunSettings.CheckpointInterval: CustomStringConvertible {
  /// Reads `1ep`, `500` (steps) or `15m`.
  ///
  /// - Throws: `.usage`.
  public init(parsing text: String) throws {
    if text.hasSuffix("ep"), let count = Int(text.dropLast(2)), count > 0 {
      self = .epochs(count)
    } else if let count = Int(text), count > 0 {
      self = .steps(count)
    } else if text.last.map({ "smhd".contains($0) }) == true {
      self = .seconds(try RunSettings.duration("checkpoint-every", text))
    } else {
      throw RunSettings.outOfRange("checkpoint-every", text, "epochs (1ep), steps (500) or a time (15m)")
    }
  }

  /// The text that `init(parsing:)` reads.
  public var description: String {
    switch self {
    case .epochs(let count): "\(count)ep"
    case .steps(let count): "\(count)"
    case .seconds(let seconds): "\(NumberFormatting.shortest(seconds))s"
    }
  }
}
