"""Texts per second of the shipped linear classifier against sentence embeddings and a language model as the judge, in one run.

python benchmarks/classifier.py [--texts 512]
"""

import argparse
import json
import time

from versatune.classify import JudgeClassifier, load_classifier
from versatune.data import load_data
from versatune.models import load_model, load_tokenizer

parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
parser.add_argument("--texts", type=int, default=512)
args = parser.parse_args()

rows = [
    m[-1]["content"] for domain in load_data("starter").train.values() for m in domain["messages"]
]
texts = (rows * (1 + args.texts // len(rows)))[: args.texts]
sides = {
    "linear": (load_classifier(), texts),
    "embeddings": (load_classifier("embeddings"), texts),
    "judge": (
        JudgeClassifier(load_model("smollm2-135m", "bf16"), load_tokenizer("smollm2-135m")),
        texts[:64],
    ),
}
speed = dict.fromkeys(sides, 0.0)
for clf, few in sides.values():
    clf.predict_proba(few[:8])
for _ in range(3):
    for name, (clf, given) in sides.items():
        began = time.perf_counter()
        clf.predict_proba(given)
        speed[name] = max(speed[name], len(given) / (time.perf_counter() - began))
print(
    json.dumps(
        dict(
            benchmark="classifier",
            unit="texts/s, best of 3",
            texts=len(texts),
            mean_characters=round(sum(map(len, texts)) / len(texts)),
            **{name: round(s, 1) for name, s in speed.items()},
            ratio={
                f"linear/{name}": round(speed["linear"] / s, 1)
                for name, s in speed.items()
                if name != "linear"
            },
        )
    )
)
