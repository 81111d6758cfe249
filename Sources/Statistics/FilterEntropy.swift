#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// How much information the weights of a layer hold, by a histogram.
///
/// - Source: Meng et al., "Filter grafting for deep neural networks", CVPR 2020, and its code, fxmeng/filter-grafting.
public enum FilterEntropy {
  /// Bins of equal width between the smallest and the largest weight.
  public static let bins = 10

  /// H = −Σ p log p in nats, p being the share of the weights in a bin.
  ///
  /// A bin begins with its lower edge and ends before its upper one. The largest weight is therefore in none, as in the
  /// authors' code, and equal weights have an entropy of 0; so have weights that are not finite.
  public static func nats(of weights: [Float]) -> Double {
    guard let least = weights.min(), let most = weights.max() else { return 0 }
    let low = Double(least), width = (Double(most) - low) / Double(bins)
    guard width > 0, width.isFinite else { return 0 }
    let edges = (0...bins).map { low + Double($0) * width }
    var counts = [Int](repeating: 0, count: bins)
    for weight in weights {
      let x = Double(weight)
      guard x < Double(most), x >= low else { continue }
      var bin = min(Int((x - low) / width), bins - 1)
      // The quotient may be rounded over an edge.
      if x < edges[bin] { bin -= 1 } else if bin + 1 < bins, x >= edges[bin + 1] { bin += 1 }
      counts[bin] += 1
    }
    return counts.reduce(0) { sum, count in
      let p = Double(count) / Double(weights.count)
      return count > 0 ? sum - p * log(p) : sum
    }
  }
}
