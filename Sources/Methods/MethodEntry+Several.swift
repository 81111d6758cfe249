import Datasets

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
    MethodEntry(
      name: coTraining,
      summary:
        "Two networks, with a view of the images each, label the samples that they are most confident of for one another.",
      source: "Blum and Mitchell, Combining labeled and unlabeled data with co-training, COLT 1998",
      standing: .reconstructed("from a description of the paper, for networks and for any number of classes"),
      networks: 2, cost: "2, of the samples that have a label",
      parameters: [
        .init("rounds", 20, 1...1000, isWhole: true, "rounds, which share the epochs; each trains anew"),
        .init(
          "labels", 0, 0...1_000_000, isWhole: true,
          "samples of each class that keep their label, drawn by the seed; 0: all that have one, and the others have none"
        ),
        .init("joins", 1, 1...100_000, isWhole: true, "samples of each class that each view labels in a round"),
        .init(
          "pool", 300, 0...100_000_000, isWhole: true, "samples without a label that are looked at in a round; 0: all"),
      ], figures: coTrainingFigures, judgesSamples: false,
      weightsConflict: "samples get their labels, and count alike, round by round.",
      textParameters: [
        .init(
          name: "views", defaultText: ImageViews.halves.rawValue,
          summary:
            "halves: left and right; columns: even and odd ones; whole: one network that labels for itself, for comparison"
        )
      ]),
  ]

  static let graftingParameters: [Parameter] = [
    .init("amplitude", 0.4, 0...1, "a network keeps 1/2 ± amplitude/2 of its own weights"),
    .init("steepness", 500, 0...1_000_000, "how fast that share rises with the difference of the entropies"),
    .init(
      "rates", 0, 0...1, isWhole: true,
      "1: network i of M learns at (1 + cos(pi (M - i) / M)) / 2 of the rate; 0: all at the same rate"),
  ]

  /// The name of co-training.
  public static let coTraining = "co-training"

  private static let coTrainingFigures = JoinedSample.figures(of: .halves)
}
