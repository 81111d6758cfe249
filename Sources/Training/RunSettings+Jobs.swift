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
      guard let (reader, fix) = missingReader(of: name) else { continue }
      throw Failure(
        .configuration, "--\(name) would change nothing.", why: "it is read \(reader).", fix: fix)
    }
  }

  /// What would read a setting that these settings do not read: under which condition, and what to do about it.
  private func missingReader(of name: String) -> (reader: String, fix: String)? {
    let detector = detection?.detector, steps = schedule == .step || schedule == nil && detection == nil
    func unless(_ isRead: Bool, _ reader: String, _ fix: String) -> (String, String)? { isRead ? nil : (reader, fix) }
    switch name {
    case "momentum", "nesterov":
      return unless(optimizer == .sgd, "by --optimizer sgd alone", "leave it out; Adam has --beta1 and --beta2.")
    case "beta1", "beta2": return unless(optimizer == .adam, "by --optimizer adam alone", "leave it out.")
    case "milestones": return unless(steps, "by --schedule step alone", "leave it out, or add --schedule step.")
    case "gamma":
      let falls = schedule == nil && detector?.usesFolds == true
      return unless(steps || falls, "by --schedule step alone", "leave it out, or add --schedule step.")
    case "passes", "threshold-samples", "percentile", "combine", "margin":
      return unless(detector?.usesMargins ?? true, "by --detector aum and aum+cl alone", "leave it out.")
    case "folds", "cl-filter", "cl-score":
      return unless(detector?.usesFolds ?? true, "by --detector cl and aum+cl alone", "leave it out.")
    case "retrain-epochs": return unless(detection?.retrain != nil, "with --retrain alone", "add --retrain.")
    default: return nil
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

  /// Sets back to their defaults the settings that a job does not read, as a file for another job may have them.
  ///
  /// - Returns: the names of those that were not at their defaults.
  @discardableResult
  public mutating func forgetUnread(for job: JobKind? = nil) -> [String] {
    let job = job ?? self.job
    var defaults = RunSettings()
    // With a recipe, what is not set is written as `none`.
    defaults.recipe = recipe
    let names = Self.keys.filter { key in
      guard !key.jobs.contains(job), let value = key.get(self) else { return false }
      return value != key.get(defaults)
    }.map(\.name)
    guard job == .detect else {
      detection = nil
      return names
    }
    (validation, validationNoise, initialWeights) = (nil, false, nil)
    (transition, method, maxSteps, aum) = (nil, defaults.method, nil, true)
    return names
  }
}
