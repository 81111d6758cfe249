import Failures
import FileFormats
import Networks
import TestSupport
import Testing

@Suite("Known weights")
struct KnownWeightsTests {
  private let scratch = ScratchFolder()
  private let known = KnownWeights.catalogue[0]

  /// An environment in which nothing is set but these.
  private func environment(_ values: [String: String]) -> (String) -> String? { { values[$0] } }

  private func write(_ text: String, to path: String) throws -> String {
    try FileBytes.makeFolder(FileBytes.folder(of: scratch(path)))
    try FileBytes.write(Array(text.utf8), to: scratch(path))
    return scratch(path)
  }

  @Test("have names, files and checksums of their own, and networks that expect the same inputs")
  func catalogue() throws {
    let all = KnownWeights.catalogue
    #expect(Set(all.map(\.name)).count == all.count && Set(all.map(\.fileName)).count == all.count)
    for weights in all {
      #expect(weights.checksum.count == 64 || weights.checksum.count == 8, "\(weights.name)")
      #expect(weights.checksum.allSatisfy { "0123456789abcdef".contains($0) }, "\(weights.name)")
      // Both publishers put the first digits into the file's name.
      #expect(weights.fileName.contains(weights.checksum.prefix(8)), "\(weights.name)")
      guard let entry = Network.catalogue.first(where: { $0.name == weights.network }) else { continue }
      #expect(entry.preprocessing == weights.preprocessing && entry.imageSide == weights.imageSide, "\(weights.name)")
    }
    let lite = Network.Preprocessing.efficientNetLite
    for byte: Float in [0, 127, 255] {
      #expect(abs((byte / 255 - lite.mean[0]) / lite.standardDeviation[0] - (byte - 127) / 128) < 1e-6)
    }
  }

  @Test("are looked for where GPUNOISY_WEIGHTS says, or else in the cache folder")
  func places() throws {
    let cache = environment(["XDG_CACHE_HOME": scratch("cache")])
    #expect(known.path(environment: cache) == nil)
    #expect(KnownWeights.folder(environment: cache) == scratch("cache/gpunoisy/weights"))
    let cached = try write("x", to: "cache/gpunoisy/weights/\(known.fileName)")
    #expect(known.path(environment: cache) == cached)
    let both = environment(["XDG_CACHE_HOME": scratch("cache"), "GPUNOISY_WEIGHTS": scratch("own")])
    #expect(known.path(environment: both) == nil && KnownWeights.folder(environment: both) == scratch("own"))
    let own = try write("x", to: "own/\(known.fileName)")
    #expect(known.path(environment: both) == own)
    #expect(known.path(environment: environment(["GPUNOISY_WEIGHTS": own])) == own)
    let other = try write("x", to: "own/other")
    #expect(known.path(environment: environment(["GPUNOISY_WEIGHTS": other])) == nil)
    let home = FileBytes.expandingHome("~/no-such-folder")
    #expect(home.hasSuffix("/no-such-folder") && !home.hasPrefix("~"))
    #expect(KnownWeights.folder(environment: environment(["GPUNOISY_WEIGHTS": "~/no-such-folder"])) == home)
  }

  @Test("that are absent give the line that fetches them, and those with another checksum are told")
  func refusals() throws {
    let place = environment(["GPUNOISY_WEIGHTS": scratch("it's")])
    for weights in KnownWeights.catalogue {
      let failure = #expect(throws: Failure.self) { try WeightsChoice(weights.name, environment: place) }
      #expect(failure?.kind == .missingInput)
      let command = try #require(failure?.fix)
      #expect(command == weights.fetchCommand(into: scratch("it's")))
      #expect(command.contains("it'\\''s") && command.hasPrefix("curl -fL --create-dirs -o '/"))
      let path = try write("cut off", to: "it's/\(weights.fileName)")
      for text in [weights.name, path] {
        let failure = #expect(throws: Failure.self) { try WeightsChoice(text, environment: place) }
        #expect(failure?.kind == .badInput && failure?.why.contains(weights.checksum.prefix(8)) == true)
      }
    }
    let failure = #expect(throws: Failure.self) { try WeightsChoice("nosuch", environment: place) }
    #expect(failure?.kind == .missingInput && failure?.why.contains("resnet18-imagenet") == true)
  }

  @Test("are not what any other file is")
  func others() throws {
    let path = try write("weights", to: "mine.pth"), choice = try WeightsChoice(path)
    #expect(choice.path == path && choice.known == nil)
  }

  @Test(
    "of EfficientNet-Lite0 are known by their bytes, under any name",
    .enabled(if: KnownWeights.named("lite0")?.path() != nil, "its file is not on this machine; Tools/setup fetches it"))
  func lite0() throws {
    let choice = try WeightsChoice("lite0")
    #expect(choice.known?.name == "lite0")
    let bytes = try FileBytes.read(choice.path)
    #expect(bytes.count == 18_826_032)
    try FileBytes.write(bytes, to: scratch("copy"))
    #expect(try WeightsChoice(scratch("copy")).known?.name == "lite0")
    #expect(known.path(environment: environment(["GPUNOISY_WEIGHTS": scratch("copy")])) == scratch("copy"))
    let names = ["_conv_stem.weight", "_bn0.running_var", "_blocks.15._project_conv.weight", "_fc.bias"]
    let weights = try WeightsFile(parsing: bytes, path: "lite0", for: names)
    #expect(weights.place == nil)
    #expect(try weights.tensors.floats(names[0], shape: [32, 3, 3, 3]).allSatisfy(\.isFinite))
    #expect(weights.tensors[names[2]]?.shape == [320, 1152, 1, 1] && weights.tensors[names[3]]?.shape == [1000])
  }
}
