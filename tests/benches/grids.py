#!/usr/bin/env python3
"""What each optimisation of the pipeline `grids` is worth: a batch of tasks with all of them off, then with one more on at a time.

    cargo build --release -p jackfield-cli --bin jackfield --example grids
    tests/benches/grids.py [--tasks FILE.json --candidates FILE.jsonl] [--count 100] [--each 32]

FILE.json holds tasks by id; FILE.jsonl has a program a line, as `{"task": ..., "program": ...}`. Without them the tasks and programs
of `examples/grids` are used. Where there are too few tasks, more are made of them in other colours, with the same programs; where
a task has too few programs, mutants fill up (a cost of the stage `candidates` that the others do not have).

A step is run five times in folders of its own, cold, and then five times again with what the first run kept, warm; the least CPU time
counts, of the whole process, start-up included. Hits are values that the warm run found in its caches, one a task; errors, items that
failed.
The table goes to standard output as Markdown.
"""

import argparse
import json
import pathlib
import re
import resource
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
SWITCHES = [
    ("everything off", {}),
    ("early exit", {"stages.score.with.early_exit": "true"}),
    ("one graph for all candidates of a task", {"stages.score.with.shared": "true"}),
    (
        "`objects`, `partition`, `fgpartition` of an input kept",
        {"stages.score.with.kept_primitives": "true", "stages.validate.with.kept_primitives": "true"},
    ),
    ("validation in batches", {"stages.validate.with.batch": "true"}),
    ("bodies kept", {"stages.canonical.with.cache": "true"}),
    ("outcomes kept", {"stages.validate.with.cache": "true"}),
]
ROUNDS = 5


def recoloured(grid, shift):
    return [[cell if cell == 0 else (cell - 1 + shift) % 9 + 1 for cell in row] for row in grid]


def batch(arguments, folder):
    """Writes the pipeline, tasks.json and programs.py; gives how many mutants each task needs."""
    example = ROOT / "examples" / "grids"
    if arguments.tasks:
        tasks = json.loads(pathlib.Path(arguments.tasks).read_text())
    else:
        tasks = {path.stem: json.loads(path.read_text()) for path in sorted((example / "tasks").glob("*.json"))}
    programs = {}
    if arguments.candidates:
        for line in pathlib.Path(arguments.candidates).read_text().splitlines():
            candidate = json.loads(line)
            programs.setdefault(candidate["task"], []).append(candidate["program"])
    else:
        for path in sorted((example / "programs").glob("*.txt")):
            text = path.read_text()
            task = text.split("solve_", 1)[-1].split("(", 1)[0]
            programs.setdefault(task, []).append(text)
    names = [name for name in tasks if name in programs]
    chosen, texts, missing = {}, [], 0
    for at in range(arguments.count):
        name, shift = names[at % len(names)], at // len(names)
        new = name if shift == 0 else f"{name}_{shift}"
        pairs = {
            part: [{side: recoloured(grid, shift) for side, grid in pair.items()} for pair in tasks[name][part]]
            for part in ("train", "test")
        }
        chosen[new] = pairs
        own = programs[name][: arguments.each]
        missing = max(missing, arguments.each - len(own))
        texts += [text.replace(f"solve_{name}(", f"solve_{new}(", 1) for text in own]
    shutil.copy(example / "pipeline.toml", folder / "pipeline.toml")
    (folder / "tasks.json").write_text(json.dumps(chosen, separators=(",", ":")))
    (folder / "programs.py").write_text("".join(text.rstrip("\n") + "\n" for text in texts))
    return missing if not arguments.candidates else 0


def measured(command, folder):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != 0:
        sys.exit(done.stdout)
    hits = sum(int(found) for found in re.findall(r"(?:memory|sqlite) ([0-9]+) of", done.stdout))
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime, hits


def failed(folder):
    run = max((folder / "runs").iterdir(), key=lambda path: path.stat().st_mtime)
    lines = (run / "results.jsonl").read_text().splitlines()
    return sum(json.loads(line)["state"] != "ok" for line in lines)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--tasks")
    parser.add_argument("--candidates")
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--each", type=int, default=32)
    parser.add_argument("--jackfield", default=str(ROOT / "target/release/jackfield"))
    parser.add_argument("--inside", default=str(ROOT / "target/release/examples/grids"))
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder = pathlib.Path(place)
        mutants = batch(arguments, folder)
        values = {"params.tasks": '"tasks.json"', "params.programs": '"programs.py"'}
        values["stages.candidates.with.mutants"] = str(mutants)
        for _, switch in SWITCHES:
            values.update({key: "false" for key in switch})
        print(f"| {arguments.count} tasks x {arguments.each} candidates | cold, CPU | warm, CPU | hits | errors | speed-up cold | warm |")
        print("| --- | --- | --- | --- | --- | --- | --- |")
        first = None
        for name, switch in SWITCHES:
            values.update(switch)
            command = [arguments.jackfield, "run", ".", "--jobs", "1"]
            command += [part for key, value in values.items() for part in ("--set", f"{key}={value}")]
            cold, warm = [], []
            for _ in range(ROUNDS):
                for left in ("runs", ".jackfield"):
                    shutil.rmtree(folder / left, ignore_errors=True)
                cold.append(measured(command, folder))
            for _ in range(ROUNDS):
                warm.append(measured(command, folder))
            hits, errors = warm[-1][1], failed(folder)
            cold, warm = min(cold)[0], min(warm)[0]
            first = first or cold
            label = name if switch == {} else f"+ {name}"
            print(
                f"| {label} | {cold * 1000:.0f} ms | {warm * 1000:.0f} ms | {hits} | {errors} "
                f"| {first / cold:.2f}x | {first / warm:.2f}x |",
                flush=True,
            )
        if pathlib.Path(arguments.inside).exists():
            replaced = (folder / "pipeline.toml").read_text()
            replaced = re.sub(r'(?m)^tasks\s*=.*$', 'tasks = "tasks.json"', replaced)
            replaced = re.sub(r'(?m)^programs\s*=.*$', 'programs = "programs.py"', replaced, count=1)
            (folder / "pipeline.toml").write_text(replaced)
            subprocess.run([arguments.inside, str(folder)], check=True)


main()
