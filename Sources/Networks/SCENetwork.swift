import Compute
import Failures

/// The plain convolutional networks of the symmetric cross entropy paper: 8 layers for CIFAR-10, 4 for MNIST.
///
/// Wang, Ma, Chen, Luo, Yi, Bailey: Symmetric cross entropy for robust learning with noisy labels, ICCV 2019; also those of
/// the active passive losses and their successors. Convolutions of 3 × 3 with bias, each with batch norm and ReLU, in
/// blocks that end with the largest of 2 × 2 pixels, then a hidden layer with batch norm and ReLU; no dropout. The first
/// weights are those of the authors' Keras code (`he_normal`, biases zero), the names those of the PyTorch
/// reproduction. For ten classes 1,639,794 parameters on 32 × 32 colour images (8 layers) and 422,090 on 28 × 28 grey
/// ones (4 layers).
enum SCENetwork {
  static let entries = [
    entry("cnn8", "8-layer CNN for CIFAR-10 (SCE)", blocks: [[64, 64], [128, 128], [196, 196]], hidden: 256),
    entry("cnn4", "4-layer CNN for MNIST (SCE)", blocks: [[32], [64]], hidden: 128),
  ]

  private static func entry(_ name: String, _ summary: String, blocks: [[Int]], hidden: Int) -> Network.Entry {
    Network.Entry(name: name, summary: summary, options: []) { graph, classes, _ in
      try graph.requireImages(ofAtLeast: 1 << blocks.count, for: name)
      graph.initialization = .heNormal
      var x = graph.images
      for (block, channels) in blocks.enumerated() {
        for (index, count) in channels.enumerated() {
          let layer = "block\(block + 1).\(index).out_conv"
          x = graph.convolveWithBias(x, "\(layer).0", channels: count, size: 3, padding: 1)
          x = graph.rectify(graph.normalize(x, "\(layer).1"))
        }
        x = graph.pool(x, size: 2, stride: 2, maximum: true)
      }
      x = graph.linear(graph.flatten(x), "fc1.0", outputs: hidden)
      _ = graph.linear(graph.rectify(graph.normalize(x, "fc1.1")), "fc2", outputs: classes)
    }
  }
}

extension Graph {
  /// - Throws: `.configuration` for images with a shorter side.
  func requireImages(ofAtLeast pixels: Int, for name: String) throws(Failure) {
    let shape = self[images]
    guard shape[1] >= pixels, shape[2] >= pixels else {
      throw Failure(
        .configuration, "\(name) cannot take images of \(shape[2])×\(shape[1]) pixels.",
        why: "both sides must be at least \(pixels).", fix: "resize with --image-size 32.")
    }
  }

  /// Checks that dropout after a halving of both sides counts no more numbers than it can (`dropout`).
  ///
  /// - Throws: `.configuration` for larger images.
  func requireImages(ofAtMost pixels: Int, for name: String) throws {
    let shape = self[images]
    guard shape[1] * shape[2] > pixels else { return }
    throw Failure(
      .configuration, "\(name) cannot take images of \(shape[2])×\(shape[1]) pixels.",
      why: "its dropout takes at most \(pixels) pixels.", fix: "resize with --image-size 32.")
  }
}
