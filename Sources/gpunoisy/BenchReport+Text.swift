import FileFormats
import Reports
import Training

extension BenchReport {
  /// The report for people.
  var text: String {
    var lines = "device     \(device)  (\(driver))\n"
    if let peaks { lines += peaks.text }
    for run in runs {
      lines += "\n" + run.text
    }
    if runs.count > 1 { lines += "\n" + summary }
    return lines
  }

  /// All runs in one table; with the speedup over the first where only threads differ.
  private var summary: String {
    let hasThreads = runs.contains { $0.threads != nil }
    var columns: [TextTable.Column] = [
      .init("model"), .init("batch", .right), .init("precision"), .init("images/s", .right), .init("min", .right),
      .init("max", .right), .init("step ms", .right), .init("MB/image", .right),
    ]
    let hasMethods = runs.contains { $0.settings.method != nil } && runs.contains { $0.settings.method == nil }
    if hasThreads { columns += [.init("threads", .right), .init("speedup", .right)] }
    if hasMethods { columns.append(.init("of plain", .right)) }
    var table = TextTable(columns)
    for run in runs {
      let rate = run.result.rate
      var row = [
        run.model, "\(run.settings.batchSize)", run.precision, fixed(rate.median, 1), fixed(rate.min, 1),
        fixed(rate.max, 1), fixed(run.result.stepMilliseconds, 2), fixed(run.bytesPerImage / 1e6, 2),
      ]
      if hasThreads {
        let first = runs.first {
          $0.model == run.model && $0.settings.batchSize == run.settings.batchSize && $0.precision == run.precision
        }
        let speedup = rate.median / (first?.result.rate.median ?? .nan)
        row += [run.threads.map(String.init) ?? "-", fixed(speedup, 2) + "×"]
      }
      if hasMethods {
        let plain = runs.first {
          $0.settings.method == nil && $0.settings.network.description == run.settings.network.description
            && $0.settings.batchSize == run.settings.batchSize && $0.precision == run.precision
            && $0.threads == run.threads
        }
        row.append(NumberFormatting.percent(rate.median / (plain?.result.rate.median ?? .nan), places: 1))
      }
      table.append(row)
    }
    return table.text
  }
}

extension BenchRun {
  fileprivate var text: String {
    let rate = result.rate
    var lines = """
      training   \(model) \(settings.loss) batch \(settings.batchSize) \(precision)\
      \(threads.map { ", \($0) \($0 == 1 ? "thread" : "threads")" } ?? ""): \(fixed(rate.median, 1)) images/s \
      (\(fixed(rate.min, 1)) to \(fixed(rate.max, 1)) in \(settings.repeats) blocks of \(settings.steps) steps)
      step       \(fixed(result.stepMilliseconds, 2)) ms, \(result.launches) launches
      memory     \(fixed(Double(result.byteCount) / 1e6, 1)) MB for a step, \(fixed(bytesPerImage / 1e6, 2)) MB \
      per image

      """
    if !result.rows.isEmpty { lines += "\n" + operations }
    if !result.losses.isEmpty { lines += "\n" + losses }
    return lines
  }

  private var operations: String {
    let judged = result.rows.contains { $0.limit != nil }
    var columns: [TextTable.Column] = [
      .init("operation"), .init("shape"), .init("count", .right), .init("ms", .right), .init("GFLOP/s", .right),
      .init("GB/s", .right), .init("share", .right),
    ]
    if judged { columns.append(.init("limit")) }
    var table = TextTable(columns)
    for row in result.rows {
      var cells = [
        row.name, row.shape, "\(row.count)", fixed(row.milliseconds, 3), fixed(row.gigaflops, 1),
        fixed(row.gigabytes, 1), NumberFormatting.percent(row.share, places: 1),
      ]
      if judged {
        cells.append(row.limit.map { "\($0.kind.rawValue) \(NumberFormatting.percent($0.fraction, places: 0))" } ?? "")
      }
      table.append(cells)
    }
    return table.text
  }

  private var losses: String {
    var table = TextTable([.init("loss"), .init("ms", .right), .init("of a step", .right)])
    for loss in result.losses {
      table.append([loss.name, fixed(loss.milliseconds, 4), NumberFormatting.percent(loss.share, places: 3)])
    }
    return table.text
  }
}

extension DevicePeaks {
  fileprivate var text: String {
    let cached = copies.dropLast().map(\.rate).max() ?? 0
    return """
      at most    \(fixed(operations / 1e9, 1)) GFLOP/s in multiply-adds, \(fixed(memoryRate / 1e9, 1)) GB/s copied\
      \(cached > 0 ? " (\(fixed(cached / 1e9, 1)) within caches)" : ""), \(fixed(launch * 1e6, 2)) µs for a launch

      """
  }
}

/// `value` with that many digits after the point.
func fixed(_ value: Double, _ places: Int) -> String { NumberFormatting.decimal(value, places: places) }
