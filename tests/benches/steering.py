"""Searches that steer a model, measured.

    steering.py PROGRAM costs
        The example's own model: what several objectives, one objective, one with pruning, and chance find, and what they cost.
    steering.py PROGRAM model MODEL AXES [AXIS]
        A model (a GGUF file or a folder) on the prompts of AXES, a JSON file:
        {"axes": {AXIS: {"positive": [...], "negative": [...], "evaluation": [...], "markers": [...]}}, "neutral": [...]}
        60 trials by `tpe` and by chance; those on the front with few markers held out, three directions drawn by chance beside
        the last of them. AXIS is `letter` unless it is given. What damage is searched by is prompts of another axis, where there
        is one, and all neutral prompts are held out; with one axis alone, half of them are.

PROGRAM is `jackfield`, built with optimization. Nothing but the standard library of Python 3.11 is needed.
"""

import json
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

EXAMPLE = Path(__file__).resolve().parents[2] / "examples/steering"
LEAST = 0.1  # the rate that a trial must not exceed to count as found


def run(program, folder, *settings):
    """Runs the pipeline of a folder: its trials (results, in order), seconds, and CPU seconds."""
    runs = folder / "runs"
    shutil.rmtree(runs, ignore_errors=True)
    command = [program, "run", folder, "--out", runs]
    for setting in settings:
        command += ["--set", setting]
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    took, after = time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != 0:
        sys.exit(done.stdout)
    results = next(runs.glob("*/results.jsonl")).read_text().splitlines()
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return [json.loads(line) for line in results], took, cpu


def scores(trial):
    """The rate and the damage of a trial; nothing for one that was stopped half-way."""
    outputs = trial["outputs"]
    if "letters" not in outputs or "damage" not in outputs:
        return None
    return outputs["letters"]["rate"], outputs["damage"]["mean"]


def best(trials):
    """The trial with the least damage among those of a low rate, or nothing."""
    found = [(scores(trial)[1], trial) for trial in trials if scores(trial) and scores(trial)[0] <= LEAST]
    return min(found, key=lambda pair: pair[0], default=None)


# A search of one objective asks a fourth of the prompts for a third of the tokens first, and may stop there.
FIRST_LOOK = """[stages.few-requests]
use  = "prompts"
with = { path = "data/few.txt" }

[stages.few-after]
use   = "reply"
in    = { prompts = "few-requests.prompts", edits = "ablation.edits" }
with  = { max_tokens = 8 }
model = "subject"

[stages.few]
use  = "keyword-rate"
in   = "few-after"
with = { markers = ["dear", "subject:"] }

"""


def costs(program):
    several = (EXAMPLE / "pipeline.toml").read_text().split("[[tests]]")[0]
    objectives = 'minimize = { letters = "letters.rate", damage = "damage.mean" }'
    one = several.replace(objectives, 'minimize = ["letters.rate"]')
    report = 'minimize = ["letters.rate"]\nreport = ["few.rate", "letters.rate"]'
    pruned = several.replace(objectives, report).replace("candidates = 64 }", "candidates = 64, prune = { startup = 5 } }")
    policy = 'use      = "tpe"\nwith     = { startup = 15, candidates = 64 }'
    chance = several.replace(policy, 'use      = "random"')
    assert one != several != chance and "prune" in pruned and "few.rate" in pruned
    searches = {
        "several objectives": several,
        "one objective": one,
        "one objective, with pruning": pruned.replace("[stages.after]", FIRST_LOOK + "[stages.after]"),
        "`random`, several objectives": chance,
    }
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "steering"
        shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns("train", "runs"))
        prompts = (folder / "data/letters.txt").read_text().splitlines()
        (folder / "data/few.txt").write_text("\n".join(prompts[::4]) + "\n")
        print("| search | complete | time, s | CPU, s | found | damage |\n| --- | --: | --: | --: | --: | --: |")
        rows = {name: [] for name in searches}
        # Each seed takes all searches in turn, so that a busy machine is busy for all of them.
        for seed in range(5):
            for name, text in searches.items():
                (folder / "pipeline.toml").write_text(text)
                trials, took, cpu = run(program, folder, f"pipeline.seed={seed}")
                found = best(trials)
                complete = sum(scores(trial) is not None for trial in trials)
                rows[name].append((complete, took, cpu, found and found[0]))
                print(seed, name, rows[name][-1], file=sys.stderr, flush=True)
        for name, measured in rows.items():
            complete, took, cpu = (statistics.median(row[at] for row in measured) for at in range(3))
            damages = sorted(row[3] for row in measured if row[3] is not None)
            shown = f"{statistics.median(damages):.2g} ({damages[0]:.2g} to {damages[-1]:.2g})" if damages else ""
            print(f"| {name} | {complete} of 40 | {took:.1f} | {cpu:.1f} | {len(damages)} of 5 | {shown} |")


def said(scored):
    return f"rate {scored[0]:.2f}, KL {scored[1]:.4f}"


def model(program, path, axes, axis="letter"):
    data = json.loads(Path(axes).read_text())
    prompts, neutral = data["axes"][axis], data["neutral"]
    # Searched on are prompts that have to do with another axis, where there is one: then all neutral ones are held out.
    others = [data["axes"][name]["negative"] for name in data["axes"] if name != axis]
    searched, held_out = (others[-1][:16], neutral) if others else (neutral[::2], neutral[1::2])
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "steering"
        shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns("train", "runs", "model"))
        pairs = zip(prompts["positive"], prompts["negative"], strict=True)
        lines = [json.dumps({"positive": positive, "negative": negative}) for positive, negative in pairs]
        (folder / "data/pairs.jsonl").write_text("\n".join(lines))
        text = (EXAMPLE / "pipeline.toml").read_text().split("[[tests]]")[0]
        text = text.replace('["dear", "subject:"]', json.dumps(prompts["markers"]))

        def asks(letters, others):
            for name, list_of in (("letters.jsonl", letters), ("neutral.jsonl", others)):
                (folder / "data" / name).write_text("\n".join(map(json.dumps, list_of)))

        def tried(text, *settings):
            text = text.replace("letters.txt", "letters.jsonl").replace("neutral.txt", "neutral.jsonl")
            (folder / "pipeline.toml").write_text(text)
            return run(program, folder, f"params.model={json.dumps(str(Path(path).resolve()))}", *settings)

        # What is searched on: prompts for the direction, and eight tokens of each reply.
        asks(prompts["positive"][:24], searched)
        short = "stages.after.with.max_tokens=8"
        policy = 'use      = "tpe"\nwith     = { startup = 15, candidates = 64 }'
        assert policy in text
        searches = {"tpe": text, "random": text.replace(policy, 'use      = "random"')}
        chosen = []
        for name, searched in searches.items():
            trials, took, cpu = tried(searched, "input.count=60", short)
            front = [
                trial
                for trial in trials
                if not any(
                    scores(other) != scores(trial) and all(a <= b for a, b in zip(scores(other), scores(trial)))
                    for other in trials
                )
            ]
            print(f"{name}: {took:.0f} s, {cpu:.0f} s of CPU time")
            for trial in sorted(front, key=scores):
                print(f"  trial {trial['item']}: {said(scores(trial))}")
            for count in (20, 60):
                found = best(trials[:count])
                least = f"{found[0]:.4f}" if found else "none"
                print(f"  least KL at a rate of at most {LEAST} after {count} trials: {least}")
            if name == "tpe":
                chosen = [trial for trial in sorted(front, key=scores) if scores(trial)[0] <= 1.5 * LEAST]

        # What is held out: other prompts, and 24 tokens.
        asks(prompts["evaluation"], held_out)
        for trial in chosen:
            values = ", ".join(f"{json.dumps(key)} = {json.dumps(value)}" for key, value in trial["params"].items())
            point = "search.points=[{ " + values + " }]"
            held, _, _ = tried(text, "input.count=1", point)
            print(f"held out, trial {trial['item']}: {said(scores(held[0]))}")
        if chosen:
            # A direction that is drawn by chance takes no `winsorize`.
            text = "\n".join(line for line in text.splitlines() if not line.startswith('"direction.winsorize"'))
            values = {key: value for key, value in chosen[-1]["params"].items() if key != "direction.winsorize"}
            values = ", ".join(f"{json.dumps(key)} = {json.dumps(value)}" for key, value in values.items())
            for seed in range(3):
                chance = ["use='random-direction'", "with.project=true", f"with.seed={seed}"]
                settings = [f"stages.direction.{setting}" for setting in chance]
                held, _, _ = tried(text, "input.count=1", "search.points=[{ " + values + " }]", *settings)
                print(f"a direction by chance, {seed}: {said(scores(held[0]))}")


if __name__ == "__main__":
    match sys.argv[1:]:
        case [program, "costs"]:
            costs(program)
        case [program, "model", path, axes, *axis]:
            model(program, path, axes, *axis)
        case _:
            sys.exit(__doc__)
