import Compute

extension MethodEntry {
  /// Every method, in the order in which they are listed.
  public static let catalogue: [MethodEntry] = [
    MethodEntry(
      name: "plain", summary: "One network learns from all samples alike.", source: "",
      standing: .publishedCode, networks: 1, cost: "1", parameters: [], figures: [], judgesSamples: false),
    MethodEntry(
      name: "co-teaching",
      summary: "Two networks see the same batches; each learns from the samples with the smallest losses of the other.",
      source:
        "Han et al., Co-teaching: robust training of deep neural networks with extremely noisy labels, NeurIPS 2018",
      standing: .publishedCode, networks: 2, cost: "2",
      parameters: [
        .init("rate", 0.2, 0...0.99, "the final share of each batch that is left out: the noise rate"),
        .init(epochs: "ramp", 9, 1...1_000_000, "epochs over which that share rises from 0"),
        .init("power", 1, 0.01...10, "the exponent of the rate at which the rise ends"),
        .init(
          "exchange", 1, 0...1, isWhole: true,
          "1: each network selects for the other, as published; 0: for itself, for comparison"),
      ], figures: Selection.figures + [Figure("test_acc_2", "the second network's accuracy on the test set")],
      judgesSamples: true),
    MethodEntry(
      name: "marvel",
      summary:
        "Drops samples whose margin has been negative in consecutive epochs: their weight becomes 0 for good.",
      source: "Lin and Bradic, Learning to combat noisy labels via classification margins, arXiv 2102.00751, 2021",
      standing: .reconstructed("patience and warm-up, since only the abstracts could be read"), networks: 1,
      cost: "at most 1", parameters: marvelParameters, figures: Selection.figures, judgesSamples: true),
    MethodEntry(
      name: "marvel+", summary: "marvel, with larger weights for samples with a small margin.",
      source: "Lin and Bradic, Learning to combat noisy labels via classification margins, arXiv 2102.00751, 2021",
      standing: .reconstructed("patience, warm-up and the weights, since only the abstracts could be read"),
      networks: 1, cost: "at most 1",
      parameters: marvelParameters + [
        .init("gain", 1, 0...100, "samples with margin m have weight 1 + gain (1 - m) / 2 until they are dropped")
      ], figures: Selection.figures, judgesSamples: true),
  ]

  private static let marvelParameters: [Parameter] = [
    .init(epochs: "patience", 5, 1...1_000_000, "epochs in a row with too small a margin that drop a sample"),
    .init(epochs: "warm", 10, 0...1_000_000, "epochs at the start that do not count"),
    .init("threshold", 0, -1...1, "margins of probabilities below this are too small"),
  ]
}

extension MethodChoice {
  /// The method, with its networks on the device.
  ///
  /// - Throws: what the device throws; `.configuration` if the network cannot take the images.
  public func make<D: Device>(_ setup: MethodSetup<D>) throws -> any Method<D> {
    switch entry.name {
    case "plain": try Plain(setup)
    case "co-teaching": try CoTeaching(setup, self)
    case "marvel", "marvel+": try Marvel(setup, self)
    default: preconditionFailure("the catalogue has \(entry.name), but nothing makes it")
    }
  }
}
