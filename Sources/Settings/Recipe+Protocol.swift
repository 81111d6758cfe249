extension Recipe {
  /// A setting of the catalogue.
  struct Entry {
    let name: String
    let text: String
    /// Where it comes from, if not from where most of the recipe does.
    let source: String?

    init(_ name: String, _ text: String, _ source: String? = nil) {
      (self.name, self.text, self.source) = (name, text, source)
    }
  }

  /// How the learning rate changes.
  enum Fall {
    /// It falls to a tenth at each of these epochs.
    case at(String)
    /// Half a cosine, to zero.
    case cosine
    case never

    fileprivate var settings: [Entry] {
      switch self {
      case .at(let epochs): [.init("schedule", "step"), .init("milestones", epochs), .init("gamma", "0.1")]
      case .cosine: [.init("schedule", "cosine")]
      case .never: [.init("schedule", "constant")]
      }
    }
  }

  /// What nearly all of the published protocols share, and what they differ in.
  ///
  /// Stochastic gradient descent with momentum 0.9 (not Nesterov's), no limit for the gradient, the last batch kept,
  /// crops and flips for colour images.
  ///
  /// - Parameter other: what differs from that; a name that is there already gets this value.
  static func sgd(
    _ data: String, _ model: String, _ loss: String, lr: String, _ fall: Fall, decay: String, batch: Int = 128,
    epochs: Int, _ other: [Entry] = []
  ) -> [Entry] {
    var settings: [Entry] = [
      .init("data", data), .init("model", model), .init("loss", loss), .init("epochs", "\(epochs)"),
      .init("batch-size", "\(batch)"), .init("lr", lr), .init("momentum", "0.9"), .init("nesterov", "off"),
      .init("weight-decay", decay),
    ]
    settings += fall.settings
    settings += [
      .init("clip-norm", "0"), .init("drop-last", "off"), .init("augment", data == "mnist" ? "none" : "crop-flip"),
    ]
    for setting in other {
      if let index = settings.firstIndex(where: { $0.name == setting.name }) {
        settings[index] = setting
      } else {
        settings.append(setting)
      }
    }
    return settings
  }

  /// Gradients of norm 5 at most, as in the code that follows SCELoss-Reproduce.
  static let clipped = Entry("clip-norm", "5")

  /// What is held out has the noise, too.
  static let noisy = Entry("val-noise", "on")

  /// What is said of it.
  static let noisyValidation = """
    Its held-out part has noisy labels, too, and chooses the epoch that is reported (best.safetensors).
    """
}
