import Compute
import Datasets
import Failures
import Methods
import Networks
import Settings

/// What a run takes of a device's memory: it is prepared on a device that only counts, before anything is allocated.
struct MemoryNeed<D: Device> {
  private let settings: RunSettings, data: RunData, device: D

  /// The need of a run with these settings and data.
  init(_ settings: RunSettings, _ data: RunData, on device: D) {
    (self.settings, self.data, self.device) = (settings, data, device)
  }

  /// Checks that there is room, where the device tells how much it has.
  ///
  /// - Returns: the bytes that the run takes of the device; nil where nothing was counted: of one network nobody asks.
  /// - Throws: `.outOfMemory` where the run does not fit, with the options that make it fit.
  func requireRoom() throws -> Int? {
    let networks = settings.largestMethod.networks + settings.teachers.paths.count
    guard device.memory != nil || networks > 1 else { return nil }
    do {
      return try prepare(settings, size)
    } catch let failure as Failure where failure.kind == .outOfMemory {
      throw Failure(.outOfMemory, failure.what, why: failure.why, fix: fix)
    }
  }

  private var size: PixelSize {
    let images = data.dataset.train.images
    return PixelSize(width: images.width, height: images.height)
  }

  /// Allocates all that a run with other settings would, one network after the other, and gives it back.
  ///
  /// - Returns: the most bytes at a time.
  @discardableResult
  private func prepare(_ settings: RunSettings, _ size: PixelSize) throws -> Int {
    let counting = CountingDevice(device, reserve: reserve)
    let method = try MethodSetup(settings, data, on: counting, outline: size).method(settings, data)
    // Stages of one kind are alike, but that rounds of training have more and more samples, and that a detection may end
    // with a method of several networks.
    var kinds: [Stage.Evaluation] = []
    for (index, stage) in method.stages.enumerated()
    where !kinds.contains(stage.evaluation) || index == method.stages.count - 1 {
      kinds.append(stage.evaluation)
      try method.begin(stage: index)
    }
    return counting.most
  }

  /// What the run takes of a host's memory beside the device: checkpoints, which are several copies of all networks'
  /// weights and momenta.
  private var reserve: Int {
    networks.reduce(0) { $0 + 40 * (graph(of: $1, size)?.parameters.packedCount ?? 0) }
  }

  /// The network of each member.
  private var networks: [Network] {
    (try? settings.largestMethod.memberNetworks(of: settings.model)) ?? [settings.model]
  }

  private func graph(of network: Network, _ size: PixelSize) -> Graph? {
    try? network.graph(
      batch: 1, height: size.height, width: size.width, channels: data.dataset.train.images.channels,
      classes: data.dataset.classCount)
  }

  private func fits(batch: Int? = nil, precision: Precision? = nil, size: PixelSize? = nil) -> Bool {
    var changed = settings
    changed.batchSize = batch ?? settings.batchSize
    changed.precision = precision ?? settings.precision
    do { try prepare(changed, size ?? self.size) } catch { return false }
    return true
  }

  // MARK: - What helps

  /// The options that help, each with the largest value that fits.
  private var fix: String {
    var options: [String] = []
    if let batch = largest(batches, { fits(batch: $0) }) { options.append("--batch-size \(batch)") }
    if let size = largest(sizes, { fits(size: $0) }) { options.append("--image-size \(size.option)") }
    if settings.precision == .fp32, device.formats.contains(.bfloat16), fits(precision: .mixed) {
      options.append("--precision mixed")
    }
    if let last = options.popLast() {
      return "use \(options.isEmpty ? last : "\(options.joined(separator: ", ")) or \(last)")."
    }
    let batch = min(settings.batchSize, 8)
    if let size = largest(sizes, { fits(batch: batch, size: $0) }) {
      return "use --batch-size \(batch) together with --image-size \(size.option)."
    }
    return "no --batch-size or --image-size makes it fit: use a smaller --model, fewer images (--limit-train), or a "
      + "--device with more memory."
  }

  /// The first value that fits, of values from large to small; what is smaller than one that fits fits, too.
  private func largest<Value>(_ values: [Value], _ fits: (Value) -> Bool) -> Value? {
    var (low, high) = (0, values.count)
    while low < high {
      let middle = (low + high) / 2
      if fits(values[middle]) { high = middle } else { low = middle + 1 }
    }
    return low < values.count ? values[low] : nil
  }

  /// Powers of two below the batch size, the largest first.
  private var batches: [Int] {
    (0..<31).reversed().map { 1 << $0 }.filter { $0 < settings.batchSize }
  }

  /// Smaller sizes that the network can take, the largest first.
  private var sizes: [PixelSize] {
    size.smaller.filter { size in networks.allSatisfy { graph(of: $0, size) != nil } }
  }
}

extension MethodSetup {
  /// The method of these settings, with the networks of its first stage at least.
  func method(_ settings: RunSettings, _ data: RunData) throws -> any Method<D> {
    settings.job == .detect
      ? try DetectionMethod(self, settings.detection, settings.effectiveSelection, judged: data.fitted)
      : try settings.method.make(self)
  }
}
