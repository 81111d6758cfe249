import Compute
import Failures

/// A loss with values for its parameters, as the command line writes it: `sce:alpha=0.1,beta=1,A=-4`, the weighted sum
/// `nce+agce:alpha=1,beta=4,a=6,q=1.5`, the published values for a data set, `sce:cifar100`, or values that change over
/// the epochs, `peer:alpha=0@20/1@40`.
public struct Loss: Sendable, Equatable, CustomStringConvertible {
  /// The catalogue's entry, or the combination.
  public let entry: LossEntry
  /// What every parameter is over the epochs, in the entry's order.
  public let schedules: [ParameterSchedule]

  /// Parses `NAME[+NAME…][:item,…]`, items being `parameter=value` or the name of a preset; what is not given has its
  /// default.
  ///
  /// - Throws: `.usage` for an unknown name, parameter or preset, or a value out of range.
  public init(_ text: String) throws(Failure) {
    let halves = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    let entry = try LossEntry.named(halves[0])
    var schedules = entry.parameters.map { ParameterSchedule($0.defaultValue) }
    for item in halves.count > 1 ? halves[1].split(separator: ",") : [] {
      if item.contains("=") {
        try Self.assign(String(item), of: entry, to: &schedules)
      } else {
        guard let preset = LossPreset.named(String(item), of: entry) else {
          throw Self.unknown(String(item), of: entry)
        }
        for item in preset.values.split(separator: ",") { try Self.assign(String(item), of: entry, to: &schedules) }
      }
    }
    self.init(entry: entry, schedules: schedules)
  }

  init(entry: LossEntry, schedules: [ParameterSchedule]) {
    self.entry = entry
    self.schedules = schedules
  }

  /// Every loss of the catalogue with its defaults; what only stands around others stands around cross entropy.
  public static let all: [Loss] = catalogue.map { entry in
    let whole =
      entry.isModifier ? LossEntry.combined("ce+\(entry.name)", summands: [catalogue[0]], around: [entry]) : entry
    return Loss(entry: whole, schedules: whole.parameters.map { ParameterSchedule($0.defaultValue) })
  }

  private static func assign(
    _ item: String, of entry: LossEntry, to schedules: inout [ParameterSchedule]
  ) throws(Failure) {
    let pair = item.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    guard let index = entry.index(of: pair[0]) else { throw unknown(item, of: entry) }
    let parameter = entry.parameters[index]
    guard let schedule = ParameterSchedule(pair[1]), schedule.points.allSatisfy({ parameter.accepts($0.value) }) else {
      let bounds = [parameter.range.lowerBound, parameter.range.upperBound].map(ParameterSchedule.text)
      throw Failure(
        .usage, "\(entry.name):\(item) is out of range.",
        why: "\(parameter.name) is \(parameter.summary), from \(bounds[0]) to \(bounds[1])"
          + "\(parameter.isWhole ? ", a whole number" : "").",
        fix: "the default is \(parameter.name)=\(ParameterSchedule.text(parameter.defaultValue)).")
    }
    schedules[index] = schedule
  }

  private static func unknown(_ item: String, of entry: LossEntry) -> Failure {
    let parameters = entry.parameters.map(\.name), presets = LossPreset.all(of: entry).map(\.name)
    var known: [String] = []
    if !parameters.isEmpty { known.append("its parameters are \(parameters.joined(separator: ", "))") }
    if !presets.isEmpty { known.append("its presets are \(presets.joined(separator: ", "))") }
    return Failure(
      .usage, "'\(item)' is not a parameter\(item.contains("=") ? "" : " or a preset") of \(entry.name).",
      why: known.isEmpty ? "\(entry.name) has no parameters." : "\(known.joined(separator: "; ")).",
      fix: "write --loss "
        + Loss(entry: entry, schedules: entry.parameters.map { ParameterSchedule($0.defaultValue) }).description)
  }

  /// The loss with every value in force, such as `sce:alpha=0.1,beta=1,A=-4`.
  public var description: String {
    guard !schedules.isEmpty else { return entry.name }
    return "\(entry.name):\(zip(entry.parameters, schedules).map { "\($0.name)=\($1)" }.joined(separator: ","))"
  }

  /// Same name and values.
  public static func == (left: Self, right: Self) -> Bool { left.description == right.description }

  /// The value of every parameter in epoch `epoch`, from 0, in the entry's order; whole ones change at once.
  public func values(epoch: Int = 0) -> [Float] {
    zip(entry.parameters, schedules).map { parameter, schedule in
      let value = schedule.value(epoch: epoch)
      return parameter.isWhole ? value.rounded(.down) : value
    }
  }

  /// The same loss with another value of one parameter, in every epoch.
  ///
  /// - Parameter index: its place among the entry's parameters.
  public func setting(_ index: Int, to value: Float) -> Loss {
    var schedules = schedules
    schedules[index] = ParameterSchedule(value)
    return Loss(entry: entry, schedules: schedules)
  }

  /// The first epoch, from 0, from which on no parameter follows its schedule any more.
  public var lastChange: Int { schedules.compactMap { $0.points.last?.epoch }.max() ?? 0 }

  /// What a device launches.
  public var function: RowFunction {
    guard !entry.isSum else { return RowFunction(kernel: "loss_sum_rows") }
    let inputs: RowFunction.Inputs =
      switch entry.form {
      case .forward, .backward: .transition
      case .determinant: .determinant
      case .row, .sparse, .peer, .combination: .row
      }
    return RowFunction(kernel: "loss_\(entry.base.name)_rows", inputs: inputs)
  }

  /// What the kernel reads as parameters in epoch `epoch`, from 0.
  public func kernelParameters(epoch: Int = 0) -> [Float] {
    let values = values(epoch: epoch)
    if entry.isSum { return entry.sumParameters(values, epoch: epoch) }
    switch entry.form {
    case .determinant: return Self.determinantNumbers(values, epoch: epoch)
    case .combination: return Array(values[..<entry.base.parameters.count])
    default: return values
    }
  }

  /// Whether there is a second pass over peer samples.
  public var hasPeers: Bool { entry.form == .peer || entry.parts.contains { $0.form == .peer } }

  /// Factor of the gradient over peer samples in epoch `epoch`, from 0: −alpha; nil for a loss that has none.
  public func peerWeight(epoch: Int = 0) -> Float? {
    entry.values(of: .peer, in: values(epoch: epoch)).map { -$0[0] }
  }

  /// What a loss that corrects labels reads of the transition matrix.
  public enum Correction: Sendable { case matrix, inverse }

  /// How the loss corrects labels; nil if it does not.
  public var correction: Correction? {
    switch entry.form {
    case .forward: .matrix
    case .backward: .inverse
    default: nil
    }
  }

  /// Whether the loss belongs to the samples of a batch together, so that they cannot be weighed one by one.
  public var dependsOnBatch: Bool { hasPeers || entry.form == .determinant }
}
