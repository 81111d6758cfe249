import ArgumentParser

struct DataCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "data", abstract: "Inspect data sets, make noisy labels, convert layouts.",
    discussion: """
      Examples:
        gpunoisy data info ./photos
        gpunoisy data noise cifar10 --noise symmetric:0.4 --out labels.npy
        gpunoisy data shapes --out shapes.npz
        gpunoisy data convert ./photos --to npz --out photos.npz
      """,
    subcommands: [
      DataInfoCommand.self, DataNoiseCommand.self, DataShapesCommand.self, DataConvertCommand.self,
    ])
}
