import Compute
import ComputeReference
import Testing
import TestSupport

/// Expected values were computed by PyTorch 2.13, from whole numbers so that the convolutions are exact.
@Suite("The reference agrees with PyTorch")
struct GoldenVectorTests {
  /// -5, 2, 9, 5, 1, ...: (7 i) mod 11 − 5.
  private func numbers(_ count: Int, _ step: Int = 7, _ modulus: Int = 11) -> [ReferenceNumber] {
    (0..<count).map { ReferenceNumber(Double($0 * step % modulus - modulus / 2)) }
  }

GOLDEN
}
