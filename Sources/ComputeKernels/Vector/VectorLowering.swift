import CLayout
import Compute

/// The launches for CPU-type devices: kernels without barriers, one work-item for a large piece of work, explicit
/// 16-wide vectors.
///
/// Used by the built-in CPU device and by CPUs driven through OpenCL.
///
/// How work is cut into pieces depends on shapes alone, never on the number of threads: sums keep their order.
public struct VectorLowering: Lowering {
  /// Floats of the staged piece of input.
  static let scratch = CONV_SCRATCH
  /// The widest register tile of any build of conv.cl, in pixels.
  static let tile = Int(CONV_PIXELS_MAX)
  /// Pixels per work-item of the batch-norm kernels.
  static let rows = 512

  /// The choices of launches that are in force.
  public var tuning: Tuning
  /// What Winograd's kernels and panels multiply, for which the kernels are built: float32, or bfloat16, two numbers to a
  /// word (factor.cl).
  public let panels: ElementType

  /// A lowering with the choices of a tuning.
  public init(panels: ElementType = .float32, tuning: Tuning = .standard) {
    (self.panels, self.tuning) = (panels, tuning)
  }

  /// The rounding of what is multiplied; see `Lowered`.
  var panelRounding: Double { panels == .bfloat16 ? MatrixUnits.bfloat16.unit : 0x1p-24 }
  /// The same for Winograd's gradients of weights: their errors come from all products of a tile, of which a tap at the edge
  /// of small images has a quarter.
  var gradientRounding: Double { panels == .bfloat16 ? 4 * panelRounding : panelRounding }

  func tuned(_ choice: Tuning.Choice, _ window: Window) -> Int? { tuning.number(choice, window) }

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
    case .add(let add): pointwise("add_forward", add.count)
    case .rectify(let rectify): pointwise("rectify_forward", rectify.count)
    case .rectifyBackward(let backward): pointwise("rectify_backward", backward.count)
    case .bias(let bias): lower(bias)
    case .biasBackward(let backward): lower(backward)
    case .dropout(let dropout): Lowered([Launch("dropout_scale", global: [dropout.B])])
    case .flatten(let flatten): Lowered([Launch("flatten_forward", global: [flatten.B])])
    case .flattenBackward(let backward): Lowered([Launch("flatten_backward", global: [backward.B])])
    case .shortcut(let shortcut):
      Lowered([Launch("shortcut_forward", global: [shortcut.outputShape[1], shortcut.shape[0]])])
    case .shortcutBackward(let backward):
      Lowered([Launch("shortcut_backward", global: [backward.shape[1], backward.shape[0]])])
    case .pool(let pool): Lowered([Launch("pool_forward", global: [pool.window.P, pool.window.B])])
    case .poolBackward(let backward):
      Lowered([Launch("pool_backward", global: [backward.window.H, backward.window.B])])
    case .globalAverage(let average): Lowered([Launch("pool_global_forward", global: [average.B])])
    case .globalAverageBackward(let backward): Lowered([Launch("pool_global_backward", global: [backward.B])])
    case .linear(let linear): Lowered([gemm(M: linear.M)])
    case .linearBackwardData(let backward): lower(backward)
    case .linearBackwardWeights(let backward): lower(backward)
    case .loss(let loss): lower(loss)
    case .evaluate(let evaluate): Lowered([Launch("loss_evaluate", global: [evaluate.B])])
    case .rows(let rows): Lowered([Launch(rows.kernel.kernel, global: [rows.count])])
    case .flat(let flat): lower(flat)
    case .update(let update): lower(update)
    case .advance: Lowered([Launch("advance_step", global: [1])])
    case .cut: Lowered([])
    }
  }
}
