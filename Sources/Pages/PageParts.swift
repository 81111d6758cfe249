import CPages
import FileFormats

/// The style and the script of a page, and the policy that lets the browser run these alone.
public enum PageParts {
  /// The style sheet.
  public static let style = String(cString: gpunoisy_page_style())

  /// The script.
  public static let script = String(cString: gpunoisy_page_script())

  /// The content security policy of a page.
  ///
  /// Style and script are named by their hashes, so that nothing that a file name smuggles in can run or load: no other
  /// script, no handler in an attribute, no address but pictures within the page. Scripts may not turn text to markup.
  public static let policy = [
    "default-src 'none'", "img-src data:", "style-src '\(hash(style))'", "script-src '\(hash(script))'",
    "base-uri 'none'", "form-action 'none'", "require-trusted-types-for 'script'",
  ].joined(separator: "; ")

  /// How a policy names the text of an element.
  public static func hash(_ text: String) -> String {
    "sha256-" + Base64.text(SHA256.digest(of: text).bytes)
  }
}
