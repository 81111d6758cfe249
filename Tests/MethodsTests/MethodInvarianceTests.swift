import Compute
import ComputeCPU
import ComputeOpenCL
import Methods
import Sessions
import Testing

/// What a method must be where its idea does nothing.
@Suite("A method without effect")
struct MethodInvarianceTests {
  /// Networks that are trained one by one with plain steps and the seeds of a method's members.
  private func plainStates<D: Device>(
    _ count: Int, _ network: String, _ optimizer: Optimizer.Kind, epochs: Int, on device: D
  ) throws -> [[UInt32]] {
    let setup = try MethodFixture.setup(network, optimizer: optimizer, on: device)
    return try (0..<count).map { number in
      let member = try setup.member(number)
      try member.prepare { step, _ in member.plainStep(&step) }
      for epoch in 0..<epochs {
        try member.begin(epoch: epoch, learningRate: 0.01, recordsMargins: epoch > 0)
        for step in member.batchSizes.indices { try member.run(step: step) }
      }
      return try member.readState().bits
    }
  }

  /// Trains with each method, and compares its networks with plain ones, which are trained once for all.
  private func expectPlain<D: Device>(
    _ methods: [String], _ network: String, _ optimizer: Optimizer.Kind, on device: D
  ) throws {
    let expected = try plainStates(3, network, optimizer, epochs: 2, on: device)
    #expect(expected[0] != expected[1] && expected[1] != expected[2])
    for method in methods {
      let made = try MethodChoice(method).make(MethodFixture.setup(network, optimizer: optimizer, on: device))
      _ = try MethodFixture.train(made, epochs: 2)
      #expect(made.members.count <= expected.count)
      for (number, (member, plain)) in zip(made.members, expected).enumerated() {
        #expect(try member.readState().bits == plain, "network \(number) of \(method), \(network), \(optimizer)")
      }
    }
  }

  private static let methods = [
    "co-teaching:rate=0", "co-teaching:rate=0,exchange=0", "marvel:patience=99,warm=0", "plain", "rdi:lambda=0",
    "aux:lambda=0", "elr:lambda=0", "mixup:alpha=0", "self:consistency=0,every=0", "mutual:members=1",
    "mutual:members=3,exchange=0", "grafting:members=1", "asymmetric-co-teaching:warm=9",
  ]

  @Test(
    "equals plain training bit for bit",
    arguments: [
      ("resnet20", Optimizer.Kind.sgd),
      // Drops channels, which the networks of a method must not do alike.
      ("cnn9", .adam),
    ])
  func equalsPlain(network: String, optimizer: Optimizer.Kind) throws {
    try expectPlain(Self.methods, network, optimizer, on: CPUDevice(threads: 2))
  }

  @Test(
    "equals plain training bit for bit through OpenCL", .enabled(if: OpenCLDevices.isThere, "\(OpenCLDevices.absence)"),
    arguments: OpenCLDevice.Style.allCases)
  func equalsPlainThroughOpenCL(style: OpenCLDevice.Style) throws {
    let info = try #require(OpenCLDevices.first)
    let methods = [
      "co-teaching:rate=0", "rdi:lambda=0", "aux:lambda=0", "elr:lambda=0", "mixup:alpha=0",
      "self:consistency=0,every=0", "mutual:exchange=0", "grafting:members=1", "asymmetric-co-teaching:warm=9",
    ]
    try expectPlain(methods, "resnet20", .adam, on: OpenCLDevice(info, style: style))
  }

  @Test(
    "or with one gives the same bits for any number of threads",
    arguments: [
      "rdi:lambda=5", "aux", "elr", "mixup", "car:start=1,every=1", "self:every=1", "mutual:members=3",
      "mutual:with=mlp", "grafting", "dividemix:warm=1",
      "asymmetric-co-teaching:warm=1,every=1",
    ])
  func threads(method: String) throws {
    let states = try [1, 2, 3].map { threads in
      let made = try MethodChoice(method).make(MethodFixture.setup(on: CPUDevice(threads: threads)))
      _ = try MethodFixture.train(made, epochs: 2)
      let states = try made.members.map { try $0.readState() }
      return (states.map(\.bits), states.map(\.columns), try made.suspicion()?.map(\.bitPattern))
    }
    for state in states[1...] {
      #expect(state.0 == states[0].0)
      #expect(state.1 == states[0].1)
      #expect(state.2 == states[0].2)
    }
  }
}

/// Whether there is something to test on.
enum OpenCLDevices {
  static let first = DeviceList.discover().devices.first(where: \.isSupported)
  static var isThere: Bool { first != nil }
  static let absence = "there is no OpenCL device"
}
