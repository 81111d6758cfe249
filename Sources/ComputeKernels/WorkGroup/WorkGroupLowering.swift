import CLayout
import Compute
import Failures

/// The launches for GPU-type devices: work-groups of 64 to 256 with local memory and barriers, neighbouring work-items
/// for neighbouring channels.
///
/// How work is cut into groups depends on shapes and on the largest group that the device allows, never on how many
/// groups it runs at a time: sums keep their order.
public struct WorkGroupLowering: Lowering {
  /// Bytes of local memory that the kernels use at most.
  public static let localMemory = 20_000

  /// Bytes that those for matrix units use at most, also where these are emulated.
  public static let matrixLocalMemory = 40_000

  /// Work-items of a group: a power of two.
  let group: Int
  /// The numbers that convolutions multiply on matrix units; nil: they do not use them.
  let matrixUnits: MatrixUnits?
  /// The choices of launches that are in force.
  public var tuning: Tuning

  /// - Parameters:
  ///   - maxWorkGroupSize: the most work-items that the device runs as one group.
  ///   - localMemory: bytes of local memory that it gives to a group.
  ///   - matrixUnits: what 3 × 3 convolutions multiply, if not single precision.
  ///   - tuning: choices of launches.
  /// - Throws: `.deviceUnavailable` for fewer than 64 work-items (128 with matrix units) or too little local memory.
  public init(maxWorkGroupSize: Int, localMemory: Int, matrixUnits: MatrixUnits? = nil, tuning: Tuning = .standard)
    throws(Failure)
  {
    let items = matrixUnits == nil ? 64 : MATRIX_ITEMS
    let bytes = matrixUnits == nil ? Self.localMemory : Self.matrixLocalMemory
    guard maxWorkGroupSize >= items, localMemory >= bytes else {
      throw Failure(
        .deviceUnavailable,
        "the device offers groups of \(maxWorkGroupSize) work-items with \(localMemory) bytes of local memory.",
        why: "the kernels for GPUs need \(items) work-items and \(bytes) bytes.",
        fix: "choose another device; 'gpunoisy devices' lists them.")
    }
    self.matrixUnits = matrixUnits
    self.tuning = tuning
    group = maxWorkGroupSize >= GROUP_ITEMS ? GROUP_ITEMS : maxWorkGroupSize >= 128 ? 128 : 64
  }

  func tuned(_ choice: Tuning.Choice, _ window: Window) -> Int? { tuning.number(choice, window) }

  /// The relative size of the rounding of what convolutions on matrix units multiply.
  var rounding: Double { matrixUnits?.unit ?? 0x1p-24 }

  /// What an operation becomes; see `Lowering`.
  public func lower(_ operation: TensorOperation) -> Lowered? {
    switch operation {
    case .augment(let augment): lower(augment)
    case .convolve(let convolve): lower(convolve)
    case .convolveBackwardData(let backward): lower(backward)
    case .convolveBackwardWeights(let backward): lower(backward)
    case .depthwise(let depthwise): lower(depthwise)
    case .depthwiseBackwardData(let backward): lower(backward)
    case .depthwiseBackwardWeights(let backward): lower(backward)
    case .batchStatistics(let take): lower(take)
    case .inferenceStatistics(let take): lower(take)
    case .normalize(let normalize): lower(normalize)
    case .normalizeBackward(let backward): lower(backward)
    case .normalizeBackwardSums(let sums): lower(sums)
    case .normalizeBackwardApply(let apply): lower(apply)
    case .add(let add): Lowered([quads("add_forward", add.count)])
    case .rectify(let rectify): Lowered([quads("rectify_forward", rectify.count)])
    case .rectifyBackward(let backward): Lowered([quads("rectify_backward", backward.count)])
    case .bias(let bias): lower(bias)
    case .biasBackward(let backward): lower(backward)
    case .dropout(let dropout): lower(dropout)
    case .flatten(let flatten): Lowered([items("flatten_forward", flatten.B * flatten.M * flatten.C)])
    case .flattenBackward(let backward):
      Lowered([items("flatten_backward", backward.B * backward.M * backward.C)])
    case .shortcut(let shortcut):
      Lowered([items("shortcut_forward", shortcut.outputShape.reduce(1, *))])
    case .shortcutBackward(let backward): Lowered([items("shortcut_backward", backward.shape.reduce(1, *))])
    case .pool(let pool):
      Lowered([items("pool_forward", pool.window.B * pool.window.P * pool.window.Q * pool.window.C)])
    case .poolBackward(let backward):
      Lowered([
        items("pool_backward", backward.window.B * backward.window.H * backward.window.W * backward.window.C)
      ])
    case .globalAverage(let average):
      Lowered([
        groups("pool_global_forward", [average.B, ceilDivide(average.C, Parameter.lanes)], size: 64)
      ])
    case .globalAverageBackward(let backward):
      Lowered([items("pool_global_backward", backward.B * backward.M * backward.C)])
    case .linear(let linear): lower(linear)
    case .linearBackwardData(let backward): lower(backward.asConvolution)
    case .linearBackwardWeights(let backward): lower(backward)
    case .loss(let loss): lower(loss)
    case .evaluate(let evaluate): Lowered([rows("loss_evaluate", evaluate.B)])
    case .rows(let kernel): Lowered([rows(kernel.kernel.kernel, kernel.count)])
    case .flat(let flat): lower(flat)
    case .update(let update): lower(update)
    case .advance: Lowered([Launch("advance_step", global: [1], local: [1])])
    case .cut: Lowered([])
    }
  }
}

// MARK: - Shapes of launches

extension WorkGroupLowering {
  /// One work-item for each of `count`, in whole groups.
  func items(_ kernel: String, _ count: Int, _ own: KernelArguments = [:]) -> Launch {
    Launch(kernel, global: [ceilDivide(count, group) * group], local: [group], own)
  }

  /// One work-item for four of `count` elements, in whole groups.
  func quads(_ kernel: String, _ count: Int, _ own: KernelArguments = [:]) -> Launch {
    items(kernel, ceilDivide(count, 4), own)
  }

  /// `counts` groups per dimension, of `size` work-items (nil for the usual) along the first.
  func groups(_ kernel: String, _ counts: [Int], size: Int? = nil, _ own: KernelArguments = [:]) -> Launch {
    let size = size ?? group
    return Launch(
      kernel, global: [counts[0] * size] + counts.dropFirst(), local: [size] + counts.dropFirst().map { _ in 1 }, own)
  }
}
