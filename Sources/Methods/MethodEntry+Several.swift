extension MethodEntry {
  /// Methods of several networks that teach one another.
  static let several: [MethodEntry] = [
    MethodEntry(
      name: "dgd",
      summary: "grafting between students that learn from trained networks, too: distillation from --teacher.",
      source:
        "Cheng et al., Filter grafting for deep neural networks: reason, method, and cultivation, "
        + "arXiv 2004.12311, 2020",
      standing: .publishedCode, networks: 2, cost: "2 + 2/3 for each teacher",
      parameters: [
        members,
        .init("temperature", 2, 0.01...1000, "the temperature T at which students and teachers are compared"),
        .init("weight", 1, 0...1000, "the weight of T^2 times the divergence from the mean of the teachers"),
        .init(
          "graft", 1, 0...1, isWhole: true,
          "1: students are grafted, as published; 0: distillation alone, for comparison"),
      ] + graftingParameters, figures: Grafting.figures(of: 2), judgesSamples: false, weightsConflict: nil,
      needsTeachers: true),
  ]

  static let graftingParameters: [Parameter] = [
    .init("amplitude", 0.4, 0...1, "a network keeps 1/2 ± amplitude/2 of its own weights"),
    .init("steepness", 500, 0...1_000_000, "how fast that share rises with the difference of the entropies"),
    .init(
      "rates", 0, 0...1, isWhole: true,
      "1: network i of M learns at (1 + cos(pi (M - i) / M)) / 2 of the rate; 0: all at the same rate"),
  ]
}
