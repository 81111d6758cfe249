import FileFormats
import Statistics

/// What a cell's runs say of the published value.
public enum Verdict: Sendable, Equatable {
  /// The difference is within what both deviations and half a point allow.
  case agrees
  /// Ours is higher, or lower.
  case above, below
  /// Nobody has read the published value in its source.
  case unverified
  /// The protocol was scaled.
  case scaled
  /// One run, and no published deviation: nothing to judge by.
  case oneRun
  /// Nothing was published, or nothing was run.
  case none

  /// Half a point: rounding in tables, and what no deviation shows.
  static let tolerance = 0.005

  /// Judges a cell: `agrees` where |ours − published| ≤ 2 √(s²/n + s_p²/n_p) + 0.5 points.
  ///
  /// Where the source tells no deviation, ours stands for it.
  ///
  /// - Parameter ours: the runs' values of the published number, 0…1.
  public init(_ ours: MeanInterval?, _ published: ReproTable.Published?, at scale: Scale) {
    guard let ours, let published else {
      self = .none
      return
    }
    guard scale == .full else {
      self = .scaled
      return
    }
    guard published.tag.isVerified else {
      self = .unverified
      return
    }
    guard ours.count > 1 || published.deviation != nil else {
      self = .oneRun
      return
    }
    let theirs = published.deviation ?? ours.deviation, own = ours.count > 1 ? ours.deviation : theirs
    let variance = own * own / Double(ours.count) + theirs * theirs / Double(published.runs ?? 1)
    let difference = ours.mean - published.value
    let isNear = difference.magnitude <= 2 * variance.squareRoot() + Self.tolerance
    self = isNear ? .agrees : difference > 0 ? .above : .below
  }

  /// As tables have it.
  public var text: String {
    switch self {
    case .agrees: "agrees"
    case .above: "above"
    case .below: "below"
    case .unverified: "unverified"
    case .scaled: "scaled"
    case .oneRun: "one run"
    case .none: "–"
    }
  }
}

/// What runs say of a claim.
public struct ClaimResult: Sendable {
  /// The outcome.
  public enum Outcome: String, Sendable, CaseIterable {
    case holds, fails, undecided
    /// Runs are missing.
    case notRun = "not run"
  }

  /// The claim.
  public let claim: ReproTable.Claim
  /// The outcome.
  public let outcome: Outcome
  /// Differences over the seeds, first cell minus second, or value minus bound (bound minus value for `at most`); nil
  /// where no seed has both.
  public let difference: MeanInterval?
  /// How many seeds would decide, if the deviation stays; nil where it is decided, or nothing can be said.
  public let seedsToDecide: Int?

  /// Judges a claim by paired differences.
  ///
  /// It holds where the lower end of their 95 % t-interval lies above min(0, margin), and their mean is at least the
  /// margin; it fails where the upper end lies below the margin; anything else is undecided, and so is a single seed.
  ///
  /// - Parameters:
  ///   - differences: one of each seed.
  ///   - expected: the number of seeds that the campaign has.
  public init(_ claim: ReproTable.Claim, differences: [Double], expected: Int) {
    self.claim = claim
    difference = MeanInterval(differences)
    guard let difference, difference.count == expected else {
      (outcome, seedsToDecide) = (.notRun, nil)
      return
    }
    guard let half = difference.halfWidth else {
      (outcome, seedsToDecide) = (.undecided, nil)
      return
    }
    let floor = min(0, claim.margin)
    if difference.mean - half > floor, difference.mean >= claim.margin {
      (outcome, seedsToDecide) = (.holds, nil)
    } else if difference.mean + half < claim.margin {
      (outcome, seedsToDecide) = (.fails, nil)
    } else {
      outcome = .undecided
      let distance =
        difference.mean >= claim.margin ? difference.mean - floor : claim.margin - difference.mean
      seedsToDecide = (difference.count + 1...Self.most).first { count in
        difference.halfWidth(of: count).map { $0 < distance } ?? false
      }
    }
  }

  /// More seeds than that are not proposed.
  private static let most = 1000

  /// What was found, in points: the difference with its interval, `+8.2 (6.1 to 10.3), n = 3`; for a bound the value
  /// and the bound, `97.1 (96.0 to 98.2), n = 3; at least 95.0`.
  public var text: String {
    guard let difference else { return "–" }
    func found(_ mean: Double, signed: Bool = false) -> String {
      let text = Self.points(mean, signed: signed), count = "n = \(difference.count)"
      guard let half = difference.halfWidth else { return "\(text), \(count)" }
      return "\(text) (\(Self.points(mean - half)) to \(Self.points(mean + half))), \(count)"
    }
    switch claim.subject {
    case .above:
      let margin = claim.margin == 0 ? "" : "; at least \(Self.points(claim.margin, signed: true))"
      return found(difference.mean, signed: true) + margin
    case .atLeast(_, _, let bound): return found(bound + difference.mean) + "; at least \(Self.points(bound))"
    case .atMost(_, _, let bound): return found(bound - difference.mean) + "; at most \(Self.points(bound))"
    }
  }

  static func points(_ value: Double, signed: Bool = false) -> String {
    let text = NumberFormatting.decimal(value * 100, places: 1)
    return (signed && value >= 0 ? "+" : "") + text
  }

  /// What more seeds would do; empty where it is decided.
  public var advice: String {
    guard outcome == .undecided, let difference else { return "" }
    guard difference.count > 1 else { return "one seed decides nothing; use --runs 3 or more" }
    guard let seedsToDecide else { return "no number of seeds up to \(Self.most) would decide" }
    return "about \(seedsToDecide) seeds would decide"
  }
}
