"""QLoRA tokens per second and peak memory: trl's SFTTrainer against `finetune`, on the same rows.

python benchmarks/throughput.py [--rows 96] [--batch 8] [--repeats 2]

`finetune` is run padded and packed; Unsloth takes part where it is installed. Each side runs in a
process of its own, so that peak memory is its own.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec

SIDES = ("SFTTrainer", "versatune", "versatune, packed")
if find_spec("unsloth"):
    SIDES += ("Unsloth",)

parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
parser.add_argument("--model", default="smollm2-135m")
parser.add_argument("--data", default="starter")
parser.add_argument("--rows", type=int, default=96)
parser.add_argument("--batch", type=int, default=8)
parser.add_argument("--length", type=int, default=512)
parser.add_argument("--repeats", type=int, default=2)
parser.add_argument("--side", help="run only this side, and print its own JSON")
args = parser.parse_args()


def unsloth_model():
    """The model in 4 bits with the same LoRA, as Unsloth loads it (not run yet for want of it)."""
    from unsloth import FastLanguageModel

    from versatune.models import LoraSettings
    from versatune.places import locate

    how = dict(max_seq_length=args.length, load_in_4bit=True)
    model, _ = FastLanguageModel.from_pretrained(str(locate(args.model)), **how)
    lora = LoraSettings()
    return FastLanguageModel.get_peft_model(model, r=lora.r, lora_alpha=lora.alpha)


def train_sft(adapted, tokenizer, data, start):
    """One epoch of trl's SFTTrainer as it comes: (tokens trained on, seconds)."""
    from trl import SFTConfig, SFTTrainer

    from versatune.compose import compose

    rows = compose(data, start, args.rows).remove_columns("domain")
    with tempfile.TemporaryDirectory() as folder:
        config = SFTConfig(
            folder,
            num_train_epochs=1,
            per_device_train_batch_size=args.batch,
            learning_rate=2e-4,
            max_length=args.length,
            assistant_only_loss=False,
            use_cpu=adapted.device.type == "cpu",
            bf16=True,
            activation_checkpointing=False,
            report_to=[],
            save_strategy="no",
            logging_strategy="no",
            disable_tqdm=True,
        )
        more = dict(processing_class=tokenizer)
        trainer = SFTTrainer(adapted, config, train_dataset=rows, **more)
        n_tokens = sum(len(row["input_ids"]) for row in trainer.train_dataset)
        began = time.perf_counter()
        trainer.train()
        return n_tokens, time.perf_counter() - began


def train_versatune(model, tokenizer, data, start, packed):
    """One round of `finetune`: (tokens trained on, seconds)."""
    from versatune.finetune import TrainSettings, finetune
    from versatune.reweight import Constant
    from versatune.tokens import tokenize

    tokens = tokenize(data, tokenizer, args.length, heldout_rows=1, packed=packed)
    unpacked = tokenize(data, tokenizer, args.length, heldout_rows=1)
    packs_per_row = sum(tokens.sizes.values()) / sum(unpacked.sizes.values())
    settings = TrainSettings(
        rounds=1,
        rows_per_round=max(1, round(args.rows * packs_per_row)),
        batch_size=max(1, round(args.batch * packs_per_row)) if packed else args.batch,
        max_length=args.length,
        packed=packed,
    )
    began = time.perf_counter()
    more = dict(settings=settings, progress=False)
    tuned = finetune(model, tokenizer, tokens, start, Constant(), **more)
    n_tokens = 0
    for domain, n_rows in tuned.history.rounds[-1]["rows"].items():
        mean_length = sum(map(len, tokens.train[domain]["input_ids"])) / tokens.sizes[domain]
        n_tokens += n_rows * mean_length
    return n_tokens, time.perf_counter() - began


def measure(side):
    """Tokens a second that one side trains on, without padding, and its peak memory."""
    import torch

    from versatune.data import load_data
    from versatune.domains import DomainWeights
    from versatune.models import add_lora, load_model, load_tokenizer

    if side == "Unsloth":
        model = unsloth_model()
    else:
        model = load_model(args.model)
    tokenizer = load_tokenizer(args.model)
    data = load_data(args.data)
    start = DomainWeights.uniform(data.domains)
    if side in ("SFTTrainer", "Unsloth"):
        adapted = model if side == "Unsloth" else add_lora(model)
        n_tokens, seconds = train_sft(adapted, tokenizer, data, start)
    else:
        packed = side == "versatune, packed"
        n_tokens, seconds = train_versatune(model, tokenizer, data, start, packed)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    if torch.cuda.is_available():
        memory = torch.cuda.max_memory_allocated() / 2**30
    return dict(
        tokens_per_second=round(n_tokens / seconds, 1),
        seconds=round(seconds, 1),
        tokens=round(n_tokens),
        peak_memory_gib=round(memory, 2),
        threads=torch.get_num_threads(),
        torch=torch.__version__,
    )


def in_a_process(side):
    """What `measure` gives in a process of its own."""
    command = [sys.executable, *sys.argv, "--side", side]
    finished = subprocess.run(command, capture_output=True, text=True)
    if finished.returncode:
        sys.exit(finished.stderr)
    return json.loads(finished.stdout.strip().splitlines()[-1])


def compare():
    """The best of each side, and its ratio to SFTTrainer's."""
    all_runs = {side: [] for side in SIDES}
    for _ in range(args.repeats):
        for side, runs in all_runs.items():
            runs.append(in_a_process(side))
    speed = "tokens_per_second"
    best, ratio = {}, {}
    for side, runs in all_runs.items():
        best[side] = max(runs, key=lambda r: r[speed])
        if side != "SFTTrainer":
            ratio[side] = round(best[side][speed] / best["SFTTrainer"][speed], 2)
    return dict(
        benchmark="throughput",
        unit="tokens/s, best of repeats",
        model=args.model,
        rows=args.rows,
        batch=args.batch,
        **best,
        ratio=ratio,
    )


if __name__ == "__main__":
    print(json.dumps(measure(args.side) if args.side else compare()))
