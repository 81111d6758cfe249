import FileFormats

/// Label noise as settings name it: `symmetric:0.4`, or several models joined by `+`.
public struct Noise: Sendable, Equatable, CustomStringConvertible {
  /// What draws the labels.
  public let model: any NoiseModel

  /// Reads what `NoiseCatalogue.parse` reads.
  ///
  /// - Throws: `.usage`.
  public init(_ text: String) throws { model = try NoiseCatalogue.parse(text) }

  private init(_ model: any NoiseModel) { self.model = model }

  /// Labels stay as they are given.
  public static let none = Noise(NoNoise())

  /// The text that `init(_:)` reads.
  public var description: String { model.text }

  /// The same noise with its files named by absolute paths.
  public func withAbsoluteFiles() -> Noise {
    var model = model
    model.changeFiles(FileBytes.absolute)
    return Noise(model)
  }

  /// Same text.
  public static func == (left: Self, right: Self) -> Bool { left.description == right.description }
}
