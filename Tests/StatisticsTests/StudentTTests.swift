import Statistics
import Testing

@Suite("Student's t")
struct StudentTTests {
  @Test(
    "has the bounds of printed tables",
    arguments: [
      (1, 12.7062), (2, 4.3027), (3, 3.1824), (4, 2.7764), (5, 2.5706), (9, 2.2622), (10, 2.2281), (29, 2.0452),
      (100, 1.9840), (1000, 1.9623),
    ])
  func bounds(degrees: Int, expected: Double) {
    #expect((StudentT.bound(0.95, degrees: degrees) - expected).magnitude < 5e-5)
  }

  @Test("has the closed forms of one and two degrees of freedom")
  func closedForms() {
    for t in [0.1, 1, 2.5, 30] {
      #expect((StudentT.central(t, degrees: 2) - t / (2 + t * t).squareRoot()).magnitude < 1e-14)
    }
    #expect((StudentT.central(1, degrees: 1) - 0.5).magnitude < 1e-14)
    #expect((StudentT.bound(0.99, degrees: 3) - 5.8409).magnitude < 5e-5)
  }

  @Test("gives the interval of a mean")
  func interval() throws {
    let interval = try #require(MeanInterval([1, 2, 3, 4]))
    #expect(interval.mean == 2.5 && interval.count == 4)
    #expect((interval.deviation - 1.2909944487358056).magnitude < 1e-15)
    #expect((try #require(interval.halfWidth) - 2.0542603).magnitude < 1e-6)
    #expect(MeanInterval([]) == nil)
    #expect(MeanInterval([3])?.halfWidth == nil && MeanInterval([3])?.deviation == 0)
  }
}
