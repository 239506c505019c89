"""QLoRA tokens per second and peak memory: trl's SFTTrainer as it comes, against `finetune`, padded and packed, on the same rows, in one run.

python benchmarks/throughput.py [--rows 96] [--batch 8] [--repeats 2]. Each side runs in a process of its own, so that peak memory is its own.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time

parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
parser.add_argument("--model", default="smollm2-135m")
parser.add_argument("--data", default="starter")
parser.add_argument("--rows", type=int, default=96)
parser.add_argument("--batch", type=int, default=8)
parser.add_argument("--length", type=int, default=512)
parser.add_argument("--repeats", type=int, default=2)
parser.add_argument("--side", help="run only this side, and print its own JSON")
args = parser.parse_args()


def measure(side):
    """Trains one round of uniform shares; the supervised and all tokens that were really trained on, a second."""
    import torch
    from versatune.compose import compose
    from versatune.tokens import tokenize
    from versatune.data import load_data
    from versatune.domains import DomainWeights
    from versatune.models import add_lora, load_model, load_tokenizer
    from versatune.reweight import Constant
    from versatune.finetune import TrainSettings, finetune

    tokenizer, model, data = (
        load_tokenizer(args.model),
        load_model(args.model),
        load_data(args.data),
    )
    start = DomainWeights.uniform(data.domains)
    with tempfile.TemporaryDirectory() as folder:
        if side == "SFTTrainer":
            from trl import SFTConfig, SFTTrainer

            rows = compose(data, start, args.rows)
            config = SFTConfig(
                folder,
                num_train_epochs=1,
                per_device_train_batch_size=args.batch,
                learning_rate=2e-4,
                max_length=args.length,
                assistant_only_loss=False,
                use_cpu=model.device.type == "cpu",
                bf16=True,
                activation_checkpointing=False,
                report_to=[],
                save_strategy="no",
                logging_strategy="no",
                disable_tqdm=True,
            )
            trainer = SFTTrainer(
                add_lora(model),
                config,
                train_dataset=rows.remove_columns("domain"),
                processing_class=tokenizer,
            )
            n = sum(len(r["input_ids"]) for r in trainer.train_dataset)
            began = time.perf_counter()
            trainer.train()
        else:
            packed = side == "versatune, packed"
            tokens = tokenize(data, tokenizer, args.length, heldout_rows=1, packed=packed)
            whole = tokenize(data, tokenizer, args.length, heldout_rows=1)
            share = sum(tokens.sizes.values()) / sum(whole.sizes.values())
            settings = TrainSettings(
                rounds=1,
                rows_per_round=max(1, round(args.rows * share)),
                batch_size=max(1, round(args.batch * share)) if packed else args.batch,
                max_length=args.length,
                packed=packed,
            )
            began = time.perf_counter()
            tuned = finetune(
                model, tokenizer, tokens, start, Constant(), settings=settings, progress=False
            )
            n = sum(
                r * sum(map(len, tokens.train[d]["input_ids"])) / tokens.sizes[d]
                for d, r in tuned.history.rounds[-1]["rows"].items()
            )
        seconds = time.perf_counter() - began
    memory = (
        torch.cuda.max_memory_allocated() / 2**30
        if torch.cuda.is_available()
        else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    )
    return dict(
        tokens_per_second=round(n / seconds, 1),
        seconds=round(seconds, 1),
        tokens=round(n),
        peak_memory_gib=round(memory, 2),
        threads=torch.get_num_threads(),
        torch=torch.__version__,
    )


if args.side:
    print(json.dumps(measure(args.side)))
else:
    sides = {side: [] for side in ("SFTTrainer", "versatune", "versatune, packed")}
    for _ in range(args.repeats):
        for side in sides:
            done = subprocess.run(
                [sys.executable, *sys.argv, "--side", side], capture_output=True, text=True
            )
            if done.returncode:
                sys.exit(done.stderr)
            sides[side].append(json.loads(done.stdout.strip().splitlines()[-1]))
    best = {side: max(runs, key=lambda r: r["tokens_per_second"]) for side, runs in sides.items()}
    ratio = {
        side: round(r["tokens_per_second"] / best["SFTTrainer"]["tokens_per_second"], 2)
        for side, r in best.items()
        if side != "SFTTrainer"
    }
    print(
        json.dumps(
            dict(
                benchmark="throughput",
                unit="tokens/s, best of repeats",
                model=args.model,
                rows=args.rows,
                batch=args.batch,
                **best,
                ratio=ratio,
            )
        )
    )
