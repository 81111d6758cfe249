import CLayout
import Failures

/// Combinations: `nce+rce`, `gce+sr`, `nce+rce+sr`, `gce+peer`; L = alpha · first + beta · second, and what is around it.
extension LossEntry {
  /// The entry of a name or alias, or of several with plus signs between.
  ///
  /// - Throws: `.usage` for unknown names, and for combinations that cannot be made.
  static func named(_ text: String) throws(Failure) -> LossEntry {
    let names = text.split(separator: "+", omittingEmptySubsequences: false).map(String.init)
    var entries: [LossEntry] = []
    for name in names { entries.append(try single(name)) }
    guard entries.count > 1 else {
      guard !entries[0].isModifier else {
        throw Failure(
          .usage, "\(entries[0].name) is not a loss on its own.", why: "it regularises the outputs under another loss.",
          fix: "write --loss ce+\(entries[0].name)")
      }
      return entries[0]
    }
    return try combination(entries)
  }

  private static func single(_ text: String) throws(Failure) -> LossEntry {
    let name = text.lowercased()
    guard let entry = Loss.catalogue.first(where: { $0.name == name || $0.aliases.contains(name) }) else {
      throw Failure.unknown(
        "loss", text, names: Loss.catalogue.map(\.name), aliases: Loss.catalogue.flatMap(\.aliases),
        fix: "see: gpunoisy losses")
    }
    return entry
  }

  private static func combination(_ entries: [LossEntry]) throws(Failure) -> LossEntry {
    let name = entries.map(\.name).joined(separator: "+")
    let summands = Array(entries.prefix { $0.part != nil }), around = Array(entries.dropFirst(summands.count))
    if let wrong = around.first(where: { $0.form != .sparse && $0.form != .peer }) {
      throw Failure(
        .usage, "\(wrong.name) cannot be \(wrong.part == nil ? "combined with others" : "combined after sr or peer").",
        why: "only losses of single samples can be summed, and sr and peer come last.",
        fix: wrong.part == nil ? "write --loss \(wrong.name)" : "write the losses first, as in --loss nce+rce+sr")
    }
    guard (1...2).contains(summands.count) else {
      throw Failure(
        .usage, "'\(name)' is a sum of \(summands.count) losses.", why: "a sum has two losses.",
        fix: "write one or two losses, then sr or peer, as in --loss nce+agce or --loss gce+sr")
    }
    guard Set(entries.map(\.name)).count == entries.count else {
      throw Failure(
        .usage, "'\(name)' has the same part twice.", why: "its parameters would be ambiguous.",
        fix: "write each part once.")
    }
    return combined(name, summands: summands, around: around.map { $0.form == .peer ? Loss.peerAround : $0 })
  }

  static func combined(_ name: String, summands: [LossEntry], around: [LossEntry]) -> LossEntry {
    var weights: [Parameter] = []
    if summands.count == 2 {
      weights = zip(["alpha", "beta"], summands).map { Parameter($0, 1, 0...1000, "the weight of \($1.name)") }
    }
    let parts = summands + around
    let taken = (weights + parts.flatMap(\.parameters)).map(\.name)
    // The name of a part is put before what another part has, too.
    let own = parts.flatMap { entry in
      entry.parameters.map { parameter in
        taken.count { $0 == parameter.name } == 1 ? parameter : parameter.named("\(entry.name).\(parameter.name)")
      }
    }
    var formula = summands[0].formula
    if summands.count == 2 { formula = "alpha (\(formula)) + beta (\(summands[1].formula))" }
    return LossEntry(
      name, .combination, formula: ([formula] + around.map(\.formula)).joined(separator: "; "),
      source: parts.map(\.source).joined(separator: "; "),
      condition: parts.map { "\($0.name): \($0.condition)" }.joined(separator: "; "), parameters: weights + own,
      parts: parts)
  }

  /// The position of a parameter; in a combination, a part's name and a point may stand before any of its parameters.
  func index(of name: String) -> Int? {
    if let index = parameters.firstIndex(where: { $0.name == name }) { return index }
    for (entry, positions) in zip(parts, positionsOfParts) {
      if let index = entry.parameters.firstIndex(where: { "\(entry.name).\($0.name)" == name }) {
        return positions.lowerBound + index
      }
    }
    return nil
  }

  /// Where the parameters of each part of a combination are.
  private var positionsOfParts: [Range<Int>] {
    var start = summands.count == 2 ? 2 : 0
    return parts.map { entry in
      defer { start += entry.parameters.count }
      return start..<start + entry.parameters.count
    }
  }

  private var summands: [LossEntry] { parts.filter { $0.part != nil } }

  /// The values of the part with this form, where there is one.
  func values(of form: Form, in values: [Float]) -> [Float]? { self.values(of: { $0.form == form }, in: values) }

  /// The values of this loss or of its first part that is wanted, where there is one.
  func values(of isWanted: (LossEntry) -> Bool, in values: [Float]) -> [Float]? {
    if isWanted(self) { return values }
    guard let index = parts.firstIndex(where: isWanted) else { return nil }
    return Array(values[positionsOfParts[index]])
  }

  /// Whether the kernel of sums computes it; a single loss around which there is only peer loss has its own kernel.
  var isSum: Bool { form == .combination && (summands.count == 2 || parts.contains { $0.form == .sparse }) }

  /// The loss whose kernel computes it, where `isSum` is false.
  var base: LossEntry { form == .combination ? parts[0] : self }

  /// The parameters of `loss_sum_rows`: weights, the parts by number, their own parameters and those of sparse
  /// regularisation.
  func sumParameters(_ values: [Float], epoch: Int) -> [Float] {
    var parameters = [Float](repeating: 0, count: LOSS_SUM_COUNT)
    func put(_ values: some Collection<Float>, at place: Int) {
      precondition(values.count <= LOSS_SLOTS, "a part has at most \(LOSS_SLOTS) parameters")
      parameters.replaceSubrange(place..<place + values.count, with: values)
    }
    parameters[LOSS_ALPHA] = summands.count == 2 ? values[0] : 1
    parameters[LOSS_BETA] = summands.count == 2 ? values[1] : 0
    parameters[LOSS_SECOND_PART] = -1
    let own = zip(parts, positionsOfParts).filter { $0.0.part != nil }
    for ((entry, positions), (part, place)) in zip(
      own, [(LOSS_FIRST_PART, LOSS_FIRST), (LOSS_SECOND_PART, LOSS_SECOND)])
    {
      parameters[part] = Float(entry.part ?? -1)
      put(values[positions], at: place)
    }
    if let sparse = self.values(of: .sparse, in: values) {
      put(Loss.sparseNumbers(sparse, epoch: epoch), at: LOSS_SPARSE)
    }
    return parameters
  }
}
