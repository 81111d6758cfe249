import Datasets
import Failures
import FileFormats

/// Where data is, as opposed to what is to be written.
enum DataPlace {
  /// - Parameters:
  ///   - data: a path or a name.
  ///   - out: a path at which nothing needs to be.
  ///   - option: the option that names it, for the failure.
  /// - Throws: `.cannotCreate` for a path within a folder of data, which would be read as data, and for one that is the
  ///   data or a folder above it.
  static func requireOutside(_ data: String, _ out: String, option: String) throws {
    guard !Dataset.isName(data), let root = FileBytes.resolved(data) else { return }
    let isInside = FileBytes.kind(of: root) == .folder && FileBytes.lies(FileBytes.absolute(out), within: root)
    let place = FileBytes.resolved(out)
    let isData = place.map { $0.utf8.elementsEqual(root.utf8) } ?? false
    guard isInside || isData || place.map({ FileBytes.part(of: root, below: $0) != nil }) ?? false else { return }
    throw Failure(
      .cannotCreate,
      "\(option) '\(out)' is "
        + (isData ? "the data itself." : "\(isInside ? "within" : "a folder above") the data '\(data)'."),
      why: isInside ? "what is written there would be read as data." : "the data must not change.",
      fix: "choose a folder elsewhere.")
  }
}
