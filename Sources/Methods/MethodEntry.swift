import Failures
import Losses
import Networks

/// A training method as the catalogue knows it: what it does, its parameters, where it is from, what it costs.
public struct MethodEntry: Sendable {
  /// One parameter, as `--method NAME:parameter=value` sets it.
  public struct Parameter: Sendable {
    /// Its name.
    public let name: String
    /// What it is when it is not given.
    public let defaultValue: Double
    /// The values that it can have.
    public let range: ClosedRange<Double>
    /// Whether it is a whole number.
    public let isWhole: Bool
    /// How it follows the number of epochs where a protocol is scaled.
    public let scaling: Scaling
    /// What it is.
    public let summary: String

    /// How a parameter follows the number of epochs.
    public enum Scaling: Sendable {
      /// Not at all.
      case none
      /// It counts epochs.
      case epochs
      /// Its square times the epochs stays: a pull, or what a row gathers, adds up over the run.
      case inverseRoot
    }

    init(
      _ name: String, _ defaultValue: Double, _ range: ClosedRange<Double>, isWhole: Bool = false,
      scaling: Scaling = .none, _ summary: String
    ) {
      (self.name, self.defaultValue, self.range) = (name, defaultValue, range)
      (self.isWhole, self.scaling, self.summary) = (isWhole, scaling, summary)
    }

    /// A number of epochs.
    init(epochs name: String, _ defaultValue: Double, _ range: ClosedRange<Double>, _ summary: String) {
      self.init(name, defaultValue, range, isWhole: true, scaling: .epochs, summary)
    }

    /// The value for `share` of the epochs; a number of epochs is at least 1 where it was not 0.
    func scaled(_ value: Double, by share: Double) -> Double {
      switch scaling {
      case .none: value
      case .epochs: value > 0 ? min(max(1, (value * share).rounded()), range.upperBound) : value
      // Four digits, so that it can be read where it is written down.
      case .inverseRoot: min((value / share.squareRoot() * 1000).rounded() / 1000, range.upperBound)
      }
    }
  }

  /// A parameter that is a text, as `--method NAME:parameter=text` sets it; it has neither blanks nor commas.
  public struct TextParameter: Sendable {
    /// Its name.
    public let name: String
    /// What it is when it is not given.
    public let defaultText: String
    /// What it is.
    public let summary: String
    /// The texts that it can be; nil where the method reads it.
    public var choices: [String]?
  }

  /// How sure it is that this is what the authors did.
  public enum Standing: Sendable, Equatable {
    /// After the authors' code.
    case publishedCode
    /// After what the paper says, with gaps filled as the text tells.
    case reconstructed(String)

    /// `published code`, or `reconstructed` with what is.
    public var text: String {
      switch self {
      case .publishedCode: "published code"
      case .reconstructed(let what): "reconstructed: \(what)"
      }
    }
  }

  /// The name, such as `co-teaching`.
  public let name: String
  /// What it does, in one sentence.
  public let summary: String
  /// The paper.
  public let source: String
  /// How sure it is that this is what the authors did.
  public let standing: Standing
  /// Networks in training.
  public let networks: Int
  /// The cost of an epoch, in epochs of plain training.
  public let cost: String
  /// Its parameters, in the order in which they are told.
  public let parameters: [Parameter]
  /// The columns that it adds to metrics.csv.
  public let figures: [Figure]
  /// Whether it judges samples, so that a run leaves suspicion.csv.
  public let judgesSamples: Bool

  /// The losses that it can train with.
  public var losses: Losses = .ofSamples
  /// Why samples cannot have weights besides; nil where they can.
  public var weightsConflict: String? = "the method sets the weights of the samples itself."

  /// Its parameters that are texts, which are told before the others.
  public var textParameters: [TextParameter] = []
  /// Whether it needs samples whose labels are known to be right: `--trusted`.
  public var needsTrustedSamples = false
  /// Whether it needs trained networks to learn from: `--teacher`.
  public var needsTeachers = false

  /// Losses that a method can train with.
  public enum Losses: Sendable {
    /// Every loss.
    case all
    /// Losses of single samples, without correction by a transition matrix.
    case ofSamples
    /// Cross entropy, since it has targets that are not one class.
    case crossEntropy

    /// What people call them.
    public var text: String {
      switch self {
      case .all: "all"
      case .ofSamples: "losses of single samples"
      case .crossEntropy: "cross entropy"
      }
    }
  }

  /// Checks that the method can train with a loss.
  ///
  /// - Throws: `.configuration`.
  public func check(_ loss: Loss) throws(Failure) {
    func conflict(_ why: String, _ fix: String) -> Failure {
      Failure(
        .configuration, "--method \(name) cannot be used with --loss \(loss.entry.name).", why: why, fix: fix)
    }
    switch losses {
    case .all: return
    case .ofSamples:
      if loss.dependsOnBatch {
        throw conflict(
          "the method treats samples one by one, and this loss depends on the whole batch.",
          "use --loss ce, or another loss of single samples.")
      }
      if loss.correction != nil {
        throw conflict(
          "a transition matrix assumes that all samples are treated alike.", "use --loss ce, or --method plain.")
      }
    case .crossEntropy:
      guard loss.entry.name == "ce" else {
        throw conflict("its targets are shares of several classes, which only cross entropy takes.", "use --loss ce.")
      }
    }
  }
}

/// A method with values for its parameters, as the command line writes it: `co-teaching:rate=0.45`.
public struct MethodChoice: Sendable, Equatable, CustomStringConvertible {
  /// The catalogue's entry.
  public let entry: MethodEntry
  /// The value of every parameter that is a number, in the entry's order.
  public let values: [Double]
  /// The value of every parameter that is a text, in the entry's order.
  public let texts: [String]
  /// The names of the parameters whose values were given.
  private let given: Set<String>

  /// Parses `NAME[:parameter=value,…]`; what is not given has its default.
  ///
  /// - Throws: `.usage` for an unknown name or parameter, a value out of range, or a parameter that is given twice.
  public init(_ text: String) throws(Failure) {
    let halves = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    guard let entry = MethodEntry.catalogue.first(where: { $0.name == halves[0].lowercased() }) else {
      throw Failure.unknown(
        "method", halves[0], names: MethodEntry.catalogue.map(\.name),
        fix: "choose one of these; 'gpunoisy methods' explains them.")
    }
    var values = entry.parameters.map(\.defaultValue), given = Set<Int>()
    var texts: [String: String] = [:]
    for item in halves.count > 1 ? halves[1].split(separator: ",", omittingEmptySubsequences: false) : [] {
      let pair = item.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
      if let parameter = entry.textParameters.first(where: { $0.name == pair[0] }), texts[pair[0]] == nil,
        pair.count == 2, !pair[1].isEmpty, !pair[1].contains(where: \.isWhitespace)
      {
        if let choices = parameter.choices, !choices.contains(pair[1]) {
          throw Failure(
            .usage, "\(entry.name):\(item) is not known.",
            why: "\(parameter.name) is \(parameter.summary): \(choices.joined(separator: " or ")).",
            fix: "the default is \(parameter.name)=\(parameter.defaultText).")
        }
        texts[pair[0]] = pair[1]
        continue
      }
      guard let index = entry.parameters.firstIndex(where: { $0.name == pair[0] }), given.insert(index).inserted else {
        let names = (entry.textParameters.map(\.name) + entry.parameters.map(\.name)).joined(separator: ", ")
        throw Failure(
          .usage, "'\(item)' is not a parameter of \(entry.name), or is given twice.",
          why: names.isEmpty ? "\(entry.name) has no parameters." : "its parameters are \(names).",
          fix: "write it as in \(Self(entry))")
      }
      let parameter = entry.parameters[index]
      guard pair.count == 2, let value = Double(pair[1]), parameter.range.contains(value),
        !parameter.isWhole || value == value.rounded()
      else {
        throw Failure(
          .usage, "\(entry.name):\(item) is out of range.",
          why: "\(parameter.name) is \(parameter.summary), "
            + "\(parameter.isWhole ? "a whole number " : "")from \(Self.text(parameter.range.lowerBound)) to "
            + "\(Self.text(parameter.range.upperBound)).",
          fix: "the default is \(parameter.name)=\(Self.text(parameter.defaultValue)).")
      }
      values[index] = value
    }
    self.init(
      entry, values, entry.textParameters.map { texts[$0.name] ?? $0.defaultText },
      given: Set(given.map { entry.parameters[$0].name }).union(texts.keys))
  }

  /// The entry with its defaults.
  private init(_ entry: MethodEntry) {
    self.init(entry, entry.parameters.map(\.defaultValue), entry.textParameters.map(\.defaultText))
  }

  private init(_ entry: MethodEntry, _ values: [Double], _ texts: [String], given: Set<String> = []) {
    (self.entry, self.values, self.texts, self.given) = (entry, values, texts, given)
  }

  /// The method with those of its values that were given, and the others of another choice of the same method.
  public func completed(by other: MethodChoice) -> MethodChoice {
    guard other.entry.name == entry.name else { return self }
    func values<Value>(_ names: [String], _ own: [Value], _ others: [Value]) -> [Value] {
      names.indices.map { given.contains(names[$0]) ? own[$0] : others[$0] }
    }
    return MethodChoice(
      entry, values(entry.parameters.map(\.name), self.values, other.values),
      values(entry.textParameters.map(\.name), texts, other.texts), given: given)
  }

  /// The value of a parameter that is a text.
  public func text(_ name: String) -> String {
    guard let index = entry.textParameters.firstIndex(where: { $0.name == name }) else {
      preconditionFailure("\(entry.name) has no text '\(name)'")
    }
    return texts[index]
  }

  /// Checks that the method, with these parameters, can train with a loss.
  ///
  /// - Throws: `.configuration`.
  public func check(_ loss: Loss) throws(Failure) {
    try entry.check(loss)
    _ = try memberNetworks(of: .linearHead)
    _ = try views()
    if entry.name == MethodEntry.adaptiveLoss { _ = try LearnedParameters(text("learn"), of: loss) }
  }

  /// The value of a parameter.
  public subscript(_ name: String) -> Double {
    guard let index = entry.parameters.firstIndex(where: { $0.name == name }) else {
      preconditionFailure("\(entry.name) has no parameter '\(name)'")
    }
    return values[index]
  }

  /// Whether it looks for classes itself, so that the data needs none.
  public var findsClasses: Bool {
    entry.name == MethodEntry.asymmetric && text("labels") == MethodEntry.clusters
  }

  /// Networks in training: the parameter `members`, where there is one.
  public var networks: Int {
    if entry.name == MethodEntry.coTraining { return (try? views().count) ?? entry.networks }
    return entry.parameters.contains { $0.name == "members" } ? Int(self["members"]) : entry.networks
  }

  /// The most steps that an epoch of the method can have, with so many samples in batches of `batch`.
  public func stepLimit(samples: Int, batch: Int) -> Int {
    let batches = samples / max(batch, 1) + 1
    // Two networks, one after the other, by halves of batches.
    return entry.name == MethodEntry.divideMix
      ? max(batches, 2 * Division.stepLimit(samples: samples, batch: max(batch / 2, 1))) : batches
  }

  /// The method for `share` of the epochs: numbers of epochs are multiplied by it, and at least 1 where they were not 0;
  /// what adds up over a run is divided by its root.
  public func scaled(by share: Double) -> MethodChoice {
    MethodChoice(entry, zip(entry.parameters, values).map { $0.scaled($1, by: share) }, texts, given: given)
  }

  /// The method with every value in force, such as `co-teaching:rate=0.45,ramp=9,power=1,exchange=1`.
  public var description: String {
    let pairs =
      zip(entry.textParameters, texts).map { "\($0.name)=\($1)" }
      + zip(entry.parameters, values).map { "\($0.name)=\(Self.text($1))" }
    return pairs.isEmpty ? entry.name : "\(entry.name):\(pairs.joined(separator: ","))"
  }

  /// Same method and values.
  public static func == (left: Self, right: Self) -> Bool { left.description == right.description }

  /// A parameter's value as the command line writes it.
  public static func text(_ value: Double) -> String {
    value == value.rounded() && abs(value) < 1e15 ? "\(Int(value))" : "\(value)"
  }
}
