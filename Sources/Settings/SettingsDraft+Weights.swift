import Datasets
import Failures
import Networks

extension SettingsDraft {
  /// What follows from `--init`: the network of known weights, their image size, and what they expect of inputs.
  ///
  /// Asked for once all settings are given, and before the data is read. Weights that are not known leave the network
  /// alone unless they are a checkpoint, and get the inputs that the network's published weights expect, if it has any.
  ///
  /// - Throws: what `WeightsChoice` throws; `.configuration` for known weights of another network than the one that is
  ///   asked for.
  public mutating func followWeights() throws {
    guard settings.job == .train, let text = settings.initialWeights else { return }
    let choice = try WeightsChoice(text), checkpoint = choice.checkpoint()
    // Features are those of images as they are.
    if settings.freezes { follow("augment", \.augment, RunSettings.AugmentationKind.none, because: "--freeze") }
    // A run that continues another one keeps that one's rate. Pretrained layers need little change; and batches
    // of a few classes have other statistics than those that the layers behind were trained with.
    if !settings.freezes, checkpoint?.isTrainedWhole != true {
      follow("pretrained-rate", \.optimizer.pretrainedRate, 0.1, because: "--init")
      follow("batch-norm", \.batchNorm, .running, because: "--init")
    }
    guard let known = choice.known else {
      if let checkpoint { follow("model", \.model, checkpoint.network, because: "the checkpoint of --init") }
      if settings.model.entry.preprocessing != nil {
        follow("normalize", \.normalize, .network, because: "--init")
      }
      return try settings.validateNormalization()
    }
    let reason = "the weights \(known.name)", network = try Network(known.network)
    guard origin(of: "model") == .standard || settings.model.entry.name == network.entry.name else {
      throw Failure(
        .configuration, "--init \(text) cannot be used with --model \(settings.model).",
        why: "these weights are of \(network).", fix: "remove --model, or write --model \(network).")
    }
    follow("model", \.model, network, because: reason)
    let side = known.imageSide
    follow("image-size", \.imageSize, PixelSize(width: side, height: side), because: reason)
    follow("normalize", \.normalize, .network, because: reason)
  }
}
