import FileFormats

/// A part of a data set, by the names that folders, tables and arrays give it.
public enum SplitPart: String, Sendable, CaseIterable {
  case train
  case validation = "val"
  case test

  /// Reads a name in any capitals, without the blanks around it; nil for any other name.
  init?(_ name: String) {
    switch name.trimmingBlanks.lowercased() {
    case "train", "training": self = .train
    case "val", "valid", "validation": self = .validation
    case "test", "testing": self = .test
    default: return nil
    }
  }
}
