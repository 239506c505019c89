"""The fast loop is `finetune`, the worlds' parts never meet, and a race repeats."""

import numpy as np
import pandas as pd
import pytest
from datasets import Dataset

from versatune.domains import DomainWeights
from versatune.finetune import TrainSettings, finetune
from versatune.history import Guards
from versatune.models import drop_lora, load_model
from versatune.repro.fast import Fast, FastSettings, Frozen, Run, start_adapter, train_together
from versatune.repro.race import race, racers_of, suggested
from versatune.repro.worlds import WORLDS, Ground
from versatune.reweight import VersaTune
from versatune.tokens import TokenizedData


@pytest.fixture(scope="module")
def ground():
    return Ground(WORLDS["uneven"])


def table(rows):
    "Rows as `tokenize` keeps them."
    counted = []
    for row in rows:
        supervised = sum(label != -100 for label in row["labels"][1:])
        counted.append(row | dict(cut=0, rows=1, supervised=supervised))
    return Dataset.from_list(counted)


@pytest.mark.parametrize("precision", ["fp32", "nf4"])
def test_the_fast_loop_is_finetune(ground, precision):
    train, steering = ground.parts["train"], ground.parts["steering"]
    tables = [{d: table(rows) for d, rows in part.items()} for part in (train, steering)]
    data, start = TokenizedData(*tables, {}, "worlds"), ground.detected
    reference, rule = dict.fromkeys(ground.sizes, 0.8), VersaTune(1.0)
    model = load_model(ground.folder, precision, device="cpu")
    size = dict(rounds=3, rows_per_round=20, batch_size=8, learning_rate=5e-3)
    how = TrainSettings(**size, seed=3)
    asked = model, ground.tokenizer, data, start, rule, reference, how
    tuned = finetune(*asked, progress=False, guards=Guards.paper())
    drop_lora(tuned.model)
    adapters = [start_adapter(model, seed=3)]
    fast = Fast(Frozen(model), train, ground.prefix, adapters, FastSettings(**size))
    run = train_together(fast, [Run(start, rule, reference, seed=3)], steering)[0]
    assert np.abs(tuned.history.losses - run.history.losses).to_numpy().max() < 0.005
    assert np.abs(tuned.history.weights - run.history.weights).to_numpy().max() < 0.005
    assert (tuned.history.frame("rows") == run.history.frame("rows")).all(None)


def test_a_small_race_computes_and_repeats(ground):
    best = {"equal": DomainWeights.uniform(ground.sizes)}
    racers = racers_of(ground, best, FastSettings(rounds=2, rows_per_round=16))
    first = pd.DataFrame(race(ground, racers, 0))
    assert first.racer.tolist().count("EqualGain") == 1 and len(first) == len(racers)
    scores = first.filter(like="score.")
    assert np.isfinite(scores).all(None) and (first.filter(like="rows.").sum(axis=1) == 32).all()
    equal = first[first.racer.isin(["Uniform", "best fixed"])].filter(like="score.")
    assert np.allclose(equal.iloc[0], equal.iloc[1], atol=1e-3)  # the same mixture, twice
    alone = race(ground, [racer for racer in racers if racer.name == "ODM"], 0)
    again = pd.DataFrame(alone).filter(like="score.")
    assert np.allclose(again, first[first.racer == "ODM"].filter(like="score."), atol=1e-3)


def test_the_search_finds_what_made_up_losses_hide():
    rng, importance = np.random.default_rng(0), dict(law=2 / 3, code=1 / 6, other=1 / 6)
    rows = []
    for shares in rng.dirichlet([3, 3, 3], 60):
        row = {}
        for domain, share in zip(importance, shares):
            row |= {f"rows.{domain}": 1000 * share, f"score.{domain}": 1 + (share + 0.05) ** -0.5}
        rows.append(row)
    best = suggested(rows, importance, 1)[0]
    assert abs(sum(best.values()) - 1) < 1e-9
    assert 1.8 < best["law"] / best["code"] < 3.4 and best["law"] > 0.5
