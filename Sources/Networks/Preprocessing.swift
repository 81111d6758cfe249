extension Network {
  /// How bytes become the inputs that a network's published weights were learnt with:
  /// (byte / 255 − mean) / standardDeviation, for each channel.
  public struct Preprocessing: Sendable, Equatable {
    /// [3], red, green, blue, of byte / 255.
    public let mean: [Float]
    /// [3], red, green, blue, of byte / 255.
    public let standardDeviation: [Float]

    /// These means and deviations, one for each channel.
    public init(mean: [Float], standardDeviation: [Float]) {
      (self.mean, self.standardDeviation) = (mean, standardDeviation)
    }

    /// Mean and deviation of ImageNet's images, as torchvision's weights expect them.
    public static let imageNet = Preprocessing(
      mean: [0.485, 0.456, 0.406], standardDeviation: [0.229, 0.224, 0.225])
    /// (byte − 127) / 128, as EfficientNet-Lite's weights expect it.
    public static let efficientNetLite = Preprocessing(
      mean: [Float](repeating: 127 / 255, count: 3), standardDeviation: [Float](repeating: 128 / 255, count: 3))
  }
}
