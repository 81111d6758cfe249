import FileFormats
import TestSupport
import Testing

extension CommandTests {
  @Suite("Help")
  struct Help {
    @Test(
      "Is exit code 0, and on standard output",
      arguments: [
        ["--help"], ["train", "--help"], ["eval", "--help"], ["predict", "--help"], ["devices", "--help"],
        ["data", "--help"], ["data", "info", "--help"], ["data", "noise", "--help"], ["data", "shapes", "--help"],
        ["data", "convert", "--help"], ["data"], [],
      ])
    func help(_ arguments: [String]) throws {
      let ending = try CommandUnderTest.run(arguments, in: ScratchFolder())
      #expect(ending.code == 0 && ending.errors.isEmpty)
      // Each teaches by an example.
      #expect(ending.output.contains("USAGE: gpunoisy") && ending.output.contains("  gpunoisy "))
    }

    @Test("--version prints nothing else")
    func version() throws {
      let ending = try CommandUnderTest.run(["--version"], in: ScratchFolder())
      #expect(ending.code == 0 && ending.errors.isEmpty)
      let parts = ending.output.lines.first?.split(separator: ".").map { Int($0) }
      #expect(ending.output.lines.count == 1 && parts?.count == 3 && parts?.contains(nil) == false)
    }

    @Test("--list-losses and --print-config leave no trace")
    func lists() throws {
      let folder = ScratchFolder()
      let losses = try CommandUnderTest.output(["train", "--list-losses"], in: folder)
      #expect(
        ["ce", "sce", "gce", "nce", "bitempered", "peer", "dmi"].allSatisfy { name in
          losses.lines.contains { $0 == name || $0.hasPrefix(name + " ") }
        })
      let configuration = try CommandUnderTest.output(["train", "--print-config", "--lr", "0.25"], in: folder)
      #expect(configuration.contains("lr = 0.25") && configuration.contains("epochs = 300"))
      #expect(try FileBytes.names(in: folder.path).isEmpty)
    }
  }

  @Suite("Devices")
  struct Devices {
    @Test("Are listed with the built-in one, also in JSON")
    func list() throws {
      let folder = ScratchFolder()
      for arguments in [["devices"], ["devices", "-v"]] {
        let text = try CommandUnderTest.output(arguments, in: folder)
        #expect(text.contains("cpu (built in, no OpenCL)") && text.contains("--device cpu"))
      }
      let text = try CommandUnderTest.output(["devices", "--json"], in: folder)
      let document = try JSONText.parse(Array(text.utf8), named: "standard output")
      let devices = try #require(document["devices"]?.array)
      #expect(devices.map { $0["index"] } == devices.indices.map { JSONValue($0) })
      #expect(try #require(document["cpu"]?["threads"]?.integer) > 0)
      #expect(document["cpu"]?["instruction_sets"]?.array?.isEmpty == false)
    }

    @Test("Without any OpenCL driver, the command still starts and trains")
    func noDriver() throws {
      let folder = ScratchFolder()
      let nothing: [String: String?] = [
        "OCL_ICD_VENDORS": folder.path + "/", "OPENCL_VENDOR_PATH": folder.path + "/", "OCL_ICD_FILENAMES": nil,
      ]
      let list = try CommandUnderTest.run(["devices"], in: folder, environment: nothing)
      #expect(list.code == 0 && list.output.contains("cpu (built in") && list.output.contains("Use --device cpu."))
      #expect(list.output.contains("no OpenCL device: "))
      let first = try CommandUnderTest.run(["train", "--device", "0"], in: folder, environment: nothing)
      #expect(first.code == 69 && first.errors.lines.count == 3 && first.output.isEmpty)
      #expect(try FileBytes.names(in: folder.path).isEmpty)
      let auto = try CommandUnderTest.run(
        [
          "train", "--limit-train", "32", "--limit-test", "16", "--model", "resnet20", "--batch-size", "16", "--epochs",
          "1", "--out", "run",
        ], in: folder, environment: nothing)
      #expect(auto.code == 0 && auto.errors.contains("; auto: no usable GPU"))
      #expect(try RunFiles(folder("run")).record()["device"]?.string?.hasPrefix("cpu (built in") == true)
    }
  }
}
