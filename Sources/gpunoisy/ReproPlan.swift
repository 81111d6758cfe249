import Autotuning
import Compute
import ComputeCPU
import ComputeKernels
import Datasets
import Failures
import FileFormats
import Methods
import Reports
import Repro
import Training

/// What a campaign would run, with the predicted time of each run.
struct ReproPlan {
  private let campaign: Campaign
  /// A cell, its runs that are left of all of this call's, and the seconds of one.
  private var cells: [(cell: ReproTable.Cell, settings: RunSettings, left: Int, all: Int, seconds: Double)] = []
  /// Runs at a time that do not slow one another down: those of --jobs where each has processors of its own.
  private let atOnce: Int
  /// Why data are missing, by their name.
  private var missing: [String: Failure] = [:]

  /// Measures ten steps of each kind of run on the device.
  ///
  /// - Parameter note: is told what takes a moment.
  init(
    _ campaign: Campaign, _ tasks: [Campaign.Task], _ options: ReproOptions, note: @escaping (String) -> Void
  ) throws {
    self.campaign = campaign
    var parts: [Part] = []
    var order: [String] = [], byCell: [String: [Campaign.Task]] = [:]
    for task in tasks {
      if byCell[task.cell.name] == nil { order.append(task.cell.name) }
      byCell[task.cell.name, default: []].append(task)
    }
    for name in order {
      var settings = byCell[name]![0].settings
      if let root = options.dataRoot { settings.dataRoot = root }
      parts += Part.parts(settings)
    }
    let forecast = try options.device.open(Forecast(parts: parts), note: note)
    missing = forecast.missing
    let share = Processors.available / max(options.threads ?? Processors.available, 1)
    atOnce = forecast.isOfProcessors ? max(1, min(options.jobs, share)) : 1
    for name in order {
      let tasks = byCell[name]!
      var settings = tasks[0].settings
      if let root = options.dataRoot { settings.dataRoot = root }
      let seconds = Part.parts(settings).reduce(0) { $0 + (forecast.seconds[$1.key] ?? 0) * $1.share }
      let left = tasks.count { Campaign.state(of: $0) != .finished }
      cells.append((tasks[0].cell, settings, left, tasks.count, seconds))
    }
  }

  /// A training that a run consists of: a detection may train again afterwards.
  fileprivate struct Part {
    let settings: RunSettings
    /// How much of the time counts: a fold trains on a part of the samples.
    let share: Double

    /// What decides the time.
    var key: String {
      let names = [
        "data", "data-root", "image-size", "limit-train", "limit-test", "val", "model", "method", "epochs",
        "batch-size", "optimizer", "augment", "precision", "detector", "selection", "passes", "folds", "exclude",
        "trusted", "teacher",
      ]
      return
        ([settings.job.rawValue, settings.loss.entry.name]
        + names.map { name in
          RunSettings.setting(named: name).map { $0.text(settings) } ?? ""
        }).joined(separator: " ")
    }

    static func parts(_ settings: RunSettings) -> [Part] {
      var parts = [Part(settings: settings, share: 1)]
      if settings.job == .detect, settings.detection.retrain != nil {
        var again = settings.retraining(without: "", by: .drop)
        again.exclude = nil
        parts.append(Part(settings: again, share: 1))
      }
      return parts
    }
  }

  // MARK: - Measuring

  /// Seconds of each kind of training on a device.
  private struct Forecast: DeviceWork {
    let parts: [Part]

    func run<D: TunableDevice>(
      on device: D
    ) throws -> (seconds: [String: Double], missing: [String: Failure], isOfProcessors: Bool) {
      var seconds: [String: Double] = [:], missing: [String: Failure] = [:]
      for part in parts where seconds[part.key] == nil {
        var settings = part.settings
        let clock = ContinuousClock(), start = clock.now
        var samples: Int?, tests = settings.limitTest
        // Ten steps and a few test images tell enough.
        settings.limitTest = min(settings.limitTest ?? .max, 512)
        do {
          try LabelFiles.require(part.settings)
          let dataset = try Dataset.opened(by: part.settings)
          tests = dataset.test?.count
        } catch let failure as Failure where failure.kind == .missingInput {
          missing[failure.what] = failure
          guard let standIn = KnownSizes.standIn(for: settings) else { continue }
          (settings, samples, tests) = (standIn.settings, standIn.train, tests ?? standIn.test)
        }
        let data = try RunData(settings), taught = Self.withoutTeachers(&settings)
        let trainer = try Trainer(settings, data: data, on: device)
        let opening = (clock.now - start) / .seconds(1)
        var pace = try trainer.pace()
        if let samples {
          let count = min(samples, part.settings.limitTrain ?? .max)
          pace = RunPace(
            stepSeconds: pace.stepSeconds, imageSeconds: pace.imageSeconds,
            steps: (count + settings.batchSize - 1) / settings.batchSize)
        }
        seconds[part.key] =
          opening + taught
          * pace.seconds(stages: trainer.plannedStages, evaluated: (tests ?? 0) + (data.heldOut?.count ?? 0))
      }
      return (seconds, missing, device is CPUDevice)
    }

    /// Takes grafting in the place of a method whose teachers are not trained yet.
    ///
    /// - Returns: how much longer the method's own steps take: a teacher only predicts, a third of a step.
    private static func withoutTeachers(_ settings: inout RunSettings) -> Double {
      let count = settings.teachers.paths.count
      guard count > 0, let grafting = try? MethodChoice("grafting:members=\(settings.method.networks)") else {
        return 1
      }
      (settings.method, settings.teachers) = (grafting, [])
      return 1 + Double(count) / 3
    }
  }

  /// Data sets whose shapes are known without their files.
  private enum KnownSizes {
    /// Built-in images of the same shape in place of those that are missing; nil for shapes that are not known.
    static func standIn(for settings: RunSettings) -> (settings: RunSettings, train: Int, test: Int)? {
      guard ["cifar10", "cifar100"].contains(settings.data) else { return nil }
      var other = settings
      (other.data, other.noise, other.exclude, other.labels) = ("shapes", .none, nil, nil)
      (other.transition, other.validation, other.cleanLabels) = (nil, nil, nil)
      (other.limitTrain, other.limitTest) = (min(settings.limitTrain ?? 10_000, 10_000), 512)
      // True labels are known where noise was drawn.
      if settings.trusted != nil, let noise = try? Noise("symmetric:0.1") {
        other.noise = noise
        other.trusted = .count(1000)
      }
      return (other, 50_000, 10_000)
    }
  }

  // MARK: - Telling

  private var total: Double { cells.reduce(0) { $0 + Double($1.left) * $1.seconds } }

  var text: String {
    var table = TextTable([
      .init("cell"), .init("runs left", .right), .init("network"), .init("epochs", .right),
      .init("time of a run", .right),
      .init("time left", .right),
    ])
    for (cell, settings, left, all, seconds) in cells {
      let known = seconds > 0
      table.append([
        cell.name, "\(left) of \(all)", settings.model.description, "\(settings.epochs)",
        known ? NumberFormatting.duration(seconds: seconds) : "unknown",
        known ? NumberFormatting.duration(seconds: seconds * Double(left)) : "unknown",
      ])
    }
    var text = table.text
    let left = cells.reduce(0) { $0 + $1.left }
    var time =
      total > 0 ? "\(NumberFormatting.duration(seconds: total)) one after the other on this device" : "time unknown"
    if total > 0, atOnce > 1 {
      time += "; about \(NumberFormatting.duration(seconds: total / Double(atOnce))) with \(atOnce) at a time"
    }
    text += "\n\(left) runs, \(time)\n"
    for (what, failure) in missing.sorted(by: { $0.key < $1.key }) {
      text += "missing: \(what)\n  fix: \(failure.fix)\n"
    }
    if !missing.isEmpty { text += "times without the data itself are those of built-in images of the same size\n" }
    return text
  }

  var json: JSONValue {
    [
      "schema": "gpunoisy.repro-plan/1", "table": .string(campaign.table.name),
      "scale": .string(campaign.scale.description), "seconds": JSONValue(total), "at_once": JSONValue(atOnce),
      "missing": .array(missing.keys.sorted().map { .string($0) }),
      "cells": .array(
        cells.map {
          [
            "cell": .string($0.cell.name), "left": JSONValue($0.left), "runs": JSONValue($0.all),
            "seconds": JSONValue($0.seconds > 0 ? $0.seconds : nil),
          ]
        }),
    ]
  }
}
