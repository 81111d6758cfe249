#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

extension ConfidentLearning {
  /// Whether each sample is suspected [N].
  ///
  /// - Parameter minimumPerClass: how many samples of each class must stay.
  public func issues(_ filter: Filter, keeping minimumPerClass: Int = 1) -> [Bool] {
    var flags: [Bool]
    switch filter {
    case .pruneByNoiseRate: flags = prunedByNoiseRate(minimumPerClass)
    case .pruneByClass: flags = prunedByClass(minimumPerClass)
    case .both: flags = zip(prunedByNoiseRate(minimumPerClass), prunedByClass(minimumPerClass)).map { $0 && $1 }
    case .confidentLearning: flags = mask(offDiagonal)
    case .predictedNotGiven: flags = zip(predictions, labels).map { $0 != $1 }
    // These two say by themselves which are worst, so that agreeing predictions do not matter.
    case .lowNormalizedMargin: return lowest(quality(.normalizedMargin))
    case .lowSelfConfidence: return lowest(quality(.selfConfidence))
    }
    for index in flags.indices where flags[index] && agrees(index) { flags[index] = false }
    return flags
  }

  /// Whether the most probable class is the given one, which wins where the two are nearly equal.
  private func agrees(_ index: Int) -> Bool {
    var row = probabilities[index * classes..<(index + 1) * classes]
    row[row.startIndex + labels[index]] += Self.tolerance
    return Self.top(row) == labels[index]
  }

  private func mask(_ indices: [Int]) -> [Bool] {
    var mask = [Bool](repeating: false, count: labels.count)
    for index in indices { mask[index] = true }
    return mask
  }

  /// As many of the lowest scores as samples were counted off the diagonal and disagree.
  private func lowest(_ scores: [Double]) -> [Bool] {
    let count = offDiagonal.count { !agrees($0) }
    return mask(Array(scores.indices.sorted { (scores[$0], $0) < (scores[$1], $1) }.prefix(count)))
  }

  private func prunedByClass(_ minimumPerClass: Int) -> [Bool] {
    let counts = pruneCounts(minimumPerClass)
    var flags = [Bool](repeating: false, count: labels.count)
    for k in 0..<classes {
      let members = labels.indices.filter { labels[$0] == k }
      let number = members.count - counts[k * classes + k]
      guard members.count > max(minimumPerClass, 1), number >= 1 else { continue }
      for index in ascending(members, { probabilities[$0 * classes + k] }).prefix(number) { flags[index] = true }
    }
    return flags
  }

  private func prunedByNoiseRate(_ minimumPerClass: Int) -> [Bool] {
    let counts = pruneCounts(minimumPerClass)
    var flags = [Bool](repeating: false, count: labels.count)
    for k in 0..<classes {
      let members = labels.indices.filter { labels[$0] == k }
      guard members.count > max(minimumPerClass, 1) else { continue }
      for j in 0..<classes where j != k && counts[j * classes + k] > 0 {
        let order = ascending(members) { -(probabilities[$0 * classes + j] - probabilities[$0 * classes + k]) }
        for index in order.prefix(counts[j * classes + k]) { flags[index] = true }
      }
    }
    return flags
  }

  private func ascending(_ members: [Int], _ key: (Int) -> Double) -> [Int] {
    members.map { (key($0), $0) }.sorted { $0 < $1 }.map(\.1)
  }

  /// How many samples to prune, [true class, given class], such that `minimumPerClass` of each class stay.
  private func pruneCounts(_ minimumPerClass: Int) -> [Int] {
    var matrix = [Double](repeating: 0, count: classes * classes)
    for row in 0..<classes {
      for column in 0..<classes { matrix[row * classes + column] = Double(joint[column * classes + row]) }
    }
    for column in 0..<classes {
      let entries = (0..<classes).map { matrix[$0 * classes + column] }
      let diagonal = max(entries[column], Double(minimumPerClass))
      let others = max(Double(entries.count { $0 != 0 }) - 1, 1)
      for row in 0..<classes {
        let reduced = entries[row] - (diagonal - entries[column]) / others
        matrix[row * classes + column] = row == column ? diagonal : max(reduced, 0)
      }
    }
    return matrix.map { Int($0) }
  }

  static func logarithm(_ value: Double) -> Double { log(value) }

  /// −Σ p log p / log K, in 0…1.
  static func normalizedEntropy(_ row: ArraySlice<Double>) -> Double {
    var sum = 0.0
    for p in row where p > 0 { sum += p * log(p) }
    return -sum / log(Double(row.count))
  }
}
