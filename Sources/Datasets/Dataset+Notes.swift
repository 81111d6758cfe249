import Failures
import FileFormats

/// What people should know of a data set before anything is made of it, one line each.
extension Dataset {
  /// What was found out when it was opened, and classes that have no training samples now.
  public var notes: [String] { notes(withBadImages: true) }

  /// The notes, with or without the line on images that could not be read.
  public func notes(withBadImages: Bool) -> [String] {
    openingNotes(withBadImages: withBadImages) + [emptyClassWarning(train)].compactMap { $0 }
  }

  /// What was found out when it was opened; warnings begin with `warning:`.
  public func openingNotes(withBadImages: Bool = true) -> [String] {
    (warnings + [missingLabelWarning].compactMap { $0 }).map { "warning: \($0)" }
      + [withBadImages ? badImageWarning : nil].compactMap { $0 } + remarks
      + [PassedOver.summary(passedOver)].compactMap { $0 }
  }

  private var badImageWarning: String? {
    guard let first = badImages.first else { return nil }
    return "warning: skipped \(badImages.count) image\(badImages.count == 1 ? "" : "s") that cannot be read, such as "
      + "'\(first.path.shortened())'"
  }

  /// `warning: 2 of 3 classes have no training samples: dog, emu`; nil where every class has some.
  ///
  /// - Parameter set: the samples that are trained on.
  public func emptyClassWarning(_ set: LabelledSet) -> String? {
    isUnlabelled
      ? nil : warning(of: set.classCounts(classCount).enumerated().filter { $1 == 0 }.map(\.offset), kindOfSamples)
  }

  /// `warning: 2 of 3 classes have no training samples: dog, emu`; nil for no classes.
  func warning(of classes: [Int], _ samples: String) -> String? {
    guard !classes.isEmpty else { return nil }
    return "warning: \(classes.count) of \(classCount) classes \(classes.count == 1 ? "has" : "have") no \(samples): "
      + classes.prefix(10).map { classNames[$0].shortened(to: 40) }.joined(separator: ", ")
      + (classes.count > 10 ? ", …" : "")
  }

  private var missingLabelWarning: String? {
    let sets = [train, test, test == nil ? nil : heldOut].compactMap { $0 }
    let missing = sets.reduce(0) { count, set in
      count + set.labels.enumerated().count { $1 < 0 && !set.unreadable.contains($0) }
    }
    guard missing > 0 else { return nil }
    let all = sets.reduce(0) { $0 + $1.count }
    return "\(missing) of \(all) samples \(missing == 1 ? "has" : "have") no label (empty, NaN, None or -1)"
  }

  /// The largest difference between values of images that count as of one colour: what is left of 0…1 in bytes.
  private static let leastContrast: UInt8 = 2

  /// What is odd about images that are all of one colour; nil for others.
  var colourWarning: String? {
    let images = train.images, channels = images.channels, ids = train.labelledIDs
    guard !ids.isEmpty else { return nil }
    var low = [UInt8](repeating: 255, count: channels), high = [UInt8](repeating: 0, count: channels)
    for id in ids {
      let start = Int(id) * images.imageSize
      for index in 0..<images.imageSize {
        let value = images.pixels[start + index], channel = index % channels
        low[channel] = min(low[channel], value)
        high[channel] = max(high[channel], value)
        if high[channel] - low[channel] > Self.leastContrast { return nil }
      }
    }
    let range = "\(low.min() ?? 0) to \(high.max() ?? 0)"
    let isScaled = high.max() ?? 0 <= Self.leastContrast
    return "all training images are of one colour, with values of \(range) out of 255"
      + (isScaled ? "; perhaps they were scaled to 0…1 and then stored as whole numbers" : "")
  }
}
