"""Everything that a GPU is asked for, in one go: what it does, and what it is held against.

python benchmarks/gpu.py [--rehearse] [--model random-7b] [--small smollm2-135m] [--only PART ...]

Each part is a script of this folder, in a process of its own, with both sides in one run. On a
GPU the results are written to nbs/gpu/results, one file a part, with card, versions and commit.
Without a GPU nothing is measured; `--rehearse` runs the same parts on the CPU at a tiny size, and
writes nothing unless a folder is named with `--out`.
"""

import argparse
import json
import shlex
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "nbs" / "gpu" / "results"
PACKAGES = "trl", "flash-attn", "vllm", "unsloth"  # beside those that versatune stands on

# part -> (script, which model, flags on a GPU, flags of the rehearsal)
PARTS = {
    "qlora": (
        "throughput.py",
        "large",
        "--rows 96 --batch 8 --length 512 --repeats 1",
        "--rows 4 --batch 2 --length 128 --repeats 1",
    ),
    "losses": ("losses.py", "large", "--heldout 8 --repeats 1", "--heldout 1 --repeats 1"),
    "sampling": (
        "sampling.py",
        "small",
        "--tokens 128 --batch 256 --repeats 2",
        "--tokens 4 --batch 4 --repeats 1",
    ),
    "overhead": (
        "overhead.py",
        "small",
        "--rows 256 --heldout 8 --repeats 2",
        "--rows 4 --heldout 1 --batch 2 --repeats 1",
    ),
    "plan": (
        "plan.py",
        "small",
        "--case nf4 'nf4, checkpointing' bf16 --rows 64",
        "--case nf4 --rows 4 --rounds 1 --batch 2 --length 64 --probe 2",
    ),
    "plan of the large one": (
        "plan.py",
        "large",
        "--case 'nf4, checkpointing' --rows 32 --rounds 1 --probe 5",
        "--case 'nf4, checkpointing' --rows 4 --rounds 1 --batch 2 --length 64 --probe 0",
    ),
}


def commit():
    """The commit of this checkout, with a + where files were changed; None outside of git."""
    command = ["git", "-C", str(ROOT), "describe", "--always", "--dirty=+", "--exclude=*"]
    done = subprocess.run(command, capture_output=True, text=True)
    return done.stdout.strip() or None


def printed(command, **how):
    """The JSON object that a script printed, or its error's last line; `how`: for the process."""
    done = subprocess.run(command, capture_output=True, text=True, **how)
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"killed ({done.returncode})"]
        return dict(error=lines[-1])
    lines = done.stdout.strip().splitlines()  # vLLM says more after it
    return json.loads([line for line in lines if line.startswith("{")][-1])


def measure(part, models, rehearse):
    """What a part's script printed, with its command and seconds."""
    script, which, on_gpu, tiny = PARTS[part]
    flags = shlex.split(tiny if rehearse else on_gpu)
    command = [sys.executable, str(Path(__file__).with_name(script)), "--model", models[which]]
    began = time.perf_counter()
    result = printed([*command, *flags])
    written = shlex.join(["python", f"benchmarks/{script}", "--model", models[which], *flags])
    return dict(command=written, seconds=round(time.perf_counter() - began, 1), result=result)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rehearse", action="store_true", help="on the CPU, at a tiny size")
    parser.add_argument("--model", help="the large one: random-7b, a hub id, a folder")
    parser.add_argument("--small", default="smollm2-135m", help="one whose numbers mean something")
    parser.add_argument("--only", nargs="+", choices=list(PARTS), default=list(PARTS))
    parser.add_argument("--out", type=Path, help="where the rehearsal's files go")
    args = parser.parse_args()
    import torch

    if not (torch.cuda.is_available() or args.rehearse):
        sys.exit("no GPU is here; `make gpu ARGS=--rehearse` runs the same on the CPU, tiny")
    from versatune.basics import write_json
    from versatune.gpu import find_model, read_card
    from versatune.records import versions

    if args.rehearse:
        large, small, out = args.model or "random-tiny", "random-tiny", args.out
    else:
        large, small, out = args.model or "random-7b", args.small, args.out or RESULTS
    names = dict(large=large, small=small)
    models = {which: find_model(name) for which, name in names.items()}
    card = read_card()
    about = dict(card=card.name, memory=card.memory, versions=versions(*PACKAGES), commit=commit())
    about |= dict(rehearsal=args.rehearse, large=large, small=small)
    failed = []
    for part in args.only:
        measured = dict(part=part) | measure(part, models, args.rehearse) | about
        text = json.dumps(measured)
        for which, folder in models.items():  # a folder of the cache is nobody else's
            text = text.replace(folder, names[which])
        measured = json.loads(text)
        print(json.dumps({k: measured[k] for k in ("part", "seconds", "rehearsal", "result")}))
        if out:
            write_json(out / f"{part.replace(' ', '_')}.json", measured)
        if "error" in measured["result"]:
            failed.append(part)
    if failed:
        sys.exit(f"not measured: {', '.join(failed)}")


if __name__ == "__main__":
    main()
