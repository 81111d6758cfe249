import Datasets
import Detection
import FileFormats

/// An image that is in the training part and in another one, as tables name both.
struct NamedOverlap {
  let overlap: PartOverlap
  /// The files' paths, or names with numbers.
  let path: String, trainPath: String
  /// The labels; nil where there is none.
  let label: Int?, trainLabel: Int?

  var hasDifferentLabels: Bool { label != nil && trainLabel != nil && label != trainLabel }
}

extension FinishedDetection {
  /// Copies, and of images that are none, near-duplicates.
  static func overlaps(_ equal: EqualImages, _ features: FeatureFindings?, _ data: RunData) -> [PartOverlap] {
    func key(_ overlap: PartOverlap) -> String { "\(overlap.part.rawValue) \(overlap.id)" }
    let copies = Set(equal.overlaps.map(key))
    let near = (features?.twins ?? []).map { twin in
      let place = data.dataset.place(of: twin.id)
      return PartOverlap(part: place.part, id: place.id, twin: twin.training, cosine: twin.cosine)
    }
    return equal.overlaps + near.filter { !copies.contains(key($0)) }
  }

  /// The worst first: those with different labels, then the others, of each copies first, then the nearest ones.
  var rankedOverlaps: [NamedOverlap] {
    let whole = data.whole, parts = whole.parts
    func label(_ id: Int, in part: SplitPart) -> Int? {
      let labels = parts.first { $0.part == part }?.samples.labels ?? []
      return labels.indices.contains(id) && labels[id] >= 0 ? Int(labels[id]) : nil
    }
    let named = overlaps.map { overlap in
      NamedOverlap(
        overlap: overlap, path: whole.path(of: overlap.id, in: overlap.part),
        trainPath: whole.path(of: overlap.twin, in: .train), label: label(overlap.id, in: overlap.part),
        trainLabel: label(overlap.twin, in: .train))
    }
    func key(_ found: NamedOverlap) -> Double {
      (found.overlap.cosine.map { 2 - $0 } ?? 0) + (found.hasDifferentLabels ? 0 : 10)
    }
    let keys = named.map(key)
    return named.indices.sorted { (keys[$0], $0) < (keys[$1], $1) }.map { named[$0] }
  }

  /// What is said of them in one line, such as `12 of 200 test images are in the training set, too, 2 of them with another
  /// label`; nil where there are none.
  public var overlapSummary: String? {
    guard !overlaps.isEmpty else { return nil }
    let found = rankedOverlaps
    let parts = data.whole.parts.filter { $0.part != .train }.compactMap { part, samples -> String? in
      let own = found.filter { $0.overlap.part == part }
      let copies = own.count { $0.overlap.cosine == nil }, near = own.count - copies
      guard !own.isEmpty else { return nil }
      let name = part == .validation ? "validation" : part.rawValue
      let counts = [(copies, "in the training set, too"), (near, "nearly the same as one there")].filter { $0.0 > 0 }
      return "of \(samples.labelledIDs.count) \(name) images "
        + counts.map { "\($0) \($0 == 1 ? "is" : "are") \($1)" }.joined(separator: ", and ")
    }
    let differing = found.count(where: \.hasDifferentLabels)
    return parts.joined(separator: "; ") + (differing > 0 ? "; \(differing) with another label" : "")
      + ": accuracy on them says nothing"
  }
}
