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

  /// All losses, by kernel.
  public static let table: [String: ReferenceLoss] = Dictionary(
    uniqueKeysWithValues: all.map { ($0.kernel, $0) })

  /// All losses, in the order in which they are checked.
  public static let all: [ReferenceLoss] = [
    // Cross entropy: L = −log p_y.
    ReferenceLoss(kernel: "loss_ce_rows", exampleParameters: []) { row, _ in
      (-row.logProbability, row.gradient(weight: 1))
    },
    // Mean absolute error: L = scale · (1 − p_y).
    ReferenceLoss(kernel: "loss_mae_rows", exampleParameters: [2]) { row, parameters in
      (parameters[0] * row.otherProbability, row.gradient(weight: parameters[0] * row.probability))
    },
    // Reverse cross entropy, with A in the place of log 0: L = −A · (1 − p_y).
    ReferenceLoss(kernel: "loss_rce_rows", exampleParameters: [-4]) { row, parameters in
      (-parameters[0] * row.otherProbability, row.gradient(weight: -parameters[0] * row.probability))
    },
    // Symmetric cross entropy: L = α · CE + β · RCE, weight α − β · A · p_y.
    ReferenceLoss(kernel: "loss_sce_rows", exampleParameters: [0.1, 1, -4]) { row, parameters in
      let (alpha, beta, A) = (parameters[0], parameters[1], parameters[2])
      return (
        -(alpha * row.logProbability) - beta * A * row.otherProbability,
        row.gradient(weight: alpha - beta * A * row.probability)
      )
    },
    // Generalised cross entropy: L = (1 − p_y^q) / q, weight p_y^q.
    ReferenceLoss(kernel: "loss_gce_rows", exampleParameters: [0.7]) { row, parameters in
      let exponent = parameters[0] * row.logProbability
      return (-exponent.exponentialMinusOne / parameters[0], row.gradient(weight: exponent.exponential))
    },
    // Asymmetric generalised cross entropy: L = ((a + 1)^q − (a + p_y)^q) / q, weight p_y · (a + p_y)^(q − 1).
    ReferenceLoss(kernel: "loss_agce_rows", exampleParameters: [0.6, 0.6]) { row, parameters in
      let (a, q) = (parameters[0], parameters[1])
      // (a + p_y)^q = (a + 1)^q · (1 − (1 − p_y) / (a + 1))^q, which keeps the digits of 1 − p_y.
      let ratio = (-(row.otherProbability / (a + 1))).logarithmOfOnePlus
      let full = (q * (a + 1).logarithm).exponential
      let power = ((q - 1) * (a + row.probability).logarithm).exponential
      return (-(full * (q * ratio).exponentialMinusOne) / q, row.gradient(weight: row.probability * power))
    },
    // Asymmetric unhinged loss: L = ((a − p_y)^q − (a − 1)^q) / q, weight p_y · (a − p_y)^(q − 1).
    ReferenceLoss(kernel: "loss_aul_rows", exampleParameters: [5.5, 3]) { row, parameters in
      let (rest, q) = (parameters[0] - 1, parameters[1])
      let ratio = (row.otherProbability / rest).logarithmOfOnePlus
      let least = (q * rest.logarithm).exponential
      let power = ((q - 1) * (rest + row.otherProbability).logarithm).exponential
      return (least * (q * ratio).exponentialMinusOne / q, row.gradient(weight: row.probability * power))
    },
    // Asymmetric exponential loss: L = e^(−p_y / a), weight p_y / a · L.
    ReferenceLoss(kernel: "loss_ael_rows", exampleParameters: [2.5]) { row, parameters in
      let loss = (-(row.probability / parameters[0])).exponential
      return (loss, row.gradient(weight: row.probability / parameters[0] * loss))
    },
    // The bounded cross entropy of peer loss: L = −log(p_y + ε), weight p_y / (p_y + ε).
    ReferenceLoss(kernel: "loss_peer_rows", exampleParameters: [0.5, 1e-5]) { row, parameters in
      let p = row.probability, guarded = p + parameters[1]
      // log(p + ε) = log p + log(1 + ε / p), which keeps the digits near p = 1 that the plain form loses.
      let logarithm =
        p.value > 0.5 ? row.logProbability + (parameters[1] / p).logarithmOfOnePlus : guarded.logarithm
      return (-logarithm, row.gradient(weight: p / guarded))
    },
    // Label smoothing: L = −Σ t_k · log p_k with t = (1 − ε) · [k = y] + ε / K; dL/dz_k = p_k − t_k.
    ReferenceLoss(kernel: "loss_lsr_rows", exampleParameters: [0.1]) { row, parameters in
      let share = parameters[0] / ReferenceNumber(Double(row.logits.count))
      let targets = row.logits.indices.map { $0 == row.label ? 1 - parameters[0] + share : share }
      return (
        -zip(targets, row.logProbabilities).map { $0 * $1 }.sum,
        // The label's own gradient is minus the others': they sum to 0, and so none is lost as p_y goes to t_y.
        row.logits.indices.map { k in
          let others = row.logits.indices.filter { $0 != k }
          return k == row.label
            ? -others.map { row.probabilities[$0] - targets[$0] }.sum : row.probabilities[k] - targets[k]
        }
      )
    },
  ]
}
