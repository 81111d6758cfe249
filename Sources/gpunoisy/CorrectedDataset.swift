import Datasets
import Failures
import FileFormats
import Images

/// The layouts in which `apply` writes.
enum CorrectedLayout: String, CaseIterable {
  case manifest, folder
}

/// A data set with other labels, written beside the original, whose files are only read.
struct CorrectedDataset {
  /// A part of the data set.
  struct Part {
    let part: SplitPart
    let samples: LabelledSet
    /// The given labels [N], before any change; `noLabel` where there is no image.
    let labels: [Int32]
    /// The id by which changes know the first sample; nil where none is about this part.
    var firstID: Int?
  }

  let parts: [Part]
  let classNames: [String]
  /// By id.
  let changes: [Int: LabelChange]
  /// The folder that the paths of samples are relative to; nil where the layout has no files.
  let root: String?

  /// How many images were written, and how many of these are links.
  struct Count {
    var train = 0, validation = 0, test = 0, linked = 0
  }

  /// The labels of a part after the changes [N]; `noLabel` where a sample is left out.
  private func corrected(_ part: Part) -> [Int32] {
    guard let first = part.firstID else { return part.labels }
    return part.labels.enumerated().map { id, label in
      guard label >= 0, let change = changes[first + id] else { return label }
      return change.new.map { Int32($0) } ?? LabelledSet.noLabel
    }
  }

  /// - Throws: `.badInput` when a class would lose its last training sample, since readers would number the others anew.
  func requireAllClasses() throws {
    guard let train = parts.first(where: { $0.part == .train }) else { return }
    var before = Set(train.labels), after = Set(corrected(train))
    before.remove(LabelledSet.noLabel)
    after.remove(LabelledSet.noLabel)
    guard let lost = before.subtracting(after).min() else { return }
    throw Failure(
      .badInput, "the class '\(classNames[Int(lost)])' would be left without training samples.",
      why: "all of its \(train.labels.count { $0 == lost }) samples would be dropped or get another label.",
      fix: "keep some of them; or, if the class is not wanted, remove it from the data set first.")
  }

  /// Writes images and, for a manifest, the table; not `changes.csv`.
  func write(_ layout: CorrectedLayout, copying: Bool, to folder: NewFolder) throws -> Count {
    var count = Count(), table = ""
    let names = layout == .folder ? try Dataset.folderNames(of: classNames, fix: "use --layout manifest.") : classNames
    let hasTruth = parts.contains { $0.part == .train && $0.samples.trueLabels != nil }
    for part in parts {
      let set = part.samples, labels = corrected(part), split = part.part.rawValue
      for id in 0..<set.count where labels[id] >= 0 {
        try StopRequest.check("the data set was not written.")
        let label = Int(labels[id]), file = fileName(id, set)
        // "./a.png" and "a.png" are one name.
        let place = set.paths.isEmpty ? [split, file] : FileBytes.parts(of: set.paths[id]).filter { !$0.isEmpty }
        var name = "images/" + place.filter { $0 != "." }.joined(separator: "/")
        if layout == .folder {
          try requireImageName(file)
          let place = "\(split)/\(names[label])/"
          // Images of one name may come together from several folders.
          name = place + file
          while folder.holds(name) { name = place + "\(id)_" + name.dropFirst(place.count) }
        }
        if !folder.holds(name) {
          if try add(id, of: set, as: name, copying: copying, to: folder) { count.linked += 1 }
        }
        switch part.part {
        case .train: count.train += 1
        case .validation: count.validation += 1
        case .test: count.test += 1
        }
        guard layout == .manifest else { continue }
        let truth = set.trueLabels.map { $0[id] < 0 ? "" : names[Int($0[id])] } ?? names[label]
        table += CSV.line([name, names[label], split] + (hasTruth ? [truth] : []))
      }
    }
    if layout == .manifest {
      let header = CSV.line(["path", "label", "split"] + (hasTruth ? ["clean_label"] : []))
      try folder.write(Array((header + table).utf8), to: "manifest.csv")
    }
    return count
  }

  /// - Returns: whether the image is a link.
  private func add(_ id: Int, of set: LabelledSet, as name: String, copying: Bool, to folder: NewFolder) throws -> Bool
  {
    if let root, !set.paths.isEmpty {
      return try folder.add(root + "/" + set.paths[id], as: name, copying: copying)
    }
    try folder.write(PNG.encode(set.images.image(id)), to: name)
    return false
  }

  /// The image's own name, or its id as a number that sorts.
  private func fileName(_ id: Int, _ set: LabelledSet) -> String {
    if !set.paths.isEmpty { return FileBytes.parts(of: set.paths[id]).last ?? set.paths[id] }
    return Self.padded("\(id)", to: String(set.count - 1).count) + ".png"
  }

  /// What is an image, readers of an image folder tell by its first bytes; hidden files they pass over.
  private func requireImageName(_ file: String) throws {
    guard file.hasPrefix(".") else { return }
    throw Failure(
      .cannotCreate, "the image '\(file)' cannot be in an image folder.",
      why: "its name begins with a point: it is hidden.", fix: "use --layout manifest.")
  }

  private static func padded(_ text: String, to count: Int) -> String {
    String(repeating: "0", count: max(0, count - text.count)) + text
  }
}
