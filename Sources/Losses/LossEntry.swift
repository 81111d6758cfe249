import CLayout

/// One entry of the catalogue of losses: what a user reads, and the kernel that computes it.
///
/// Adding a loss: CONTRIBUTING.md walks through it.
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
    /// Whether only whole numbers make sense.
    public let isWhole: Bool
    /// What it counts, where it counts epochs.
    let epochs: Epochs?

    /// What a number of epochs is, so that it can follow where a protocol is scaled.
    enum Epochs: Sendable {
      /// A stretch of the run.
      case stretch
      /// The time after which the parameter before this one multiplies another, over and over.
      case period
    }

    init(
      _ name: String, _ defaultValue: Float, _ range: ClosedRange<Float>, _ summary: String, isWhole: Bool = false,
      epochs: Epochs? = nil
    ) {
      self.name = name
      self.defaultValue = defaultValue
      self.range = range
      self.summary = summary
      self.isWhole = isWhole
      self.epochs = epochs
    }

    func accepts(_ value: Float) -> Bool { range.contains(value) && (!isWhole || value == value.rounded()) }

    func named(_ name: String) -> Parameter {
      Parameter(name, defaultValue, range, summary, isWhole: isWhole, epochs: epochs)
    }
  }

  /// How a loss is computed, and with it what it can be combined with.
  enum Form: Sendable, Equatable {
    /// From one row of logits: one of `LOSS_PARTS` (Kernels/layout/include/layout.h).
    case row
    /// Around others, as sparse regularisation.
    case sparse
    /// A second pass over other samples, around others or by itself.
    case peer
    /// By a transition matrix, or by its inverse.
    case forward, backward
    /// From a whole batch.
    case determinant
    /// The weighted sum of one or two others, with what is around them.
    case combination
  }

  /// The paper's acronym in lower case.
  public let name: String
  /// Whole words that mean the same.
  public let aliases: [String]
  /// The formula per sample, in p = softmax(logits) and the given label y.
  public let formula: String
  /// Authors, venue, arXiv number.
  public let source: String
  /// What is known about the loss under label noise: symmetric, asymmetric and from where on, or neither.
  public let condition: String
  /// The parameters in the order in which the kernel reads them.
  public let parameters: [Parameter]
  let form: Form
  /// What a combination is made of, in its order; empty for the losses of the catalogue.
  let parts: [LossEntry]

  init(
    _ name: String, _ form: Form, aliases: [String] = [], formula: String, source: String, condition: String,
    parameters: [Parameter] = [], parts: [LossEntry] = []
  ) {
    self.name = name
    self.form = form
    self.aliases = aliases
    self.formula = formula
    self.source = source
    self.condition = condition
    self.parameters = parameters
    self.parts = parts
  }

  /// Whether the entry can only stand around others, as in `gce+sr`.
  public var isModifier: Bool { form == .sparse }

  /// The number of the loss as a part of a weighted sum; nil where it cannot be one.
  public var part: Int? {
    guard form == .row else { return nil }
    let number = Int(gpunoisy_loss_part(name))
    precondition(number >= 0, "LOSS_PARTS in Kernels/layout/include/layout.h has no \(name)")
    return number
  }
}
