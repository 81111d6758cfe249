"""k-reciprocal Jaccard distances and DBSCAN, by NumPy and scikit-learn.

compare IN OUT     reads `points` [N, F] and the numbers k1, k2, share, minimum of IN, and writes distances and labels
frozen OUT         makes 120 points of five clusters, and writes them with what `compare` says of them
"""
import sys

import numpy as np
from safetensors.numpy import load_file, safe_open, save_file


def squared_distances(points):
    """Squared distances of rows of length 1, at least 1e-5."""
    unit = points.astype(np.float64)
    unit /= np.maximum(np.sqrt((unit**2).sum(axis=1, keepdims=True)), 1e-12)
    return np.maximum(2 - 2 * unit @ unit.T, 1e-5)


def jaccard(points, k1, k2):
    """Zhong et al., 2017, as the authors of asymmetric co-teaching use it, in double precision."""
    square = squared_distances(points)
    count = len(square)
    np.fill_diagonal(square, 1e-5)
    normal = square / square.max(axis=1, keepdims=True)
    # A point is its own first neighbour.
    keyed = normal.copy()
    np.fill_diagonal(keyed, -1)
    rank = np.argsort(keyed, axis=1, kind="stable")

    def reciprocal(i, k):
        return [j for j in rank[i, : k + 1] if i in rank[j, : k + 1]]

    weights = np.zeros((count, count))
    half = int(np.around(k1 / 2))
    for i in range(count):
        own = reciprocal(i, k1)
        wide = set(own)
        for j in own:
            others = reciprocal(j, half)
            if len(set(others) & set(own)) > 2 / 3 * len(others):
                wide |= set(others)
        wide = sorted(wide)
        row = np.exp(-normal[i, wide])
        weights[i, wide] = row / row.sum()
    if k2 != 1:
        weights = np.stack([weights[rank[i, :k2]].mean(axis=0) for i in range(count)])
    distances = np.empty((count, count))
    for i in range(count):
        common = np.minimum(weights[i], weights).sum(axis=1)
        distances[i] = 1 - common / (2 - common)
    # Equal sets, whatever rounding makes of it.
    distances[distances < 1e-12] = 0
    return distances


def radius(distances, share):
    above = np.triu(distances, 1)
    above = np.sort(above[np.nonzero(above)])
    return above[: np.round(share * above.size).astype(int)].mean()


def compare(points, k1, k2, share, minimum):
    from sklearn.cluster import DBSCAN
    from sklearn.metrics.cluster import pair_confusion_matrix

    distances = jaccard(points, k1, k2)
    eps = radius(distances, share)
    made = {"points": points, "distances": distances, "radius": np.array([eps])}
    for index, factor in enumerate([0.5, 1.0, 1.5]):
        found = DBSCAN(eps=factor * eps, min_samples=minimum, metric="precomputed").fit_predict(distances)
        made[f"labels{index}"] = found.astype(np.int32)
        classes = np.arange(len(points)) % 5
        inside = found >= 0
        # Outliers are in no cluster: each is one by itself.
        single = np.where(inside, found, found.max() + 1 + np.arange(len(points)))
        pairs = pair_confusion_matrix(classes, single)
        made[f"pairs{index}"] = np.array([pairs[1, 1], pairs[0, 1], pairs[1, 0]], dtype=np.float64)
    return made


def main(command, *paths):
    if command == "frozen":
        draw = np.random.default_rng(5)
        centres = draw.normal(size=(5, 6))
        points = (centres[np.arange(120) % 5] + 0.6 * draw.normal(size=(120, 6))).astype(np.float32)
        made = compare(points, 12, 4, 0.02, 4)
        made["distances"] = made["distances"].astype(np.float32)
        save_file(made, paths[0])
        return
    with safe_open(paths[0], "np") as file:
        said = file.metadata()
    points = load_file(paths[0])["points"]
    made = compare(points, int(said["k1"]), int(said["k2"]), float(said["share"]), int(said["minimum"]))
    save_file(made, paths[1])


main(*sys.argv[1:])
