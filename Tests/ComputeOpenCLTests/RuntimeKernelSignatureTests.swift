import ComputeKernels
import Failures
import Testing

@Suite("Kernel signatures")
struct RuntimeKernelSignatureTests {
  typealias Argument = KernelSignature.Argument

  @Test("a declaration gives names, kinds and types")
  func declaration() {
    let signatures = KernelSignature.all(
      in: """
        // __kernel void not_this(int a) {}
        #define MACRO __kernel void nor_this(int a) \\
          __kernel void nor_that(int a)
        /* kernel void nor_those(int a) */
        __kernel __attribute__((reqd_work_group_size(1, 1, 1))) void conv_forward(
            __global const float *restrict input, __constant float *table, __local float16* scratch,
            global uchar bytes[], int H, const unsigned int W, uint C, long K, ulong N, unsigned long M,
            float momentum, half h, __global /* here */ const float * // and here
              restrict last) { if (H) kernel_call(W); }
        """)
    #expect(
      signatures == [
        KernelSignature(
          name: "conv_forward",
          arguments: [
            Argument(name: "input", kind: .buffer, type: "float"),
            Argument(name: "table", kind: .buffer, type: "float"),
            Argument(name: "scratch", kind: .local, type: "float16"),
            Argument(name: "bytes", kind: .buffer, type: "uchar"),
            Argument(name: "H", kind: .int, type: "int"), Argument(name: "W", kind: .uint, type: "unsigned int"),
            Argument(name: "C", kind: .uint, type: "uint"), Argument(name: "K", kind: .long, type: "long"),
            Argument(name: "N", kind: .ulong, type: "ulong"), Argument(name: "M", kind: .ulong, type: "unsigned long"),
            Argument(name: "momentum", kind: .float, type: "float"), Argument(name: "h", kind: .other, type: "half"),
            Argument(name: "last", kind: .buffer, type: "float"),
          ])
      ])
  }

  @Test("kernels come in order, also under a macro, and without arguments")
  func several() {
    let signatures = KernelSignature.all(
      in: """
        kernel void first() {}
        __kernel void second(void) {}
        __kernel void KERNEL(third)(int a) {}
        """)
    #expect(signatures.map(\.name) == ["first", "second", "third"])
    #expect(signatures.map(\.arguments.count) == [0, 0, 1])
  }

  @Test("a macro may stand for arguments, in lines that backslashes join")
  func macros() {
    let signatures = KernelSignature.all(
      in: """
        #define SIZES int B, \
          /* more,
             much more */ int K // sizes
        #  define ARGUMENTS __global float *logits, SIZES
        #define WITH(x) int x
        #define LOOP int POOL
        #define POOL LOOP
        __kernel void loss(ARGUMENTS, float q) {}
        __kernel void endless(LOOP) {}
        __kernel void unknown(NOTHING, int a) {}
        """)
    #expect(signatures.map(\.name) == ["loss", "endless"])
    #expect(signatures.first?.arguments.map(\.name) == ["logits", "B", "K", "q"])
    #expect(signatures.last?.arguments == [Argument(name: "LOOP", kind: .int, type: "int")])
  }

  @Test(
    "what is no declaration gives none",
    arguments: [
      "", "__kernel", "__kernel void", "__kernel void f", "__kernel void f(", "__kernel void f(int a",
      "__kernel int f(int a)", "__kernel __attribute__((", "/* __kernel void f(int a)", "\"__kernel void f(int a)",
      "__kernel void f(int a,)", "#", "\\", "//\\", "'\\", "__kernel void f(*)", "#define", "#define A", "#define A\\",
    ])
  func damaged(text: String) {
    #expect(KernelSignature.all(in: text) == [])
  }

  @Test("the first difference between host and kernel is named")
  func check() throws {
    let signature = try #require(KernelSignature.all(in: "kernel void f(global int *a, int b)").first)
    try signature.check(["a", "b"])
    #expect(
      try failure { try signature.check(["a", "c"]) }.what == "f: argument 1 is 'b' in the kernel but 'c' on the host.")
    #expect(try failure { try signature.check(["a"]) }.what == "f takes 2 arguments, the host gives 1.")
    #expect(try failure { try signature.check(["a", "b", "c"]) }.what == "f takes 2 arguments, the host gives 3.")
    #expect(
      try failure { try signature.check(["b", "a", "c"]) }.what
        == "f: argument 0 is 'a' in the kernel but 'b' on the host.")
  }
}
