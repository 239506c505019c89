"""Texts per second of the classifiers by name, with and without a second stage, and a judge.

python benchmarks/classifier.py [--texts 512]

The default (n-grams and a second stage) is held against the one over sentence embeddings, both
together, the n-grams for what people write, and a language model (SmolLM2-135M in bf16) as the
judge, which gets 64 texts.
"""

import argparse
import json
import time

from versatune.data import load_data
from versatune.judge import JudgeClassifier
from versatune.models import load_model, load_tokenizer
from versatune.written import load_classifier

parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
parser.add_argument("--texts", type=int, default=512)
args = parser.parse_args()

rows = []
for domain in load_data("starter").train.values():
    rows += [messages[-1]["content"] for messages in domain["messages"]]
texts = (rows * (1 + args.texts // len(rows)))[: args.texts]

judge = JudgeClassifier(load_model("smollm2-135m", "bf16"), load_tokenizer("smollm2-135m"))
names = ("shipped", "people", "embeddings", "both")
sides = {name: (load_classifier(name), texts) for name in names} | {"judge": (judge, texts[:64])}
for classifier, given in sides.values():
    classifier.predict_proba(given[:8])  # the first call loads what is loaded once

speed = dict.fromkeys(sides, 0.0)
for _ in range(3):
    for name, (classifier, given) in sides.items():
        began = time.perf_counter()
        classifier.predict_proba(given)
        seconds = time.perf_counter() - began
        speed[name] = max(speed[name], len(given) / seconds)

ratio = {}
for name in ("people", "embeddings", "both", "judge"):
    ratio[f"shipped/{name}"] = round(speed["shipped"] / speed[name], 1)
result = dict(
    benchmark="classifier",
    unit="texts/s, best of 3",
    texts=len(texts),
    mean_characters=round(sum(map(len, texts)) / len(texts)),
)
result |= {name: round(texts_per_second, 1) for name, texts_per_second in speed.items()}
print(json.dumps(result | dict(ratio=ratio)))
