import Compute
import ComputeCPU
import Datasets
import Failures
import Losses
import Methods
import Networks
import Sessions
import Settings
import TestSupport
import Testing
import Training

/// The built-in CPU path with little memory, which notes what is allocated.
private final class SmallDevice: Device {
  private let device: CPUDevice
  var memory: DeviceMemory?
  private(set) var allocated = 0

  init(left: Int) throws {
    device = try CPUDevice(threads: 1)
    memory = DeviceMemory(left: left, owner: "the test")
  }

  var name: String { device.name }
  var driver: String { device.driver }
  var forms: Set<FusedForm> { device.forms }
  var formats: Set<ElementType> { device.formats }
  func supports(_ fused: TensorOperation) -> Bool { device.supports(fused) }
  func allocate(byteCount: Int) throws -> CPUDevice.Buffer {
    allocated += byteCount
    return try device.allocate(byteCount: byteCount)
  }
  func write(_ bytes: UnsafeRawBufferPointer, to buffer: CPUDevice.Buffer, at offset: Int) throws {
    try device.write(bytes, to: buffer, at: offset)
  }
  func read(_ buffer: CPUDevice.Buffer, at offset: Int, into bytes: UnsafeMutableRawBufferPointer) throws {
    try device.read(buffer, at: offset, into: bytes)
  }
  func workspace(for operation: TensorOperation) throws -> (workspace: Int, vectors: Int) {
    try device.workspace(for: operation)
  }
  func prepare(
    _ operation: TensorOperation, activations: ElementType, buffer: (Operand) -> CPUDevice.Buffer
  ) throws -> [CPUDevice.Prepared] {
    try device.prepare(operation, activations: activations, buffer: buffer)
  }
  func enqueue(_ prepared: CPUDevice.Prepared) throws { try device.enqueue(prepared) }
  func flush() throws { try device.flush() }
}

@Suite("Memory is compared before it is taken") struct MemoryTests {
  private func session(
    on device: SmallDevice, batch: Int = 64, precision: Precision = .fp32, columns: [Column] = []
  ) throws -> TrainingSession<SmallDevice> {
    let data = Shapes.samples(seed: 1, count: 64, isTest: false)
    var settings = TrainingSession<SmallDevice>.Settings(
      network: try Network("resnet20"), loss: try Loss("ce"), batchSize: batch,
      augmentation: Augmentation(crop: 0, flip: false))
    (settings.precision, settings.columns) = (precision, columns)
    return try TrainingSession(settings, train: data, test: nil, classes: 10, on: device)
  }

  private func failure(_ work: () throws -> Void) -> Failure? {
    do { try work() } catch { return error as? Failure }
    return nil
  }

  @Test("a step that does not fit is refused before its memory is allocated, with the options that help")
  func step() throws {
    let enough = try SmallDevice(left: .max), plan = try #require(try session(on: enough).wholeBatches)
    let outside = enough.allocated - plan.byteCount
    // One byte less than the plan takes.
    let device = try SmallDevice(left: plan.byteCount - 1)
    let found = try #require(failure { _ = try session(on: device) })
    #expect(found.kind == .outOfMemory && found.why.contains("the test has"), "\(found)")
    #expect(
      found.fix.contains("--batch-size (about 63 would fit)") && found.fix.contains("--precision mixed"), "\(found)")
    #expect(device.allocated == outside)
    // The test can fail: with that byte, with fewer images or smaller activations it fits.
    _ = try session(on: SmallDevice(left: plan.byteCount))
    _ = try session(on: SmallDevice(left: plan.byteCount - 1), batch: 60)
    _ = try session(on: SmallDevice(left: plan.byteCount - 1), precision: .mixed)
    let mixed = try #require(
      failure { _ = try session(on: SmallDevice(left: plan.byteCount / 4), precision: .mixed) })
    #expect(!mixed.fix.contains("--precision"), "\(mixed)")
  }

  /// Settings of a run on 64 images of 32×32 and 200 in the test set, and its data.
  private func run(_ change: (inout RunSettings) -> Void = { _ in }) throws -> (settings: RunSettings, data: RunData) {
    var settings = RunSettings(for: .train)
    (settings.data, settings.limitTrain, settings.limitTest) = ("shapes", 64, 200)
    (settings.model, settings.batchSize, settings.epochs) = (try Network("resnet20"), 64, 2)
    change(&settings)
    return (settings, try RunData(settings))
  }

  private func failure(_ settings: RunSettings, _ data: RunData, left: Int) throws -> Failure? {
    let device = try SmallDevice(left: left)
    let found = failure { _ = try Trainer(settings, data: data, on: device) }
    // Before anything is allocated.
    if found != nil { #expect(device.allocated == 0) }
    return found
  }

  /// The value behind an option in a sentence.
  private func value(_ option: String, in text: String) -> Int? {
    text.ranges(of: option).first.flatMap { Int(text[$0.upperBound...].prefix { $0.isNumber }) }
  }

  @Test("a run that does not fit names the options that help, with the largest values that fit", arguments: [1, 2, 3])
  func options(networks: Int) throws {
    let method = try MethodChoice(["plain", "co-teaching:rate=0.2", "mutual:members=3"][networks - 1])
    let (settings, data) = try run { $0.method = method }
    let enough = try SmallDevice(left: .max)
    _ = try Trainer(settings, data: data, on: enough)
    let left = enough.allocated * 6 / 10
    let found = try #require(try failure(settings, data, left: left))
    #expect(found.kind == .outOfMemory && found.why.contains("the test has"), "\(found)")
    let batch = try #require(value("--batch-size ", in: found.fix), "\(found)")
    let side = try #require(value("--image-size ", in: found.fix), "\(found)")
    #expect(found.fix.contains("--precision mixed"))
    for (size, works) in [(batch, true), (2 * batch, false)] {
      var smaller = settings
      smaller.batchSize = size
      #expect(try (failure(smaller, data, left: left) == nil) == works, "--batch-size \(size)")
    }
    for (size, works) in [(side, true), (side + 8, false)] {
      let (smaller, resized) = try run {
        $0.method = method
        $0.imageSize = PixelSize(width: size, height: size)
      }
      #expect(try (failure(smaller, resized, left: left) == nil) == works, "--image-size \(size)")
    }
  }

  @Test("a run that no option makes fit says so")
  func nothingHelps() throws {
    let (settings, data) = try run()
    let found = try #require(try failure(settings, data, left: 1_000_000))
    #expect(found.fix.hasPrefix("no --batch-size or --image-size makes it fit: use a smaller --model"), "\(found)")
  }

  @Test("evaluation makes its batches smaller before it gives up, and has the same results")
  func evaluation() throws {
    let (settings, data) = try run { $0.batchSize = 4 }
    let enough = try SmallDevice(left: .max), large = try Trainer(settings, data: data, on: enough)
    let small = try SmallDevice(left: enough.allocated / 3), trainer = try Trainer(settings, data: data, on: small)
    // Scratch memory comes on top.
    #expect(small.allocated < enough.allocated / 2)
    let one = try #require(try large.session.evaluate()), other = try #require(try trainer.session.evaluate())
    #expect(one.losses == other.losses && one.predictions == other.predictions)
  }

  @Test("weights, optimiser and tables are counted before the first of them is allocated")
  func tables() throws {
    let device = try SmallDevice(left: 10_000_000)
    let found = try #require(
      failure { _ = try session(on: device, columns: [Column("wide", start: .float(0), width: 100_000)]) })
    #expect(found.kind == .outOfMemory && found.what.contains("tables") && found.why.contains("64 samples"), "\(found)")
    // The images, which come before.
    #expect(device.allocated == 64 * 3072)
  }

  @Test("the built-in path tells what the system leaves, less what was allocated and is not used yet")
  func builtIn() throws {
    let device = try CPUDevice(threads: 1), before = try #require(device.memory)
    #expect(before.left > 0 && before.owner == "this process")
    // Beyond the pages in use, and never touched.
    let size = 8 << 30, buffer = try? device.allocate(byteCount: ProcessMemory.used + size)
    guard let buffer else { return }
    // Other tests run beside this one.
    #expect(try #require(device.memory).left < before.left - size / 2 || before.left < size)
    withExtendedLifetime(buffer) {}
  }
}
