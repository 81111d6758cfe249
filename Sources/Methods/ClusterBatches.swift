import Statistics

/// Batches of few clusters with several images each, as triplets need them.
///
/// In each epoch the clusters, and the images of each, have an order of their own. A batch takes the next `each` images of
/// one cluster after the other, going around both; where clusters are too few for it, they give more.
struct ClusterBatches {
  private var clusters: [[Int32]], next: [Int], turn = 0
  private let each: Int

  /// Batches from the images `ids`, by their cluster in `labels` [N].
  ///
  /// - Parameter each: images of a cluster that a batch takes at a time.
  init(_ ids: [Int32], labels: [Int32], each: Int, epoch: Int, seed: UInt64) {
    let groups = Dictionary(grouping: ids) { labels[Int($0)] }.sorted { $0.key < $1.key }.map(\.value)
    let random = CounterRandom(seed: seed)
    // One order of all images: of those of each cluster, and of the clusters by their first image in it.
    let order = random.permutation(of: ids.count, .shuffle, UInt32(epoch))
    let places = Dictionary(uniqueKeysWithValues: zip(ids.sorted(), order))
    func place(_ id: Int32) -> Int32 { places[id] ?? 0 }
    clusters = groups.map { $0.sorted { place($0) < place($1) } }.sorted { place($0[0]) < place($1[0]) }
    (next, self.each) = ([Int](repeating: 0, count: clusters.count), each)
  }

  /// The next `count` images, of which none occurs twice; there must be so many.
  mutating func take(_ count: Int) -> [Int32] {
    var batch: [Int32] = [], taken = [Int](repeating: 0, count: clusters.count)
    while batch.count < count {
      let cluster = clusters[turn], some = min(each, count - batch.count, cluster.count - taken[turn])
      for _ in 0..<some {
        batch.append(cluster[next[turn] % cluster.count])
        next[turn] += 1
      }
      taken[turn] += some
      turn = (turn + 1) % clusters.count
    }
    return batch
  }
}
