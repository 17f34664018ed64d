"""Milliseconds that Optuna takes for a suggestion: cost.rs asks."""
import json, statistics, sys, time, warnings
import optuna
from optuna.distributions import CategoricalDistribution, FloatDistribution
from optuna.trial import TrialState, create_trial

warnings.simplefilter("ignore")
optuna.logging.set_verbosity(optuna.logging.ERROR)
given = json.load(sys.stdin)
space = {
    d["name"]: CategoricalDistribution(d["choices"]) if "choices" in d else FloatDistribution(d["min"], d["max"])
    for d in given["space"]
}
sampler = optuna.samplers.TPESampler(seed=1, multivariate=True, n_startup_trials=60, n_ei_candidates=128)
study = optuna.create_study(directions=["minimize"] * 2, sampler=sampler)
study.add_trials([create_trial(params=t["values"], distributions=space, values=t["losses"]) for t in given["trials"]])
times = []
for _ in range(21):
    start = time.perf_counter()
    trial = study.ask(space)
    times.append(time.perf_counter() - start)
    study.tell(trial, state=TrialState.FAIL)
print(1e3 * statistics.median(times))
