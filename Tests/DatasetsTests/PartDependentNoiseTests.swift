import Datasets
import FileFormats
import TestSupport
import Testing

@Suite("Part-dependent noise")
struct PartDependentNoiseTests {
  /// Images of noise; class by id.
  private func data(_ count: Int, classCount: Int, height: Int = 3, width: Int = 2, channels: Int = 3) -> Dataset {
    let pixels = someBytes(count * height * width * channels)
    return Dataset(
      name: "test", classNames: (0..<classCount).map { "c\($0)" },
      train: LabelledSet(
        images: ImageSet(count: count, height: height, width: width, channels: channels, pixels: pixels),
        labels: (0..<count).map { Int32($0 % classCount) }), test: nil, source: "a test")
  }

  private func corrupted(_ text: String, _ data: Dataset, seed: UInt64 = 1) throws -> (
    dataset: Dataset, report: NoiseReport
  ) {
    try data.corrupted(by: NoiseCatalogue.parse(text), seed: seed)
  }

  @Test("chances and labels are those of an independent computation in NumPy, in both published versions")
  func golden() throws {
    let paper = [
      [0.5348702201569229, 0.2896881102508671, 0.17544166959221005],
      [0.23236076590305982, 0.5313138365264372, 0.23632539757050297],
      [0.3185509526862968, 0.12490275431435392, 0.5565462929993492],
    ]
    let shared = [
      [0.5348702201569229, 0.35960237633592324, 0.10552740350715391],
      [0.46868616347356284, 0.5313138365264372, 0], [0.4434537070006508, 0, 0.5565462929993492],
    ]
    for (text, rows) in [("part-dependent:0.5", paper), ("part-dependent:0.5,shared", shared)] {
      let (noisy, report) = try corrupted(text, data(12, classCount: 3))
      #expect(noisy.train.labels == [1, 0, 0, 1, 1, 2, 0, 1, 2, 0, 1, 2])
      for (row, chances) in rows.enumerated() {
        // float32 in the mean and deviation of the inputs is the same on both sides.
        for k in 0..<3 { #expect(abs(report.requested[row, k] - chances[k]) < 1e-12, "\(text) \(row) \(k)") }
      }
    }
  }

  @Test(
    "images of other sizes and seeds agree with NumPy, label by label",
    .enabled(if: PythonOracle.has("numpy"), Comment(rawValue: PythonOracle.absence)),
    arguments: [
      ("part-dependent:0.4", "0.4", "0.1", UInt64(7)), ("part-dependent:0.05,std=0.3", "0.05", "0.3", 1 << 40),
      ("part-dependent:0.6,shared", "0.6", "0.1", 3),
    ])
  func independent(text: String, rate: String, deviation: String, seed: UInt64) throws {
    let scratch = ScratchFolder(), K = 4, data = data(60, classCount: K, height: 4, width: 5)
    let images = data.train.images
    try FileBytes.write(
      NumPyArray(images.pixels, shape: [60, 4, 5, 3]).encoded(), to: scratch("pixels.npy"))
    let result = try PythonOracle.run(
      Self.script,
      [scratch("pixels.npy"), "\(K)", rate, deviation, text.hasSuffix("shared") ? "shared" : "", "\(seed)"])
    #expect(result.code == 0, "\(result.output)")
    let document = try JSONText.parse(Array(result.output.utf8), named: "the script's output")
    let (noisy, report) = try corrupted(text, data, seed: seed)
    #expect(document["labels"]?.array?.map { $0.integer } == noisy.train.labels.map { Int($0) })
    let rows = try #require(document["means"]?.array)
    for row in 0..<K {
      for k in 0..<K {
        let expected = try #require(rows[row].array?[k].double)
        #expect(abs(report.requested[row, k] - expected) < 1e-12)
      }
    }
  }

  @Test("rates lie near R, labels depend on the images, and shared weights make partners nearly certain")
  func behaviour() throws {
    let data = data(6000, classCount: 5)
    let (noisy, report) = try corrupted("part-dependent:0.4", data)
    // The mean of 6,000 rates with deviation 0.1, and of the draws.
    #expect(abs(report.expectedRate - 0.4) < 6 * 0.1 / 77 && abs(report.realisedRate - report.expectedRate) < 0.04)
    // Truncation moves the mean: R + 0.1 φ(0) / Φ(0) at R = 0.
    #expect(abs(try corrupted("part-dependent:0", data).report.expectedRate - 0.0798) < 0.005)
    var reversed = data
    let order = (0..<Int32(6000)).reversed().map { $0 }
    reversed.train = LabelledSet(images: data.train.images.selecting(order), labels: data.train.labels)
    let other = try corrupted("part-dependent:0.4", reversed).dataset.train.labels
    // The same samples change, since rates and draws go by id, but to other classes.
    for (id, label) in data.train.labels.enumerated() {
      #expect((noisy.train.labels[id] == label) == (other[id] == label))
    }
    #expect(noisy.train.labels != other)

    // The same image and class 400 times: one partner.
    let same = ImageSet(count: 400, height: 8, width: 8, channels: 3, pixels: (0..<400).flatMap { _ in someBytes(192) })
    var alike = data
    alike.train = LabelledSet(images: same, labels: [Int32](repeating: 2, count: 400))
    let labels = try corrupted("part-dependent:0.5,shared", alike).dataset.train.labels
    #expect(Set(labels).count == 2 && labels.contains(2))
  }

  /// Philox, Box–Muller, and the definition of the noise, written from their papers.
  private static let script = """
    import sys, json, numpy as np
    M = 0xFFFFFFFF
    def words(seed, use, a, b):
        c, k = [3, a, b, use], [seed & M, seed >> 32]
        for _ in range(10):
            p, q = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
            c = [(q >> 32) ^ c[1] ^ k[0], q & M, (p >> 32) ^ c[3] ^ k[1], p & M]
            k = [(k[0] + 0x9E3779B9) & M, (k[1] + 0xBB67AE85) & M]
        return c
    def normal(seed, use, a, b):
        x, y = words(seed, use, a, b)[:2]
        return np.sqrt(-2 * np.log((x + 1) / 2**32)) * np.cos(2 * np.pi * y / 2**32)
    pixels, K = np.load(sys.argv[1]), int(sys.argv[2])
    rate, std, shared, seed = float(sys.argv[3]), float(sys.argv[4]), sys.argv[5] == 'shared', int(sys.argv[6])
    N = len(pixels)
    X = pixels.astype(np.float64)
    if not shared:
        X = X / 255
        mean, dev = (v.astype(np.float32).astype(np.float64) for v in (X.mean((0, 1, 2)), X.std((0, 1, 2))))
        X = (X - mean) / dev
    X = X.reshape(N, -1)
    W = [np.array([[normal(seed, 4, d * K + k, y) for k in range(K)] for d in range(X.shape[1])])
         for y in range(1 if shared else K)]
    labels, P = [], []
    for i in range(N):
        y, t, q = i % K, 0, -1
        while not 0 <= q <= 1:
            q = rate + std * normal(seed, 3, i, t)
            t += 1
        a = X[i] @ W[0 if shared else y]
        a[y] = -np.inf
        e = np.exp(a - a.max())
        p = q * e / e.sum()
        p[y] = 1 - q
        P.append(p)
        flip, target = [w / 2**32 for w in words(seed, 0, i, 0)[:2]]
        others = [k for k in range(K) if k != y]
        place = int(np.searchsorted(np.cumsum(p[others]), target * q, side='right'))
        labels.append(y if flip < 1 - q else others[min(place, K - 2)])
    P = np.array(P)
    print(json.dumps({'labels': labels, 'means': [P[k::K].mean(0).tolist() for k in range(K)]}))
    """
}
