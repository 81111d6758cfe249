import Datasets
import Statistics
import Testing

@Suite("Published conventions of noise")
struct NoiseConventionTests {
  /// 50,000 samples, class by id.
  private func data(_ classCount: Int = 10, kind: Dataset.Kind = .cifar10) -> Dataset {
    labelled((0..<50_000).map { Int32($0 % classCount) }, kind: kind, classNames: (0..<classCount).map { "c\($0)" })
  }

  private func corrupted(_ text: String, _ data: Dataset, seed: UInt64 = 1) throws -> (
    dataset: Dataset, report: NoiseReport
  ) {
    try data.corrupted(by: NoiseCatalogue.parse(text), seed: seed)
  }

  /// How many labels of each class changed.
  private func changes(_ before: Dataset, _ after: Dataset) -> [Int] {
    var counts = [Int](repeating: 0, count: before.classCount)
    for (old, new) in zip(before.train.labels, after.train.labels) where old != new { counts[Int(old)] += 1 }
    return counts
  }

  /// The one class that each class turns into at rate 1.
  private func targets(_ matrix: TransitionMatrix) -> [Int] {
    (0..<matrix.classCount).map { row in (0..<matrix.classCount).first { matrix[row, $0] == 1 } ?? -1 }
  }

  static let withoutFiles = [
    "symmetric:0.4,exact", "symmetric:0.8,inclusive,exact", "symmetric:0.4,exact=class", "symmetric:0.4,exact=equal",
    "asymmetric:0.4,map=one-way", "asymmetric:0.4,exact", "asymmetric:0.4,exact=class", "asymmetric-sequential:0.4",
    "pairflip:0.45,exact=class", "flip:0.4", "flip2:0.4", "random-matrix:0.3", "sparse:0.2,zeros=0.6",
    "peer:sparse-high", "peer:uniform-low", "random-labels", "part-dependent:0.4", "part-dependent:0.2,shared",
    "symmetric:0.3+symmetric:0.3", "part-dependent:0.3+asymmetric:0.3",
  ]

  @Test(
    "every noise stays within binomial bounds of what it expects, and repeats with its seed", arguments: withoutFiles)
  func bounds(text: String) throws {
    let data = data()
    let (noisy, report) = try corrupted(text, data)
    for row in 0..<10 {
      #expect(abs(report.requested.row(row).reduce(0, +) - 1) < 1e-12)
      for column in 0..<10 {
        let p = report.requested[row, column]
        // 5,000 samples of each class; six standard deviations never occur by chance, and exact counts vary less.
        #expect(
          abs(report.realised[row, column] - p) <= 6 * (p * (1 - p) / 5000).squareRoot() + 1e-9, "\(row) \(column)")
      }
    }
    #expect(try corrupted(text, data).dataset.train == noisy.train)
    #expect(try corrupted(text, data, seed: 2).dataset.train.labels != noisy.train.labels)
  }

  @Test("samples without a label keep none, and exact counts do not count them", arguments: withoutFiles)
  func missing(text: String) throws {
    var data = data()
    for id in stride(from: 0, to: 50_000, by: 3) { data.train.labels[id] = LabelledSet.noLabel }
    let labels = try corrupted(text, data).dataset.train.labels
    #expect(zip(labels, data.train.labels).allSatisfy { ($0 < 0) == ($1 < 0) })
  }

  @Test("exact counts are exact: of all samples, of each class, and the same in classes of any size")
  func exactCounts() throws {
    let even = data()
    #expect(try corrupted("symmetric:0.4,exact", even).report.changedCount == 20_000)
    #expect(
      try changes(even, corrupted("symmetric:0.4,exact=class", even).dataset) == .init(repeating: 2000, count: 10))
    // 100, 200, 303 and 400 samples.
    let sizes = [100, 200, 303, 400]
    let uneven = labelled(
      sizes.enumerated().flatMap { [Int32](repeating: Int32($0.offset), count: $0.element) },
      classNames: ["a", "b", "c", "d"])
    #expect(try corrupted("symmetric:0.3,exact", uneven).report.changedCount == 300)
    #expect(try changes(uneven, corrupted("symmetric:0.3,exact=class", uneven).dataset) == [30, 60, 90, 120])
    let (equal, report) = try corrupted("symmetric:0.3,exact=equal", uneven)
    #expect(changes(uneven, equal) == [75, 75, 75, 75])
    #expect(report.requested[0, 0] == 0.25 && abs(report.expectedRate - 300 / 1003) < 1e-12)
    #expect(failureKind { try corrupted("symmetric:0.5,exact=equal", uneven) } == .usage)
    // The same draws: a higher rate changes more samples, and none less.
    let less = try corrupted("symmetric:0.2,exact", even).dataset.train.labels
    let more = try corrupted("symmetric:0.4,exact", even).dataset.train.labels
    for (id, label) in less.enumerated() where label != even.train.labels[id] { #expect(more[id] == label) }
  }

  @Test("the rates of the literature")
  func rates() throws {
    func rate(_ text: String, _ data: Dataset) throws -> Double { try corrupted(text, data).report.expectedRate }
    for (text, expected) in [
      ("symmetric:0.8,inclusive,exact", 0.72), ("symmetric:0.5,inclusive", 0.45), ("random-labels", 0.9),
      ("asymmetric:0.4,map=one-way", 0.16), ("asymmetric:0.4,exact", 0.2), ("asymmetric-sequential:0.1", 0.049),
      ("asymmetric-sequential:0.2", 0.096), ("asymmetric-sequential:0.3", 0.141), ("asymmetric-sequential:0.4", 0.184),
      ("flip:0.4", 0.4), ("flip2:0.4", 0.4), ("sparse:0.2", 0.2), ("random-matrix:0.3", 0.3),
    ] {
      #expect(abs(try rate(text, data()) - expected) < 1e-12, "\(text)")
    }
    let hundred = data(100, kind: .cifar100)
    for (text, expected) in [
      ("asymmetric:0.4", 0.4), ("asymmetric:0.4,map=superclass", 0.4), ("asymmetric:0.4,map=swap", 0.16),
      ("asymmetric:0.4,map=superclass-swap", 0.16), ("hierarchical:0.3", 0.3),
    ] {
      #expect(abs(try rate(text, hundred) - expected) < 1e-12, "\(text)")
    }
    #expect(try corrupted("asymmetric:0.4,exact=class", data()).report.changedCount == 10_000)
    #expect(try corrupted("asymmetric:0.4,map=one-way,exact=class", data()).report.changedCount == 8000)
  }

  @Test("class after class, cats that became dogs turn back: the published counts")
  func sequential() throws {
    let (noisy, report) = try corrupted("asymmetric-sequential:0.4", data())
    // 5,000 (1 + R²) cats and 5,000 (1 - R²) dogs, exactly.
    #expect(noisy.train.classCounts(10) == [7000, 7000, 3000, 5800, 3000, 4200, 5000, 7000, 5000, 3000])
    #expect(abs(report.requested[3, 5] - 0.24) < 1e-12 && abs(report.requested[5, 3] - 0.4) < 1e-12)
    #expect(failureKind { try corrupted("asymmetric-sequential:0.4", data(10, kind: .mnist)) } == .usage)
  }

  @Test("one-way and swapped maps")
  func maps() throws {
    let oneWay = try corrupted("asymmetric:1,map=one-way", data()).report.requested
    #expect(targets(oneWay) == [0, 1, 0, 5, 7, 5, 6, 7, 8, 1])
    let hundred = data(100, kind: .cifar100)
    for (map, group) in [
      ("swap", { $0 / 5 }), ("superclass-swap", { KnownClasses.cifar100Superclasses[$0] }),
    ] as [(String, (Int) -> Int)] {
      let moved = targets(try corrupted("asymmetric:1,map=\(map)", hundred).report.requested)
      #expect((0..<100).count { moved[$0] != $0 } == 40)
      for label in 0..<100 { #expect(moved[moved[label]] == label && group(moved[label]) == group(label)) }
      #expect(targets(try corrupted("asymmetric:1,map=\(map)", hundred, seed: 2).report.requested) != moved)
    }
    for text in ["asymmetric:0.1,map=swap", "asymmetric:0.1,map=superclass", "hierarchical:0.1"] {
      #expect(failureKind { try corrupted(text, data()) } == .usage)
    }
    #expect(failureKind { try corrupted("asymmetric:0.1,map=one-way", hundred) } == .usage)
  }

  @Test("Meta-Weight-Net's random maps are those that NumPy's seed makes")
  func flips() throws {
    // From numpy.random.seed(1) and numpy.random.choice, as in the published code.
    #expect(targets(try corrupted("flip:1", data()).report.requested) == [6, 9, 6, 0, 0, 1, 8, 6, 2, 4])
    #expect(targets(try corrupted("flip:1,seed=7", data()).report.requested) == [5, 7, 4, 4, 8, 8, 8, 9, 9, 7])
    let two = try corrupted("flip2:0.5", data()).report.requested
    for (row, pair) in [[9, 3], [4, 8], [1, 8], [8, 4], [2, 5], [7, 4], [9, 2], [8, 5], [6, 5], [5, 4]].enumerated() {
      #expect(two[row, row] == 0.5 && pair.allSatisfy { two[row, $0] == 0.25 })
    }
    let hundred = data(100, kind: .cifar100)
    let map = targets(try corrupted("flip:1", hundred).report.requested)
    #expect(map.prefix(10) == [38, 13, 73, 10, 76, 6, 80, 65, 17, 1] && map.reduce(0, +) == 4515)
    let pairs = try corrupted("flip2:1", hundred).report.requested
    #expect(pairs[0, 93] == 0.5 && pairs[0, 84] == 0.5 && pairs[4, 46] == 0.5 && pairs[4, 44] == 0.5)
    let sum = (0..<100).flatMap { row in (0..<100).filter { pairs[row, $0] > 0 } }.reduce(0, +)
    #expect(sum == 10_679)
  }

  @Test("peer loss's matrices have the published rates and diagonals")
  func peer() throws {
    let grey = data(10, kind: .mnist)
    for (level, colourRate, greyRate) in [
      ("sparse-low", 0.2, 0.25), ("sparse-high", 0.4, 0.45), ("uniform-low", 0.18, 0.423),
      ("uniform-high", 0.531, 0.7398), ("random-low", 0.45, 0.18), ("random-high", 0.63, 0.63),
    ] {
      #expect(abs(try corrupted("peer:\(level)", data()).report.expectedRate - colourRate) < 1e-9, "\(level)")
      #expect(abs(try corrupted("peer:\(level)", grey).report.expectedRate - greyRate) < 1e-9, "\(level)")
    }
    func diagonal(_ matrix: TransitionMatrix) -> [Double] { (0..<10).map { matrix[$0, $0] } }
    let uniform = diagonal(try corrupted("peer:uniform-low", data()).report.requested)
    for (a, b) in zip(uniform, [0.82, 0.83, 0.81, 0.823, 0.817, 0.822, 0.821, 0.818, 0.819, 0.82]) {
      #expect(abs(a - b) < 1e-12)
    }
    let high = diagonal(try corrupted("peer:uniform-high", grey).report.requested)
    for (a, b) in zip(high, [0.258, 0.253, 0.268, 0.263, 0.248, 0.26, 0.255, 0.269, 0.27, 0.258]) {
      #expect(abs(a - b) < 1e-12)
    }
    let sparse = try corrupted("peer:sparse-high", grey).report.requested
    #expect(sparse[7, 5] == 0.7 && sparse[5, 7] == 0.2 && sparse[9, 6] == 0.7 && sparse[0, 1] == 0.7)
    #expect(failureKind { try corrupted("peer:sparse-low", data(100, kind: .cifar100)) } == .usage)
  }

  @Test("hierarchical, random and sparse matrices have the structure that they promise")
  func structures() throws {
    let hierarchical = try corrupted("hierarchical:0.4", data(100, kind: .cifar100)).report.requested
    for row in 0..<100 {
      for column in 0..<100 where column != row {
        let sameGroup = KnownClasses.cifar100Superclasses[row] == KnownClasses.cifar100Superclasses[column]
        #expect(abs(hierarchical[row, column] - (sameGroup ? 0.1 : 0)) < 1e-12)
      }
    }
    let random = try corrupted("random-matrix:0.3", data()).report.requested
    #expect((0..<10).allSatisfy { random[$0, $0] == 0.7 } && random.values.allSatisfy { $0 > 0 })
    for (zeros, count) in [(0.0, 0), (0.4, 36), (0.6, 54), (1, 80)] {
      let sparse = try corrupted("sparse:0.2,zeros=\(zeros)", data()).report.requested
      #expect(sparse.values.count { $0 == 0 } == count)
      #expect((0..<10).allSatisfy { abs(sparse[$0, $0] - 0.8) < 1e-12 })
    }
  }

  @Test("a chain is the product of its parts, and each part draws anew")
  func chains() throws {
    let data = data()
    let report = try corrupted("asymmetric:0.4+symmetric:0.3", data).report
    let product = try corrupted("asymmetric:0.4", data).report.requested.followed(
      by: corrupted("symmetric:0.3", data).report.requested)
    #expect(report.requested == product && report.model == "asymmetric:0.4+symmetric:0.3")
    let (twice, _) = try corrupted("symmetric:0.3+symmetric:0.3", data)
    #expect(twice.train.trueLabels == data.train.labels)
    #expect(
      try corrupted("symmetric:0.3+none", data).dataset.train.labels
        == corrupted("symmetric:0.3", data).dataset.train.labels)
  }

  @Test("random labels are symmetric:1,inclusive; pixels move or lose their sense, and repeat with the seed")
  func randomization() throws {
    let data = data()
    #expect(
      try corrupted("random-labels", data).dataset.train.labels
        == corrupted("symmetric:1,inclusive", data).dataset.train.labels)
    let images = ImageSet(count: 40, height: 5, width: 4, channels: 3, pixels: someBytes(40 * 60))
    let set = LabelledSet(images: images, labels: [Int32](repeating: 0, count: 40))
    let dataset = Dataset(name: "test", classNames: ["a", "b"], train: set, test: set, source: "a test")
    #expect(dataset.changingPixels(.none, seed: 1).train == set)
    // Triples of channels stay together, so each image keeps its set of them.
    func triples(_ images: ImageSet, _ index: Int) -> [[UInt8]] {
      let pixels = images.image(index).pixels
      return stride(from: 0, to: 60, by: 3).map { Array(pixels[$0..<$0 + 3]) }
    }
    func order(_ images: ImageSet, _ index: Int) -> [Int?] {
      let before = triples(set.images, index)
      return triples(images, index).map { before.firstIndex(of: $0) }
    }
    let shuffled = dataset.changingPixels(.shuffled, seed: 1), random = dataset.changingPixels(.random, seed: 1)
    let first = order(shuffled.train.images, 0)
    #expect(Set(first) == Set(0..<20) && first != Array(0..<20))
    #expect((0..<40).allSatisfy { order(shuffled.train.images, $0) == first })
    #expect(shuffled.test?.images == shuffled.train.images)
    let orders = (0..<40).map { order(random.train.images, $0) }
    #expect(Set(orders).count == 40 && orders.allSatisfy { Set($0) == Set(0..<20) })
    #expect(random.test?.images != random.train.images)
    #expect(dataset.changingPixels(.random, seed: 1).train == random.train)
    #expect(dataset.changingPixels(.random, seed: 2).train != random.train)

    let gaussian = dataset.changingPixels(.gaussian, seed: 1)
    #expect(gaussian.train != set && gaussian.test != gaussian.train)
    // 800 values of each channel: six standard errors, and what cutting to bytes takes (some 3 %).
    let (old, new) = (dataset.normalization, gaussian.normalization)
    for channel in 0..<3 {
      #expect(abs(old.mean[channel] - new.mean[channel]) < 6 * old.standardDeviation[channel] / 28)
      #expect(abs(old.standardDeviation[channel] - new.standardDeviation[channel]) < 0.06)
    }
  }
}
