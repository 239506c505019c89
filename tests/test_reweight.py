"""What must hold for the paper's rules whatever the numbers: 10,000 generated cases each."""

import math

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from versatune.domains import DomainWeights
from versatune.history import Guards, take_step
from versatune.reweight import Constant, DomainExpansion, Signals, VersaTune
from versatune.rivals import ADO, ODM, DoReMi, ExpLoss, SkillIt

loss = st.floats(1e-3, 20)
share = st.floats(1e-6, 1)
sigma, delta, epsilon = st.floats(0, 50), st.floats(1e-3, 0.999), st.floats(0, 100)
always = settings(
    max_examples=10_000,
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
