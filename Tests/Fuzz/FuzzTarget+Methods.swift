import FileFormats
import Pages

@testable import Datasets
@testable import Methods
@testable import Training

extension FuzzTarget {
  /// What methods keep: in checkpoints, and of the rounds that are done.
  static let methods: [FuzzTarget] = [
    FuzzTarget("method", MethodUnderFuzz.all.map(\.input)) { bytes in
      Fuzz.refusing {
        let file = try SafetensorsFile(parsing: bytes.tensorFile, path: "x")
        let name = file.metadata["gpunoisy.method"]
        try MethodUnderFuzz.all.first { $0.name == name }?.resume(with: file)
      }
    },
    FuzzTarget("mixture", mixtures) { bytes in
      var data = tiny
      data.train.trueLabels = [0, 1, 2, 0, 1, -1]
      Fuzz.refusing {
        let path = Fuzz.put(bytes.tensorFile, "mixture.safetensors")
        for networks in 1...2 {
          Fuzz.refusing { _ = try LossMixture.read(SafetensorsFile.read(path), networks: networks) }
        }
        var run = ComparisonPage.Run(
          folder: "run", record: record, model: "mlp", loss: "ce", noise: "none", history: .init())
        run.mixtures = try RunComparison.mixtures(checkpoint: path, data: data)
        _ = ComparisonPage(runs: [run], classNames: data.classNames).html
      }
    },
    FuzzTarget("round", [round, JoinedSample.file([], of: "round1").input]) { bytes in
      Fuzz.refusing {
        let file = try SafetensorsFile(parsing: bytes.tensorFile, path: "x")
        let joined = try JoinedSample.read(file, of: "round1")
        let again = try JoinedSample.read(JoinedSample.file(joined, of: "round2"), of: "round2")
        precondition(again.map(\.id) == joined.map(\.id), "written otherwise")
        let method = try MethodChoice(coTraining).make(MethodUnderFuzz.setup())
        try method.restore(stage: 0, from: file)
        try method.begin(stage: 1)
        _ = try method.begin(EpochStart(epoch: 0, step: 0, learningRate: 0.01))
        try method.step(0)
        _ = try method.finish(EpochEnd(epoch: 0, ids: method.members[0].ids(ofFirst: 1)))
      }
    },
  ]

  private static let coTraining = "co-training:rounds=2,labels=2,joins=1"

  /// What a first round leaves whose networks have not learned.
  private static var round: [UInt8] {
    Seeds.made {
      let method = try MethodChoice(coTraining).make(MethodUnderFuzz.setup())
      try method.begin(stage: 0)
      return try method.result()?.input ?? []
    }
  }

  /// The mixtures of two networks' losses, and of one whose losses are all the same.
  private static var mixtures: [[UInt8]] {
    let all: [[Float]] = [[0.1, 0.2, 3, 0.15, 2.5, 0.3], [0, 0.4, 1, 5, 0.1, 0.2], [1, 1, 1, 1, 1, 1]]
    return [Array(all[..<2]), [all[2]]].map { losses in
      var file = SafetensorsFile()
      let numbers = Seeds.made {
        try losses.flatMap {
          try LossMixture.judge($0, of: Array(0..<6), history: [], epochs: 1).mixture.numbers
        }
      }
      file[LossMixture.name] = .init(numbers, shape: [losses.count, LossMixture.count])
      for (network, own) in losses.enumerated() {
        file[Checkpoint.prefix(network) + "state.sample_loss"] = .init(own, shape: [6])
      }
      return file.input
    }
  }
}
