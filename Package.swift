// swift-tools-version: 6.1
// The floors, from the top down. Arrows go down only; this file is the one place that declares them
// (`Tools/test` builds with `--explicit-target-dependency-import-check error`).
import PackageDescription

let package = Package(
  name: "gpunoisy",
  products: [
    .executable(name: "gpunoisy", targets: ["gpunoisy"]),
    // Everything below the command, so that a Swift program can train (Tools/example).
    .library(name: "GPUNoisy", targets: ["Training", "ComputeCPU", "ComputeOpenCL"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2")
  ],
  targets: [
    // Floor 7: the command, and the example that the tests build and run.
    .executableTarget(
      name: "gpunoisy",
      dependencies: [
        "Autotuning", "Repro", "Training", "Settings", "Methods", "Sessions", "Pages", "Reports", "Detection",
        "Datasets",
        "Networks",
        "Losses", "Compute",
        "ComputeKernels", "ComputeCPU", "ComputeOpenCL", "ComputeReference", "FileFormats", "Statistics", "Images",
        "Failures",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ]),

    // Floor 6: finding out which launches are the fastest.
    .target(
      name: "Autotuning",
      dependencies: [
        "Training", "ComputeReference", "ComputeKernels", "Compute", "FileFormats", "Failures",
      ]),

    // Floor 5: published tables as campaigns of runs, and what these say of them; the one loop, what a run writes down,
    // evaluation.
    .target(
      name: "Repro",
      dependencies: [
        "CTables", "Settings", "Methods", "Pages", "Reports", "Datasets", "FileFormats", "Statistics", "Failures",
      ]),
    .target(
      name: "Training",
      dependencies: [
        "Settings", "Methods", "Sessions", "Pages", "Reports", "Datasets", "Networks", "Losses", "Compute", "Detection",
        "Images",
        "FileFormats", "Statistics", "Failures",
      ]),

    // Floor 4: what was asked for, and by whom: one table of settings.
    .target(
      name: "Settings",
      dependencies: [
        "Methods", "Sessions", "Losses", "Networks", "Datasets", "Detection", "Compute", "Images", "FileFormats",
        "Failures",
      ]),

    // Floor 3 1/2: networks in training on a device; procedures that decide what they learn from; pages for a browser.
    .target(
      name: "Methods",
      dependencies: [
        "Sessions", "Detection", "Datasets", "Losses", "Networks", "Compute", "FileFormats", "Statistics", "Failures",
      ]
    ),
    .target(
      name: "Sessions",
      dependencies: [
        "Detection", "Datasets", "Networks", "Losses", "Compute", "FileFormats", "Statistics", "Failures",
      ]),
    .target(name: "Pages", dependencies: ["CPages", "Reports", "Detection", "Datasets", "FileFormats", "Failures"]),

    // Floor 3: what is written down, and what a search for wrong labels finds: its networks' labels, what they leave,
    // the verdicts.
    .target(name: "Detection", dependencies: ["Datasets", "FileFormats", "Statistics", "Failures"]),
    .target(name: "Reports", dependencies: ["Datasets", "FileFormats", "Statistics", "Failures"]),

    // Floor 2: data, networks, formulas, and the two devices.
    .target(name: "Datasets", dependencies: ["Images", "FileFormats", "Statistics", "Failures"]),
    .target(name: "Networks", dependencies: ["Compute", "FileFormats", "Statistics", "Failures"]),
    .target(name: "Losses", dependencies: ["Compute", "CLayout", "Failures"]),
    .target(name: "ComputeReference", dependencies: ["Compute", "Statistics", "CLayout", "Failures"]),
    .target(name: "ComputeCPU", dependencies: ["ComputeKernels", "Compute", "CKernels", "FileFormats", "Failures"]),
    .target(
      name: "ComputeOpenCL",
      dependencies: ["ComputeKernels", "Compute", "CKernels", "COpenCL", "FileFormats", "Failures"]),

    // Floor 1: the seam (Compute), its lowering to kernel launches, images, file formats, plain numbers.
    .target(name: "ComputeKernels", dependencies: ["Compute", "CKernels", "CLayout", "Failures"]),
    .target(name: "Compute", dependencies: ["CLayout", "Failures"]),
    .target(name: "Images", dependencies: ["CTurboJPEG", "CSPNG", "CWebP", "CHEIF", "Failures"]),
    .target(name: "FileFormats", dependencies: ["CZlib", "Failures"]),
    .target(name: "Statistics", dependencies: ["CLayout", "CMatrix"]),

    // Floor 0: other people's code, the kernels and the numbers that they share with Swift, and how a failure is told.
    .target(name: "Failures"),
    .target(name: "CLayout", path: "Kernels/layout"),
    .target(name: "CMatrix"),
    .target(name: "CKernels", path: "Kernels", sources: ["embed.c", "native/native.cpp"]),
    .target(name: "CPages", path: "Pages", sources: ["embed.c"]),
    .target(name: "CTables", sources: ["embed.c"]),
    .systemLibrary(name: "COpenCL", providers: [.apt(["ocl-icd-opencl-dev"])]),
    .systemLibrary(name: "CTurboJPEG", providers: [.apt(["libturbojpeg0-dev"])]),
    .systemLibrary(name: "CSPNG", providers: [.apt(["libspng-dev"])]),
    .systemLibrary(name: "CWebP", providers: [.apt(["libwebp-dev"])]),
    .systemLibrary(name: "CHEIF"),
    .systemLibrary(name: "CZlib", providers: [.apt(["zlib1g-dev"])]),

    .executableTarget(name: "Example", dependencies: ["Training", "ComputeCPU"], path: "Tools/example"),

    // Tests: one target per module, and the support that they share.
    .target(name: "TestSupport", dependencies: ["FileFormats", "Failures"], path: "Tests/TestSupport"),
    .target(name: "OpenCLTestSupport", dependencies: ["ComputeOpenCL"], path: "Tests/OpenCLTestSupport"),
    .testTarget(name: "ReportsTests", dependencies: ["Reports", "FileFormats", "Failures", "TestSupport"]),
    .testTarget(name: "PagesTests", dependencies: ["Pages", "Detection", "Datasets", "FileFormats", "TestSupport"]),
    .testTarget(
      name: "FileFormatsTests", dependencies: ["FileFormats", "Failures", "TestSupport"], exclude: ["Frozen"]),
    .testTarget(
      name: "NetworksTests", dependencies: ["Networks", "Compute", "FileFormats", "Failures", "TestSupport"]),
    .testTarget(
      name: "MethodsTests",
      dependencies: [
        "Methods", "Sessions", "Detection", "ComputeCPU", "ComputeOpenCL", "Compute", "Datasets", "Losses", "Networks",
        "FileFormats", "Failures",
      ]),
    .testTarget(name: "LossesTests", dependencies: ["Losses", "ComputeKernels", "Failures"]),
    .testTarget(
      name: "SettingsTests",
      dependencies: [
        "Settings", "Sessions", "Losses", "Networks", "Datasets", "Detection", "FileFormats", "Failures", "TestSupport",
      ]),
    .testTarget(
      name: "ReproTests",
      dependencies: [
        "Repro", "Settings", "Reports", "Pages", "Statistics", "FileFormats", "Failures", "TestSupport",
      ]),
    .testTarget(
      name: "TrainingTests",
      dependencies: [
        "Training", "Settings", "Sessions", "Detection", "Reports", "ComputeCPU", "ComputeOpenCL", "Compute",
        "Datasets", "Losses", "Methods", "Networks", "FileFormats", "Failures", "TestSupport", "OpenCLTestSupport",
      ]),
    .testTarget(
      name: "OracleTests",
      dependencies: [
        "Training", "Methods", "Sessions", "Reports", "ComputeCPU", "ComputeOpenCL", "Compute", "Datasets", "Losses",
        "Networks", "ComputeReference", "Statistics", "FileFormats", "TestSupport", "OpenCLTestSupport",
      ],
      exclude: [
        "oracle.py", "networks.py", "losses.py", "methods.py", "adaptive.py", "clusters.py", "collaboration.py",
        "dividemix.py", "mixture.py",
      ]),
    // Runs the built example.
    .testTarget(name: "ExampleTests", dependencies: ["Example", "FileFormats", "TestSupport"]),
    .testTarget(
      name: "AutotuningTests",
      dependencies: [
        "Autotuning", "ComputeCPU", "ComputeKernels", "Compute", "Losses", "Networks", "FileFormats", "Failures",
        "TestSupport",
      ]),
    .testTarget(name: "StatisticsTests", dependencies: ["Statistics", "FileFormats"], exclude: ["Frozen"]),
    .testTarget(
      name: "DetectionTests",
      dependencies: ["Detection", "Datasets", "Statistics", "FileFormats", "Failures", "TestSupport"],
      exclude: ["Frozen"]),
    .testTarget(
      name: "ImagesTests", dependencies: ["Images", "FileFormats", "Failures", "TestSupport"],
      exclude: ["PillowFixture.py"]),
    .testTarget(
      name: "DatasetsTests",
      dependencies: ["Datasets", "Images", "FileFormats", "Statistics", "Failures", "TestSupport"]),
    .testTarget(
      name: "ComputeReferenceTests",
      dependencies: ["ComputeReference", "Losses", "Compute", "CLayout", "Statistics", "Failures", "TestSupport"]),
    .testTarget(
      name: "ComputeKernelsTests",
      dependencies: ["ComputeKernels", "ComputeReference", "Compute", "Networks", "FileFormats", "Failures"],
      exclude: ["Frozen"]),
    .testTarget(
      name: "DeviceTests",
      dependencies: [
        "ComputeCPU", "ComputeReference", "ComputeKernels", "Compute", "CKernels", "Statistics", "TestSupport",
      ]),
    .testTarget(
      name: "ComputeOpenCLTests",
      dependencies: [
        "ComputeOpenCL", "ComputeReference", "ComputeKernels", "Compute", "FileFormats", "Failures", "TestSupport",
        "OpenCLTestSupport",
      ]),
    // Runs the built command.
    .testTarget(
      name: "CommandTests", dependencies: ["Settings", "Images", "FileFormats", "TestSupport"],
      exclude: ["Faults/faults.c"]),
  ],
  swiftLanguageModes: [.v6],
  cLanguageStandard: .gnu2x,
  cxxLanguageStandard: .gnucxx20
)

// `Tools/fuzz` builds this and nothing else does: every reader under libFuzzer. The command is a library then, whose
// entry point has another name, so that its own readers can be called.
if Context.environment["GPUNOISY_FUZZ"] != nil,
  let index = package.targets.firstIndex(where: { $0.name == "gpunoisy" })
{
  let command = package.targets[index].dependencies
  package.products = []
  package.targets[index] = .target(
    name: "gpunoisy", dependencies: command,
    swiftSettings: [.unsafeFlags(["-Xfrontend", "-entry-point-function-name", "-Xfrontend", "gpunoisy_main"])])
  package.targets.append(.executableTarget(name: "Fuzz", dependencies: command + ["gpunoisy"], path: "Tests/Fuzz"))
}
