"""Debts of `draw`: over random schedules no domain strays a row from what it was asked for."""

import json

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from versatune.compose import draw
from versatune.domains import DomainWeights

ROUNDS = 12


def schedule(seed):
    "A generator, the sizes of some domains, and how uneven the weights are."
    rng = np.random.default_rng(seed)
    sizes = {f"d{i}": int(rng.integers(1, 60)) for i in range(rng.integers(2, 9))}
    return rng, sizes, rng.choice([0.3, 1, 5])


def weights_of(rng, sizes, spread):
    shares = rng.dirichlet(np.full(len(sizes), spread)) + 1e-9
    return DomainWeights.from_counts(dict(zip(sizes, shares)))


@settings(max_examples=400, deadline=None, derandomize=True)
@given(st.integers(0, 10**6))
def test_rows_stay_within_one_of_the_request(seed):
    rng, sizes, spread = schedule(seed)
    cursors = owed = None
    asked = dict.fromkeys(sizes, 0.0)
    for t in range(ROUNDS):
        weights, n = weights_of(rng, sizes, spread), int(rng.integers(0, 50))
        plan = draw(sizes, weights, n, cursors, seed, t, owed=owed)
        backwards = {d: sizes[d] for d in reversed(sizes)}
        again = draw(backwards, weights, n, cursors, seed, t, owed=owed)
        assert (again.domains, again.rows) == (plan.domains, plan.rows)
        cursors, owed = (
            plan.cursors,
            json.loads(json.dumps(plan.owed)),
        )  # as a checkpoint keeps them
        assert len(plan) == n
        for d in sizes:
            asked[d] += n * weights[d]
            assert abs(asked[d] - cursors[d]) < 1


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.integers(0, 10**6))
def test_tokens_stay_within_the_longest_row(seed):
    rng, sizes, spread = schedule(seed)
    lengths = {d: np.ceil(rng.lognormal(rng.uniform(2, 5), 0.8, k)) for d, k in sizes.items()}
    longest = max(row.max() for row in lengths.values())
    cursors = owed = None
    asked, drawn = dict.fromkeys(sizes, 0.0), dict.fromkeys(sizes, 0.0)
    for t in range(ROUNDS):
        weights, n = weights_of(rng, sizes, spread), int(rng.integers(1, 50))
        plan = draw(sizes, weights, n, cursors, seed, t, supervised=lengths, owed=owed)
        cursors, owed = plan.cursors, plan.owed
        n_tokens = [lengths[d][row] for d, row in zip(plan.domains, plan.rows)]
        for d, k in zip(plan.domains, n_tokens):
            drawn[d] += k
        for d in sizes:
            asked[d] += weights[d] * sum(n_tokens)
            assert abs(asked[d] - drawn[d]) < longest


def test_an_exhausted_domain_owes_nothing_for_ever():
    even, cursors, owed = DomainWeights(dict(a=0.5, b=0.5)), None, None
    for supervised in (None, dict(a=[7] * 5, b=[3] * 900)):
        for t in range(50):
            sizes = dict(a=5, b=900)
            plan = draw(sizes, even, 9, cursors, 0, t, 1, supervised=supervised, owed=owed)
            cursors, owed = plan.cursors, plan.owed
            assert len(plan) == 9
        assert abs(owed["a"]) < 1
        cursors = owed = None


def test_a_small_share_gets_its_rows():
    weights, cursors, owed = DomainWeights(dict(law=0.01, code=0.99)), None, None
    for t in range(100):
        plan = draw(dict(law=50, code=500), weights, 24, cursors, 0, t, owed=owed)
        cursors, owed = plan.cursors, plan.owed
    assert cursors["law"] == 24
