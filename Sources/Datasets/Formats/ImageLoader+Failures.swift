import Failures
import FileFormats
import Images

extension ImageLoader {
  /// The most bad images that a failure lists.
  private static let mostListed = 20

  static func failure(_ bad: [(file: ImageFile, reason: String)], of count: Int, _ source: String) -> Failure {
    let missing = bad.filter { FileBytes.kind(of: $0.file.path) == .missing }.count
    var lines = bad.prefix(mostListed).map { bad in
      let folder = bad.file.name.lastIndex(of: "/").map { bad.file.name[...$0] } ?? ""
      let other = otherCapitals(bad.file.path).map { " '\(folder)\($0)' does." } ?? ""
      return
        "       \(bad.file.origin.map { $0 + ": " } ?? "")\(bad.file.name.shortened(to: 200)): \(bad.reason)\(other)"
    }
    if bad.count > mostListed { lines.append("       and \(bad.count - mostListed) more") }
    let isAll = bad.count == count
    guard missing < bad.count else {
      return Failure(
        .badInput, "\(bad.count) of \(count) images in '\(source)' are not there.",
        why: "these files do not exist:\n" + lines.joined(separator: "\n"),
        fix: "correct the paths, which are relative to the folder of the table, or restore the files.")
    }
    return Failure(
      .badInput, "\(bad.count) of \(count) images in '\(source)' cannot be read.",
      why: "these files are damaged, or of no format that is read:\n" + lines.joined(separator: "\n"),
      fix: isAll
        ? "check whether this is the right folder; \(ImageFormat.names) are read."
        : "replace or remove them, or skip them with --on-bad-image skip; --on-bad-image repair decodes damaged JPEG "
          + "files as far as that goes.")
  }

  /// A file with the same name but for capitals, where a path leads to nothing.
  private static func otherCapitals(_ path: String) -> String? {
    guard FileBytes.kind(of: path) == .missing, let slash = path.lastIndex(of: "/") else { return nil }
    let folder = String(path[..<slash]), name = path[path.index(after: slash)...].lowercased()
    return (try? FileBytes.names(in: folder))?.first { $0.lowercased() == name }
  }
}
