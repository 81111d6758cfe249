"""scikit-learn's mixtures of two normal distributions; DivideMixAgainstTorchTests.swift runs it.

  mixture.py REQUEST.safetensors RESULT.safetensors
      of each of the request's tensors NAME, the mixture that begins as NAME.start says: weights, means, variances; and the
      chance of each number to be of the component with the smaller mean
"""
import sys

import torch
from oracle import read
from safetensors.torch import save_file
from sklearn.mixture import GaussianMixture

tensors, _ = read(sys.argv[1])
result = {}
for name in [name for name in tensors if not name.endswith(".start")]:
    values, start = tensors[name].numpy().reshape(-1, 1), tensors[name + ".start"].numpy()
    mixture = GaussianMixture(
        2, max_iter=10, tol=1e-2, reg_covar=5e-4, weights_init=start[0], means_init=start[1].reshape(2, 1),
        precisions_init=(1 / start[2]).reshape(2, 1, 1)).fit(values)
    low = mixture.means_.argmin()
    order = [low, 1 - low]
    result[name] = torch.tensor(
        [mixture.weights_[order], mixture.means_[order, 0], mixture.covariances_[order, 0, 0]], dtype=torch.float64)
    result[name + ".chances"] = torch.tensor(mixture.predict_proba(values)[:, low].copy(), dtype=torch.float64)
    # From its own beginning, as the authors use it.
    alone = GaussianMixture(2, max_iter=10, tol=1e-2, reg_covar=5e-4, random_state=0).fit(values)
    result[name + ".alone"] = torch.tensor(
        alone.predict_proba(values)[:, alone.means_.argmin()].copy(), dtype=torch.float64)
save_file(result, sys.argv[2])
