import Datasets
import Reports

/// What a run keeps of its label noise: the labels in force, and the realised transition matrix.
enum NoiseFiles {
  /// Writes `noisy_labels.npy` (int64 [N], id order) and `noise_transition.csv` (true class by given class).
  static func write(_ noise: NoiseReport, labels: [Int32], to folder: RunFolder) throws {
    try LabelFile.write(labels, to: folder.file("noisy_labels.npy"))
    let classes = noise.classNames
    try folder.writeTable(
      "noise_transition.csv", columns: ["true_label"] + classes,
      rows: classes.indices.map { row in [classes[row]] + noise.realised.row(row).map { "\($0)" } })
  }
}
