"""Times the clustered bootstrap in NumPy: the loop over draws and templates, and the best vectorised form.

    python bench/bootstrap.py        (numpy is all it needs; `cargo run --release --example bootstrap` is the other side)

The loop draws in the order of the estimator and ends on the same interval to the last digit. The vectorised forms do the
same two-stage draw in another order, so that their interval is another draw from the same distribution.
"""

import pathlib
import statistics
import sys
import time

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "fixtures"))
from make import bootstrap, logit, sigmoid

SEED, TRIM = 20_260_101, 0.2


def made_up(templates, replicates):
    rng = np.random.default_rng(1)
    return [[0.2 + 0.6 * (int(rng.integers(0, 10_001)) / 10_000) for _ in range(replicates)] for _ in range(templates)]


def interval(centers, point):
    low, high = np.percentile(centers, [2.5, 97.5])
    return [sigmoid(min(float(low), point)), sigmoid(max(float(high), point))]


def trimmed_rows(means):
    """The trimmed mean of every row, by partition: only the cut values need finding, not their order."""
    count = means.shape[1]
    cut = int(TRIM * count) if count >= 5 else 0
    if cut:
        means.partition((cut, count - cut - 1), axis=1)
        means = means[:, cut:count - cut]
    return means.mean(axis=1)


def vectorised(samples, draws, seed, index=np.int64):
    """The same two stages for all draws at once; every template has as many replicates. `index`: type of the draws."""
    logits = np.array([[logit(value) for value in template] for template in samples])
    templates, replicates = logits.shape
    rng = np.random.default_rng(seed)
    point = float(trimmed_rows(logits.mean(axis=1)[None, :])[0])
    chosen = rng.integers(0, templates, size=(draws, templates, 1), dtype=index)
    inside = rng.integers(0, replicates, size=(draws, templates, replicates), dtype=index)
    means = logits.ravel().take(chosen * index(replicates) + inside).mean(axis=2)
    return [sigmoid(point), *interval(trimmed_rows(means), point)]


def tuned(samples, draws, seed):
    """Vectorised with small indices, and replicates summed plane by plane: `mean` is slow over a short last axis."""
    logits = np.array([[logit(value) for value in template] for template in samples])
    templates, replicates = logits.shape
    rng = np.random.default_rng(seed)
    point = float(trimmed_rows(logits.mean(axis=1)[None, :])[0])
    small = np.uint8 if logits.size <= 256 else np.uint16
    first = rng.integers(0, templates, size=(draws, templates), dtype=small) * small(replicates)
    flat = logits.ravel()
    means = np.zeros((draws, templates))
    for _ in range(replicates):
        means += flat[first + rng.integers(0, replicates, size=(draws, templates), dtype=small)]
    means /= replicates
    return [sigmoid(point), *interval(trimmed_rows(means), point)]


def timed(name, runs, work):
    times, found = [], None
    for _ in range(runs):
        start = time.perf_counter()
        found = work()
        times.append((time.perf_counter() - start) * 1e3)
    print(f"  {name}: median {statistics.median(times):.3f} ms, least {min(times):.3f} ms of {runs}; {found[:3]}")


if __name__ == "__main__":
    print(f"python {sys.version.split()[0]}, numpy {np.__version__}")
    for templates, replicates, draws in [(16, 2, 1000), (16, 2, 5000), (16, 8, 5000), (64, 4, 5000)]:
        samples = made_up(templates, replicates)
        print(f"T={templates} R={replicates} B={draws}")
        timed("loop", 3, lambda: bootstrap(samples, TRIM, draws, SEED))
        timed("vectorised", 31, lambda: vectorised(samples, draws, SEED))
        timed("tuned", 31, lambda: tuned(samples, draws, SEED))
