import FileFormats
import Pages
import TestSupport
import Testing

/// Headless Chromium, as the judge of what a page does.
enum Browser {
  /// The first of the names under which it is known that is on the path.
  static let path: String? = (FileBytes.environment("PATH") ?? "").split(separator: ":").lazy.flatMap { folder in
    ["chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "chrome"].map { "\(folder)/\($0)" }
  }.first { FileBytes.kind(of: $0) == .file }

  /// Why a test is skipped without it.
  static let absence: Comment = "SKIPPED: no chromium or chrome on the path"

  /// Opens a page, runs a script at its end, and returns what that leaves in `outcome`.
  ///
  /// The page's policy is told the hash of the script, and nothing else is changed.
  ///
  /// - Parameter width: the window's, in the style sheet's pixels.
  static func run(_ html: String, width: Int = 800, then script: String) throws -> JSONValue {
    let driver = """

      (async () => {
        const outcome = {};
        try { await (async () => { \(script) })(); } catch (error) { outcome.error = String(error.stack || error); }
        const place = document.createElement("pre");
        place.id = "outcome";
        place.textContent = JSON.stringify(outcome).replace(
          /[<>&]/g, (letter) => "\\\\u00" + letter.charCodeAt(0).toString(16));
        document.body.append(place);
      })();

      """
    let own = "script-src '\(PageParts.hash(PageParts.script))'"
    // A page without a script of its own allows none.
    let allowed =
      html.contains(own)
      ? html.replacing(own, with: "\(own) '\(PageParts.hash(driver))'")
      : html.replacing("base-uri", with: "script-src '\(PageParts.hash(driver))'; base-uri")
    let folder = ScratchFolder()
    let end = "</body>\n</html>"
    try AtomicFile.write(
      allowed.replacing(end, with: "<script>\(driver)</script>\n\(end)"), to: folder("page.html"))
    let program = SpawnedProgram(
      try #require(path),
      [
        "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
        "--window-size=\(width),900",
        "--user-data-dir=\(folder("profile"))",
        "--virtual-time-budget=20000", "--dump-dom", "file://\(folder("page.html"))",
      ], in: folder.path, environment: ["HOME": folder.path])
    let ending = try program.end()
    let pieces = ending.output.split(separator: #"<pre id="outcome">"#, maxSplits: 1)
    try #require(pieces.count == 2, "code \(ending.code): \(ending.errors.suffix(2000))")
    let text = pieces[1].prefix { $0 != "<" }
    return try JSONText.parse(Array(text.utf8), named: "outcome")
  }
}

extension String {
  /// The text with every occurrence of one part replaced by another.
  func replacing(_ part: String, with other: String) -> String {
    split(separator: part, omittingEmptySubsequences: false).joined(separator: other)
  }
}
