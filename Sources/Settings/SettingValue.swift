import Compute
import Datasets
import Detection
import FileFormats
import Images
import Losses
import Methods
import Networks
import Sessions

/// The value of a setting: read from text once, and written as what reads back equal.
public protocol SettingValue: Sendable, Equatable {
  /// Reads a value; nil for text that is none.
  ///
  /// - Throws: `.usage`, where more can be said about the mistake than what the setting takes.
  static func read(setting text: String) throws -> Self?

  /// The value in a configuration file.
  var setting: FlatTOML.Value { get }
}

// MARK: - Numbers and texts

extension SettingValue where Self: LosslessStringConvertible {
  /// Reads what the type's own initialiser reads.
  public static func read(setting text: String) -> Self? { Self(text) }
}

extension Int: SettingValue {
  /// A number.
  public var setting: FlatTOML.Value { .integer(self) }
}

extension UInt64: SettingValue {
  /// A number.
  public var setting: FlatTOML.Value { .unsigned(self) }
}

extension Double: SettingValue {
  /// A number.
  public var setting: FlatTOML.Value { .double(self) }
}

extension String: SettingValue {
  /// Takes any text; in paths `~/` stands for the home folder.
  public static func read(setting text: String) -> String? { FileBytes.expandingHome(text) }

  /// A text.
  public var setting: FlatTOML.Value { .string(self) }
}

extension Bool: SettingValue {
  /// Reads on, true, yes, off, false or no.
  public static func read(setting text: String) -> Bool? {
    switch text.lowercased() {
    case "on", "true", "yes": true
    case "off", "false", "no": false
    default: nil
    }
  }

  /// A truth.
  public var setting: FlatTOML.Value { .bool(self) }
}

extension [Int]: SettingValue {
  /// Reads numbers with commas between, or `none`.
  public static func read(setting text: String) -> [Int]? {
    let parts = text == "none" ? [] : text.split(separator: ",", omittingEmptySubsequences: false)
    let numbers = parts.compactMap { Int($0) }
    return numbers.count == parts.count ? numbers : nil
  }

  /// A list of numbers.
  public var setting: FlatTOML.Value { .list(map { .integer($0) }) }
}

// MARK: - Names

extension SettingValue where Self: RawRepresentable, RawValue == String {
  /// Reads the name.
  public static func read(setting text: String) -> Self? { Self(rawValue: text) }
  /// The name.
  public var setting: FlatTOML.Value { .string(rawValue) }
}

extension ClassWeights: SettingValue {}
extension RunSettings.BatchNormStatistics: SettingValue {}
extension Exclusion: SettingValue {}
extension PixelScramble: SettingValue {}
extension InputNormalization: SettingValue {}
extension DatasetOptions.BadImagePolicy: SettingValue {}
extension ImageFit: SettingValue {}
extension Optimizer.Kind: SettingValue {}
extension Schedule: SettingValue {}
extension Precision: SettingValue {}
extension RunSettings.AugmentationKind: SettingValue {}
extension DetectionSettings.Detector: SettingValue {}
extension PassCombination: SettingValue {}
extension MarginKind: SettingValue {}
extension JudgedSplit: SettingValue {}
extension ConfidentLearning.Filter: SettingValue {}
extension ConfidentLearning.Quality: SettingValue {}

// MARK: - What has a syntax of its own

extension SettingValue where Self: CustomStringConvertible {
  /// The text.
  public var setting: FlatTOML.Value { .string(description) }
}

extension PixelSize: SettingValue {
  /// Reads `64` or `64x48`.
  public static func read(setting text: String) throws -> PixelSize? { try PixelSize(parsing: text) }
}

extension HeldOutPart: SettingValue {
  /// Reads a count or a fraction.
  public static func read(setting text: String) throws -> HeldOutPart? { try HeldOutPart(parsing: text) }
}

extension FeatureSource: SettingValue {
  /// Reads a name of known weights, `patches` or the path of a .npy file.
  public static func read(setting text: String) -> FeatureSource? {
    let source = FeatureSource(FileBytes.expandingHome(text))
    if case .network(let name) = source, KnownWeights.named(name) == nil { return nil }
    return source
  }
}

extension TransitionSource: SettingValue {
  /// Reads `true`, `anchors:EPOCHS` or a path.
  public static func read(setting text: String) throws -> TransitionSource? {
    try TransitionSource(parsing: FileBytes.expandingHome(text))
  }
}

extension Noise: SettingValue {
  /// Reads what `NoiseCatalogue.parse` reads.
  public static func read(setting text: String) throws -> Noise? { try Noise(text) }
}

extension Network: SettingValue {
  /// Reads `NAME[:option=value,…]`.
  public static func read(setting text: String) throws -> Network? { try Network(text) }
}

extension Loss: SettingValue {
  /// Reads `NAME[+NAME…][:item,…]`.
  public static func read(setting text: String) throws -> Loss? { try Loss(text) }
}

extension MethodChoice: SettingValue {
  /// Reads `NAME[:parameter=value,…]`.
  public static func read(setting text: String) throws -> MethodChoice? { try MethodChoice(text) }
}
