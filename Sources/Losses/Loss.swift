import Compute
import Failures

/// One entry of the catalogue of losses: what a user reads, and the kernel that computes it.
///
/// Adding a loss: a function and a kernel line in Kernels/loss.cl, its name in Kernels/native_set.h, and an entry here.
public struct LossEntry: Sendable {
  /// A parameter of a loss.
  public struct Parameter: Sendable {
    /// The name after the colon: `alpha` in `sce:alpha=0.1`.
    public let name: String
    /// The value when the user gives none.
    public let defaultValue: Float
    /// The values that make sense.
    public let range: ClosedRange<Float>
    /// One line: what it does.
    public let summary: String

    init(_ name: String, _ defaultValue: Float, _ range: ClosedRange<Float>, _ summary: String) {
      self.name = name
      self.defaultValue = defaultValue
      self.range = range
      self.summary = summary
    }
  }

  /// The paper's acronym in lower case.
  public let name: String
  /// Whole words that mean the same.
  public let aliases: [String]
  /// The formula per sample, in p = softmax(logits) and the given label y.
  public let formula: String
  /// Authors, venue, arXiv number.
  public let source: String
  /// The parameters in the order in which the kernel reads them; at most 8.
  public let parameters: [Parameter]
  /// The weight of a second pass over peer samples, by parameter values; nil for a loss without one.
  let peerWeight: (@Sendable ([Float]) -> Float)?

  init(
    _ name: String, aliases: [String] = [], formula: String, source: String, parameters: [Parameter] = [],
    peerWeight: (@Sendable ([Float]) -> Float)? = nil
  ) {
    self.name = name
    self.aliases = aliases
    self.formula = formula
    self.source = source
    self.parameters = parameters
    self.peerWeight = peerWeight
  }
}

/// A loss with values for its parameters, as the command line writes it: `sce:alpha=0.1,beta=1,A=-4`.
public struct Loss: Sendable, CustomStringConvertible {
  /// The catalogue's entry.
  public let entry: LossEntry
  /// The value of every parameter, in the entry's order.
  public let values: [Float]

  /// Parses `NAME[:parameter=value,…]`; what is not given has its default.
  ///
  /// - Throws: `.usage` for an unknown name or parameter, or a value out of range.
  public init(_ text: String) throws(Failure) {
    let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    let name = parts[0].lowercased()
    guard let entry = Self.catalogue.first(where: { $0.name == name || $0.aliases.contains(name) }) else {
      throw Failure(
        .usage, "there is no loss '\(parts[0])'.",
        why: "the losses are \(Self.catalogue.map(\.name).joined(separator: ", ")).",
        fix: "see: gpunoisy train --list-losses")
    }
    var values = entry.parameters.map(\.defaultValue)
    for item in parts.count > 1 ? parts[1].split(separator: ",") : [] {
      let pair = item.split(separator: "=", maxSplits: 1).map(String.init)
      guard pair.count == 2, let index = entry.parameters.firstIndex(where: { $0.name == pair[0] }) else {
        let known = entry.parameters.map(\.name).joined(separator: ", ")
        throw Failure(
          .usage, "'\(item)' is not a parameter of \(entry.name).",
          why: known.isEmpty ? "\(entry.name) has no parameters." : "its parameters are \(known).",
          fix: "write --loss \(Loss(entry: entry, values: entry.parameters.map(\.defaultValue)))")
      }
      let parameter = entry.parameters[index]
      guard let value = Float(pair[1]), parameter.range.contains(value) else {
        throw Failure(
          .usage, "\(entry.name):\(item) is out of range.",
          why:
            "\(parameter.name) is \(parameter.summary), from \(parameter.range.lowerBound) to \(parameter.range.upperBound).",
          fix: "the default is \(parameter.name)=\(parameter.defaultValue).")
      }
      values[index] = value
    }
    self.init(entry: entry, values: values)
  }

  private init(entry: LossEntry, values: [Float]) {
    self.entry = entry
    self.values = values
  }

  /// The loss with every value in force, such as `sce:alpha=0.1,beta=1,A=-4`.
  public var description: String {
    guard !values.isEmpty else { return entry.name }
    let items = zip(entry.parameters, values).map { parameter, value in
      "\(parameter.name)=\(value == value.rounded() && abs(value) < 1e6 ? "\(Int(value))" : "\(value)")"
    }
    return "\(entry.name):\(items.joined(separator: ","))"
  }

  /// What a device launches.
  public var function: RowFunction { RowFunction(kernel: "loss_\(entry.name)_rows") }

  /// Factor of the gradient over peer samples; nil for a loss that has none.
  public var peerWeight: Float? { entry.peerWeight?(values) }
}
