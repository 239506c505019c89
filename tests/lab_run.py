"""One real fine-tuning of the lab model, logged row by row, for tests that kill or starve it.

python tests/lab_run.py DATA OUT BATCH_SIZE [fsdp] [stop] runs it once in fp32; on several processes
under `torch.distributed.run`, or with fsdp, which cuts it up over them, under `accelerate launch`.
With stop it ends after its second round, before that is saved.
"""

import os
import sys
from dataclasses import replace
from pathlib import Path

from versatune.data import load_data
from versatune.domains import DomainWeights, write_json
from versatune.finetune import TrainSettings, finetune
from versatune.lab import Lab, lab_model, lab_rows
from versatune.models import load_model, load_tokenizer
from versatune.tokens import tokenize
from versatune.view import MixtureView

START = DomainWeights(dict(law=0.5, code=0.25, other=0.25))
SETTINGS = TrainSettings(
    rounds=3, rows_per_round=24, batch_size=8, learning_rate=3e-3, max_length=256
)


def write_data(folder):
    for domain in START:
        write_json(Path(folder) / f"{domain}.json", lab_rows(Lab(sentences=2), domain, 40))


def log_rows(path):
    """Append a line for each row that is read for training: round, slot, domain, row.

    One write a line, so that a kill leaves whole lines. What is tried with another plan before the
    training (`check_follows`, `check_batch`) is left out.
    """
    read, set_round = MixtureView.rows, MixtureView.set_round

    def remembered(view, *place):
        set_round(view, *place)
        view.drawn = view.plan

    def logged(view, slots):
        if view.plan is not view.drawn:
            return read(view, slots)
        fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        for i in slots:
            os.write(fd, f"{view.round} {i} {view.plan.domains[i]} {view.plan.rows[i]}\n".encode())
        os.close(fd)
        return read(view, slots)

    MixtureView.rows, MixtureView.set_round = logged, remembered


def train(data, out, precision="nf4", on_round=None, save_steps=None, **settings):
    log_rows(Path(out).with_suffix(".rows"))
    return finetuned(data, out, precision, on_round, save_steps, **settings)


def finetuned(
    data, out, precision="nf4", on_round=None, save_steps=None, tokenizer=None, **settings
):
    tokenizer, settings = tokenizer or load_tokenizer(lab_model()), replace(SETTINGS, **settings)
    tokens = tokenize(load_data(data, heldout_fraction=0.2), tokenizer, settings.max_length)
    return finetune(
        load_model(lab_model(), precision, device="cpu"),
        tokenizer,
        tokens,
        START,
        reference=dict.fromkeys(START, 1.0),
        settings=settings,
        out=out,
        on_round=on_round,
        progress=False,
        save_steps=save_steps,
    )


def stop_in_two(entry):
    if entry["round"] == 2:
        raise SystemExit(1)


def killable(data, out):
    train(data, out, save_steps=2)


def out_of_disk(data, out, told, size):
    """No file may grow beyond `size` bytes from round 2 on, as on a full disk.

    `told` takes the error.
    """
    import resource
    import signal

    def fill(entry):
        if entry["round"] == 2:
            unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
            resource.setrlimit(resource.RLIMIT_FSIZE, (int(size), unlimited))

    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

    def again():
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)

    tell(told, lambda: train(data, out, on_round=fill), before=again)


def out_of_memory(data, out, told):
    """Half a gigabyte more than the process has, and a batch that needs more."""
    import resource

    def starve(entry):
        n_pages = int(Path("/proc/self/statm").read_text().split()[0])
        most = n_pages * resource.getpagesize() + 500_000_000
        resource.setrlimit(resource.RLIMIT_AS, (most, most))

    tell(told, lambda: train(data, out, on_round=starve, batch_size=4096, rows_per_round=4096))


def tell(told, work, before=None):
    """Write the error that `work` ends with into the file `told`, once `before` was called."""
    try:
        work()
    except Exception as e:
        if before:
            before()
        Path(told).write_text(f"{type(e).__name__}: {e}")


if __name__ == "__main__":
    import torch

    from versatune.gpu import rehearse_fsdp

    torch.set_num_threads(1)
    if "fsdp" in sys.argv:
        rehearse_fsdp()
    stop = stop_in_two if "stop" in sys.argv else None
    train(sys.argv[1], sys.argv[2], "fp32", stop, batch_size=int(sys.argv[3]))
