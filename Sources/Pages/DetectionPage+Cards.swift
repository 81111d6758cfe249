extension DetectionPage {
  /// The frame of the blind check.
  var blind: String {
    """
    <section id="blind">
    <h2>Blind check: how far to trust the list</h2>
    <p>\(blindCheck.count) samples, suspected and not, in random order. Judge each label without knowing which is which;
    after the last answer you see how much of the suspicion is justified, and how much was missed. It takes some minutes,
    and is fairest before you look at the suspected samples.</p>
    <p><button type="button" id="blind-start">Start</button></p>
    <div id="blind-stage"></div>
    </section>
    """
  }

  /// The frame of the cards, which the script fills.
  var cards: String {
    let pages = """
      <button type="button" data-turn="-1">Previous</button> <span class="place"></span>
      <button type="button" data-turn="1">Next</button>
      """
    return """
      <section id="suspects">
      <h2>Suspected samples, the most suspicious first</h2>
      <noscript><p>Cards need JavaScript; label_issues.csv in the run folder has every sample.</p></noscript>
      <p class="controls">
      <label>given <select id="given-filter"><option value="">any</option></select></label>
      <label>suggested <select id="suggested-filter"><option value="">any</option>\
      <option value="-1">none</option></select></label>
      <label><input type="checkbox" id="open-filter"> only without a verdict</label>
      <button type="button" id="save" disabled>Save verdicts.csv</button>
      </p>
      <p class="controls"><label>Verdict for several <select id="batch-verdict"><option value="">verdict …</option></select>\
      </label>
      <button type="button" id="batch-apply" disabled>Apply</button>
      <button type="button" id="batch-all">Select all listed</button>
      <button type="button" id="batch-clear" disabled>Clear selection</button>
      <span id="status" role="status" class="faint"></span></p>
      <p class="controls faint"><span><kbd>←</kbd> <kbd>→</kbd> or <kbd>k</kbd> <kbd>j</kbd> move</span>
      <span><kbd>Enter</kbd> or a click on the image: larger</span>
      <span><kbd>1</kbd> or <kbd>y</kbd> label is right</span>
      <span><kbd>2</kbd> or <kbd>n</kbd> accept the suggestion</span>
      <span><kbd>3</kbd> another label</span><span><kbd>4</kbd> none of these</span><span><kbd>5</kbd> drop</span>
      <span><kbd>u</kbd> undo</span><span><kbd>x</kbd> select</span></p>
      <p class="faint">Suggested is the most likely class besides the given one.\
      \(margins.isEmpty ? "" : Self.curves)</p>
      <p class="controls">\(pages)</p>
      <div id="grid"></div>
      <p class="controls">\(pages)</p>
      \(samples.count > Self.mostSamples ? Self.limit : "")
      \(Self.large)
      </section>
      """
  }

  private static let curves = " The curve of a card is its margin over the epochs, and the grey line is zero."
  private static let limit = "<p>Only the \(mostSamples) most suspicious samples are in this page.</p>"

  /// The frame of the larger view.
  private static let large = """
    <dialog id="large" aria-label="The sample, larger">
    <div id="large-stage"></div>
    <p class="buttons" id="large-verdicts"></p>
    <p class="buttons"><button type="button" data-step="-1">Previous (←)</button>
    <button type="button" data-step="1">Next (→)</button> <button type="button" id="large-close">Close (Esc)</button></p>
    </dialog>
    """

  /// The commands that may come next.
  var next: String {
    guard !commands.isEmpty else { return "" }
    let lines = commands.map { command in
      "<li>\(HTMLText.escaped(command.purpose)):<br><code>\(HTMLText.escaped(command.line))</code> "
        + "<button type=\"button\" class=\"copy\">copy</button></li>"
    }
    return """
      <section id="next">
      <h2>What comes next</h2>
      <p>“Save verdicts.csv”, above the samples, puts your verdicts into the folder of your browser's downloads; give
      the file's path there. Then, in a terminal:</p>
      <ul>
      \(lines.joined(separator: "\n"))
      </ul>
      </section>
      """
  }
}
