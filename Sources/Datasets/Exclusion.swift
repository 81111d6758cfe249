/// What becomes of samples that a run is to leave out.
public enum Exclusion: String, Sendable, CaseIterable {
  /// They are never drawn.
  case drop
  /// They are drawn but do not count in the loss: steps per epoch stay, and batch norm sees them (Pleiss et al.'s code).
  case weightZero = "weight-zero"
}
