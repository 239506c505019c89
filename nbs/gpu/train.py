"""The training of many_gpus.ipynb, in one process or under `accelerate launch`.

python train.py MODEL OUT BATCH_SIZE [--precision nf4] [--rehearse]

Each process writes OUT.N.json: the bytes of parameters that process number N holds in training.
"""

import argparse
import os
from dataclasses import replace

from transformers import TrainerCallback

from versatune.basics import write_json
from versatune.data import load_data
from versatune.domains import DomainWeights
from versatune.finetune import TrainSettings, finetune
from versatune.gpu import find_model, rehearse_fsdp
from versatune.models import LoraSettings, load_model, load_tokenizer, sharded
from versatune.tokens import tokenize

SETTINGS = TrainSettings(
    rounds=2, rows_per_round=16, max_length=128, learning_rate=2e-2, lora=LoraSettings(r=8)
)


class Held(TrainerCallback):
    "Write how many bytes of parameters this process holds when training begins."

    def __init__(self, path):
        self.path = path

    def on_step_end(self, args, state, control, model=None, **_):
        n_bytes = sum(p.numel() * p.element_size() for p in model.parameters())
        kind = type(model).__name__
        write_json(self.path, dict(model=kind, bytes=n_bytes, device=str(args.device)))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("model")
    parser.add_argument("out")
    parser.add_argument("batch_size", type=int)
    parser.add_argument("--precision", default="nf4")
    parser.add_argument("--rehearse", action="store_true", help="no GPU: let FSDP run on CPUs")
    args = parser.parse_args()
    if args.rehearse and sharded():
        rehearse_fsdp()
    base = find_model(args.model)
    tokenizer, model = load_tokenizer(base), load_model(base, args.precision)
    settings = replace(SETTINGS, batch_size=args.batch_size)
    data = tokenize(load_data("starter"), tokenizer, 128, heldout_rows=2, packed=True)
    start = DomainWeights.uniform(data.domains)
    reference = dict.fromkeys(data.domains, 10.0)
    held = Held(f"{args.out}.{os.environ.get('RANK', 0)}.json")
    how = dict(settings=settings, out=args.out, progress=False, callbacks=[held])
    finetune(model, tokenizer, data, start, reference=reference, **how)


if __name__ == "__main__":
    main()
