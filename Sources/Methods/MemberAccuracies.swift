import Compute
import Sessions

/// The test accuracies of a method's networks beside the first, which is the one that is evaluated and kept.
enum MemberAccuracies {
  /// The mean over all networks, and each but the first.
  static func figures(of count: Int) -> [Figure] {
    [Figure("test_acc_mean", "mean accuracy of the networks on the test set")]
      + (1..<max(count, 1)).map {
        Figure("test_acc_\($0 + 1)", "accuracy of network \($0 + 1) on the test set")
      }
  }

  /// The values of these figures.
  ///
  /// Waits.
  ///
  /// - Parameter first: the first network's accuracy; nil where there is none.
  static func values<D: Device>(
    of members: [TrainingSession<D>], _ setup: MethodSetup<D>, first: Double?
  ) throws -> [Double?] {
    values([first] + (try members.dropFirst().map { try setup.testAccuracy(of: $0) }))
  }

  /// The values of these figures, by the accuracies of all networks.
  static func values(_ accuracies: [Double?]) -> [Double?] { [mean(accuracies)] + accuracies.dropFirst() }

  /// The mean; nil where one is missing, or there are none.
  static func mean(_ accuracies: [Double?]) -> Double? {
    let known = accuracies.compactMap { $0 }
    return known.isEmpty || known.count < accuracies.count ? nil : known.reduce(0, +) / Double(known.count)
  }
}

extension MethodSetup {
  /// A network's accuracy on the test set; nil where there are no labels to compare with.
  ///
  /// Waits.
  func testAccuracy(of member: TrainingSession<D>) throws -> Double? {
    guard let labels = test?.set.labels, let results = try member.evaluate() else { return nil }
    let ids = labels.indices.filter { labels[$0] >= 0 }
    return ids.isEmpty ? nil : Double(ids.count { results.predictions[$0] == labels[$0] }) / Double(ids.count)
  }
}
