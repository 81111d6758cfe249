extension Loss {
  /// Every loss, in the order of tables.
  public static let catalogue: [LossEntry] = classic + asymmetric + weighted + normalized + corrected + combining

  // MARK: Cross entropy and what it is mixed with

  private static let classic: [LossEntry] = [
    LossEntry(
      "ce", .row, aliases: ["cross-entropy"], formula: "-log p_y", source: "the baseline of every table",
      condition: "not robust: unbounded, and every wrong label is learned in the end"),
    LossEntry(
      "lsr", .row, aliases: ["label-smoothing"],
      formula: "-sum_k t_k log p_k, t = (1 - epsilon) [k = y] + epsilon / K",
      source: "Szegedy et al., CVPR 2016, arXiv:1512.00567; as torch's label_smoothing", condition: "not robust",
      parameters: [.init("epsilon", 0.1, 0...0.999, "the share of the label spread over all classes")]),
    LossEntry(
      "mae", .row, aliases: ["mean-absolute-error"], formula: "scale (1 - p_y)",
      source: "Ghosh, Kumar, Sastry, AAAI 2017, arXiv:1712.09482; scale 2 is the l1 distance, some code uses 1",
      condition: "symmetric: summed over all labels it is scale (K - 1)",
      parameters: [.init("scale", 2, 1e-3...100, "the factor on 1 - p_y")]),
    LossEntry(
      "rce", .row, aliases: ["reverse-cross-entropy"], formula: "-A (1 - p_y)",
      source: "Wang et al., ICCV 2019, arXiv:1908.06112; A = -4 in the paper's text, ln 1e-4 = -9.21 in its code",
      condition: "symmetric: summed over all labels it is -A (K - 1)",
      parameters: [.init("A", -4, -100...(-1e-3), "the value used for log 0")]),
    LossEntry(
      "sce", .row, aliases: ["symmetric-cross-entropy", "sl"], formula: "-alpha log p_y - beta A (1 - p_y)",
      source: "Wang et al., ICCV 2019, arXiv:1908.06112; CIFAR-10 alpha 0.1 beta 1, CIFAR-100 alpha 6 beta 0.1, "
        + "MNIST alpha 0.01 beta 1; A as in rce",
      condition: "its second part is symmetric, its first is not",
      parameters: [
        .init("alpha", 0.1, 0...1000, "the weight of cross entropy"),
        .init("beta", 1, 0...1000, "the weight of reverse cross entropy"),
        .init("A", -4, -100...(-1e-3), "the value used for log 0"),
      ]),
    LossEntry(
      "gce", .row, aliases: ["generalized-cross-entropy"],
      formula: "(1 - p_y^q) / q; truncated: (1 - k^q) / q for p_y <= k",
      source: "Zhang, Sabuncu, NeurIPS 2018, arXiv:1805.07836, which truncates at k 0.5 after some epochs, by a "
        + "mask that is renewed every 10 epochs; here every step decides anew",
      condition: "symmetric at q = 1; below, its sum over all labels is bounded",
      parameters: [
        .init("q", 0.7, 1e-3...1, "between cross entropy (0) and mean absolute error (1)"),
        .init("k", 0, 0...0.999, "samples with p_y up to this have no effect; 0: not truncated"),
      ]),
  ]

  // MARK: Asymmetric losses

  private static let asymmetric: [LossEntry] = [
    LossEntry(
      "agce", .row, aliases: ["asymmetric-generalized-cross-entropy"],
      formula: "((a + 1)^q - (a + p_y)^q) / q",
      source: "Zhou et al., ICML 2021, arXiv:2106.03110; in the authors' code CIFAR a 0.6 q 0.6, MNIST a 4 q 0.2",
      condition: "asymmetric if q >= 1; below, if the true label is ((a + 1) / a)^(1 - q) times as likely as any other",
      parameters: [
        .init("a", 0.6, 1e-5...100, "the shift of p_y"),
        .init("q", 0.6, 1e-2...10, "the exponent"),
      ]),
    LossEntry(
      "aul", .row, aliases: ["asymmetric-unhinged"], formula: "((a - p_y)^q - (a - 1)^q) / q",
      source: "Zhou et al., ICML 2021, arXiv:2106.03110; in the authors' code CIFAR a 5.5 q 3, MNIST a 3 q 0.1",
      condition: "asymmetric if q <= 1; above, if the true label is (a / (a - 1))^(q - 1) times as likely as any other",
      parameters: [
        .init("a", 5.5, 1.01...100, "what p_y is subtracted from"),
        .init("q", 3, 1e-2...10, "the exponent"),
      ]),
    LossEntry(
      "ael", .row, aliases: ["asymmetric-exponential"], formula: "exp(-p_y / a)",
      source: "Zhou et al., ICML 2021, arXiv:2106.03110; in the authors' code CIFAR a 2.5, MNIST a 3.5",
      condition: "asymmetric if the true label is exp(1 / a) times as likely as any other",
      parameters: [.init("a", 2.5, 0.05...100, "the increase of p_y over which the loss falls to 1 / e")]),
  ]

  // MARK: Cross entropy weighed by p_y

  private static let detached = LossEntry.Parameter(
    "detached", 0, 0...1, "1: the factor (1 - p)^gamma is treated as a constant, as in the code of normalised losses",
    isWhole: true)

  private static let weighted: [LossEntry] = [
    LossEntry(
      "focal", .row, aliases: ["fl"], formula: "-(1 - p_y)^gamma log p_y",
      source: "Lin et al., ICCV 2017, arXiv:1708.02002, gamma 2 for detection; gamma 0.5 in papers on label noise, "
        + "whose code has detached 1", condition: "not robust",
      parameters: [.init("gamma", 0.5, 0.01...10, "how fast learned samples lose weight"), detached]),
    LossEntry(
      "polysoft", .row, aliases: ["polynomial-soft-weighting"],
      formula: "lambda / m (1 - (1 - l / lambda)^m) for l = -log p_y < lambda, else lambda / m; m = d / (d - 1)",
      source: "Gong et al., 2018, as in Shu et al., arXiv:2002.06482, where lambda is at least log K",
      condition: "bounded: samples with p_y <= exp(-lambda) have no effect",
      parameters: [
        .init("lambda", 5, 0.1...100, "the cross entropy above which a sample has no effect"),
        .init("d", 2.5, 1.01...100, "2: weights fall linearly with l; large: all or nothing"),
      ]),
    LossEntry(
      "taylor", .row, aliases: ["taylor-ce"], formula: "sum of (1 - p_y)^i / i for i = 1 ... t",
      source: "Feng et al., IJCAI 2020: Can cross entropy loss be robust to label noise?",
      condition: "symmetric at t = 1, which is 1 - p_y; cross entropy as t grows",
      parameters: [.init("t", 2, 1...100, "the number of terms of the series", isWhole: true)]),
    LossEntry(
      "esoftmax", .row, aliases: ["epsilon-softmax"],
      formula: "-log max((p_y + m [y is the prediction]) / (1 + m), least)",
      source: "Wang et al., NeurIPS 2024: epsilon-softmax: approximating one-hot vectors for mitigating label noise",
      condition: "nearly one-hot outputs; published together with mae, as esoftmax+mae",
      parameters: [
        .init("m", 1000, 0...1e6, "the amount added to the largest probability"),
        .init("least", 1e-8, 1e-30...0.1, "samples whose label has less than this have no effect"),
      ]),
    LossEntry(
      "bitempered", .row, aliases: ["bi-tempered"],
      formula: "-log_t1 t_y - (1 - sum_k t_k^(2 - t1)) / (2 - t1), t = exp_t2(z - lambda) with sum 1",
      source: "Amid et al., NeurIPS 2019, arXiv:1906.03361; CIFAR-100 t1 0.8 t2 1.2",
      condition: "bounded by 1 / (1 - t1) up to a constant; heavy tails from t2",
      parameters: [
        .init("t1", 0.8, 0...1, "the temperature of the logarithm; below 1 the loss is bounded"),
        .init("t2", 1.2, 1...4, "the temperature of softmax; above 1 its tails are heavy"),
      ]),
  ]

  // MARK: Normalised losses

  private static let normalized: [LossEntry] = [
    LossEntry(
      "nce", .row, aliases: ["normalized-cross-entropy"], formula: "log p_y / sum_k log p_k",
      source: "Ma et al., ICML 2020, arXiv:2006.13554", condition: "symmetric: summed over all labels it is 1"),
    LossEntry(
      "nfl", .row, aliases: ["normalized-focal"],
      formula: "f(p_y) / sum_k f(p_k), f(p) = -(1 - p)^gamma log p",
      source: "Ma et al., ICML 2020, arXiv:2006.13554, whose code has detached 1",
      condition: "symmetric: summed over all labels it is 1",
      parameters: [.init("gamma", 0.5, 0.01...10, "as in focal"), detached]),
    LossEntry(
      "ngce", .row, aliases: ["normalized-generalized-cross-entropy"], formula: "(1 - p_y^q) / sum_k (1 - p_k^q)",
      source: "after Ma et al., ICML 2020, arXiv:2006.13554; in its code CIFAR-10 q 0.1, CIFAR-100 q 0.7",
      condition: "symmetric: summed over all labels it is 1",
      parameters: [.init("q", 0.1, 1e-3...1, "as in gce")]),
    LossEntry(
      "nmae", .row, aliases: ["normalized-mean-absolute-error", "nrce", "normalized-reverse-cross-entropy"],
      formula: "(1 - p_y) / (K - 1)",
      source: "Ma et al., ICML 2020, arXiv:2006.13554; normalised reverse cross entropy is the same",
      condition: "symmetric: summed over all labels it is 1"),
    LossEntry(
      "nnce", .row, aliases: ["normalized-negative-cross-entropy"],
      formula: "1 - v_y / sum_k v_k, v_k = max(log p_k - log least, 0)",
      source: "Ye et al., NeurIPS 2023: Active negative loss functions; nce+nnce with alpha 5 beta 5 on CIFAR-10, "
        + "and instead of weight decay --l1 5e-5 (CIFAR-100 5e-7, MNIST 1e-6)",
      condition: "symmetric: summed over all labels it is K - 1",
      parameters: [.init("least", 1e-7, 1e-30...1e-3, "the probability below which a class has no effect")]),
  ]

  // MARK: Other targets, other samples

  /// The regularised loss of CORES².
  static let sieved = "cores2"

  private static let corrected: [LossEntry] = [
    LossEntry(
      "bootsoft", .row, aliases: ["soft-bootstrap"],
      formula: "-sum_k t_k log p_k, t = beta [k = y] + (1 - beta) p",
      source:
        "Reed et al., ICLR 2015 workshop, arXiv:1412.6596; t has a gradient; without it only the rate falls",
      condition: "not robust", parameters: [.init("beta", 0.95, 0.05...1, "the trust in labels")]),
    LossEntry(
      "boothard", .row, aliases: ["hard-bootstrap"],
      formula: "-sum_k t_k log p_k, t = beta [k = y] + (1 - beta) [k is the prediction]",
      source: "Reed et al., ICLR 2015 workshop, arXiv:1412.6596", condition: "not robust",
      parameters: [.init("beta", 0.8, 0.05...1, "the trust in labels")]),
    LossEntry(
      sieved, .row, aliases: ["cores"],
      formula: "-log p_y + beta / K sum_k log(p_k + guard)",
      source: "Cheng et al., ICLR 2021, arXiv:2010.02347, labels taken as uniform; left-out samples stay in the mean",
      condition: "peer loss with an expected, uniform peer",
      parameters: [
        .init("beta", 2, 0...10, "the weight of the regulariser"),
        .init("guard", 1e-8, 1e-12...0.1, "the bound on the regulariser's logarithms"),
        .init(
          "sieve", 0, 0...1, "1: samples with -log p_y above the mean of -log(p_k + guard) have no effect",
          isWhole: true),
        divide,
      ]),
  ]
}
