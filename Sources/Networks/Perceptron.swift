import Compute

/// The multilayer perceptron of the loss correction paper for MNIST: two hidden layers with ReLU and dropout.
///
/// Patrini, Rozza, Menon, Nock, Qu: Making deep neural networks robust to label noise, CVPR 2017. 128 numbers in each
/// hidden layer, of which a fifth is dropped; first weights as in the authors' Keras code (`he_normal`, biases zero).
/// 118,282 parameters for ten classes of 28 × 28 grey images.
enum Perceptron {
  static let entries = [
    Network.Entry(
      name: "mlp", summary: "two hidden layers with dropout (Patrini et al., 2017)",
      options: [("width", ["128", "256", "512", "1024"]), ("dropout", ["0.2", "0", "0.5"])]
    ) { graph, classes, options in
      let width = options["width"].flatMap { Int($0) } ?? 128, rate = options["dropout"].flatMap { Float($0) } ?? 0.2
      graph.initialization = .heNormal
      var x = graph.flatten(graph.images)
      for layer in ["fc1", "fc2"] {
        x = graph.rectify(graph.linear(x, layer, outputs: width))
        if rate > 0 { x = graph.dropout(x, rate: rate) }
      }
      _ = graph.linear(x, "fc3", outputs: classes)
    }
  ]
}
