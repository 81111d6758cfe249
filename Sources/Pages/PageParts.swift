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
  /// script, no handler in an attribute, no address but images within the page. Scripts may not turn text to markup.
  public static let policy = [
    "default-src 'none'", "img-src data:", "style-src '\(hash(style))'", "script-src '\(hash(script))'",
    "base-uri 'none'", "form-action 'none'", "require-trusted-types-for 'script'",
  ].joined(separator: "; ")

  /// The style sheet of pages that compare runs: that of all pages, and that of charts.
  public static let comparisonStyle = style + String(cString: gpunoisy_page_comparison_style())

  /// The content security policy of a page that has a style sheet and no script.
  public static func policy(style: String) -> String {
    ["default-src 'none'", "style-src '\(hash(style))'", "base-uri 'none'", "form-action 'none'"]
      .joined(separator: "; ")
  }

  /// How a policy names the text of an element.
  public static func hash(_ text: String) -> String {
    "sha256-" + Base64.text(SHA256.digest(of: text).bytes)
  }

  /// A whole page: everything about it that the policy and the browser must know, around its body.
  ///
  /// - Parameters:
  ///   - title: plain text.
  ///   - policy: the content security policy.
  ///   - style: the style sheet that the policy names.
  ///   - body: markup.
  static func document(title: String, policy: String, style: String, body: String) -> String {
    """
    <!DOCTYPE html>
    <html lang="en">
    <head>
    <meta charset="utf-8">
    <meta http-equiv="Content-Security-Policy" content="\(policy)">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="referrer" content="no-referrer">
    <title>\(HTMLText.escaped(title))</title>
    <style>\(style)</style>
    </head>
    <body>
    \(body)
    </body>
    </html>

    """
  }
}
