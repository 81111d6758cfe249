/// What settings are for: a command that reads some of them.
public enum JobKind: String, Sendable, CaseIterable {
  case train, detect, eval, predict, report, features
  case info = "data info"
  case convert = "data convert"
  case noise = "data noise"
  case shapes = "data shapes"
}

extension Set<JobKind> {
  /// Jobs that make a run.
  static let runs: Self = [.train, .detect]
  /// Jobs that evaluate a checkpoint.
  static let evaluations: Self = [.eval, .predict]
  /// Jobs that compute on a device.
  static let computations: Self = runs.union(evaluations).union([.report, .features])
  /// Jobs that open a data set and use its images.
  static let images: Self = runs.union(evaluations).union([.info, .convert])
}
