import ComputeKernels
import Failures

/// Searches the fastest of the candidates of each choice.
public struct Tuner: Sendable {
  /// How much faster than the standard a candidate must be, to be worth other sums.
  public static let gain = 0.03

  /// What became of one candidate.
  public enum Outcome: Sendable, Equatable {
    case measured(TrialResult)
    /// It computed something wrong, crashed or took too long: why.
    case lost(String)
  }

  /// What was found out about one choice for one shape.
  public struct Row: Sendable, Equatable {
    /// The choice.
    public let key: Tuning.Key
    /// Every candidate with its outcome.
    public fileprivate(set) var outcomes: [(number: Int, outcome: Outcome)]

    /// The candidate that wins, if one does.
    public var winner: (number: Int, result: TrialResult)? {
      outcomes.compactMap { number, outcome in
        if case .measured(let result) = outcome, result.seconds < (1 - Tuner.gain) * result.standardSeconds {
          return (number, result)
        }
        return nil
      }.min { $0.result.seconds / $0.result.standardSeconds < $1.result.seconds / $1.result.standardSeconds }
    }

    /// Seconds of the standard launches: the median over the candidates' trials; nil if all were lost.
    public var standardSeconds: Double? {
      let times = outcomes.compactMap {
        if case .measured(let result) = $0.outcome { result.standardSeconds } else { nil }
      }
      return times.isEmpty ? nil : times.sorted()[times.count / 2]
    }

    /// Whether both say the same.
    public static func == (left: Row, right: Row) -> Bool {
      left.key == right.key
        && left.outcomes.elementsEqual(right.outcomes) { $0.number == $1.number && $0.outcome == $1.outcome }
    }
  }

  /// The rows, one for each choice and shape.
  public let rows: [Row]

  /// Tries all candidates.
  ///
  /// - Parameter trial: tries one; its failures make the candidate lose, except those that are meant to end the program.
  public init(
    _ candidates: [Candidate], note: (Row) -> Void = { _ in }, trial: (Candidate) throws -> Outcome
  ) rethrows {
    var rows: [Row] = []
    var index = 0
    while index < candidates.count {
      let key = candidates[index].key
      let group = candidates[index...].prefix { $0.key == key }
      var row = Row(key: key, outcomes: try group.map { ($0.number, try trial($0)) })
      // The best of several is often the luckiest of several: it has to win once more.
      var confirmed = Set<Int>()
      while let winner = row.winner, confirmed.insert(winner.number).inserted {
        let again = try trial(Candidate(key, winner.number))
        row.outcomes = row.outcomes.map { $0.number == winner.number ? ($0.number, Self.worse($0.outcome, again)) : $0 }
      }
      note(row)
      rows.append(row)
      index += group.count
    }
    self.rows = rows
  }

  private static func worse(_ one: Outcome, _ other: Outcome) -> Outcome {
    guard case .measured(let first) = one else { return one }
    guard case .measured(let second) = other else { return other }
    let isFirst = first.seconds / first.standardSeconds > second.seconds / second.standardSeconds
    return isFirst ? one : other
  }

  /// The winners.
  public var tuning: Tuning {
    Tuning(Dictionary(uniqueKeysWithValues: rows.compactMap { row in row.winner.map { (row.key, $0.number) } }))
  }
}
