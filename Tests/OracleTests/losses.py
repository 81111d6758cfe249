"""The losses as their authors wrote them for PyTorch, and autograd as the judge of gradients.

  losses.py REQUEST.safetensors RESULT.safetensors
      the request holds logits [B, K], labels [B] and a transition matrix [K, K], and the names of losses, one a line, as
      its metadata 'losses'; the result has loss.I [B] and gradient.I [B, K] of the I-th, in double precision
"""
import math
import sys

import torch
import torch.nn.functional as F
from safetensors import safe_open
from safetensors.torch import load_file, save_file


def one_hot(z, y):
    return F.one_hot(y, z.shape[1]).to(z.dtype)


def chosen(z, y):
    return torch.gather(F.softmax(z, 1), 1, y[:, None])[:, 0]


def cross_entropy(z, y):
    return F.cross_entropy(z, y, reduction="none")


def reverse(z, y):  # YisenWang/symmetric_cross_entropy_for_noisy_labels
    p = torch.clamp(F.softmax(z, 1), 1e-7, 1.0)
    return -torch.sum(p * torch.log(torch.clamp(one_hot(z, y), 1e-4, 1.0)), 1)


def normalized_cross_entropy(z, y):  # HanxunH/Active-Passive-Losses
    log_p = F.log_softmax(z, 1)
    return -torch.sum(one_hot(z, y) * log_p, 1) / -log_p.sum(1)


def normalized_focal(z, y, gamma=0.5):  # the factor does not take part in the gradient
    log_p = F.log_softmax(z, 1)
    normalizer = torch.sum(-((1 - log_p.detach().exp()) ** gamma) * log_p, 1)
    own = log_p.gather(1, y[:, None])[:, 0]
    return -((1 - own.detach().exp()) ** gamma) * own / normalizer


def normalized_generalized(z, y, q):
    p = F.softmax(z, 1)
    return (1 - torch.pow(torch.sum(one_hot(z, y) * p, 1), q)) / (z.shape[1] - p.pow(q).sum(1))


def normalized_negative(z, y, least=1e-7):  # Virusdoll/Active-Negative-Loss
    A = -math.log(least)
    log_p = F.log_softmax(z, 1).clamp(min=-A)
    return 1 - (A + torch.sum(one_hot(z, y) * log_p, 1)) / (z.shape[1] * A + log_p.sum(1))


def agce(z, y, a, q):  # hitcszx/ALFs
    return ((a + 1) ** q - torch.pow(a + chosen(z, y), q)) / q


def aul(z, y, a, q):
    return (torch.pow(a - chosen(z, y), q) - (a - 1) ** q) / q


def truncated(z, y, q=0.7, k=0.5):  # AlanChou/Truncated-Loss, with the weight of samples below k at 0
    p = chosen(z, y)
    limit = (1 - k**q) / q
    return torch.where(p > k, (1 - p**q) / q, torch.full_like(p, limit))


def sparse(base, z, y, temperature, power, weight, normal):  # hitcszx/lnl_sr
    u = (F.normalize(z, dim=1) if normal else z) / temperature
    p = torch.clamp(F.softmax(u, 1), min=1e-7)
    return base(u, y) + weight * p.pow(power).sum(1)


def tempered_softmax(z, t, steps=400):  # google/bi-tempered-loss, until it no longer changes
    def exp_t(x):
        return torch.relu(1 + (1 - t) * x) ** (1 / (1 - t))

    mu = z.max(1, keepdim=True).values
    first = z - mu
    a = first
    for _ in range(steps):
        a = first * exp_t(a).sum(1, keepdim=True) ** (1 - t)
    total = exp_t(a).sum(1, keepdim=True)
    return exp_t(z + ((1 / total) ** (1 - t) - 1) / (1 - t) - mu)


def bi_tempered(z, y, t1, t2):
    p = tempered_softmax(z, t2)
    own = p.gather(1, y[:, None])[:, 0]
    log_t = (own ** (1 - t1) - 1) / (1 - t1)
    return -log_t - (1 - (p ** (2 - t1)).sum(1)) / (2 - t1)


def soft_bootstrap(z, y, beta=0.95):  # the same Keras code as sce
    p = F.softmax(z, 1)
    return -torch.sum((beta * one_hot(z, y) + (1 - beta) * p) * torch.log(p), 1)


def hard_bootstrap(z, y, beta=0.8):
    p = F.softmax(z, 1)
    return -torch.sum((beta * one_hot(z, y) + (1 - beta) * one_hot(z, p.argmax(1))) * torch.log(p), 1)


def cores(z, y, beta=2):  # UCSC-REAL/cores
    return cross_entropy(z, y) - beta * torch.mean(-torch.log(F.softmax(z, 1) + 1e-8), 1)


def sieve(z, y):
    log_p = -torch.log(F.softmax(z, 1) + 1e-8)
    kept = (cross_entropy(z, y) - log_p.mean(1) <= 0).to(z.dtype).detach()
    return kept * cores(z, y)


def polysoft(z, y, limit, d):  # xjtushujun/NARL-Adjuster
    loss = cross_entropy(z, y)
    inside = (d - 1) * limit / d * (1 - torch.relu(1 - loss / limit) ** (d / (d - 1)))
    return torch.where(loss < limit, inside, torch.full_like(loss, (d - 1) * limit / d))


def epsilon_softmax(z, y, m=1000):
    p = F.softmax(z, 1)
    return -torch.log(((p + m * one_hot(z, p.argmax(1))) / (1 + m)).clamp(min=1e-8)).gather(1, y[:, None])[:, 0]


def determinant(z, y):  # Newbeeer/L_DMI without the guard, which is 0 gradient for many classes; one for the batch
    U = one_hot(z, y).T @ F.softmax(z, 1)
    return -torch.linalg.slogdet(U).logabsdet * torch.ones(len(y), dtype=z.dtype) / len(y)


TRANSITION = None

LOSSES = {
    "ce": cross_entropy,
    "lsr": lambda z, y: F.cross_entropy(z, y, reduction="none", label_smoothing=0.1),
    "mae": lambda z, y: 2 * (1 - torch.sum(one_hot(z, y) * F.softmax(z, 1), 1)),
    "rce:A=-9.210340371976182": reverse,
    "sce:cifar10": lambda z, y: 0.1 * cross_entropy(z, y) + reverse(z, y),
    "sce:cifar100": lambda z, y: 6 * cross_entropy(z, y) + 0.1 * reverse(z, y),
    "gce": lambda z, y: (1 - torch.pow(torch.sum(one_hot(z, y) * F.softmax(z, 1), 1), 0.7)) / 0.7,
    "gce:k=0.5": truncated,
    "agce": lambda z, y: agce(z, y, 0.6, 0.6),
    "aul": lambda z, y: aul(z, y, 5.5, 3),
    "ael": lambda z, y: torch.exp(-chosen(z, y) / 2.5),
    "focal:gamma=2": lambda z, y: -((1 - chosen(z, y)) ** 2) * torch.log(chosen(z, y)),
    "focal:detached=1": lambda z, y: (1 - chosen(z, y).detach()) ** 0.5 * cross_entropy(z, y),
    "polysoft:lambda=3": lambda z, y: polysoft(z, y, 3, 2.5),
    "taylor:t=6": lambda z, y: sum((1 - chosen(z, y)) ** i / i for i in range(1, 7)),
    "esoftmax": epsilon_softmax,
    "esoftmax:m=1e6": lambda z, y: epsilon_softmax(z, y, 1e6),
    "nce": normalized_cross_entropy,
    "nfl:detached=1": normalized_focal,
    "ngce": lambda z, y: normalized_generalized(z, y, 0.1),
    "nnce": normalized_negative,
    "nce+rce:cifar100": lambda z, y: 10 * normalized_cross_entropy(z, y) + 0.1 * reverse(z, y),
    "nfl+rce:cifar10": lambda z, y: normalized_focal(z, y) + reverse(z, y),
    "nce+nnce:cifar10": lambda z, y: 5 * normalized_cross_entropy(z, y) + 5 * normalized_negative(z, y),
    "nce+agce:cifar10": lambda z, y: normalized_cross_entropy(z, y) + 4 * agce(z, y, 6, 1.5),
    "nce+aul:cifar100": lambda z, y: 10 * normalized_cross_entropy(z, y) + 0.015 * aul(z, y, 6, 3),
    "bootsoft": soft_bootstrap,
    "boothard": hard_bootstrap,
    "cores2": cores,
    "cores2:sieve=1": sieve,
    "bitempered": lambda z, y: bi_tempered(z, y, 0.8, 1.2),
    "ce+sr:cifar10": lambda z, y: sparse(cross_entropy, z, y, 0.5, 0.1, 1.2, True),
    "ce+sr:cifar100": lambda z, y: sparse(cross_entropy, z, y, 0.5, 0.01, 4, True),
    "nce+rce+sr:normal=0,rho=1": lambda z, y: sparse(
        lambda u, y: normalized_cross_entropy(u, y) + 4 * (1 - chosen(u, y)), z, y, 0.5, 0.1, 1.2, False),
    "peer": lambda z, y: -torch.log(chosen(z, y) + 1e-5),
    "forward": lambda z, y: -torch.log((F.softmax(z, 1) @ TRANSITION).gather(1, y[:, None])[:, 0]),
    "backward": lambda z, y: -torch.sum((one_hot(z, y) @ torch.inverse(TRANSITION)) * F.log_softmax(z, 1), 1),
    "dmi": determinant,
}

if __name__ == "__main__":
    request, result = sys.argv[1:]
    with safe_open(request, "pt") as file:
        names = file.metadata()["losses"].split("\n")
    tensors = load_file(request)
    labels = tensors["labels"].long()
    TRANSITION = tensors["transition"].double()
    answers = {}
    for index, name in enumerate(names):
        logits = tensors["logits"].double().requires_grad_()
        loss = LOSSES[name](logits, labels)
        (gradient,) = torch.autograd.grad(loss.sum(), logits)
        answers[f"loss.{index}"], answers[f"gradient.{index}"] = loss.detach(), gradient
    # As float32, whose rounding the tests allow for.
    save_file({name: value.float().contiguous() for name, value in answers.items()}, result)
