import Compute
import Datasets
import Detection
import FileFormats
import Losses
import Methods
import Networks
import Sessions

/// The value of a setting: read from text once, and written as what reads back equal.
public protocol SettingValue: Sendable, Equatable {
  /// Reads a value; nil for text that is none.
  ///
  /// - Throws: `.usage`, where more can be said about the mistake than what the setting takes.
  init?(setting text: String) throws

  /// The value in a configuration file.
  var setting: FlatTOML.Value { get }
}

extension Int: SettingValue {
  /// Reads decimal digits.
  public init?(setting text: String) { self.init(text) }
  /// A number.
  public var setting: FlatTOML.Value { .integer(self) }
}

extension UInt64: SettingValue {
  /// Reads decimal digits.
  public init?(setting text: String) { self.init(text) }
  /// A number.
  public var setting: FlatTOML.Value { .unsigned(self) }
}

extension Double: SettingValue {
  /// Reads a decimal number.
  public init?(setting text: String) { self.init(text) }
  /// A number.
  public var setting: FlatTOML.Value { .double(self) }
}

extension String: SettingValue {
  /// Takes any text; in paths `~/` stands for the home folder.
  public init?(setting text: String) { self = FileBytes.expandingHome(text) }
  /// A text.
  public var setting: FlatTOML.Value { .string(self) }
}

extension Bool: SettingValue {
  /// Reads on, true, yes, off, false or no.
  public init?(setting text: String) {
    switch text.lowercased() {
    case "on", "true", "yes": self = true
    case "off", "false", "no": self = false
    default: return nil
    }
  }
  /// A truth.
  public var setting: FlatTOML.Value { .bool(self) }
}

extension [Int]: SettingValue {
  /// Numbers with commas between, or `none`.
  public init?(setting text: String) {
    let parts = text == "none" ? [] : text.split(separator: ",", omittingEmptySubsequences: false)
    self = parts.compactMap { Int($0) }
    if count < parts.count { return nil }
  }
  /// A list of numbers.
  public var setting: FlatTOML.Value { .list(map { .integer($0) }) }
}

// MARK: - Names

extension SettingValue where Self: RawRepresentable, RawValue == String {
  /// Reads the name.
  public init?(setting text: String) { self.init(rawValue: text) }
  /// The name.
  public var setting: FlatTOML.Value { .string(rawValue) }
}

extension Exclusion: SettingValue {}
extension PixelScramble: SettingValue {}
extension DatasetOptions.BadImagePolicy: SettingValue {}
extension Optimizer.Kind: SettingValue {}
extension Schedule: SettingValue {}
extension Precision: SettingValue {}
extension RunSettings.AugmentationKind: SettingValue {}
extension DetectionSettings.Detector: SettingValue {}
extension PassCombination: SettingValue {}
extension MarginKind: SettingValue {}
extension ConfidentLearning.Filter: SettingValue {}
extension ConfidentLearning.Quality: SettingValue {}

// MARK: - What has a syntax of its own

extension SettingValue where Self: CustomStringConvertible {
  /// The text.
  public var setting: FlatTOML.Value { .string(description) }
}

extension PixelSize: SettingValue {
  /// Reads `64` or `48x64`.
  public init?(setting text: String) throws { try self.init(parsing: text) }
}

extension HeldOutPart: SettingValue {
  /// Reads a count or a fraction.
  public init?(setting text: String) throws { try self.init(parsing: text) }
}

extension TransitionSource: SettingValue {
  /// Reads `true`, `anchors:EPOCHS` or a path.
  public init?(setting text: String) throws { try self.init(parsing: FileBytes.expandingHome(text)) }
}

extension Noise: SettingValue {
  /// Reads what `NoiseCatalogue.parse` reads.
  public init?(setting text: String) throws { try self.init(text) }
}

extension Network: SettingValue {
  /// Reads `NAME[:option=value,…]`.
  public init?(setting text: String) throws { try self.init(text) }
}

extension Loss: SettingValue {
  /// Reads `NAME[+NAME…][:item,…]`.
  public init?(setting text: String) throws { try self.init(text) }
}

extension MethodChoice: SettingValue {
  /// Reads `NAME[:parameter=value,…]`.
  public init?(setting text: String) throws { try self.init(text) }
}
