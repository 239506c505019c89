"""Twenty printed verdicts, computed again from the kept CSV files with csv and numpy alone."""

import csv
import json
import random
from pathlib import Path

import numpy as np
import pytest

REPRO = Path(__file__).parents[1] / "nbs" / "repro"
T_QUANTILE = {2: 4.302652730, 4: 2.776445105}  # Student's t, 97.5 %, by degrees of freedom
DOMAINS = ("law", "medicine", "finance", "science", "code", "other")
DIGITS = {"nats": 3, "% of the loss": 2, "points of the loss": 1, "total variation": 3}


def losses(label):
    "(experiment, target, arm, seed) -> (losses before training, losses after the last round)."
    rounds = {}
    with open(REPRO / "results" / f"runs_{label}.csv", newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            run = row["experiment"], row["target"], row["arm"], int(row["seed"])
            values = np.array([float(row[f"loss.{d}"]) for d in DOMAINS])
            rounds.setdefault(run, {})[int(row["round"])] = values
    return {run: (by[min(by)], by[max(by)]) for run, by in rounds.items()}


RUNS = {label: losses(label) for label in ("small", "lab")}


def mean_end(label, experiment, arm):
    "Seed -> mean loss over the domains after the last round."
    runs = RUNS[label].items()
    return {r[3]: end.mean() for r, (_, end) in runs if r[0] == experiment and r[2] == arm}


def less(label, arm, than, experiment="mixtures", percent=False):
    "By how much `arm` ends with a lower mean loss: a value for each seed."
    ours, theirs = (mean_end(label, experiment, name) for name in (arm, than))
    if percent:
        return [100 * (1 - ours[seed] / theirs[seed]) for seed in sorted(ours)]
    return [theirs[seed] - ours[seed] for seed in sorted(ours)]


def expansion(label, arm, where):
    "Percent by which the loss fell, mean over targets and domains: seed -> value."
    by_seed = {}
    for (experiment, target, name, seed), (start, end) in RUNS[label].items():
        if experiment == "expansion" and name == arm:
            better = 100 * (1 - end / start)
            chosen = [(d == target) == (where == "target") for d in DOMAINS]
            by_seed.setdefault(seed, []).append(better[chosen].mean())
    return {seed: np.mean(values) for seed, values in by_seed.items()}


def expands_better(label, where, rival):
    ours, theirs = (expansion(label, arm, where) for arm in ("versatune", rival))
    return [ours[seed] - theirs[seed] for seed in sorted(ours)]


def recipes():
    "(page, short claim, setting) -> the difference for each seed."
    for label in RUNS:
        kind = f"{label}, losses"
        for arm in ("dynamic", "constant"):
            better = less(label, arm, "uniform")
            yield ("04_multi_ability", f"{arm} better than uniform", kind), better
        yield (
            ("04_multi_ability", "inverse worse than uniform", kind),
            less(label, "uniform", "inverse"),
        )
        page, moving = "05_consistency_and_dynamics", "moving better than keeping, from "
        starts = {"the detected start": ("dynamic", "constant")}
        starts["equal shares"] = "dynamic from uniform", "uniform"
        for start, (arm, than) in starts.items():
            yield (page, moving + start, label), less(label, arm, than)
        detected = "detected start better than equal shares"
        yield (page, detected, label), less(label, "constant", "uniform")
        ends = "dynamic ends better than uniform"
        yield ("12_claims", ends, label), less(label, "dynamic", "uniform", percent=True)
        for rival in ("specific_100", "uniform_non_target"):
            others = expands_better(label, "others", rival)
            setting = f"{label}, against {rival}"
            yield ("12_claims", "expansion costs the others less", setting), others
        alone = expands_better(label, "others", "specific_100")
        yield ("08_expansion_table", "others better than with the target alone", label), alone
        served = expands_better(label, "target", "specific_100")
        yield ("08_expansion_table", "target as good as trained alone", label), served


def kept_answer(page, short, setting):
    rows = json.loads((REPRO / "results" / "verdicts" / f"{page}.json").read_text("utf-8"))
    (row,) = [row for row in rows if row["short"] == short]
    (answer,) = [answer for answer in row["answers"] if answer["setting"] == setting]
    return answer


@pytest.mark.parametrize(
    "where, values",
    random.Random(0).sample(list(recipes()), 20),
    ids=lambda x: "-".join(map(str, x))[:60],
)
def test_a_printed_number_comes_out_again(where, values):
    answer, x = kept_answer(*where), np.array(values)
    assert answer["n"] == len(x)
    reach = T_QUANTILE[len(x) - 1] * x.std(ddof=1) / np.sqrt(len(x))
    shown = [
        f"{round(v, DIGITS[answer['unit']]) + 0.0:+.{DIGITS[answer['unit']]}f}"
        for v in (x.mean(), x.mean() - reach, x.mean() + reach)
    ]
    assert answer["measured"].startswith("{} ({} to {})".format(*shown))
