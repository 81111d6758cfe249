import ArgumentParser
import Settings

/// A command with settings, as a type: the parser keeps groups of options by their types.
protocol JobName {
  static var job: JobKind { get }
  /// How the data set is named on the command line.
  static var data: DataForm { get }
}

/// How the data set is named.
enum DataForm {
  /// An argument that may be left out, or must be there; `--data`.
  case argument, requiredArgument, option
}

enum TrainJob: JobName { static let job = JobKind.train, data = DataForm.argument }
enum DetectJob: JobName { static let job = JobKind.detect, data = DataForm.argument }
enum EvalJob: JobName { static let job = JobKind.eval, data = DataForm.requiredArgument }
enum PredictJob: JobName { static let job = JobKind.predict, data = DataForm.requiredArgument }
enum FeaturesJob: JobName { static let job = JobKind.features, data = DataForm.requiredArgument }
enum ReportJob: JobName { static let job = JobKind.report, data = DataForm.option }
enum InfoJob: JobName { static let job = JobKind.info, data = DataForm.argument }
enum ConvertJob: JobName { static let job = JobKind.convert, data = DataForm.requiredArgument }
enum NoiseJob: JobName { static let job = JobKind.noise, data = DataForm.argument }
enum ShapesJob: JobName { static let job = JobKind.shapes, data = DataForm.argument }

/// A section of the settings, as a type.
protocol SectionName { static var section: Setting.Section { get } }

enum InData: SectionName { static let section = Setting.Section.data }
enum InModel: SectionName { static let section = Setting.Section.model }
enum InLoss: SectionName { static let section = Setting.Section.loss }
enum InOptimiser: SectionName { static let section = Setting.Section.optimiser }
enum InInput: SectionName { static let section = Setting.Section.input }
enum InDevice: SectionName { static let section = Setting.Section.device }
enum InRun: SectionName { static let section = Setting.Section.run }
enum InDetect: SectionName { static let section = Setting.Section.detect }

/// The settings of a job as options, by sections: names, help and defaults are those of `RunSettings.table`.
///
/// Each is text here; the settings read and check it, as they do for files.
struct JobOptions<J: JobName>: ParsableArguments {
  @OptionGroup(title: Setting.Section.data.title) private var data: SettingOptions<J, InData>
  @OptionGroup(title: Setting.Section.model.title) private var model: SettingOptions<J, InModel>
  @OptionGroup(title: Setting.Section.loss.title) private var loss: SettingOptions<J, InLoss>
  @OptionGroup(title: Setting.Section.optimiser.title) private var optimiser: SettingOptions<J, InOptimiser>
  @OptionGroup(title: Setting.Section.input.title) private var input: SettingOptions<J, InInput>
  @OptionGroup(title: Setting.Section.device.title) private var device: SettingOptions<J, InDevice>
  @OptionGroup(title: Setting.Section.run.title) private var run: SettingOptions<J, InRun>
  @OptionGroup(title: Setting.Section.detect.title) private var detect: SettingOptions<J, InDetect>

  /// What was given, by the setting's name.
  var given: [GivenSetting] {
    data.given + model.given + loss.given + optimiser.given + input.given + device.given + run.given + detect.given
  }

  /// Whether a setting was given.
  func gives(_ name: String) -> Bool { given.contains { $0.name == name } }

  /// The job's defaults with what was given.
  ///
  /// - Throws: `.usage`.
  func settings() throws -> RunSettings {
    var draft = SettingsDraft(for: J.job)
    for (name, text) in given { try draft.set(name, to: text, from: .commandLine) }
    return draft.settings
  }
}

/// A setting with its text.
typealias GivenSetting = (name: String, text: String)

/// One section of a job's settings as options.
///
/// The parser finds options by reflection and reads them by decoding, and both are open to us: the mirror's children are
/// options made from the table's rows.
struct SettingOptions<J: JobName, S: SectionName>: ParsableArguments, CustomReflectable {
  /// What was given.
  private(set) var given: [GivenSetting] = []

  private static var rows: [Setting] { RunSettings.settings(of: J.job).filter { $0.section == S.section } }

  init() {}

  var customMirror: Mirror {
    Mirror(self, children: Self.rows.map { (label: $0.name, value: Self.option($0)) })
  }

  init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: Name.self)
    for row in Self.rows {
      if let text = try Self.text(of: row, in: values) { given.append((row.name, text)) }
    }
  }

  /// What the parser makes an option from.
  private static func option(_ row: Setting) -> Any {
    let help = ArgumentHelp("\(row.help(for: J.job))", valueName: row.form == .flag ? nil : row.placeholder)
    if row.name == "data", J.data != .option {
      return J.data == .argument ? Argument<String?>(help: help) as Any : Argument<String>(help: help)
    }
    let name = NameSpecification.customLong(row.name)
    switch row.form {
    case .value: return Option<String?>(name: name, help: help)
    case .signedValue: return Option<String?>(name: name, parsing: .unconditional, help: help)
    case .repeated: return Option<[String]>(wrappedValue: [], name: name, parsing: .singleValue, help: help)
    case .flag: return Flag<Bool?>(name: name, inversion: .prefixedNo, help: help)
    case .valueOrFlag(let value): return Option<String?>(name: name, defaultAsFlag: value, help: help)
    }
  }

  /// What was given for a row, as the settings read it.
  private static func text(of row: Setting, in values: KeyedDecodingContainer<Name>) throws -> String? {
    let name = Name(stringValue: row.name)
    if row.name == "data", J.data != .option {
      guard J.data == .requiredArgument else {
        return try values.decode(Argument<String?>.self, forKey: name).wrappedValue
      }
      return try values.decode(Argument<String>.self, forKey: name).wrappedValue
    }
    if row.form == .repeated {
      let texts = try values.decode(Option<[String]>.self, forKey: name).wrappedValue
      return texts.isEmpty ? nil : texts.joined(separator: ",")
    }
    guard row.form == .flag else { return try values.decode(Option<String?>.self, forKey: name).wrappedValue }
    return try values.decode(Flag<Bool?>.self, forKey: name).wrappedValue.map { $0 ? "on" : "off" }
  }

  private struct Name: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }

    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { return nil }
  }
}
