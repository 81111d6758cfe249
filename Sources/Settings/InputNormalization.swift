/// What the inputs of a network are normalised by: `--normalize`.
public enum InputNormalization: String, Sendable, CaseIterable {
  /// Mean and deviation of the training images.
  case images
  /// What the network's published weights expect (`Network.Entry.preprocessing`).
  case network
}
