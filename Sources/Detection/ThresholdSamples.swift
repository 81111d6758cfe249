import Statistics

/// Which samples of a pass pose as an extra class, so that their margins show what a label without any truth looks like.
///
/// One random order of the samples serves all passes: pass p takes the places `p · count ..< (p + 1) · count`, so that
/// the sets of two passes have no sample in common and every sample carries its own label in at least one of them.
/// - Source: Pleiss et al., "Identifying mislabeled data using the area under the margin ranking", NeurIPS 2020, § 3.2.
public struct ThresholdSamples: Sendable, Equatable {
  /// The samples of each pass, ascending.
  public let passes: [[Int32]]

  /// As many as the authors' code takes: the number of samples over the number of classes, rounded down.
  ///
  /// The paper's text says N / (K + 1).
  public static func defaultCount(samples: Int, classes: Int) -> Int { samples / classes }

  /// Draws `count` of these samples for each pass; `passes · count` must not exceed their number.
  public init(of ids: [Int32], count: Int, passes: Int, seed: UInt64) {
    precondition(count >= 0 && passes * count <= ids.count, "\(passes) sets of \(count) out of \(ids.count)")
    let order = CounterRandom(seed: seed).permutation(of: ids.count, .thresholdSample, 0)
    self.passes = (0..<passes).map { pass in
      order[pass * count..<(pass + 1) * count].map { ids[Int($0)] }.sorted()
    }
  }
}
