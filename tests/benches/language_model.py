"""Tokens a CPU-second of the model `transformer` beside NumPy (OpenBLAS): `language_model.py BENCH MODEL REFERENCE [ROUNDS]`.

BENCH is the example `bench` of jackfield-transformer, MODEL a folder of the Llama layout in f32 and REFERENCE a folder with
`llama_np.py`. Both are measured in turn, step by step, so that what else runs on the machine hits both; medians count.
"""

import os
import subprocess
import sys
import time

os.environ["OPENBLAS_NUM_THREADS"] = "1"

import numpy as np

PROGRAM, MODEL, REFERENCE = sys.argv[1:4]
ROUNDS = int(sys.argv[4]) if len(sys.argv) > 4 else 5
# Sequences, tokens of each that are read, tokens of each that are written: as in the example.
MEASUREMENTS = {"prompt": (1, 64, 0), "batch": (32, 64, 8), "reply": (1, 1, 16)}
NAMES = {
    ("prompt", 0): "prefill of 64 tokens",
    ("batch", 0): "prefill of 32 x 64",
    ("reply", 1): "decode, 1 sequence",
    ("batch", 1): "decode, 32 sequences",
}

sys.path.insert(0, REFERENCE)
from llama_np import Llama


class Ours:
    def __init__(self, *options):
        pipe = subprocess.PIPE
        self.process = subprocess.Popen([PROGRAM, MODEL, *options, "asked"], stdin=pipe, stdout=pipe, text=True)
        self.process.stdout.readline()

    def rates(self, name):
        self.process.stdin.write(name + "\n")
        self.process.stdin.flush()
        return [float(rate) for rate in self.process.stdout.readline().split()]

    def end(self):
        self.process.stdin.close()
        self.process.wait()


class NumPy:
    def __init__(self):
        self.model = Llama(MODEL)

    def rates(self, name):
        sequences, read, written = MEASUREMENTS[name]
        model, none = self.model, np.zeros(sequences, int)
        prompts = np.array([[100 + i * 7 + row for i in range(read)] for row in range(sequences)])
        shape = (model.L, sequences, read + written, model.KV, model.hd)
        cache = {"k": np.zeros(shape, np.float32), "v": np.zeros(shape, np.float32), "len": 0} if written else None
        begin = time.process_time()
        model.forward(prompts, none, cache)
        middle = time.process_time()
        for _ in range(written):
            model.forward(prompts[:, :1], none, cache)
        end = time.process_time()
        return sequences * read / (middle - begin), sequences * written / (end - middle)


def median(values):
    return sorted(values)[len(values) // 2]


def main():
    engines = {"one": Ours("1"), "two": Ours("2"), "portable": Ours("1", "portable"), "numpy": NumPy()}
    found = {engine: {key: [] for key in NAMES} for engine in engines}
    for engine in engines.values():
        engine.rates("prompt")
    for _ in range(ROUNDS):
        for name in MEASUREMENTS:
            for label, engine in engines.items():
                for part, rate in enumerate(engine.rates(name)):
                    if (name, part) in NAMES:
                        found[label][name, part].append(rate)
    print("| | ours | NumPy | ours / NumPy | least and most | portable / NumPy | CPU time at two threads / at one |")
    print("| --- | --: | --: | --: | --: | --: | --: |")
    for key, name in NAMES.items():
        one, two, portable, numpy = (found[label][key] for label in ("one", "two", "portable", "numpy"))
        ratio = [ours / theirs for ours, theirs in zip(one, numpy)]
        other = median([ours / theirs for ours, theirs in zip(portable, numpy)])
        threads = median([alone / shared for alone, shared in zip(one, two)])
        print(
            f"| {name} | {median(one):.1f} | {median(numpy):.1f} | {median(ratio):.2f} "
            f"| {min(ratio):.2f}-{max(ratio):.2f} | {other:.2f} | {threads:.2f} |"
        )
    for engine in engines.values():
        if isinstance(engine, Ours):
            engine.end()


main()
