import TestSupport
import Testing

extension CommandTests {
  @Suite("A driver that crashes while it is loaded")
  struct DriverCrashTests {
    @Test("ends the process with 69 and a way out; the built-in path does not load it")
    func crash() throws {
      let folder = ScratchFolder()
      guard let environment = try FakeDriver.environment(constructor: "*(volatile int *)0 = 1;", in: folder) else {
        return
      }
      func run(_ arguments: [String]) throws -> SpawnedProgram.Ending {
        try CommandUnderTest.run(arguments, in: folder, environment: environment)
      }
      let listed = try run(["devices"])
      // Without an OpenCL loader, or with one that does not know these variables, the driver is not reached.
      guard listed.code != 0 else { return }
      #expect(listed.code == 69 && listed.output.isEmpty, "\(listed.code)")
      let lines = listed.errors.split(separator: "\n")
      #expect(lines.count == 3 && lines[0] == "error: an OpenCL driver crashed while it was loaded.")
      #expect(lines.last?.contains("--device cpu") == true, "\(listed.errors)")
      for device in ["auto", "0"] {
        #expect(try run(CommandUnderTest.training("--epochs 1 --out run --device \(device)")).code == 69)
      }
      #expect(try run(CommandUnderTest.training("--epochs 1 --out run --device cpu")).code == 0)
    }
  }
}
