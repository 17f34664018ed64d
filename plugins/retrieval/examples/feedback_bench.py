"""The feedback filter's rule in NumPy, vectorised throughout; called by the example `feedback_bench`."""

import json
import statistics
import sys
import time

import numpy as np

THRESHOLD, HALF_LIFE, MAX_AGE, SIGMAS, PER_USER, PER_INTENT, OF_DAY = np.float32(0.5), 14.0, 90.0, 3.0, 10, 100, 0.5


def places(keys):
    """For each element, how many before it have the same key."""
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    first = np.ones(len(keys), bool)
    first[1:] = ordered[1:] != ordered[:-1]
    starts = np.flatnonzero(first)
    counts = np.arange(len(keys)) - np.repeat(starts, np.diff(np.append(starts, len(keys))))
    found = np.empty(len(keys), np.int64)
    found[order] = counts
    return found


def decayed(columns):
    confidence, reputation, specificity, age = columns[:4]
    return confidence * reputation * specificity * np.exp2(age * np.float32(-1 / HALF_LIFE))


def whole(columns):
    confidence, reputation, specificity, age, user, intent = columns
    factors = np.stack((confidence, reputation, specificity))
    valid = ((factors >= 0) & (factors <= 1)).all(0) & (age >= 0) & (age <= MAX_AGE)
    worth = confidence * reputation * specificity
    counted = worth[valid]
    mean, deviation = counted.mean(dtype=np.float64), counted.std(dtype=np.float64)
    score = worth * np.exp2(age.astype(np.float64) / -HALF_LIFE)
    kept = np.flatnonzero(valid & (np.abs(worth - mean) <= SIGMAS * deviation + 1e-6) & (score >= THRESHOLD))
    day = np.maximum(np.ceil(age[kept].astype(np.float64) - OF_DAY), 0).astype(np.int64)
    by_user = places(user[kept].astype(np.int64) * 128 + day) < PER_USER
    kept, day = kept[by_user], day[by_user]
    by_intent = places(intent[kept].astype(np.int64) * 128 + day) < PER_INTENT
    return kept[by_intent]


def timed(work, columns, runs, inner):
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        for _ in range(inner):
            work(columns)
        times.append((time.perf_counter() - start) / inner * 1e6)
    return statistics.median(times)


if __name__ == "__main__":
    path, count = sys.argv[1], int(sys.argv[2])
    raw = open(path, "rb").read()
    columns = [np.frombuffer(raw, np.float32 if at < 4 else np.uint32, count, at * count * 4) for at in range(6)]
    runs, inner = (51, 50) if count < 10_000 else (7, 1)
    print(json.dumps({
        "whole": timed(whole, columns, runs, inner), "decay": timed(decayed, columns, runs, inner),
        "accepted": whole(columns).tolist(),
    }))
