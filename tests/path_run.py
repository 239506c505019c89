"""The whole path on the lab model, in processes of its own, for tests that kill or starve it.

The processes are forked from one that has read the libraries once.
"""

import ctypes
import os
import signal
import sys
import warnings
from importlib import reload
from multiprocessing import get_context
from pathlib import Path

from versatune.classify import LinearClassifier
from versatune.domains import InputError, write_json
from versatune.finetune import TrainSettings
from versatune.lab import Lab, lab_model, lab_rows
from versatune.losses import ReferenceSettings
from versatune.models import LoraSettings
from versatune.run import run_path
from versatune.sample import SampleSettings
from versatune.settings import PathSettings

DOMAINS = ("law", "code")
TOKEN = "hf_not_for_any_file"


def write_input(folder):
    """Data, questions and a classifier of two of the lab's domains: the settings of a run."""
    folder, lab = Path(folder), Lab(sentences=3)
    for d in DOMAINS:
        write_json(folder / f"data/{d}/train.json", lab_rows(lab, d, 24))
        facts = [" ".join(fact) for fact in lab.tables[d][0][:4]]
        questions = []
        for fact in facts:
            choices = [fact, " ".join(reversed(fact.split()))]
            questions.append(dict(question="which?", choices=choices, answer_index=0))
        write_json(folder / f"data/{d}/choices.json", questions)
    texts, labels = lab.texts(dict(law=0.5, code=0.5), 200)
    LinearClassifier.fit(texts, labels, name="lab").save(folder / "lab.npz")
    lora = LoraSettings(r=4)
    return PathSettings(
        model=str(lab_model()),
        data=str(folder / "data"),
        classifier=str(folder / "lab.npz"),
        precision="fp32",
        sample=SampleSettings(n=24, max_new_tokens=16, batch_size=8),
        reference=ReferenceSettings(epochs=1, rows=8, lora=lora),
        train=TrainSettings(rounds=2, rows_per_round=16, batch_size=4, max_length=128, lora=lora),
        save_steps=2,
    )


def take(settings, out, cache, told=None, most=None):
    """The path in this process; its InputError goes to the file `told`.

    `most`: no file may grow beyond so many bytes, as on a full disk.
    """
    import resource

    import torch

    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    os.environ |= dict(VERSATUNE_CACHE=str(cache), HF_TOKEN=TOKEN)
    if most:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, resource.RLIM_INFINITY))
    try:
        run_path(settings, out, say=lambda line: None)
    except InputError as error:
        if told is None:
            raise
        if most:
            resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
        Path(told).write_text(str(error))


def forked(target, args):
    """A process of a function and its arguments, started."""
    context = get_context("forkserver")
    context.set_forkserver_preload(["path_run", "lm_eval.evaluator", "versatune.evaluate"])
    process = context.Process(target=target, args=args)
    process.start()
    return process


def began(*args):
    """A process that takes the path."""
    return forked(take, args)


def obey_permissions():
    """Root may write anywhere: give that up, for this process and for good."""
    libc, header = ctypes.CDLL(None, use_errno=True), (ctypes.c_uint32 * 2)(0x20080522, 0)
    held = (ctypes.c_uint32 * 6)()  # bits of what is effective, permitted, inheritable; twice
    assert libc.capget(header, held) == 0
    for i in range(3):
        held[i] &= ~0b110  # CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH
    assert libc.capset(header, held) == 0


def type_in(words, told, env):
    """What a user types after `versatune`, as one who is bound by permissions.

    What it prints goes to the file `told`, errors to `told`.err."""
    import torch
    from huggingface_hub import constants

    from versatune.cli import main

    for descriptor, name in ((1, str(told)), (2, f"{told}.err")):
        os.dup2(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), descriptor)
    torch.set_num_threads(1)
    os.environ |= env
    reload(constants)  # they were read from the environment when the library was
    obey_permissions()
    sys.exit(main(words))


def typed(words, told, **env):
    """(exit status, what was printed, lines of error) of a command in a process of its own."""
    process = forked(type_in, (words, told, env))
    process.join(300)
    printed, errors = Path(told).read_text(), Path(f"{told}.err").read_text()
    return process.exitcode, printed, errors.strip().splitlines()
