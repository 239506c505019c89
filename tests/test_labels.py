"""Prediction-powered shares against ppi-python, and the widget, where those packages are there."""

import numpy as np
import pytest

from versatune.classify import LinearClassifier
from versatune.detect import profile_from
from versatune.domains import DOMAINS, DomainWeights
from versatune.lab import Lab
from versatune.labels import labelled_shares, powered_mean


def labelled(seed, n_all=600, share=0.3):
    "What a person would say of each text, and what a classifier says."
    rng = np.random.default_rng(seed)
    y = (rng.random(n_all) < share).astype(float)
    return y, np.clip(0.2 + 0.5 * y + 0.4 * rng.normal(size=n_all), 0, 1)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("n", [40, 200])
def test_equals_ppi_python(seed, n):
    ppi = pytest.importorskip("ppi_py")
    y, f = labelled(seed)
    mean, variance, _ = powered_mean(y[:n], f[:n], f)
    assert mean == pytest.approx(
        float(ppi.ppi_mean_pointestimate(y[:n], f[:n], f[n:])[0]), abs=1e-9
    )
    low, high = ppi.ppi_mean_ci(y[:n], f[:n], f[n:], alpha=0.05)
    se = float(high[0] - low[0]) / 2 / 1.959964
    assert variance**0.5 == pytest.approx(se, rel=0.08)


def test_variance_is_that_of_many_redraws():
    rng, estimates, variances = np.random.default_rng(0), [], []
    y, f = labelled(0, n_all=50_000)
    for _ in range(2000):
        drawn = rng.integers(0, len(y), 400)
        mean, variance, _ = powered_mean(y[drawn[:100]], f[drawn[:100]], f[drawn])
        estimates.append(mean)
        variances.append(variance)
    assert np.mean(estimates) == pytest.approx(y.mean(), abs=0.004)
    assert np.var(estimates) == pytest.approx(np.mean(variances), rel=0.12)


def test_a_useless_classifier_costs_nothing():
    rng = np.random.default_rng(1)
    target = rng.choice(6, 1000, p=[0.05, 0.1, 0.1, 0.15, 0.2, 0.4])
    proba = rng.dirichlet(np.ones(6), 1000)
    found = labelled_shares(target[:200], np.arange(200), proba)
    assert found.worth == pytest.approx(np.full(6, 200), rel=0.1)
    assert found.share.sum() == pytest.approx(1)


def test_the_widget_labels(tmp_path):
    pytest.importorskip("ipywidgets")
    from versatune.labelling import label_texts

    lab = Lab(overlap=0.7)
    texts, _ = lab.texts(DomainWeights.uniform(), 60, seed=3)
    clf = LinearClassifier.fit(*lab.texts(DomainWeights.uniform(), 200, seed=1))
    profile = profile_from(texts, clf)
    widget = label_texts(texts, tmp_path / "ann.jsonl", "ann", profile=profile, classifier=clf)
    for key in "666566656u":
        widget.press(key)
    widget.keys.value = "3"
    assert widget.keys.value == ""
    buttons = widget.box.children[1].children
    assert [b.description for b in buttons] == [
        *(f"{i} {d}" for i, d in enumerate(DOMAINS, 1)),
        "u undo",
    ]
    buttons[0].click()
    assert len(widget.labelling.labels) == 10
    assert "KnowledgeProfile" in widget.table.value
    assert (tmp_path / "ann.jsonl").read_text().count("\n") == 10
