import CLayout
import Compute
import Failures

/// One row of logits with everything that losses are made from, for the given label y.
public struct ReferenceRow: Sendable {
  /// The logits z, K of them.
  public let logits: [ReferenceNumber]
  /// y.
  public let label: Int
  /// log softmax(z).
  public let logProbabilities: [ReferenceNumber]
  /// p = softmax(z).
  public let probabilities: [ReferenceNumber]
  /// The first of the largest logits.
  public let prediction: Int

  /// Computes log p_k = (z_k − max) − log(1 + Σ of e^(z − max) over all but the largest), and p from it.
  public init(logits: [ReferenceNumber], label: Int) {
    precondition(logits.indices.contains(label), "label \(label) of \(logits.count) classes")
    var top = 0
    for k in logits.indices where logits[k].value > logits[top].value { top = k }
    let differences = logits.map { $0 - logits[top] }
    let others = differences.indices.filter { $0 != top }.map { differences[$0].exponential }.sum
    self.logits = logits
    self.label = label
    prediction = top
    logProbabilities = differences.map { $0 - others.logarithmOfOnePlus }
    probabilities = logProbabilities.map(\.exponential)
  }

  /// p_y.
  public var probability: ReferenceNumber { probabilities[label] }

  /// log p_y.
  public var logProbability: ReferenceNumber { logProbabilities[label] }

  /// 1 − p_y as the sum of the other probabilities, which keeps its digits as p_y goes to 1.
  public var otherProbability: ReferenceNumber {
    probabilities.indices.filter { $0 != label }.map { probabilities[$0] }.sum
  }

  /// The margin of the area under the margin: z_y minus the largest other logit.
  public var margin: ReferenceNumber {
    let other = logits.indices.filter { $0 != label }.map { logits[$0] }.max { $0.value < $1.value }
    return logits[label] - (other ?? ReferenceNumber(-Double.infinity))
  }

  /// The gradient of a function f of p_y alone: dL/dz_k = f'(p_y) · p_y · ([k = y] − p_k) = weight · (p_k − [k = y]).
  ///
  /// - Parameter weight: −f'(p_y) · p_y.
  func gradient(weight: ReferenceNumber) -> [ReferenceNumber] {
    probabilities.indices.map { $0 == label ? -(weight * otherProbability) : weight * probabilities[$0] }
  }

  /// The gradient for all logits from that for those of the other classes.
  ///
  /// The label's is minus the sum of the others: a gradient of softmax sums to 0, and so no digits are lost where the
  /// label's goes to 0.
  func gradient(of others: (Int) -> ReferenceNumber) -> [ReferenceNumber] {
    var gradient = probabilities.indices.map { $0 == label ? 0 : others($0) }
    gradient[label] = -gradient.sum
    return gradient
  }

  /// 1 − p_k, without cancellation where p_k is the largest.
  func other(_ k: Int) -> ReferenceNumber {
    k == prediction ? probabilities.indices.filter { $0 != k }.map { probabilities[$0] }.sum : 1 - probabilities[k]
  }
}

/// What one loss kernel computes for one row of logits, in double precision.
public struct ReferenceLoss: Sendable {
  /// The loss of a row, and its gradient for each logit.
  public typealias Result = (loss: ReferenceNumber, dlogits: [ReferenceNumber])

  /// The kernel, such as `loss_sce_rows`.
  public let kernel: String
  /// Parameters to check the kernel with, in the order of the loss's catalogue entry.
  public let exampleParameters: [Float]
  /// The formula.
  public let evaluate: @Sendable (_ row: ReferenceRow, _ parameters: [ReferenceNumber]) -> Result

  /// The number of the loss as a part of a weighted sum; nil for those that cannot be one.
  public let part: Int?

  init(
    _ name: String, _ exampleParameters: [Float],
    evaluate: @escaping @Sendable (_ row: ReferenceRow, _ parameters: [ReferenceNumber]) -> Result
  ) {
    kernel = "loss_\(name)_rows"
    let number = Int(gpunoisy_loss_part(name))
    part = number >= 0 ? number : nil
    self.exampleParameters = exampleParameters
    self.evaluate = evaluate
  }

  /// All losses, by kernel.
  public static let table: [String: ReferenceLoss] = Dictionary(
    uniqueKeysWithValues: all.map { ($0.kernel, $0) })

  /// The parts of weighted sums, by number.
  static let parts: [Int: ReferenceLoss] = Dictionary(
    uniqueKeysWithValues: all.compactMap { loss in loss.part.map { ($0, loss) } })

  /// All losses of rows, in the order in which they are checked.
  public static let all: [ReferenceLoss] = ofProbability + ofRow + [bitempered, sum]

  /// The formula of a loss of rows.
  ///
  /// - Throws: `.bug` if there is none.
  public static func formula(of function: RowFunction) throws(Failure) -> ReferenceLoss {
    guard let loss = table[function.kernel] else {
      throw Failure(
        .bug, "the reference device has no loss '\(function.kernel)'.",
        why: "its formula is missing from ComputeReference/ReferenceLoss.swift.",
        fix: "add it there; please report this.")
    }
    return loss
  }
}
