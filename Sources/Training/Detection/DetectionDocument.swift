import Datasets
import Detection
import FileFormats
import Reports

/// detect.json: what a page about a detection shows, but for the samples themselves.
public enum DetectionDocument {
  /// The name of the format and its version.
  public static let schema = "gpunoisy.detect/1"

  /// The document of a finished detection.
  public static func json(_ finished: FinishedDetection) -> JSONValue {
    let dataset = finished.data.dataset, result = finished.result, tables = finished.tables
    let judged = result.samples.count { $0.quality != nil }
    return [
      "schema": .string(schema), "status": "finished", "run": .string(finished.folder),
      "data": [
        "name": .string(dataset.name), "source": .string(dataset.source),
        "classes": .array(dataset.classNames.map { .string($0) }), "train": JSONValue(dataset.train.count),
        "fingerprint": .string(finished.fingerprint),
      ],
      "settings": configuration(finished.settings),
      "samples": JSONValue(result.samples.count), "judged": JSONValue(judged),
      "issues": JSONValue(result.samples.count(where: \.isIssue)),
      "verdict": .string(result.verdict.rawValue), "score": result.score.map(score) ?? .null,
      "extra_class_share": result.passes.isEmpty ? .null : JSONValue(result.extraClassShare),
      "pass_correlation": JSONValue(result.passCorrelation),
      "selection_agreement": JSONValue(result.selectionAgreement?.share),
      "stages": .array(stages(finished)),
      "aum_histogram": tables.histogram.map(histogram) ?? .null,
      "per_class": .array(tables.classes.map { perClass($0, finished) }),
      "pairs": .array(
        tables.pairs.map {
          [
            "given_label": JSONValue($0.given), "predicted_label": JSONValue($0.predicted),
            "given_name": .string(dataset.classNames[$0.given]),
            "predicted_name": .string(dataset.classNames[$0.predicted]), "count": JSONValue($0.count),
          ]
        }),
      "confident_learning": result.confident.map(confident) ?? .null,
      "features": result.features.map { features($0, names: dataset.classNames) } ?? .null,
      "duplicates": .array(
        result.duplicates.map {
          [
            "ids": .array($0.ids.map { JSONValue(Int($0)) }),
            "labels": .array($0.ids.map { JSONValue(Int(dataset.train.labels[Int($0)])) }),
            "differ": .bool($0.hasDifferentLabels),
          ]
        }),
      "split": .string(finished.settings.detection.split.rawValue),
      "groups": .array(result.groups.map { .array($0.map { JSONValue($0) }) }),
      "reviewed": result.reviewed.map { reviewed($0) } ?? .null, "overlap": overlap(finished),
      "files": files(finished),
    ]
  }

  /// A detector's score as an object; what means nothing is null.
  public static func score(_ score: DetectionScore) -> JSONValue {
    [
      "samples": JSONValue(score.samples), "wrong": JSONValue(score.wrong), "flagged": JSONValue(score.flagged),
      "hits": JSONValue(score.hits), "precision": JSONValue(score.precision), "recall": JSONValue(score.recall),
      "f1": JSONValue(score.f1), "auroc": JSONValue(score.areaUnderROC),
      "average_precision": JSONValue(score.averagePrecision),
    ]
  }

  private static func configuration(_ settings: RunSettings) -> JSONValue {
    .object(settings.values.map { JSONMember($0.name, value($0.value)) })
  }

  private static func value(_ value: FlatTOML.Value) -> JSONValue {
    switch value {
    case .bool(let value): .bool(value)
    case .number(let value): .number(value)
    case .string(let value): .string(value)
    case .list(let values): .array(values.map { Self.value($0) })
    }
  }

  private static func stages(_ finished: FinishedDetection) -> [JSONValue] {
    let epochs = finished.settings.epochs
    return finished.stages.enumerated().map { index, stage in
      var members = [
        JSONMember("name", .string(stage.name)), JSONMember("seed", JSONValue(stage.seed)),
        JSONMember("first_epoch", JSONValue(index * epochs + 1)),
        JSONMember("last_epoch", JSONValue((index + 1) * epochs)),
      ]
      switch stage.kind {
      case .pass:
        let pass = finished.result.passes[index]
        members += [
          JSONMember("threshold_samples", JSONValue(pass.ids.count)),
          JSONMember("cutoff", JSONValue(pass.cutoff.area)),
          JSONMember("test_acc", JSONValue(finished.testAccuracy(epoch: (index + 1) * epochs))),
        ]
      case .fold(let heldOut): members.append(JSONMember("held_out", JSONValue(heldOut.count)))
      case .selection:
        members.append(JSONMember("method", JSONValue(finished.settings.effectiveSelection?.description)))
      }
      return .object(members)
    }
  }

  private static func histogram(_ histogram: DetectionTables.Histogram) -> JSONValue {
    func counts(_ values: [Int]?) -> JSONValue { values.map { .array($0.map { JSONValue($0) }) } ?? .null }
    return [
      "edges": .array(histogram.edges.map { JSONValue($0) }), "samples": counts(histogram.samples),
      "threshold_samples": counts(histogram.thresholds), "right": counts(histogram.right),
      "wrong": counts(histogram.wrong),
    ]
  }

  private static func perClass(_ found: DetectionTables.Class, _ finished: FinishedDetection) -> JSONValue {
    [
      "label": JSONValue(found.label), "name": .string(finished.data.dataset.classNames[found.label]),
      "size": JSONValue(found.size), "flagged": JSONValue(found.flagged), "suggested": JSONValue(found.suggested),
      "mean_aum": JSONValue(found.meanArea), "wrong": JSONValue(found.wrong),
      "test_acc": JSONValue(finished.accuracy(ofClass: found.label)),
    ]
  }

  private static func confident(_ found: ConfidentLearning) -> JSONValue {
    func matrix(_ values: [Int]) -> JSONValue {
      .array(
        (0..<found.classes).map { row in
          .array(values[row * found.classes..<(row + 1) * found.classes].map { JSONValue($0) })
        })
    }
    return [
      "thresholds": .array(found.thresholds.map { JSONValue($0) }), "confident_counts": matrix(found.confidentCounts),
      "joint": matrix(found.joint), "off_diagonal": JSONValue(found.offDiagonal.count),
    ]
  }

  /// What features said: the verdict, its sentences, and the numbers in them.
  private static func features(_ found: FeatureFindings, names: [String]) -> JSONValue {
    let judgement = found.judgement
    return [
      "source": .string(found.source.description), "verdict": .string(found.verdict.rawValue),
      "message": .string(FeatureStatement(found, classNames: names).text), "judged": JSONValue(found.ids.count),
      "trusted": JSONValue(judgement?.isTrusted.count { $0 }),
      "wrong_estimate": JSONValue(judgement?.estimate),
      "wrong_share": JSONValue(judgement?.share), "wrong_share_most": JSONValue(judgement?.most),
      "listed": JSONValue(judgement?.isListed.count { $0 }), "expected_precision": JSONValue(judgement?.expectedRight),
      "expected_recall": JSONValue(judgement?.expectedFound), "held_out_agreement": JSONValue(judgement?.agreement),
      "guessing": JSONValue(judgement?.guessing), "r2": JSONValue(judgement?.explained),
      "sureness": JSONValue(judgement?.sureness), "gain": JSONValue(judgement?.gain), "bar": JSONValue(judgement?.bar),
      "not_judged": .array(found.tooSmall.map { .string(names[$0]) }), "seconds": JSONValue(found.seconds),
    ]
  }

  /// What an earlier round decided.
  private static func reviewed(_ found: ReviewedLabels) -> JSONValue {
    [
      "count": JSONValue(found.count), "kept": JSONValue(found.labels.count - found.changed.count),
      "changed": JSONValue(found.changed.count), "left_out": JSONValue(found.dropped.count),
      "undecided": JSONValue(found.undecided),
    ]
  }

  /// How many images are in the training part and in another one; null where there is no other.
  private static func overlap(_ finished: FinishedDetection) -> JSONValue {
    guard finished.data.whole.parts.count > 1 else { return .null }
    let copies = finished.overlaps.count { $0.cosine == nil }
    return [
      "copies": JSONValue(copies),
      // Nobody has looked for them where features do not tell, or were not computed of the other parts.
      "near_duplicates": finished.settings.detection.split == .all && finished.result.features?.cosine != nil
        ? JSONValue(finished.overlaps.count - copies) : .null,
      "different_labels": JSONValue(finished.rankedOverlaps.count(where: \.hasDifferentLabels)),
    ]
  }

  private static func files(_ finished: FinishedDetection) -> JSONValue {
    let result = finished.result
    var members = [JSONMember("issues", "label_issues.csv"), JSONMember("samples", "samples.csv")]
    if !result.passes.isEmpty {
      members += [JSONMember("aum", "aum_values.csv"), JSONMember("threshold_samples", "aum_threshold.csv")]
    }
    if result.confident != nil {
      members += [
        JSONMember("probabilities", "pred_probs.npy"), JSONMember("labels", "labels.npy"),
        JSONMember("sample_ids", "sample_ids.npy"),
      ]
    }
    if !finished.overlaps.isEmpty { members.append(JSONMember("overlap", .string(RunFolder.overlapName))) }
    let kept = zip(finished.stages, finished.results).filter { !$1.marginHistory.isEmpty }
    members.append(
      JSONMember(
        "margins", .object(kept.map { JSONMember($0.0.name, .string("margins/\($0.0.name).npy")) })))
    return .object(members)
  }
}
