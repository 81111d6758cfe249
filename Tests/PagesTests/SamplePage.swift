import Datasets
import Detection
import Pages

/// Pages about made-up results.
enum SamplePage {
  static let hostileNames = [
    #""><img src=x onerror=alert(1)>"#, "</script><script>document.title='hacked'</script>", "<!--<script>", "a'b&c",
  ]
  static let hostilePath = #"x"><img src=x onerror="document.title='hacked'"></script><!--<script>&quot;.png"#

  /// An image of one pixel.
  static let dot: [UInt8] = [
    0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 0, 0, 0, 0x0D, 0x49, 0x48, 0x44, 0x52, 0, 0, 0, 1, 0, 0, 0, 1, 8, 0,
    0, 0, 0, 0x3A, 0x7E, 0x9B, 0x55, 0, 0, 0, 0x0A, 0x49, 0x44, 0x41, 0x54, 0x78, 0x9C, 0x63, 0x60, 0, 0, 0, 2, 0, 1,
    0x48, 0xAF, 0xA4, 0x71, 0, 0, 0, 0, 0x49, 0x45, 0x4E, 0x44, 0xAE, 0x42, 0x60, 0x82,
  ]

  /// Samples whose keys rise from -2 by a hundredth; the first fifth is suspected, and the last was not judged.
  static func page(_ count: Int, classes: [String], path: (Int) -> String?, image: [UInt8], images: Int)
    -> DetectionPage
  {
    let K = classes.count
    // Ids in another order than ranks.
    let samples = (0..<count).map { rank in
      let id = (rank * 7 + 3) % count, given = id % K
      return DetectionPage.Sample(
        id: id, rank: rank + 1, key: rank == count - 1 ? nil : -2 + Double(rank) * 0.01, given: given,
        suggested: rank % 3 == 0 ? given : (given + 1) % K, confidence: 0.9, isFlagged: rank < count / 5,
        truth: rank % 2 == 0 ? (given + 1) % K : given, path: path(id))
    }
    let tables = DetectionTables(
      classes: classes.indices.map { label in
        .init(label: label, size: samples.count { $0.given == label }, meanArea: 1.5, wrong: 0)
      })
    var page = DetectionPage(
      data: .init(name: "made up", source: "a folder", classNames: classes, fingerprint: "00"), samples: samples,
      tables: tables)
    page.duplicates = [DuplicateGroup(ids: [0, 1], hasDifferentLabels: true)]
    page.cut = -2 + Double(count / 5) * 0.01
    page.thresholds = (0..<count / K).map { -2 + Double($0) * 0.01 }
    for sample in samples.prefix(images) {
      page.images[sample.id] = .init(type: "image/png", bytes: image)
      page.margins[sample.id] = (0..<30).map { $0 == 0 ? .nan : Float($0) / 10 - 1 }
    }
    page.blindCheck = (0..<min(100, images)).map { samples[$0 * images / min(100, images)].id }
    page.unreadable = [(path: classes[0], reason: classes[K - 1])]
    page.commands = [.init("train", "gpunoisy train '\(classes[0])'")]
    page.facts = [.init("command", "gpunoisy detect \(classes[0])", isCommand: true)]
    return page
  }

  static var hostile: DetectionPage {
    var page = page(40, classes: hostileNames, path: { _ in hostilePath }, image: dot, images: 40)
    page.overlaps = [
      .init(path: hostilePath, trainPath: hostileNames[0], label: 0, trainLabel: 1, cosine: 0.9)
    ]
    (page.overlapSummary, page.reviewedSummary) = (hostileNames[1], hostileNames[2])
    page.groupName = hostileNames[0]
    page.groups = [page.samples.prefix(3).map(\.id)]
    page.root = #"/javascript:"><img src=x onerror="document.title='hacked'">"#
    return page
  }

  static var small: DetectionPage {
    page(200, classes: ["cat", "dog", "eel"], path: { "train/\($0).png" }, image: dot, images: 150)
  }

  /// As many samples as CIFAR has, with images of 4 KB.
  static var large: DetectionPage {
    let image = (0..<4096).map { UInt8(truncatingIfNeeded: $0 * 37) }
    return page(
      50_000, classes: (0..<100).map { "class \($0)" }, path: { "train/some_class_of_images/image_\($0).png" },
      image: image, images: 1100)
  }
}
