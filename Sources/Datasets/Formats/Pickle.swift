import Failures
import FileFormats

/// Python pickles: recognised only to be refused, since reading one can run code.
enum Pickle: DatasetFormat {
  static let lookedFor = "(pickles are refused, with the line of Python that converts them)"

  static func recognizes(_ location: DataLocation) -> Bool {
    location.isFolder ? isCIFARFolder(location) : isPickle(location.start, path: location.path)
  }

  static func open(_ location: DataLocation, _ options: DatasetOptions) throws -> Dataset {
    let fix: String
    if location.names.contains("data_batch_1") {
      fix = conversion(
        of: location.path, train: "[f'data_batch_{i}' for i in range(1, 6)]", test: "['test_batch']", labels: "labels",
        to: "cifar10.npz")
    } else if location.isFolder {
      fix = conversion(
        of: location.path, train: "['train']", test: "['test']", labels: "fine_labels", to: "cifar100.npz")
    } else {
      fix = """
        if you trust the file, convert it once:
               python3 -c "import pickle, numpy as np; d = pickle.load(open('\(location.path)', 'rb')); \
        np.savez('\(location.stem).npz', images=d['images'], labels=d['labels'])"
        """
    }
    throw Self.refusal(location.path, fix: fix)
  }

  /// Whether a file is a pickle, by its first bytes or, for PyTorch's zipped ones, its name.
  static func isPickle(_ start: [UInt8], path: String) -> Bool {
    if start.count >= 2, start[0] == 0x80, (2...5).contains(start[1]) { return true }
    return [".pkl", ".pickle", ".pt", ".pth"].contains { path.lowercased().hasSuffix($0) }
  }

  /// The failure for a pickle.
  static func refusal(_ path: String, fix: String) -> Failure {
    Failure(
      .badInput, "'\(path)' is a Python pickle.", why: "pickles are not read, because they can run code.", fix: fix)
  }

  private static func isCIFARFolder(_ location: DataLocation) -> Bool {
    location.names.contains("data_batch_1")
      || (location.names.contains("train") && location.names.contains("meta")
        && FileBytes.kind(of: location.file("train")) == .file)
  }

  private static func conversion(of folder: String, train: String, test: String, labels: String, to file: String)
    -> String
  {
    """
    convert them once, if they come from a source that you trust:
           python3 -c "import pickle, numpy as np; L = lambda F: [pickle.load(open('\(folder)/' + f, 'rb'), \
    encoding='bytes') for f in F]; X = lambda D: np.concatenate([d[b'data'] for d in D]).reshape(-1, 3, 32, \
    32).transpose(0, 2, 3, 1); Y = lambda D: np.concatenate([d[b'\(labels)'] for d in D]); a = L(\(train)); \
    b = L(\(test)); np.savez('\(file)', images=X(a), labels=Y(a), test_images=X(b), test_labels=Y(b))"
    """
  }
}
