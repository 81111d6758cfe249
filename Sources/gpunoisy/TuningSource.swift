import Autotuning
import Compute
import ComputeKernels
import Failures
import Reports

/// Where the choices of launches come from: `--tuning`.
enum TuningSource {
  /// No choices.
  case standard
  /// What `gpunoisy tune` found for this device; none if it did not look.
  case cached
  /// A file of `gpunoisy tune`.
  case file(String)
  /// What a run has recorded.
  case recorded(Tuning)

  /// What is given on the command line: nothing, `defaults`, or a file.
  init(_ text: String?) {
    switch text {
    case nil: self = .cached
    case "defaults": self = .standard
    case let path?: self = .file(path)
    }
  }

  /// The choices for a device; tells which they are, if there are any.
  ///
  /// - Throws: `.missingInput`, `.badInput` for a file that was asked for. One that is only kept is not worth an error.
  func tuning<D: TunableDevice>(
    for device: D, _ precision: Precision, note: (String) -> Void
  ) throws -> Tuning {
    switch self {
    case .standard: return .standard
    case .recorded(let tuning):
      if !tuning.numbers.isEmpty { note("tuning: \(Self.count(tuning)) that the run started with") }
      return tuning
    case .file(let path):
      let entry = try TuningCache.entry(at: path)
      note("tuning: \(Self.count(entry.tuning)) of \(entry.made) from \(path)")
      return entry.tuning
    case .cached:
      let key = TuningCache.Key(device, precision)
      do {
        guard let cache = TuningCache.standard, let entry = try cache.entry(for: key) else { return .standard }
        note("tuning: \(Self.count(entry.tuning)) of \(entry.made) (\(cache.path(for: key)))")
        return entry.tuning
      } catch {
        note("tuning: none; \(ErrorMessages.failure(for: error).what) \(ErrorMessages.failure(for: error).why)")
        return .standard
      }
    }
  }

  /// What log.txt says of a run on a device without any choices.
  static let absence = "tuning: none for this device and precision (gpunoisy tune finds one)"

  /// What is told of a run that takes long enough for looking for choices to pay.
  static let advice = "tuning: none for this device and precision; gpunoisy tune may find a faster one"

  private static func count(_ tuning: Tuning) -> String {
    tuning.numbers.count == 1 ? "1 parameter" : "\(tuning.numbers.count) parameters"
  }
}
