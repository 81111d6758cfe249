extension Loss {
  /// Every loss, in the order of tables.
  public static let catalogue: [LossEntry] = [
    LossEntry(
      "ce", aliases: ["cross-entropy"], formula: "-log p_y", source: "the baseline of every table"),
    LossEntry(
      "lsr", aliases: ["label-smoothing"], formula: "-sum_k t_k log p_k, t = (1 - epsilon) [k = y] + epsilon / K",
      source: "Szegedy et al., CVPR 2016, arXiv:1512.00567; as torch's label_smoothing",
      parameters: [.init("epsilon", 0.1, 0...0.999, "the share of the label spread over all classes")]),
    LossEntry(
      "mae", aliases: ["mean-absolute-error"], formula: "scale (1 - p_y)",
      source: "Ghosh, Kumar, Sastry, AAAI 2017, arXiv:1712.09482; scale 2 is the l1 distance, some code uses 1",
      parameters: [.init("scale", 2, 1e-3...100, "the factor of 1 - p_y")]),
    LossEntry(
      "rce", aliases: ["reverse-cross-entropy"], formula: "-A (1 - p_y)",
      source: "Wang et al., ICCV 2019, arXiv:1908.06112; A = -4 in the paper's text, ln 1e-4 = -9.21 in its code",
      parameters: [.init("A", -4, -100...(-1e-3), "the value put for log 0")]),
    LossEntry(
      "sce", aliases: ["symmetric-cross-entropy", "sl"], formula: "-alpha log p_y - beta A (1 - p_y)",
      source: "Wang et al., ICCV 2019, arXiv:1908.06112; CIFAR-10 alpha 0.1 beta 1, CIFAR-100 alpha 6 beta 0.1, "
        + "MNIST alpha 0.01 beta 1; A as in rce",
      parameters: [
        .init("alpha", 0.1, 0...1000, "the weight of cross entropy"),
        .init("beta", 1, 0...1000, "the weight of reverse cross entropy"),
        .init("A", -4, -100...(-1e-3), "the value put for log 0"),
      ]),
    LossEntry(
      "gce", aliases: ["generalized-cross-entropy"], formula: "(1 - p_y^q) / q",
      source: "Zhang, Sabuncu, NeurIPS 2018, arXiv:1805.07836",
      parameters: [.init("q", 0.7, 1e-3...1, "between cross entropy (0) and mean absolute error (1)")]),
    LossEntry(
      "agce", aliases: ["asymmetric-generalized-cross-entropy"], formula: "((a + 1)^q - (a + p_y)^q) / q",
      source: "Zhou et al., ICML 2021, arXiv:2106.03110; in the authors' code CIFAR a 0.6 q 0.6, MNIST a 4 q 0.2",
      parameters: [
        .init("a", 0.6, 1e-5...100, "the shift of p_y"),
        .init("q", 0.6, 1e-2...10, "the exponent"),
      ]),
    LossEntry(
      "aul", aliases: ["asymmetric-unhinged"], formula: "((a - p_y)^q - (a - 1)^q) / q",
      source: "Zhou et al., ICML 2021, arXiv:2106.03110; in the authors' code CIFAR a 5.5 q 3, MNIST a 3 q 0.1",
      parameters: [
        .init("a", 5.5, 1.01...100, "what p_y is taken from"),
        .init("q", 3, 1e-2...10, "the exponent"),
      ]),
    LossEntry(
      "ael", aliases: ["asymmetric-exponential"], formula: "exp(-p_y / a)",
      source: "Zhou et al., ICML 2021, arXiv:2106.03110; in the authors' code CIFAR a 2.5, MNIST a 3.5",
      parameters: [.init("a", 2.5, 0.05...100, "the p_y over which the loss falls to 1 / e")]),
    LossEntry(
      "peer", aliases: ["peer-loss"],
      formula: "-log(p_y + guard) + alpha log(p'_y' + guard), image and label of the peer drawn independently",
      source: "Liu, Guo, ICML 2020, arXiv:1910.03231; guard as in the authors' code",
      parameters: [
        .init("alpha", 0.5, 0...100, "the weight of the peer term"),
        .init("guard", 1e-5, 1e-8...0.1, "what bounds the logarithm"),
      ], peerWeight: { -$0[0] }),
  ]
}
