import FileFormats
import TestSupport
import Testing

@Suite("Files of weights and PyTorch", .enabled(if: PythonOracle.has("torch"), "\(PythonOracle.absence)"))
struct WeightsFileInteroperationTests {
  private static let names = [
    "conv1.weight", "bn1.weight", "bn1.bias", "bn1.running_mean", "bn1.running_var", "fc.weight", "fc.bias",
  ]

  /// Writes every kind in both formats and protocols 2 to 5, each beside what `torch.load` makes of it.
  private static let script = """
    import argparse, collections, sys, torch
    import numpy as np
    from safetensors.torch import save_file

    torch.manual_seed(0)

    def network():
        conv = torch.nn.Conv2d(3, 4, 3, bias=False)
        return torch.nn.Sequential(collections.OrderedDict(conv1=conv, bn1=torch.nn.BatchNorm2d(4), fc=torch.nn.Linear(4, 10)))

    def weights(change=lambda v: v, prefix=""):
        state = network().state_dict()
        return collections.OrderedDict(
            (prefix + k, change(torch.randn_like(v) if v.is_floating_point() else v)) for k, v in state.items())

    def floats(to):
        return lambda v: v.to(to) if v.is_floating_point() else v

    strided = weights()
    strided["conv1.weight"] = strided["conv1.weight"].to(memory_format=torch.channels_last)
    strided["fc.weight"] = torch.randn(4, 10).t()
    base = torch.randn(2000)
    shared = weights()
    shared["conv1.weight"], shared["fc.weight"] = base[5:113].view(4, 3, 3, 3), base[200:240].view(10, 4)
    shared["fc.bias"] = shared["fc.weight"][:, 1]
    kinds = {
        "plain": weights(), "state": network().state_dict(),
        "float16": weights(floats(torch.float16)), "bfloat16": weights(floats(torch.bfloat16)),
        "float64": weights(floats(torch.float64)), "parallel": weights(prefix="module."),
        "compiled": weights(prefix="module._orig_mod."), "strided": strided, "shared": shared,
        "parameters": weights(lambda v: torch.nn.Parameter(v) if v.is_floating_point() else v),
        "training": {"epoch": 3, "best_acc1": torch.tensor(71.2), "state_dict": weights(prefix="module."),
                     "optimizer": {"state": {0: {"momentum_buffer": torch.randn(4, 3, 3, 3)}}, "param_groups": [{"lr": 0.1}]}},
        "objects": {"args": argparse.Namespace(lr=0.1), "number": np.float64(3.5), "array": np.arange(4.0), "set": {1, 2},
                    "size": torch.Size([3]), "device": torch.device("cpu"), "type": torch.float32, "model": weights()},
        "network": {"network": network(), "state_dict": weights()},
    }

    def plain(state):
        state = state.get("state_dict", state.get("model", state))
        strip = lambda k: k.removeprefix("module.").removeprefix("_orig_mod.")
        return {strip(k): v.detach().float().contiguous().clone() for k, v in state.items() if v.is_floating_point()}

    for kind, state in kinds.items():
        for zipped in True, False:
            for protocol in 2, 3, 4, 5:
                path = f"{sys.argv[1]}/{kind}-{'zip' if zipped else 'old'}-{protocol}"
                torch.save(state, path + ".pth", pickle_protocol=protocol, _use_new_zipfile_serialization=zipped)
                save_file(plain(torch.load(path + ".pth", weights_only=False)), path + ".safetensors")
    """

  @Test("agree on every kind of file")
  func agreement() throws {
    let scratch = ScratchFolder()
    let result = try PythonOracle.run(Self.script, [scratch.path])
    try #require(result.code == 0, "\(result.output)")
    let files = try FileBytes.names(in: scratch.path).filter { $0.hasSuffix(".pth") }
    #expect(files.count == 13 * 2 * 4)
    for name in files {
      let path = scratch(name), expected = try SafetensorsFile.read(path.dropLast(4) + ".safetensors")
      let tensors = try WeightsFile(reading: path, for: Self.names).tensors
      #expect(tensors.names == Self.names, "\(name)")
      for weight in Self.names {
        #expect(tensors[weight]?.shape == expected[weight]?.shape, "\(name) \(weight)")
        #expect(tensors[weight]?.floats == expected[weight]?.floats, "\(name) \(weight)")
      }
    }
  }
}
