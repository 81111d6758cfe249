import FileFormats
import TestSupport
import Testing

@Suite("The example program of the library")
struct ExampleTests {
  @Test("trains and names a suspicious label")
  func runs() throws {
    // The package builds it beside the test bundle, which is the running program.
    let bundle = try #require(FileBytes.resolved("/proc/self/exe"))
    let folder = bundle.split(separator: "/").dropLast().map { "/" + $0 }.joined()
    let ending = try SpawnedProgram(folder + "/Example", [], in: "/tmp").end()
    #expect(ending.code == 0, "\(ending.errors)")
    #expect(ending.output.contains("epoch 2: train loss "), "\(ending.output)")
    #expect(ending.output.contains("the most suspicious label is that of sample "), "\(ending.output)")
  }
}
