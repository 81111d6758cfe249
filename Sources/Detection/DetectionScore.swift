/// How well suspicion fits the labels that are really wrong.
public struct DetectionScore: Sendable, Equatable {
  /// Samples that were judged, those that are wrong, those flagged, and those that are both.
  public let samples: Int, wrong: Int, flagged: Int, hits: Int
  /// The chance that a wrong label is ranked before a right one, equal ranks counting half; nil without either kind.
  public let areaUnderROC: Double?
  /// The mean of precision over recall, step by step, equal scores as one step; nil without wrong labels.
  public let averagePrecision: Double?

  /// The share of flagged labels that are wrong; nil where none is flagged.
  public var precision: Double? { flagged > 0 ? Double(hits) / Double(flagged) : nil }
  /// The share of wrong labels that are flagged; nil where none is wrong.
  public var recall: Double? { wrong > 0 ? Double(hits) / Double(wrong) : nil }
  /// The harmonic mean of the two; nil where neither flagged nor wrong labels exist.
  public var f1: Double? { flagged + wrong > 0 ? 2 * Double(hits) / Double(flagged + wrong) : nil }

  /// Judges flags and suspicions [N], high for suspicious samples, by whether each label is wrong [N].
  public init(isWrong: [Bool], isFlagged: [Bool], suspicion: [Double]) {
    precondition(isWrong.count == isFlagged.count && isWrong.count == suspicion.count, "columns of different lengths")
    samples = isWrong.count
    wrong = isWrong.count { $0 }
    flagged = isFlagged.count { $0 }
    hits = zip(isWrong, isFlagged).count { $0 && $1 }
    let order = suspicion.indices.sorted { suspicion[$0] > suspicion[$1] }
    var pairs = 0.0, precisions = 0.0, wrongBefore = 0, before = 0
    var start = 0
    while start < order.count {
      var end = start, wrongHere = 0
      while end < order.count, suspicion[order[end]] == suspicion[order[start]] {
        if isWrong[order[end]] { wrongHere += 1 }
        end += 1
      }
      let rightHere = end - start - wrongHere
      pairs += Double(rightHere) * (Double(wrongBefore) + Double(wrongHere) / 2)
      wrongBefore += wrongHere
      before = end
      precisions += Double(wrongHere) * Double(wrongBefore) / Double(before)
      start = end
    }
    let right = samples - wrong
    areaUnderROC = wrong > 0 && right > 0 ? pairs / (Double(wrong) * Double(right)) : nil
    averagePrecision = wrong > 0 ? precisions / Double(wrong) : nil
  }
}

/// Ranks, and how far two rankings agree.
public enum Ranking {
  /// The rank of each value, from 1 for the smallest; equal values share the mean of their ranks.
  public static func ranks(_ values: [Double]) -> [Double] {
    let order = values.indices.sorted { values[$0] < values[$1] }
    var ranks = [Double](repeating: 0, count: values.count), start = 0
    while start < order.count {
      var end = start + 1
      while end < order.count, values[order[end]] == values[order[start]] { end += 1 }
      for place in start..<end { ranks[order[place]] = Double(start + end + 1) / 2 }
      start = end
    }
    return ranks
  }

  /// Spearman's rank correlation; nil where either side has no spread.
  public static func correlation(_ left: [Double], _ right: [Double]) -> Double? {
    precondition(left.count == right.count, "\(left.count) values and \(right.count)")
    let a = ranks(left), b = ranks(right), mean = Double(left.count + 1) / 2
    var product = 0.0, aa = 0.0, bb = 0.0
    for (x, y) in zip(a, b) {
      product += (x - mean) * (y - mean)
      aa += (x - mean) * (x - mean)
      bb += (y - mean) * (y - mean)
    }
    return aa > 0 && bb > 0 ? product / (aa * bb).squareRoot() : nil
  }
}
