import Compute
import ComputeCPU
import ComputeOpenCL
import Datasets
import Failures
import FileFormats
import Losses
import Methods
import Networks
import Sessions
import Testing

/// Rounds of co-training, looked at from outside.
@Suite("Co-training")
struct CoTrainingTests {
  @Test("takes of each class the samples that a network is most confident of, among those that it takes for that class")
  func mostConfident() {
    let probabilities = [
      0.6, 0.3, 0.1, /**/ 0.9, 0.1, 0, /**/ 0.2, 0.5, 0.3, /**/ 0.6, 0.2, 0.2, /**/ .nan, 1, 1, /**/ 0.1, 0.8, 0.1,
    ]
    let pool: [Int32] = [7, 3, 9, 1, 2, 5]
    func chosen(_ count: Int) -> [[Int32]] {
      JoinedSample.mostConfident(pool, probabilities: probabilities, count: count, view: 1).map { [$0.id, $0.label] }
    }
    // Of equally confident ones the first of the pool; nothing is taken for class 2, and nothing is not a number.
    #expect(chosen(1) == [[3, 0], [5, 1]])
    #expect(chosen(2) == [[3, 0], [7, 0], [5, 1], [9, 1]])
    #expect(chosen(9) == [[3, 0], [7, 0], [1, 0], [5, 1], [9, 1]])
    #expect(JoinedSample.mostConfident([], probabilities: [], count: 1, view: 0).isEmpty)
  }

  @Test("lets the more confident network decide on a sample that both have chosen")
  func agreement() {
    func sample(_ id: Int32, _ label: Int32, _ view: Int32, _ probability: Double) -> JoinedSample {
      JoinedSample(id: id, label: label, view: view, probability: probability)
    }
    let first = [sample(8, 0, 0, 0.9), sample(2, 1, 0, 0.7), sample(4, 2, 0, 0.6)]
    let second = [sample(2, 3, 1, 0.8), sample(4, 1, 1, 0.6), sample(5, 0, 1, 0.5)]
    #expect(
      JoinedSample.agreed([first, second]) == [
        sample(2, 3, 1, 0.8), sample(4, 2, 0, 0.6), sample(5, 0, 1, 0.5), sample(8, 0, 0, 0.9),
      ])
  }

  private func method<D: Device>(
    _ text: String, network: String = "mlp:dropout=0", epochs: Int = 7, of data: LabelledSet = MethodFixture.data,
    on device: D
  ) throws -> any Method<D> {
    let setup = try MethodFixture.setup(
      network, epochs: epochs, augmentation: Augmentation(crop: 0, flip: false), of: data, on: device)
    return try MethodChoice(text).make(setup)
  }

  /// Trains one round, and gives the file that it leaves.
  private func round<D: Device>(_ method: any Method<D>, _ number: Int) throws -> (SafetensorsFile?, [EpochOutcome]) {
    try method.begin(stage: number)
    let outcomes = try (0..<method.stages[number].epochs).map { epoch in
      let batches = try method.begin(
        EpochStart(epoch: epoch, step: 0, learningRate: method.stages[number].rate(epoch)))
      for step in batches.indices { try method.step(step) }
      return try method.finish(
        EpochEnd(epoch: epoch, ids: method.members[0].ids(ofFirst: batches.count), testAccuracy: 0.5))
    }
    return (try method.result(), outcomes)
  }

  private func integers(_ name: String, _ file: SafetensorsFile) throws -> [Int32] {
    try file.shortIntegers("joined.\(name)", shape: file["joined.\(name)"]?.shape ?? [])
  }

  private func expectRounds<D: Device>(_ views: ImageViews, on device: D) throws {
    let text = "co-training:rounds=3,labels=2,pool=30,views=\(views.rawValue)"
    let method = try method(text, on: device), K = MethodFixture.classes, data = MethodFixture.data
    #expect(method.stages.map(\.name) == ["round1", "round2", "round3"] && method.stages.map(\.epochs) == [2, 2, 3])
    #expect(method.answer == (views == .whole ? .first : .sum) && method.views == views)
    var known: [Int32: Int32] = [:]
    for number in 0..<3 {
      let (file, outcomes) = try round(method, number)
      #expect(method.members.count == views.count)
      let own = Set(method.members[0].sampleIDs)
      if number == 0 {
        for id in own { known[id] = data.labels[Int(id)] }
        #expect(known.count <= 2 * K && known.count >= K)
        #expect(outcomes[0].figures[1] == nil)
      }
      // Both networks learn from the same samples, and see the same batches.
      #expect(own == Set(known.keys) && outcomes[0].figures[0] == Double(known.count))
      #expect(Set(method.members.map { $0.ids(ofFirst: 1) }).count == 1)
      if number > 0 {
        let truth = try #require(data.trueLabels), first = Set(try begin(text, device).keys)
        let given = known.filter { !first.contains($0.key) }, right = given.count { truth[Int($0.key)] == $0.value }
        #expect(outcomes[0].figures[1] == Double(right) / Double(given.count))
      }
      guard number < 2 else { #expect(file == nil); continue }
      let joined = try #require(file), ids = try integers("id", joined), labels = try integers("label", joined)
      // Of each class each network labels one at most; with one view it labels as many as two.
      #expect(!ids.isEmpty && ids.count <= 2 * K && Set(ids).isDisjoint(with: known.keys))
      try expectConfident(method, joined)
      for (id, label) in zip(ids, labels) { known[id] = label }
    }
    let values = try method.finish(EpochEnd(epoch: 0, ids: [], testAccuracy: 0.5)).figures
    #expect(values.count == method.figures.count)
  }

  /// What a file holds is what the networks of the round say of these samples.
  private func expectConfident<D: Device>(_ method: any Method<D>, _ file: SafetensorsFile) throws {
    let ids = try integers("id", file), labels = try integers("label", file), views = try integers("view", file)
    for (view, member) in method.members.enumerated() {
      let logits = try member.trainingLogits(), K = MethodFixture.classes
      func top(_ id: Int32) -> Int32 {
        let row = logits[Int(id) * K..<(Int(id) + 1) * K]
        return Int32((row.firstIndex(of: row.max() ?? 0) ?? 0) - row.startIndex)
      }
      for (index, id) in ids.enumerated() where views[index] == Int32(view) { #expect(top(id) == labels[index]) }
    }
  }

  /// The labels that a run begins with.
  private func begin<D: Device>(_ text: String, _ device: D) throws -> [Int32: Int32] {
    let method = try method(text, on: device)
    try method.begin(stage: 0)
    return Dictionary(
      uniqueKeysWithValues: method.members[0].sampleIDs.map { ($0, MethodFixture.data.labels[Int($0)]) })
  }

  @Test("trains on the samples that have a label, and lets the networks label others", arguments: ImageViews.allCases)
  func rounds(views: ImageViews) throws { try expectRounds(views, on: CPUDevice()) }

  @Test(
    "goes its rounds through OpenCL", .enabled(if: OpenCLDevices.isThere, "\(OpenCLDevices.absence)"),
    arguments: OpenCLDevice.Style.allCases)
  func roundsThroughOpenCL(style: OpenCLDevice.Style) throws {
    try expectRounds(.halves, on: OpenCLDevice(try #require(OpenCLDevices.first), style: style))
  }

  @Test("is plain training of each network on its view in the first round")
  func firstRound() throws {
    let device = try CPUDevice(), method = try method("co-training:rounds=2,labels=4,views=columns", on: device)
    _ = try round(method, 0)
    let setup = try MethodFixture.setup(
      "mlp:dropout=0", augmentation: Augmentation(crop: 0, flip: false), on: device)
    let ids = Set(method.members[0].sampleIDs), data = MethodFixture.data
    let labels = data.labels.indices.map { ids.contains(Int32($0)) ? data.labels[$0] : LabelledSet.noLabel }
    for view in 0..<2 {
      var settings = setup.session
      settings.member = view
      let images = try data.images.view(view, of: .columns)
      let plain = try TrainingSession(
        settings, train: DeviceData(data.with(images: images), on: device), labels: labels, test: nil, classes: 10,
        normalization: setup.normalization)
      try plain.prepare { step, _ in plain.plainStep(&step) }
      for epoch in 0..<method.stages[0].epochs {
        try plain.begin(epoch: epoch, learningRate: 0.01, recordsMargins: epoch > 0)
        for step in plain.batchSizes.indices { try plain.run(step: step) }
      }
      #expect(try plain.readState().bits == method.members[view].readState().bits, "view \(view)")
    }
  }

  @Test("begins a later round with what the files of the rounds before say")
  func restoring() throws {
    let text = "co-training:rounds=3,labels=2,pool=0,joins=2", whole = try method(text, on: CPUDevice(threads: 1))
    let files = try (0..<2).map { try #require(try round(whole, $0).0) }
    _ = try round(whole, 2)
    let resumed = try method(text, on: CPUDevice(threads: 2))
    for (stage, file) in files.enumerated() { try resumed.restore(stage: stage, from: file) }
    _ = try round(resumed, 2)
    #expect(try whole.members.map { try $0.readState().bits } == resumed.members.map { try $0.readState().bits })
    #expect(try whole.evaluate()?.losses == resumed.evaluate()?.losses)
    // A file twice, in another's place, or with labels that there are not.
    for (stage, file) in [(1, files[0]), (0, files[1])] {
      let fresh = try method(text, on: CPUDevice())
      let failure = #expect(throws: Failure.self) { try fresh.restore(stage: stage, from: file) }
      #expect(failure?.kind == .badInput)
    }
    for (name, value) in [("label", 10), ("label", -1), ("id", 100), ("id", -1)] as [(String, Int32)] {
      var damaged = files[0]
      var values = try integers(name, damaged)
      values[0] = value
      damaged["joined.\(name)"] = .init(values, shape: [values.count])
      let fresh = try method(text, on: CPUDevice())
      let failure = #expect(throws: Failure.self, "\(name) \(value)") { try fresh.restore(stage: 0, from: damaged) }
      #expect(failure?.kind == .badInput)
    }
  }

  @Test("is refused with 78 where nothing is to be labelled, and where a network cannot take a view")
  func refusals() throws {
    for (text, network) in [
      ("co-training", "mlp"), ("co-training:labels=100", "mlp"), ("co-training:labels=2", "resnet20"),
    ] {
      var data = MethodFixture.data
      if network == "resnet20" {
        data = data.with(
          images: ImageSet(
            count: 100, height: 32, width: 20, channels: 3, pixels: [UInt8](repeating: 9, count: 100 * 32 * 60)))
      }
      let failure = #expect(throws: Failure.self, "\(text) \(network)") {
        let made = try method(text, network: network, of: data, on: CPUDevice())
        try made.begin(stage: 0)
      }
      #expect(failure?.kind == .configuration)
    }
    for text in ["co-training:views=nosuch", "co-training:views=half"] {
      let failure = #expect(throws: Failure.self) { try MethodChoice(text).check(Loss("ce")) }
      #expect(failure?.kind == .usage && failure?.why.contains("halves") == true)
    }
  }
}
