"""Both sampling engines draw from one distribution; only where vllm is installed."""

import numpy as np
import pytest
from scipy.stats import chi2_contingency, ks_2samp

from versatune.lab import lab_model
from versatune.models import load_model, load_tokenizer
from versatune.sample import SampleSettings, sample_texts

N = 2048


@pytest.fixture(scope="module")
def engines():
    "Engine -> the rows of N texts of the lab's model."
    vllm = pytest.importorskip("vllm")
    folder = str(lab_model())
    tokenizer = load_tokenizer(folder)
    llm = vllm.LLM(model=folder, dtype="float32", max_model_len=128, enforce_eager=True)
    models = dict(hf=load_model(folder, "fp32", device="cpu"), vllm=llm)
    rows = {}
    for engine, model in models.items():
        settings = SampleSettings(n=N, max_new_tokens=40, batch_size=256, seed=3, engine=engine)
        rows[engine] = sample_texts(model, tokenizer, settings, progress=False).rows
    return rows


def first_words(rows):
    return [row["text"].split(" ")[0] for row in rows]


def test_lengths_are_drawn_from_one_distribution(engines):
    lengths = {engine: [row["n_tokens"] for row in rows] for engine, rows in engines.items()}
    assert ks_2samp(lengths["hf"], lengths["vllm"]).pvalue > 1e-3
    ended = [np.mean([row["ended"] for row in rows]) for rows in engines.values()]
    assert abs(ended[0] - ended[1]) < 0.06


def test_first_tokens_are_drawn_from_one_distribution(engines):
    words = {engine: first_words(rows) for engine, rows in engines.items()}
    common = [w for w in sorted(set(words["hf"])) if words["hf"].count(w) >= 10]
    counts = [[words[engine].count(w) for w in common] for engine in words]
    rest = [[N - sum(row)] for row in counts]
    table = np.hstack([counts, rest])
    table = table[:, table.sum(0) > 0]
    assert table.shape[1] > 5  # there is something to tell apart
    assert chi2_contingency(table).pvalue > 1e-3
