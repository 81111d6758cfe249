/// What is computed from more than a row, and what stands around other losses.
extension Loss {
  static let combining: [LossEntry] = [sparse, peer, forward, backward, determinant]

  private static let sparse = LossEntry(
    "sr", .sparse, aliases: ["sparse-regularization"],
    formula: "around others: p = softmax(z / tau) [z / (tau |z|) with normal 1], and L + lambda sum_k max(p_k, 1e-7)^p",
    source: "Zhou et al., ICCV 2021, arXiv:2108.00192",
    condition: "sparse outputs, for which any loss is symmetric; with normal 1 and tau 0.5 p is at most 0.48 (K = 10)",
    parameters: [
      .init("tau", 0.5, 0.01...10, "the temperature; below 1 outputs are sharpened"),
      .init("p", 0.1, 1e-3...1, "the exponent"),
      .init("lambda", 1.2, 0...1e6, "the weight of the regulariser in the first epoch"),
      .init("normal", 1, 0...1, "1: logits are divided by their norm", isWhole: true),
      .init("rho", 1.03, 1...10, "the factor on lambda"),
      .init(
        "every", 1, 1...1000, "the number of epochs after which lambda is multiplied", isWhole: true, epochs: .period),
    ])

  /// What the kernel reads of sparse regularisation: temperature, power, the weight in this epoch, and `normal`.
  static func sparseNumbers(_ values: [Float], epoch: Int) -> [Float] {
    let lambda = (0..<epoch / Int(values[5])).reduce(values[2]) { lambda, _ in lambda * values[4] }
    return [values[0], values[1], min(lambda, 1e30), values[3]]
  }

  private static let alpha = LossEntry.Parameter("alpha", 0.5, 0...100, "the weight of the peer term")

  /// Of losses with a second part that grows over the epochs.
  static let divide = LossEntry.Parameter(
    "divide", 0, 0...1, "1: the learning rate is divided by 1 + the weight, as in the authors' code", isWhole: true)

  private static let peer = LossEntry(
    "peer", .peer, aliases: ["peer-loss"],
    formula: "-log(p_y + guard) + alpha log(p'_y' + guard), image and label of the peer drawn independently",
    source: "Liu, Guo, ICML 2020, arXiv:1910.03231; guard and presets as in the code of its multi-class version",
    condition: "robust with alpha 1 where classes are balanced",
    parameters: [alpha, .init("guard", 1e-5, 1e-8...0.1, "the bound on the logarithm"), divide])

  /// Peer loss around others, as in `gce+peer`.
  static let peerAround = LossEntry(
    "peer", .peer, formula: "minus alpha times the same loss of a peer, image and label drawn independently",
    source: "Liu, Guo, ICML 2020, arXiv:1910.03231",
    condition: "robust with alpha 1 where classes are balanced; unbounded below if the loss inside is unbounded",
    parameters: [alpha, divide])

  private static let forward = LossEntry(
    "forward", .forward, aliases: ["forward-correction"],
    formula: "-log sum_i p_i T[i][y], T[i][j] the probability that a sample of class i has the label j",
    source: "Patrini et al., CVPR 2017, arXiv:1609.03683; T from --transition",
    condition: "its minimum is that of cross entropy on true labels, if T is right")

  private static let backward = LossEntry(
    "backward", .backward, aliases: ["backward-correction"], formula: "-sum_k S[y][k] log p_k, S the inverse of T",
    source: "Patrini et al., CVPR 2017, arXiv:1609.03683; T from --transition",
    condition: "unbiased: its mean is that of cross entropy on true labels, if T is right; unbounded below")

  private static let determinant = LossEntry(
    "dmi", .determinant, aliases: ["determinant-mutual-information"],
    formula: "-log(|det U| + guard), U[y] = sum of p over the batch's samples with label y; classes that are not "
      + "in the batch are left out",
    source: "Xu et al., NeurIPS 2019, arXiv:1909.03388, whose code continues from cross entropy at a rate of 1e-6",
    condition: "information-monotone: any class-dependent noise only adds a constant; blind to permuted classes, "
      + "which is why cross entropy comes first",
    parameters: [
      .init("guard", 0, 0...1, "the bound on the logarithm; also the determinant below which gradients vanish"),
      .init(
        "warm", 0, 0...1e6, "the number of epochs of cross entropy at the start", isWhole: true, epochs: .stretch),
      .init("rate", 1, 0...1, "the factor on the learning rate after the epochs of cross entropy"),
    ])

  /// What the kernel reads: guard, and whether the epoch is one of cross entropy.
  static func determinantNumbers(_ values: [Float], epoch: Int) -> [Float] {
    [values[0], Float(epoch) < values[1] ? 1 : 0]
  }

  /// Whether the determinant of a batch is what is trained on in epoch `epoch`, from 0: where it vanishes, the loss is 0 and
  /// no gradient is left.
  public func isDeterminant(epoch: Int) -> Bool {
    entry.form == .determinant && Float(epoch) >= values(epoch: epoch)[1]
  }

  /// What the learning rate of epoch `epoch`, from 0, is multiplied with: 1 / (1 + weight) where the authors' code
  /// divides by that, and the rate of the determinant loss after its epochs of cross entropy.
  public func rateFactor(epoch: Int = 0) -> Double {
    let values = values(epoch: epoch)
    if entry.form == .determinant { return Float(epoch) < values[1] ? 1 : Double(values[2]) }
    for isWanted in [{ $0.form == .peer }, { $0.name == Self.sieved }] as [(LossEntry) -> Bool] {
      // The weight is the first of their parameters, and `divide` the last.
      guard let own = entry.values(of: isWanted, in: values), let divide = own.last, divide > 0 else { continue }
      return 1 / (1 + Double(own[0]))
    }
    return 1
  }
}
