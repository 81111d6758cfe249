import Compute
import Datasets
import Sessions

extension Evaluator {
  /// The features of every sample, `[N, F]` row by row: what the last, linear layer turns into logits; where several networks
  /// answer, those of the first, of its view of the images.
  ///
  /// - Returns: the values, and F.
  /// - Throws: `.badInput` if the images have another size or number of channels.
  public func features(_ data: LabelledSet) throws -> (values: [Float], width: Int) {
    try requireImages(data.images)
    let extractor = try FeatureExtractor(
      network: network, weights: file, device: device, height: model.height, width: model.viewWidth,
      channels: model.channels, normalization: model.normalization)
    return (try extractor.features(of: data.images.view(0, of: model.views).pixels), extractor.width)
  }
}
