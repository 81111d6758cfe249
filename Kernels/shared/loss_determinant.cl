// The determinant loss of a batch, L = -log(|det U| + guard), U [K, K]: row y of U is the sum of p over the
// samples with the label y. Rows of classes that are not in the batch are those of the identity, which leaves these
// classes out of the determinant. Before loss_dmi_rows run determinant_softmax and
// determinant_invert, which each family has its own of.

// p -> dlogits [B, K]. Launch: (B).
__kernel void determinant_softmax(__global const float *restrict logits, __global float *restrict dlogits, int K) {
  const int b = get_global_id(0);
  loss_softmax(logits + b * K, 0, K, 1.0f, dlogits + b * K);
}

// A pivot up to this makes U singular: its inverse would be so large that products with it overflow.
#define DETERMINANT_MIN 1e-15f
