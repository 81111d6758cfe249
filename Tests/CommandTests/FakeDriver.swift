import FileFormats
import TestSupport

/// An OpenCL driver whose constructor does what a test wants.
enum FakeDriver {
  /// Compiles it, and returns the environment in which the loader finds it and no other; nil without a C compiler.
  static func environment(constructor body: String, in folder: ScratchFolder) throws -> [String: String?]? {
    try AtomicFile.write(
      "#include <unistd.h>\n__attribute__((constructor)) static void begin(void) { \(body) }\n", to: folder("driver.c"))
    let compiled = try SpawnedProgram(
      "/usr/bin/env", ["cc", "-shared", "-fPIC", "-o", "driver.so", "driver.c"], in: folder.path
    )
    .end(within: 60)
    guard compiled.code == 0 else { return nil }
    try AtomicFile.write(folder("driver.so") + "\n", to: folder("driver.icd"))
    return ["OCL_ICD_VENDORS": folder("driver.icd"), "OCL_ICD_FILENAMES": folder("driver.so")]
  }
}
