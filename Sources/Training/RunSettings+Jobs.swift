import Failures
import Sessions

/// What a run is for.
public enum JobKind: String, Sendable, CaseIterable {
  case train, detect
}

extension SettingKey {
  /// The same setting, read by one job alone.
  func only(_ job: JobKind) -> SettingKey {
    var key = self
    key.jobs = [job]
    return key
  }
}

extension RunSettings {
  /// What the settings are for.
  public var job: JobKind { detection == nil ? .train : .detect }

  /// Refuses settings that were given, but that nothing would read.
  ///
  /// - Parameter names: what the command line gave.
  /// - Throws: `.configuration`.
  public func refuseUnread(_ names: [String]) throws {
    for name in names {
      guard let key = Self.keys.first(where: { $0.name == name }) else { continue }
      guard key.jobs.contains(job) else {
        throw Failure(
          .configuration, "--\(name) is not a setting of \(job.rawValue).",
          why: "\(job.rawValue) does not read it\(Self.reason(name)).", fix: "leave it out.")
      }
      let reader: Optimizer? = ["momentum", "nesterov"].contains(name) ? .sgd : name.hasPrefix("beta") ? .adam : nil
      guard reader == nil || reader == optimizer else {
        throw Failure(
          .configuration, "--\(name) is not a setting of --optimizer \(optimizer.rawValue).",
          why: optimizer == .adam ? "Adam has --beta1 and --beta2 instead." : "it belongs to Adam.",
          fix: "leave it out, or choose the other optimiser.")
      }
    }
  }

  /// Why a detection does not read a setting.
  private static func reason(_ name: String) -> String {
    switch name {
    case "val", "val-noise": ": it judges every sample of the training set, and chooses nothing by held-out ones"
    case "aum": ": margins are what it goes by"
    case "method", "transition": ": it needs plain training to judge labels"
    case "max-steps", "init": ": it trains several networks, all alike and from random weights"
    default: ""
    }
  }

  /// Sets back to their defaults the settings that the job does not read, as a file for another job may have them.
  ///
  /// - Returns: the names of those that were not at their defaults.
  public mutating func forgetUnread() -> [String] {
    var defaults = RunSettings()
    defaults.detection = detection
    let names = Self.keys.filter { !$0.jobs.contains(job) && "\($0.get(self) as Any)" != "\($0.get(defaults) as Any)" }
      .map(\.name)
    guard job == .detect else { return names }
    (validation, validationNoise, initialWeights) = (nil, false, nil)
    (transition, method, maxSteps, aum) = (nil, defaults.method, nil, true)
    return names
  }
}
