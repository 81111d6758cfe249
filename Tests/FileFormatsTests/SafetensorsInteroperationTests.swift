import FileFormats
import TestSupport
import Testing

@Suite(
  "Safetensors and Python's own package", .enabled(if: PythonOracle.has("safetensors.numpy"), "\(PythonOracle.absence)")
)
struct SafetensorsInteroperationTests {
  @Test("agree on a file that we write")
  func pythonReadsOurs() throws {
    let scratch = ScratchFolder()
    var file = SafetensorsFile(metadata: ["gpunoisy.schema": "1", "name": "é"])
    file["bytes"] = .init([UInt8](0...4), shape: [5])
    file["conv1.weight"] = .init((0..<6).map { Float($0) * 0.25 }, shape: [1, 2, 3])
    file["count"] = .init([Int64(-3), 4], shape: [2])
    file["seed"] = .init([UInt64.max], shape: [])
    file["sum"] = .init([0.1, 1e300], shape: [2])
    file["order"] = .init([Int32(5)], shape: [1])
    file["empty"] = .init([Float](), shape: [0, 3])
    try file.write(to: scratch("ours.safetensors"))
    let script = """
      import sys, numpy as np
      from safetensors.numpy import load_file
      from safetensors import safe_open
      t = load_file(sys.argv[1])
      assert set(t) == {"bytes", "conv1.weight", "count", "seed", "sum", "order", "empty"}, t.keys()
      assert t["bytes"].dtype == np.uint8 and t["bytes"].tolist() == [0, 1, 2, 3, 4]
      w = t["conv1.weight"]
      assert w.dtype == np.float32 and w.shape == (1, 2, 3) and w[0, 1, 2] == 1.25, w
      assert t["count"].dtype == np.int64 and t["count"].tolist() == [-3, 4]
      assert t["seed"].dtype == np.uint64 and t["seed"].shape == () and int(t["seed"]) == 2**64 - 1
      assert t["sum"].dtype == np.float64 and t["sum"].tolist() == [0.1, 1e300]
      assert t["order"].dtype == np.int32 and t["order"].tolist() == [5]
      assert t["empty"].shape == (0, 3)
      m = safe_open(sys.argv[1], "np").metadata()
      assert m["name"] == "é" and len(m["gpunoisy.sha256"]) == 64, m
      print("ok")
      """
    let result = try PythonOracle.run(script, [scratch("ours.safetensors")])
    #expect(result.code == 0 && result.output == "ok\n", "\(result.output)")
  }

  @Test("agree in PyTorch too, which maps only aligned tensors", .enabled(if: PythonOracle.has("torch")))
  func torchReadsOurs() throws {
    let scratch = ScratchFolder()
    var file = SafetensorsFile()
    file["odd"] = .init([UInt8](0...2), shape: [3])
    file["half"] = .init(.bfloat16, shape: [1], bytes: [0x80, 0x3F])
    file["weight"] = .init([Float(1.5), -2], shape: [2])
    file["count"] = .init([Int64(9)], shape: [])
    try file.write(to: scratch("ours.safetensors"))
    let script = """
      import sys, torch
      from safetensors.torch import load_file
      t = load_file(sys.argv[1])
      assert t["weight"].tolist() == [1.5, -2.0] and t["weight"].dtype == torch.float32
      assert t["half"].dtype == torch.bfloat16 and t["half"].item() == 1.0
      assert t["count"].item() == 9 and t["odd"].tolist() == [0, 1, 2]
      print("ok")
      """
    let result = try PythonOracle.run(script, [scratch("ours.safetensors")])
    #expect(result.code == 0 && result.output == "ok\n", "\(result.output)")
  }

  @Test("agree on a file that Python writes")
  func weReadTheirs() throws {
    let scratch = ScratchFolder()
    let script = """
      import sys, numpy as np
      from safetensors.numpy import save_file
      save_file({
        "fc.weight": np.arange(20, dtype=np.float32).reshape(10, 2) / 3,
        "bn1.num_batches_tracked": np.array(7, dtype=np.int64),
        "mask": np.array([1, 0, 255], dtype=np.uint8),
        "half": np.array([1.5, -65504, 6e-8, np.inf], dtype=np.float16),
        "double": np.array([np.pi]),
      }, sys.argv[1], metadata={"made by": "Python"})
      """
    let result = try PythonOracle.run(script, [scratch("theirs.safetensors")])
    try #require(result.code == 0, "\(result.output)")
    let file = try SafetensorsFile.read(scratch("theirs.safetensors"))
    #expect(file.metadata == ["made by": "Python"])
    #expect(try file.floats("fc.weight", shape: [10, 2]) == (0..<20).map { Float($0) / 3 })
    #expect(try file.integers("bn1.num_batches_tracked", shape: []) == [7])
    #expect(try file.bytes("mask", shape: [3]) == [1, 0, 255])
    #expect(try file.floats("half", shape: [4]) == [1.5, -65504, 0x1p-24, .infinity])
    #expect(try file.doubles("double", shape: [1]) == [.pi])
  }
}
