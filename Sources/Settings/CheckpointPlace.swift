import Failures
import FileFormats

/// Where the checkpoint of a run is.
public enum CheckpointPlace {
  /// The file of a checkpoint that a path means: a file itself, or of a run folder its best checkpoint, else its last.
  ///
  /// - Parameter what: what it is to be, as in "the checkpoint".
  /// - Throws: `.missingInput` where nothing is there; `.badInput` for a folder without a checkpoint.
  public static func file(at path: String, of what: String = "the checkpoint") throws(Failure) -> String {
    switch FileBytes.kind(of: path) {
    case .missing:
      throw Failure(
        .missingInput, "\(what) '\(path)' does not exist.", why: "no such file or directory.",
        fix: "use a run folder, or its checkpoints/best.safetensors.")
    case .file, .other: return path
    case .folder: break
    }
    let names = [
      "checkpoints/best.safetensors", "checkpoints/last.safetensors", "best.safetensors", "last.safetensors",
    ]
    let folder = FileBytes.withoutLastSlash(path)
    if let found = names.map({ folder + "/" + $0 }).first(where: { FileBytes.kind(of: $0) == .file }) { return found }
    throw Failure(
      .badInput, "the folder '\(path)' holds no checkpoint.",
      why: "there is neither checkpoints/best.safetensors nor checkpoints/last.safetensors.",
      fix: "use a run folder of 'gpunoisy train' with at least one checkpoint.")
  }
}
