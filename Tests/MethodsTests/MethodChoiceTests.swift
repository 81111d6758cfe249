import Failures
import Losses
import Methods
import Testing

@Suite("The choice of a method")
struct MethodChoiceTests {
  @Test("is read with its defaults, and written with every value")
  func texts() throws {
    #expect(try MethodChoice("plain").description == "plain")
    let choice = try MethodChoice("co-teaching:rate=0.45,ramp=4")
    #expect(choice["rate"] == 0.45 && choice["ramp"] == 4 && choice["power"] == 1 && choice["exchange"] == 1)
    #expect(choice.description == "co-teaching:rate=0.45,ramp=4,power=1,exchange=1")
    let texts = try MethodChoice("adaptive-loss:every=5,learn=alpha+beta,rate=2")
    #expect(texts.text("learn") == "alpha+beta" && texts["every"] == 5)
    #expect(texts.description == "adaptive-loss:learn=alpha+beta,every=5,rate=2")
    #expect(texts.scaled(by: 0.1) == texts)
    let clusters = try MethodChoice("asymmetric-co-teaching:labels=clusters")
    #expect(try clusters.findsClasses && !MethodChoice("asymmetric-co-teaching").findsClasses)
    for entry in MethodEntry.catalogue {
      let text = try MethodChoice(entry.name).description
      #expect(try MethodChoice(text).description == text)
      #expect(entry.parameters.allSatisfy { $0.range.contains($0.defaultValue) })
      #expect(entry.name == "plain" || !entry.source.isEmpty)
    }
  }

  @Test(
    "is refused with 64 where a name is unknown or a value is out of range",
    arguments: [
      "nosuch", "", "co-teaching:rate=2", "co-teaching:rate=1", "co-teaching:rate=-0.1", "co-teaching:rate=nan",
      "co-teaching:rate", "co-teaching:nosuch=1", "co-teaching:rate=0.1,rate=0.2", "co-teaching:rate=0.1,",
      "co-teaching:", "co-teaching:ramp=1.5", "marvel:patience=0", "marvel:gain=1", "plain:rate=0.1",
      "marvel+:gain=-1", "mixup:alpha=-1", "elr:momentum=1.1", "rdi:lambda=nan", "aux:lambda=-1", "aux:momentum=0.9",
      "car:start=0", "car:every=0", "car:learned=0.5", "self:every=-1", "self:momentum=1.5", "self:ramp=0.5",
      "adaptive-loss:every=0", "adaptive-loss:learn",
      "adaptive-loss:learn=", "adaptive-loss:learn=q,learn=q", "adaptive-loss:learn=q d", "adaptive-loss:rate=-1",
      "mutual:members=0", "mutual:members=1.5", "mutual:members=65",
      "mutual:exchange=2", "mutual:with=", "mutual:with=a b", "mutual:sum=0.5", "grafting:members=0",
      "grafting:with=mlp",
      "dgd:temperature=0", "dgd:weight=-1", "dgd:graft=2", "co-training:rounds=0", "co-training:joins=0",
      "co-training:labels=-1", "grafting:amplitude=1.1",
      "grafting:steepness=-1",
      "grafting:rates=0.5", "dividemix:warm=0", "dividemix:temperature=0", "dividemix:threshold=1.5",
      "dividemix:history=0", "dividemix:alpha=nan", "dividemix:unlabelled=-1",
      "grafting:rates=0.5", "asymmetric-co-teaching:every=0", "asymmetric-co-teaching:warm=-1",
      "asymmetric-co-teaching:neighbours=1.5", "asymmetric-co-teaching:keep=1.1",
      "asymmetric-co-teaching:labels=none", "asymmetric-co-teaching:labels=clusters,labels=given",
    ])
  func refusals(text: String) {
    let failure = #expect(throws: Failure.self) { try MethodChoice(text) }
    #expect(failure?.kind == .usage)
  }

  @Test("goes with losses of single samples alone, but for those that treat all samples alike")
  func losses() throws {
    for entry in MethodEntry.catalogue {
      try entry.check(Loss("ce"))
      for loss in ["gce", "peer", "dmi", "forward", "nce+rce+peer"] {
        if entry.losses == .all || entry.losses == .ofSamples && loss == "gce" {
          try entry.check(Loss(loss))
        } else {
          let failure = #expect(throws: Failure.self) { try entry.check(Loss(loss)) }
          #expect(failure?.kind == .configuration, "\(entry.name) \(loss)")
        }
      }
    }
    let alike = MethodEntry.catalogue.filter { $0.losses == .all }.map(\.name)
    #expect(alike == ["plain", "rdi", "grafting"])
  }

  @Test(
    "is refused with 78 where networks of members are unknown, or too few or too many",
    arguments: [
      ("mutual:with=resnet21", "the nearest name is resnet20"), ("mutual:with=mlp+", "the networks are"),
      ("mutual:with=mlp:width=7", "its options are"), ("mutual:members=1,with=mlp", "there is one network"),
      ("mutual:members=2,with=mlp+cnn4", "beside the first there is 1"),
      ("mutual:members=4,with=mlp+cnn4", "beside the first there are 3"),
    ])
  func networks(text: String, words: String) throws {
    let choice = try MethodChoice(text)
    #expect(try MethodChoice(choice.description) == choice)
    let failure = #expect(throws: Failure.self) { try choice.check(Loss("ce")) }
    #expect(failure?.kind == .configuration && failure?.why.contains(words) == true, "\(String(describing: failure))")
  }

  @Test("follows another number of epochs, by its epochs and by what adds up over them")
  func scaling() throws {
    #expect(try MethodChoice("co-teaching:ramp=10").scaled(by: 0.2)["ramp"] == 2)
    #expect(try MethodChoice("rdi:lambda=14").scaled(by: 0.25)["lambda"] == 28)
    #expect(try MethodChoice("aux:lambda=28").scaled(by: 0.2).description == "aux:lambda=62.61")
    #expect(
      try MethodChoice("self").scaled(by: 0.2).description
        == "self:every=10,momentum=0.9,decay=0.99,consistency=100,ramp=1")
    let rounds = try MethodChoice("asymmetric-co-teaching:warm=10").scaled(by: 0.2)
    #expect(rounds["warm"] == 2 && rounds["every"] == 1 && rounds["keep"] == 0.2)
    #expect(try MethodChoice("self:every=0").scaled(by: 0.2)["every"] == 0)
    let divided = try MethodChoice("dividemix").scaled(by: 0.1)
    #expect(divided["warm"] == 1 && divided["ramp"] == 2 && divided["unlabelled"] == 25)
    #expect(try MethodChoice("elr").scaled(by: 0.2).description == "elr:momentum=0.7,lambda=3")
  }
}

@Suite("What co-teaching leaves out")
struct ForgetScheduleTests {
  @Test("rises as the authors' table does, and stays")
  func ramp() {
    // numpy.linspace(0, 0.45, 10), whose first number no epoch uses.
    let schedule = ForgetSchedule(rate: 0.45, ramp: 9, power: 1)
    let expected = [0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.45, 0.45]
    for (epoch, share) in expected.enumerated() { #expect(abs(schedule.share(epoch: epoch) - share) < 1e-15) }
    // int((1 - 0.45) * 128) and so on, in double precision.
    #expect(schedule.kept(of: 128, epoch: 0) == 121 && schedule.kept(of: 128, epoch: 20) == 70)
  }

  @Test("jumps to the rate where the power is not 1")
  func power() {
    let schedule = ForgetSchedule(rate: 0.25, ramp: 4, power: 0.5)
    #expect((0..<5).map { schedule.share(epoch: $0) } == [0.125, 0.25, 0.375, 0.5, 0.25])
  }

  @Test("is computed in double precision, and keeps one sample at least")
  func rounding() {
    // 0.2 in single precision is a little more, and would leave 7 of 10.
    #expect(ForgetSchedule(rate: 0.2, ramp: 1, power: 1).kept(of: 10, epoch: 0) == 8)
    #expect(ForgetSchedule(rate: 0.99, ramp: 1, power: 1).kept(of: 5, epoch: 3) == 1)
    #expect(ForgetSchedule(rate: 0, ramp: 9, power: 1).kept(of: 77, epoch: 3) == 77)
  }
}
