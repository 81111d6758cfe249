import Failures
import FileFormats
import Reports
import Statistics

/// What a campaign's runs came to so far.
public struct CampaignResult: Sendable {
  /// A cell's quantity over the seeds.
  public struct Row: Sendable {
    /// The cell, and the quantity's name.
    public let cell: ReproTable.Cell, measure: String
    /// The finished runs by seed.
    public let values: [(seed: Int, value: Measurement)]
    /// What was published.
    public let published: ReproTable.Published?
    /// The verdict.
    public let verdict: Verdict

    /// The mean over the finished seeds; nil without any.
    public func mean(_ metric: ReproTable.Metric) -> MeanInterval? {
      MeanInterval(values.map { $0.value[metric] })
    }

    /// Whether it is a number of every epoch, so that best and last ten say something.
    public var isSeries: Bool { values.first?.value.best != nil }

    /// Whether there is anything to show: a finished run, or a published value.
    var isShown: Bool { !values.isEmpty || published != nil }
  }

  /// The campaign.
  public let campaign: Campaign
  /// Cells and quantities in the order of the table.
  public let rows: [Row]
  /// The claims.
  public let claims: [ClaimResult]
  /// How each run stands, in the order of the campaign's runs.
  public let states: [(task: Campaign.Task, state: Campaign.State)]
  /// Programs and devices of the finished runs, each once.
  public let machines: [String]

  /// Reads all runs of a campaign.
  ///
  /// - Throws: `.badInput`, `.missingInput` for a finished run whose files are damaged or missing, or that is not the
  ///   one that was planned in its place.
  public init(_ campaign: Campaign) throws {
    let table = campaign.table
    var states: [(Campaign.Task, Campaign.State)] = [], machines: Set<String> = []
    var measured: [String: [(seed: Int, value: Measurement)]] = [:]
    var finished: [String: [(task: Campaign.Task, record: RunRecord)]] = [:]
    for task in campaign.tasks {
      let state = Campaign.state(of: task)
      states.append((task, state))
      guard state == .finished else { continue }
      let record = try RunRecord.read(folder: task.folder)
      try Campaign.requirePlanned(task, record)
      finished[task.cell.name, default: []].append((task, record))
      machines.insert("gpunoisy \(record.version) on \(record.device)")
      for measure in table.measures {
        guard let quantity = Quantity(measure),
          let value = try Measurement.read(
            quantity, ofRun: task.folder, isDetection: task.cell.job == .detect)
        else { continue }
        measured["\(task.cell.name) \(measure)", default: []].append((task.seed, value))
      }
    }
    let cells = try table.cells(at: campaign.scale, matching: [])
    for cell in cells { try Campaign.requireSameImages(finished[cell.name] ?? []) }
    let rows = cells.flatMap { cell in
      table.measures.map { measure in
        let values = measured["\(cell.name) \(measure)"] ?? [], published = cell.published[measure]
        let ours = MeanInterval(values.map { $0.value[table.metric] })
        return Row(
          cell: cell, measure: measure, values: values, published: published,
          verdict: Verdict(ours, published, at: campaign.scale))
      }
    }
    (self.campaign, self.rows) = (campaign, rows)
    (self.states, self.machines) = (states, machines.sorted())
    claims = table.claims.filter { claim in claim.cells.allSatisfy { name in cells.contains { $0.name == name } } }
      .map { claim in
        func values(_ cell: String, _ metric: ReproTable.Metric) -> [Int: Double] {
          let values = measured["\(cell) \(claim.measure)"] ?? []
          return Dictionary(uniqueKeysWithValues: values.map { ($0.seed, $0.value[metric]) })
        }
        let differences: [Int: Double]
        switch claim.subject {
        case .above(let cell, let metric, below: let other, let otherMetric):
          let others = values(other, otherMetric)
          differences = values(cell, metric).reduce(into: [:]) { differences, pair in
            differences[pair.key] = others[pair.key].map { pair.value - $0 }
          }
        case .atLeast(let cell, let metric, let bound): differences = values(cell, metric).mapValues { $0 - bound }
        case .atMost(let cell, let metric, let bound): differences = values(cell, metric).mapValues { bound - $0 }
        }
        return ClaimResult(
          claim, differences: differences.sorted { $0.key < $1.key }.map(\.value), expected: campaign.seeds)
      }
  }

  /// Writes table.csv, claims.csv, table.md and index.html into the campaign's folder.
  ///
  /// - Throws: `.cannotCreate`, `.inputOutput`.
  public func write() throws {
    let folder = campaign.folder
    try AtomicFile.write(csv, to: folder + "/table.csv")
    try AtomicFile.write(claimsCSV, to: folder + "/claims.csv")
    try AtomicFile.write(markdown, to: folder + "/table.md")
    try AtomicFile.write(page.html, to: folder + "/index.html")
  }

  /// Runs that did not end well, with the reason.
  public var failures: [(task: Campaign.Task, reason: String)] {
    states.compactMap { task, state in
      if case .failed(let reason) = state { (task, reason) } else { nil }
    }
  }

  /// Cells of the table that this scale leaves out.
  public var leftOut: [String] {
    campaign.table.cells.filter { !campaign.table.runs($0, at: campaign.scale) }.map(\.name)
  }

  // MARK: - Files

  private static func number(_ value: Double?) -> String { value.map { NumberFormatting.shortest($0) } ?? "" }

  private var csv: String {
    var text = CSV.line([
      "cell", "measure", "seed", "last", "best", "last10", "published", "std", "tag", "source", "verdict",
    ])
    for row in rows {
      let published = [
        Self.number(row.published?.value), Self.number(row.published?.deviation), row.published?.tag.rawValue ?? "",
        row.published?.source ?? "", row.verdict == .none ? "" : row.verdict.text,
      ]
      for seed in 1...campaign.seeds {
        let value = row.values.first { $0.seed == seed }?.value
        text += CSV.line(
          [row.cell.name, row.measure, "\(seed)"] + [value?.last, value?.best, value?.last10].map(Self.number)
            + published)
      }
    }
    return text
  }

  private var claimsCSV: String {
    var text = CSV.line(["claim", "outcome", "mean", "low", "high", "margin", "seeds", "says"])
    for result in claims {
      let difference = result.difference, half = difference?.halfWidth
      let ends = difference.flatMap { difference in half.map { [difference.mean - $0, difference.mean + $0] } }
      text += CSV.line([
        result.claim.name, result.outcome.rawValue, Self.number(difference?.mean), Self.number(ends?[0]),
        Self.number(ends?[1]), Self.number(result.claim.margin), "\(difference?.count ?? 0)", result.claim.says,
      ])
    }
    return text
  }
}
