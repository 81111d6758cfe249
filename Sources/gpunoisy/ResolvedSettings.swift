import Compute
import ComputeCPU
import FileFormats
import Losses
import Methods
import Training

extension RunSettings {
  /// The settings with what was left to be found out, so that config.toml repeats the run elsewhere.
  func resolved<D: Device>(for data: RunData, on device: D) throws -> RunSettings {
    var settings = self
    settings.loss = try Loss(loss).description
    settings.method = try MethodChoice(method).description
    if detection == nil { settings.schedule = schedule ?? .step }
    settings.augment = augmentation(channels: data.dataset.train.images.channels)
    settings.noiseSeed = noiseSeed ?? seed
    settings.dataRoot = dataRoot ?? FileBytes.environment("GPUNOISY_DATA")
    if self.device.lowercased() == "auto" { settings.device = device is CPUDevice ? "cpu" : device.name }
    return settings
  }
}
