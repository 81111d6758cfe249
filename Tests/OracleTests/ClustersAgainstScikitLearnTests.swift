import FileFormats
import Statistics
import TestSupport
import Testing

/// Clusters of points that are drawn here, against NumPy and scikit-learn (clusters.py).
@Suite(
  "Clusters and scikit-learn",
  .enabled(if: PythonOracle.has("sklearn, scipy, safetensors"), "\(PythonOracle.absence)"))
struct ClustersAgainstScikitLearnTests {
  /// A hundred terms in another order, in double precision.
  private static let tolerance = 1e-12

  @Test("have the same distances and labels", arguments: [(500, 20, 6, 0.0016), (301, 9, 1, 0.01), (64, 20, 6, 0.1)])
  func labels(N: Int, k1: Int, k2: Int, share: Double) throws {
    let folder = ScratchFolder(), F = 16, random = CounterRandom(seed: UInt64(N))
    func draw(_ a: Int, _ b: Int) -> Float { Float(random.normal(.noise, UInt32(a), UInt32(b))) }
    let values = (0..<N).flatMap { i in (0..<F).map { draw(i % 5, $0) + 0.7 * draw(5 + i, $0) } }
    var request = SafetensorsFile(metadata: ["k1": "\(k1)", "k2": "\(k2)", "share": "\(share)", "minimum": "4"])
    request["points"] = .init(values, shape: [N, F])
    try request.write(to: folder("in.safetensors"))
    try Oracle.run(script: "clusters.py", "compare", folder("in.safetensors"), folder("out.safetensors"))
    let answer = try SafetensorsFile.read(folder("out.safetensors"))
    let points = Matrix(directionsOf: values, width: F)
    let found = ReciprocalDistances(points, NearestNeighbours(of: points, k1), near: k1, mean: k2)
    let wanted = try answer.doubles("distances", shape: [N, N])
    var worst = 0.0
    for i in 0..<N {
      var row = [Double](repeating: 1, count: N)
      for (j, distance) in found.row(i) { row[j] = distance }
      for j in 0..<N { worst = max(worst, abs(row[j] - wanted[i * N + j])) }
    }
    #expect(worst <= Self.tolerance)
    let radius = try #require(found.meanOfSmallest(share: share))
    #expect(abs(radius - (try answer.doubles("radius", shape: [1])[0])) <= Self.tolerance)
    for (index, factor) in [0.5, 1, 1.5].enumerated() {
      let clusters = DensityClusters(found, radius: factor * radius, minimum: 4)
      let labels = try answer.integers("labels\(index)", shape: [N])
      #expect(clusters.labels.map { Int64($0) } == labels, "\(factor)")
    }
  }
}
