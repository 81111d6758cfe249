import Failures
import FileFormats
import Settings

/// The files of labels that tables name, which are not part of a data set: those of CIFAR-N.
public enum LabelFiles {
  /// The settings with the path of such a file where it is: as named, or below the folder of data sets, by its own name
  /// or as arrays saved alone (`cifar10n/random1.npy`).
  ///
  /// Settings that name no such file, or one that is nowhere, stay as they are.
  ///
  /// - Parameter root: the folder of named data sets; nil for none.
  public static func located(_ settings: RunSettings, root: String?) throws -> RunSettings {
    guard let (name, key) = file(of: settings) else { return settings }
    var settings = settings
    if FileBytes.kind(of: name) == .missing {
      guard let root else { return settings }
      let array = "\(root)/\(name.hasPrefix("CIFAR-100") ? "cifar100n" : "cifar10n")/\(key ?? "noisy").npy"
      if FileBytes.kind(of: "\(root)/\(name)") == .file {
        try settings.set("noise", to: "labels:\(root)/\(name)" + (key.map { ",key=\($0)" } ?? ""))
      } else if FileBytes.kind(of: array) == .file {
        try settings.set("noise", to: "labels:\(array)")
      } else {
        return settings
      }
    }
    // As the runs' own settings have it.
    settings.noise = settings.noise.withAbsoluteFiles()
    return settings
  }

  /// Checks that the file of labels is there, if the settings name one of CIFAR-N's.
  ///
  /// - Throws: `.missingInput`, with where to get it.
  public static func require(_ settings: RunSettings) throws {
    guard let (name, key) = file(of: settings), FileBytes.kind(of: name) == .missing else { return }
    throw Failure(
      .missingInput, "the labels '\(name)'\(key.map { " (\($0))" } ?? "") were not found.",
      why: "they are not part of the data set.",
      fix: "download https://github.com/UCSC-REAL/cifar-10-100n/raw/main/data/\(name) into the folder of data sets, "
        + "--data-root or $GPUNOISY_DATA.")
  }

  /// The name of a file of CIFAR-N as tables write it, and the key.
  private static func file(of settings: RunSettings) -> (name: String, key: String?)? {
    let parts = settings.noise.description.split(separator: ":", maxSplits: 1)
    guard parts.count == 2, parts[0] == "labels", parts[1].hasPrefix("CIFAR-") else { return nil }
    let words = parts[1].split(separator: ",", maxSplits: 1)
    return (String(words[0]), words.count > 1 ? String(words[1].dropFirst("key=".count)) : nil)
  }
}
