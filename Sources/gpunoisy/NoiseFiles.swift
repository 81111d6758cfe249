import Datasets
import FileFormats
import Reports

/// What a run keeps of its label noise: the labels in force, and the realised transition matrix.
enum NoiseFiles {
  /// Writes `noisy_labels.npy` (int64 [N], id order) and `noise_transition.csv` (true class by given class).
  static func write(_ noise: NoiseReport, labels: [Int32], to folder: RunFolder) throws {
    try LabelFile.write(labels, to: folder.file("noisy_labels.npy"))
    try AtomicFile.write(matrix(noise), to: folder.file("noise_transition.csv"))
  }

  /// The realised matrix as a table: a row for each true class, a column for each given one.
  static func matrix(_ noise: NoiseReport) -> String {
    noise.classNames.enumerated().reduce(into: CSV.line(["true_label"] + noise.classNames)) { text, entry in
      text += CSV.line([entry.element] + noise.realised.row(entry.offset).map { NumberFormatting.shortest($0) })
    }
  }
}
