import Datasets
import FileFormats
import TestSupport
import Testing

/// oracle.py and losses.py, which hold PyTorch's and the `aum` package's side of these tests.
enum Oracle {
  private struct NoAnswer: Error, CustomStringConvertible {
    let description: String
  }

  /// Runs one of oracle.py's commands.
  static func run(_ arguments: String...) throws { try run(script: "oracle.py", arguments) }

  /// Runs a script.
  static func run(script: String, _ arguments: String...) throws { try run(script: script, arguments) }

  private static func run(script name: String, _ arguments: [String]) throws {
    let folder = String((#filePath as String).dropLast("Oracle.swift".count))
    // oracle.py imports networks.py, which lies beside it.
    let path = "import sys\nsys.dont_write_bytecode = True\nsys.path.insert(0, '\(folder)')\n"
    let script = path + String(decoding: try FileBytes.read(folder + name), as: UTF8.self)
    let result = try PythonOracle.run(script, arguments)
    guard result.code == 0 else { throw NoAnswer(description: "\(name) \(arguments[0]): \(result.output)") }
  }
}

/// The images of these tests: real ones where `GPUNOISY_TEST_DATA` has them, else the synthetic ones.
enum OracleData {
  private static let cifar10 = RealData.folder(of: "cifar-10-batches-bin")

  /// The first `count` samples.
  static func samples(_ count: Int) throws -> LabelledSet {
    guard let cifar10 else { return Shapes.samples(seed: 1, count: count, isTest: false) }
    return try Dataset.open(cifar10, options: DatasetOptions()).limited(train: count).train
  }

  /// A request to oracle.py that holds the images and their labels; it names the files that they were read from.
  static func request(_ data: LabelledSet, _ settings: [String: String]) -> SafetensorsFile {
    var file = SafetensorsFile(metadata: settings)
    file.metadata["cifar10"] = cifar10
    file["pixels"] = .init(
      data.images.pixels, shape: [data.count, data.images.height, data.images.width, data.images.channels])
    file["labels"] = .init(data.labels, shape: [data.count])
    return file
  }
}
