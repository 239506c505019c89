"""What must hold for the paper's rules whatever the numbers: 1,000 generated cases each.

With VERSATUNE_FUZZ=10000 that many; those that write files or record whole runs are fewer."""

import json
import math
import os
import tempfile

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from versatune.basics import InputError, write_json
from versatune.domains import DomainWeights, check_domain_name
from versatune.guards import Guards, take_step
from versatune.history import History
from versatune.history import read_text_table
from versatune.reweight import Constant, DomainExpansion, Signals, VersaTune, check_rule
from versatune.rivals import ADO, ODM, DoReMi, ExpLoss, SkillIt

loss = st.floats(1e-3, 20)
share = st.floats(1e-6, 1)
sigma, delta, epsilon = st.floats(0, 50), st.floats(1e-3, 0.999), st.floats(0, 100)
always = settings(
    max_examples=int(os.environ.get("VERSATUNE_FUZZ", 1_000)),
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
EPS = 1e-9
RIVALS = (ExpLoss(), DoReMi(), ODM(), SkillIt(), ADO())


@st.composite
def signals(draw):
    names = [f"d{i}" for i in range(draw(st.integers(2, 5)))]

    def column(numbers):
        values = draw(st.lists(numbers, min_size=len(names), max_size=len(names)))
        return dict(zip(names, values))

    return Signals(
        1,
        DomainWeights.from_counts(column(share)),
        losses=column(loss),
        before=column(loss),
        reference=column(loss),
        tokens=column(st.integers(1, 10**6)),
    )


def altered(s, **changes):
    "The signals with some of their fields changed."
    names = "weights", "losses", "before", "reference", "tokens", "state"
    fields = {name: getattr(s, name) for name in names}
    return Signals(s.round, **fields | changes)


def close(a, b):
    return a.keys() == b.keys() and all(math.isclose(a[d], b[d], abs_tol=EPS) for d in a)


def weights_of(rule, s):
    answer = rule(s)
    return DomainWeights(answer[0] if isinstance(answer, tuple) else answer)


def papers_rules(s, sigma=0.5, delta=0.1, epsilon=1.0):
    target = next(iter(s.weights))
    return (
        VersaTune(sigma),
        DomainExpansion(target, delta, epsilon),
        DomainExpansion(target, delta, epsilon, "reweight", sigma),
    )


@always
@given(signals(), sigma, delta, epsilon)
def test_weights_stay_a_distribution(s, sigma, delta, epsilon):
    for rule in (*papers_rules(s, sigma, delta, epsilon), *RIVALS):
        w = weights_of(rule, s)
        assert list(w) == list(s.weights)
        assert min(w.values()) >= 0
        assert math.isclose(sum(w.values()), 1, abs_tol=EPS)


@always
@given(signals(), st.randoms(use_true_random=False))
def test_permuting_the_domains_permutes_the_result(s, random):
    order = list(s.weights)
    random.shuffle(order)
    turned = altered(s, weights=DomainWeights({d: s.weights[d] for d in order}))
    for rule in (*papers_rules(s), *RIVALS):
        assert close(weights_of(rule, s), weights_of(rule, turned))


@always
@given(signals(), st.floats(0.01, 100))
def test_scaling_all_losses_changes_neither_signal(s, factor):
    names = "losses", "before", "reference"
    scaled_losses = {}
    for name in names:
        scaled_losses[name] = {d: l * factor for d, l in getattr(s, name).items()}
    scaled = altered(s, **scaled_losses)
    assert close(s.gamma, scaled.gamma)
    for d, phi in s.phi.items():
        assert math.isclose(phi, scaled.phi[d], rel_tol=EPS, abs_tol=EPS)
    assert close(VersaTune()(s), VersaTune()(scaled))


@always
@given(signals())
def test_sigma_zero_is_constant(s):
    assert close(VersaTune(sigma=0)(s), Constant()(s))


@always
@given(signals(), delta, epsilon)
def test_expansion_never_lowers_the_target_nor_passes_one_and_keeps_the_others_in_proportion(
    s, delta, epsilon
):
    target, *others = s.weights
    new = DomainExpansion(target, delta, epsilon)(s)
    assert s.weights[target] - EPS <= new[target] <= 1
    factor = (1 - new[target]) / (1 - s.weights[target])
    assert all(math.isclose(new[d], s.weights[d] * factor, abs_tol=EPS) for d in others)


@always
@given(signals(), sigma, st.floats(0, 0.999))
def test_equal_potential_leaves_the_weights_alone(s, sigma, gamma):
    level = altered(s, reference={d: l * (1 - gamma) for d, l in s.losses.items()})
    for d, w in VersaTune(sigma)(level).items():
        assert math.isclose(w, s.weights[d], abs_tol=1e-7)


@always
@given(signals(), sigma)
def test_higher_potential_never_loses_against_lower(s, sigma):
    w, gamma = VersaTune(sigma)(s), s.gamma
    growth = {d: w[d] / s.weights[d] for d in w}
    best, least = max(gamma, key=gamma.get), min(gamma, key=gamma.get)
    assert growth[best] >= growth[least] * (1 - 1e-6)


@always
@given(signals(), sigma)
def test_guards_hold_the_floor_and_the_paper_preset_changes_nothing(s, sigma):
    rule = VersaTune(sigma)
    held, bare = take_step(rule, s), take_step(rule, s, Guards.paper())
    assert all(w >= min(Guards().least, s.weights[d]) - EPS for d, w in held.weights.items())
    assert close(bare.weights, rule(s))
    changed = not close(held.weights, bare.weights)
    assert not changed or any(r.kind == "starved" for r in held.reports)


some, few = settings(always, max_examples=500), settings(always, max_examples=100)


def could_be_a_name(text):
    try:
        return check_domain_name(text) == text
    except InputError:
        return False


names = st.text(min_size=1, max_size=20).filter(could_be_a_name)


@few
@given(st.lists(names, min_size=2, max_size=5, unique=True), st.floats(0.1, 9))
def test_every_name_that_is_let_in_survives_every_file(names, value):
    history = History(reference=dict.fromkeys(names, value))
    history.begin(dict.fromkeys(names, 2 * value), DomainWeights.uniform(names))
    history.advance(VersaTune(), dict.fromkeys(names, value), dict.fromkeys(names, 3))
    with tempfile.TemporaryDirectory() as folder:
        losses = read_text_table(history.save(folder))
        weights = read_text_table(f"{folder}/weights.csv")
        saved = dict(rounds=history.rounds, reference=history.reference)
        again = History.load(write_json(f"{folder}/history.json", saved))
        uniform = DomainWeights.load(DomainWeights.uniform(names).save(f"{folder}/w.json"))
    assert losses.domain.tolist() == weights.domain.tolist() == names * 2
    assert losses.loss.tolist() == [2 * value] * len(names) + [value] * len(names)
    assert again.rounds == history.rounds and again.reference == history.reference
    assert uniform.domains == tuple(names)


@few
@given(st.lists(signals(), min_size=1, max_size=1), st.data())
def test_a_recorded_run_is_the_run_that_is_told_of_every_round(first, data):
    s = first[0]
    losses = st.fixed_dictionaries({d: st.none() | loss for d in s.weights})
    told = data.draw(st.lists(losses, min_size=1, max_size=12))
    history, rule = History(reference=s.reference), SkillIt(eta=5, window=2)
    history.begin(dict(s.losses), s.weights)
    shares, measured, state = [s.weights], [dict(s.losses)], {}
    for t, now in enumerate(told, 1):
        known = {}
        for entry in measured:
            for d, l in entry.items():
                if l is not None:
                    known.setdefault(d, []).append(l)
        before = {d: ls[-1] for d, ls in known.items()}
        lowest = {d: min(ls) for d, ls in known.items()}
        heard = Signals(t, shares[-1], now, before, s.reference, state=state)
        step = take_step(rule, heard, past=shares[:-1], lowest=lowest)
        assert history.advance(rule, now) == step
        shares, measured, state = [*shares, step.weights], [*measured, now], step.state
    assert [e["state"] for e in history.rounds[:-1]] == [{}] * len(told)


@settings(always, max_examples=20)
@given(signals())
def test_no_rule_of_ours_needs_more_than_a_bounded_memory(s):
    for rule in RIVALS:
        state, sizes = None, []
        for t in range(1, 200):
            tokens = {d: t * n for d, n in s.tokens.items()}
            answer = rule(Signals(t, s.weights, s.losses, s.before, s.reference, tokens, state))
            state = answer[1] if isinstance(answer, tuple) else None
            sizes.append(len(json.dumps(state)))
        assert max(sizes[100:]) <= 1.2 * max(sizes[:100])


@some
@given(signals(), st.sampled_from([math.nan, math.inf, -math.inf, -1.5, None, "2", True]))
def test_a_reference_that_is_no_loss_is_refused_wherever_it_is_handed_over(s, wrong):
    target = next(iter(s.weights))
    bad = dict(s.reference) | {target: wrong}
    for hand_over in (
        lambda: altered(s, reference=bad),
        lambda: History(reference=bad),
        lambda: check_rule(DomainExpansion(target), s.weights, bad),
    ):
        with pytest.raises(InputError, match=f"reference loss of domain '{target}' is"):
            hand_over()


@some
@given(signals())
def test_every_rule_of_ours_is_fit_for_any_domains(s):
    for rule in (*papers_rules(s), *RIVALS):
        assert check_rule(rule, s.weights) is rule
        assert check_rule(rule, s.weights, s.reference) is rule


@few
@given(st.floats(0.001, 0.004), st.integers(40, 80))
def test_slow_forgetting_is_reported_once_when_it_adds_up(rise, n_rounds):
    history, now = History(), 2.0
    history.begin(dict(a=now, b=1.0), DomainWeights(dict(a=0.5, b=0.5)))
    for _ in range(n_rounds):
        now *= 1 + rise
        history.advance(Constant(), dict(a=now, b=1.0))
    told = [r for r in history.reports if r["kind"] == "drifted"]
    assert len(told) == (now / 2.0 - 1 > Guards().drift)
    assert all(r["domains"] == ["a"] for r in told)
