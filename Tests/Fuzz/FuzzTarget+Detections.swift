import ComputeCPU
import FileFormats
import Reports
import Settings

@testable import Datasets
@testable import Detection
@testable import Training

extension FuzzTarget {
  /// What a detection reads of its run folder, and arrays that somebody has computed for it.
  static let detections: [FuzzTarget] = [
    FuzzTarget(
      "features-stage",
      [
        findings().file.input, findings(given: [2: 1, 7: 0]).file.input, findings(.patches, cosine: nil).file.input,
        findings(spread: 0).file.input,
      ]
    ) { bytes in
      let detectors: [DetectionSettings.Detector] = [
        .features, .marginsAndFeatures, .confidentLearningAndFeatures, .divideMixAndFeatures, .coTeachingAndFeatures,
      ]
      Fuzz.refusing {
        let data = DetectionUnderFuzz.data, set = data.fitted, classes = data.dataset.classCount
        let found = try FeatureFindings(
          SafetensorsFile(parsing: bytes.tensorFile, path: "x"), of: set, classCount: classes)
        let written = found.file
        let again = try FeatureFindings(
          SafetensorsFile(parsing: written.encoded(), path: "y"), of: set, classCount: classes)
        precondition(again.file == written, "written otherwise")
        // One of them, by the input, as a page takes time.
        let detection = try DetectionUnderFuzz(by: detectors[bytes.count % detectors.count])
        try detection.report(detection.stages.map(DetectionUnderFuzz.result), found)
      }
    },
    FuzzTarget(
      "selection-stage",
      SelectionMethod.allCases.map { method in
        let stage = DetectionStage(name: method.rawValue, kind: .selection, seed: 1)
        return DetectionUnderFuzz.result(of: stage).file(of: stage).input
      }
    ) { bytes in
      Fuzz.refusing {
        let file = try SafetensorsFile(parsing: bytes.tensorFile, path: "x")
        let name = file.metadata[DetectionStageResult.stageKey] ?? ""
        let detectors = DetectionSettings.Detector.allCases.filter { $0.selection?.rawValue == name }
        guard !detectors.isEmpty else { return }
        let detection = try DetectionUnderFuzz(by: detectors[bytes.count % detectors.count])
        guard let stage = detection.stages.last else { return }
        let read = try DetectionStageResult.read(
          file, of: stage, like: DetectionUnderFuzz.empty(stage), epochs: detection.settings.epochs,
          labels: DetectionUnderFuzz.data.fitted.labels)
        let earlier = detection.stages.dropLast().map(DetectionUnderFuzz.result)
        try detection.report(earlier + [read], detection.settings.detection.detector.usesFeatures ? findings() : nil)
      }
    },
    FuzzTarget("sample-array", sampleArrays) { bytes in
      let parts = bytes.parts(2), folder = parts[0].isEmpty ? "alone" : "beside"
      if !parts[0].isEmpty { Fuzz.put(parts[0], folder + "/array.csv") }
      let path = Fuzz.put(parts[1], folder + "/array.npy")
      for data in [tiny, withPaths] {
        Fuzz.refusing {
          let file = try SampleArrayFile(path, of: "features", for: data), ids = Array(0..<data.train.count)
          precondition(file.rows(ids).count == ids.count * file.width)
          _ = try file.probabilities(ids, classes: data.classCount)
        }
      }
      Fuzz.refusing {
        var detection = try DetectionUnderFuzz(by: .features)
        detection.settings.detection.features = .file(path)
        let found = try FeatureDetection(
          detection.settings, data: DetectionUnderFuzz.data, equal: DetectionUnderFuzz.equal
        ) { _, _ in }.findings(on: CPUDevice(threads: 1))
        try detection.report([], found)
      }
      Fuzz.refusing {
        var detection = try DetectionUnderFuzz(by: .confidentLearning)
        detection.settings.detection.predictedProbabilities = path
        let data = DetectionUnderFuzz.data
        try detection.report([], nil, probabilities: FinishedDetection.probabilities(detection.settings, data))
      }
    },
  ]

  /// What features say of the set, which differ by class.
  private static func findings(
    _ source: FeatureSource = .lite0, given: [Int: Int] = [:], cosine: Double? = 0.9, spread: Float = 1
  ) -> FeatureFindings {
    let set = DetectionUnderFuzz.data.fitted
    return FeatureFindings(
      DetectionUnderFuzz.features.map { $0 * spread }, width: 3, of: Array(0..<set.count), in: set,
      classCount: DetectionUnderFuzz.data.dataset.classCount, source: source, groups: [[1, 4, 7]], copies: [[0, 3]],
      given: given, trainCount: 18, cosine: cosine, seconds: 1.5)
  }

  /// Features and probabilities of the set, and of the six images; alone, and with a table that names other rows.
  private static var sampleArrays: [[UInt8]] {
    let data = DetectionUnderFuzz.data.dataset, count = data.train.count
    let features = NumPyArray(DetectionUnderFuzz.features, shape: [count, 3]).encoded()
    let rows = (0..<count).flatMap { row -> [Double] in (0..<4).map { $0 == row % 4 ? 0.7 : 0.1 } }
    let probabilities = NumPyArray(rows, shape: [count, 4]).encoded()
    func table(_ paths: [String]) -> String {
      CSV.line(["path", "row"]) + paths.enumerated().reversed().map { CSV.line([$1, "\($0)"]) }.joined()
    }
    return [
      .parts("", last: features), .parts("", last: probabilities),
      .parts(table(data.trainPaths), last: features),
      .parts("", last: NumPyArray([Float](repeating: 1e38, count: 18), shape: [6, 3]).encoded()),
      .parts(table(tiny.trainPaths), last: NumPyArray([Int64](0..<12), shape: [6, 2]).encoded()),
    ]
  }
}
