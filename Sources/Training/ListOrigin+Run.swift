import Datasets
import FileFormats
import Reports

extension ListOrigin {
  /// What the run says in whose folder a file lies; nil where it lies in none.
  ///
  /// A run.json that cannot be read says nothing: the list may have been copied to some other program's folder.
  init?(beside path: String) {
    let folder = FileBytes.folder(of: path)
    guard FileBytes.kind(of: folder + "/" + RunFolder.recordName) == .file,
      let data = (try? RunRecord.read(folder: folder))?.data
    else { return nil }
    self.init(run: folder, trainCount: data.trainCount, samples: data.samples, classNames: data.classNames)
  }
}

extension SampleList {
  /// A list for a data set, held against the run in whose folder it lies.
  init(_ path: String, for dataset: Dataset) {
    self.init(path, of: dataset, origin: ListOrigin(beside: path))
  }
}

extension SampleList.Matching {
  /// What the head of a run says of a list; nil where every entry was found by its path and number.
  func note(_ option: String, _ path: String) -> String? {
    var parts: [String] = []
    if byNumber > 0 { parts.append("\(byNumber) samples by number alone, since it names no files for them") }
    if moved > 0 {
      parts.append("\(moved) of \(byPath) images have another number in this data and were found by path")
    }
    return parts.isEmpty ? nil : "\(option) \(path): " + parts.joined(separator: "; ")
  }
}
