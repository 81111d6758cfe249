import FileFormats

/// Real data for tests that need them: a folder with `cifar-10-batches-bin` and `mnist`.
public enum RealData {
  /// The folder that `GPUNOISY_TEST_DATA` names.
  public static let folder: String? = FileBytes.environment("GPUNOISY_TEST_DATA")

  /// Why a test that needs it is skipped; shown by `.enabled(if:_:)`.
  public static let absence = "GPUNOISY_TEST_DATA names no folder with real data"

  /// A data set's folder, where the data have it.
  public static func folder(of name: String) -> String? {
    folder.flatMap { FileBytes.kind(of: "\($0)/\(name)") == .folder ? "\($0)/\(name)" : nil }
  }
}
