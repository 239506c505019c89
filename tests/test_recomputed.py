"""Printed verdicts, computed again from the kept CSV files with csv and numpy alone."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

REPRO = Path(__file__).parents[1] / "nbs" / "repro"
# Student's t, 97.5 %, by degrees of freedom
T_QUANTILE = {
    2: 4.302652730,
    3: 3.182446305,
    4: 2.776445105,
    5: 2.570581836,
    6: 2.446911851,
    7: 2.364624252,
    15: 2.131449546,
}
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


def read(name):
    "The rows of a CSV file of results; numbers are floats."
    with open(REPRO / "results" / name, newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        for key, value in row.items():
            if key.startswith(("score.", "plain.", "margin.", "rows.")):
                row[key] = float(value)
    return rows


def alike(row):
    return np.full(6, 1 / 6)


def on_target(row):
    "All weight on the domain that the run expands."
    target = row.get("target") or row["racer"].partition(":")[0]
    return np.array([float(d == target) for d in DOMAINS])


def on_others(row):
    return (1 - on_target(row)) / 5


def paired(rows, key, arm, than, name, weights):
    "The weighed mean of a measure of the runs of `than` less that of `arm`, seed by seed."
    by_seed = {arm: {}, than: {}}
    for row in rows:
        if row[key] in by_seed:
            values = np.array([row[f"{name}.{d}"] for d in DOMAINS])
            by_seed[row[key]][int(row["seed"])] = values @ weights(row)
    return [by_seed[than][seed] - by_seed[arm][seed] for seed in sorted(by_seed[arm])]


def counting(shares):
    "How a domain may count: name -> the weights for a row."
    detected = np.array([shares[d] for d in DOMAINS])
    return {"alike": alike, "as detected": lambda row: detected}


def consistency_recipes():
    "Those of page 14: start against start, with the domains counted in two ways."
    runs, page = read("consistency_lab.csv"), "14_consistency_trial"
    about = json.loads((REPRO / "results" / "consistency_lab.json").read_text("utf-8"))
    starts = {
        "detected start better than equal shares": "uniform, fixed",
        "right profile better than a wrong one": "40 points misplaced, fixed",
    }
    for world in ("known", "half", "new"):
        rows = [row for row in runs if row["world"] == world]
        for counted, weights in counting(about["worlds"][world]["detected"]).items():
            for short, than in starts.items():
                arms = "racer", "detected, fixed", than
                where = page, short, f"lab {world}, {counted}"
                yield where, paired(rows, *arms, "score", weights)
        arms = "racer", "detected, fixed", "uniform, fixed"
        where = page, "detected start forgets less", f"lab {world}, plain"
        yield where, paired(rows, *arms, "plain", alike)


def dose_recipes():
    "Those of page 15: the expansion against rivals of its dose, mean over five targets."
    runs, page = read("equal_dose_lab.csv"), "15_expansion_trial"
    measures = {
        "at equal dose, expansion costs the others less": ("score", on_others),
        "at equal dose, expansion serves the target as well": ("score", on_target),
        "at equal dose, expansion forgets less plain text": ("plain", on_others),
    }
    for world in ("half", "known"):
        rows = [row for row in runs if row["world"] == world]
        for rival in ("others as detected", "others alike", "alone"):
            for short, measure in measures.items():
                by_target = []
                for target in DOMAINS[:-1]:
                    arms = f"{target}: expansion", f"{target}: expansion, {rival}"
                    by_target.append(paired(rows, "racer", *arms, *measure))
                yield (page, short, f"lab {world}, against {rival}"), np.mean(by_target, axis=0)


def kept_answer(page, short, setting):
    rows = json.loads((REPRO / "results" / "verdicts" / f"{page}.json").read_text("utf-8"))
    (row,) = [row for row in rows if row["short"] == short]
    (answer,) = [answer for answer in row["answers"] if answer["setting"] == setting]
    return answer


@pytest.mark.parametrize(
    "where, values",
    [*recipes(), *consistency_recipes(), *dose_recipes()],
    ids=lambda x: "-".join(map(str, x))[:90],
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
