import Autotuning
import FileFormats
import Pages
import Repro
import Settings

@testable import Datasets
@testable import Detection
@testable import Reports
@testable import Sessions
@testable import Training

extension FuzzTarget {
  /// Files of run folders.
  static let runs: [FuzzTarget] = [
    FuzzTarget(
      "run-json",
      [JSONText.compact(record.json)] + [0, -5, Int.max, Int.min].map { recordText($0, "0") }
    ) { bytes in
      Fuzz.put(bytes, "record/run.json")
      let folder = Fuzz.folder + "/record"
      Fuzz.refusing {
        let record = try RunRecord.read(folder: folder)
        _ = JSONText.indented(record.json)
        _ = page(of: RunHistory(), record)
      }
      _ = ListOrigin(beside: folder + "/list.csv")
      Fuzz.put(bytes, "run.json")
      for name in ["labels.csv", "labels.npy"] {
        let list = name == "labels.csv" ? Array("sample_id\n0\n".utf8) : NumPyArray([0, 1] as [Int64]).encoded()
        let path = Fuzz.put(list, name)
        Fuzz.refusing { try SampleList(path, of: tiny, origin: ListOrigin(beside: path)).requireSameSamples() }
      }
    },
    FuzzTarget(
      "metrics",
      [
        "epoch,class,accuracy,confidence\n1,0,0.5,0.3\n1,1,,\n|epoch,step,lr,train_loss,train_acc,test_loss,test_acc,"
          + "seconds,images_per_second\n1,10,0.1,2.3,0.1,2.2,0.2,1.5,100\n2,20,0.1,,0.1,,,1.5,100\n",
        "epoch,class,accuracy,confidence\n|epoch,step,lr,train_loss,train_acc,test_loss,test_acc,seconds,"
          + "images_per_second,clean_acc,noisy_acc,kept_share\n1,10,1e-300,inf,nan,2.2,-1e308,1.5,100,0.5,,1e308\n",
      ]
    ) { bytes in
      let halves = bytes.split(separator: UInt8(ascii: "|"), maxSplits: 1, omittingEmptySubsequences: false)
      Fuzz.put(halves.count == 2 ? halves[0] : [], "run/per_class.csv")
      let path = Fuzz.put(halves.last ?? [], "run/metrics.csv")
      Fuzz.refusing {
        let history = try RunHistory.read(folder: Fuzz.folder + "/run")
        _ = (history.accuracy.map { JSONText.compact($0.json) }, history.epochs.map { JSONText.compact($0.json) })
        _ = page(of: history, record)
      }
      Fuzz.refusing { _ = try TableLog(continuing: path, columns: EpochReport.columns, after: 3) }
    },
    FuzzTarget("tensorboard", [events]) { bytes in
      for step in [0, 1, 5, Int.max] {
        let kept = TensorBoardEvent.length(of: bytes, upToStep: step)
        precondition(kept >= 0 && kept <= bytes.count)
      }
    },
    FuzzTarget("texts", ["2026-11-21T00:31:02Z", "\u{1B}[31m\u{202E}=cmd()|\"", "11h50m", "500", "1e400s", "12.5%"]) {
      bytes in
      guard let text = bytes.text else { return }
      if let time = UTCTime(text: text) { precondition(time.text == text) }
      _ = CSV.quoted(text)
      Fuzz.refusing { _ = try TransitionSource(parsing: text) }
      if let scale = Scale(text) { precondition(Scale(scale.description) == scale && !scale.folderName.contains("/")) }
      if case .count(let count)? = TrustedSource.read(setting: text) {
        var data = tiny
        data.train.trueLabels = [0, 1, 2, 0, 1, -1]
        Fuzz.refusing {
          let trusted = try data.trusting(count, seed: 1).trusted
          precondition(trusted?.ids.count == count, "\(count) trusted samples, and others were taken")
        }
      }
    },
    FuzzTarget(
      "tuning",
      [
        #"{"winograd-rows": [{"window": [32, 8, 8, 16, 16, 3, 3, 1, 1], "number": 8}], "weight-groups": []}"#,
        #"{"weight-chunks": [{"window": [1,1,1,1,1,1,1,1,0], "number": 4}]}"#,
      ]
    ) { bytes in
      Fuzz.refusing {
        let tuning = try TuningRecord.tuning(JSONText.parse(bytes, named: "x"), named: "x")
        let again = try TuningRecord.tuning(TuningRecord.json(tuning), named: "y")
        precondition(again == tuning, "written otherwise")
      }
    },
    FuzzTarget("checkpoint", [checkpoint("mlp:width=128", 3).input, checkpoint("resnet20", 1).input]) { bytes in
      Fuzz.refusing {
        let file = try SafetensorsFile(parsing: bytes.tensorFile, path: "x")
        Fuzz.refusing { _ = try Checkpoint.model(of: file) }
        let position = try Checkpoint.position(of: file)
        try position.requirePossible(epochs: 3, steps: 5, in: "x")
      }
    },
    FuzzTarget("stage", [stage(.pass(thresholds: [1])).input, stage(.fold(heldOut: [0, 3])).input]) { bytes in
      for kind in [DetectionStage.Kind.pass(thresholds: [1]), .fold(heldOut: [0, 3])] {
        Fuzz.refusing {
          let file = try SafetensorsFile(parsing: bytes.tensorFile, path: "x")
          let stage = DetectionStage(name: "pass1", kind: kind, seed: 1)
          let empty = stage.emptyDynamics(samples: 6, classes: 3, margin: .logits)
          let result = try DetectionStageResult.read(file, of: stage, like: empty, epochs: 3)
          judge(stage, result)
        }
      }
    },
  ]

  static let record = RunRecord(
    command: "train", version: "0", arguments: ["train", "x"], device: "cpu", seeds: ["seed": 1],
    data: .init(
      name: "n", layout: "l", trainCount: 2, testCount: 1, classCount: 2, fingerprint: "0", samples: "0",
      classNames: ["ant", "bee"]), started: UTCTime(seconds: 1_800_000_000))

  private static func page(of history: RunHistory, _ record: RunRecord) -> Int {
    let run = ComparisonPage.Run(
      folder: "run", record: record, model: "mlp", loss: "ce", noise: "none", history: history)
    return ComparisonPage(runs: [run, run], classNames: ["ant", "bee"]).html.utf8.count
  }

  private static let events: [UInt8] = [
    TensorBoardEvent(time: 1, step: 0, content: .version),
    TensorBoardEvent(time: 1, step: 3, content: .scalars([("loss", 0.5), ("lr", 1)])),
    TensorBoardEvent(time: 2, step: 3, content: .restart),
  ].flatMap(\.record)

  private static func checkpoint(_ model: String, _ channels: Int) -> SafetensorsFile {
    var file = SafetensorsFile(metadata: [
      "gpunoisy.schema": "gpunoisy.checkpoint/1", "gpunoisy.model": model, "gpunoisy.best": "0.4,1",
      "gpunoisy.classes": #"["ant","bee"]"#, "gpunoisy.image": "8,8,\(channels)", "gpunoisy.position": "1,0,4",
    ])
    file["state.input_mean"] = .init([Float](repeating: 0.5, count: channels), shape: [channels])
    file["state.input_std"] = .init([Float](repeating: 0.5, count: channels), shape: [channels])
    return file
  }

  /// What a stage of two counted epochs leaves.
  private static func stage(_ kind: DetectionStage.Kind) -> SafetensorsFile {
    let stage = DetectionStage(name: "pass1", kind: kind, seed: 1)
    var result = DetectionStageResult(stage.emptyDynamics(samples: 6, classes: 3, margin: .logits))
    for id in 0..<6 where stage.isPass || id % 3 != 0 {
      result.dynamics.marginSum[id] = Double(id) - 2
      result.dynamics.marginCount[id] = 2
    }
    result.marginHistory = [Float](repeating: 0.5, count: 12)
    for epoch in 1...2 { result.sketch.add([Float](repeating: 0.5, count: 6), epoch: epoch) }
    if !stage.isPass { result.probabilities = [0.2, 0.3, 0.5, 1, 0, 0] }
    return result.file(of: stage)
  }

  /// What `report` does with a stage.
  private static func judge(_ stage: DetectionStage, _ result: DetectionStageResult) {
    var settings = DetectionSettings()
    settings.detector = stage.isPass ? .aum : .confidentLearning
    settings.passes = 1
    var set = tiny.train
    set.trueLabels = [0, 1, 2, 0, 1, 1]
    let found = DetectionResult(settings, set, classes: 3, stages: [stage], results: [result])
    _ = DetectionTables(found, classCount: 3)
  }
}
