"""Kills, full disks, damaged caches, clocks, hanging hubs: nothing lost, repeated or half-written.

VERSATUNE_KILLS=30 kills so often; FAULTS=path of a .jsonl file keeps what was seen, for the study.
"""

import json
import os
import random
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hub import NAME, hub
from path_run import TOKEN, began, typed, write_input
from versatune.basics import read_json, write_atomic, write_json
from versatune.lab import lab_model
from versatune.repeat import differing, repeat_path

KILLS = int(os.environ.get("VERSATUNE_KILLS", 3))


def keep(**seen):
    """Add a line to the file of the study, where one is asked for."""
    if "FAULTS" in os.environ:
        with open(os.environ["FAULTS"], "a") as file:
            file.write(json.dumps(seen) + "\n")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("faults")


@pytest.fixture(scope="module")
def settings(place):
    return write_input(place)


def finished(*args, within=300):
    """Take the path in a process of its own, to its end; how long it took."""
    start = time.monotonic()
    process = began(*args)
    process.join(within)
    assert process.exitcode == 0, process.exitcode
    return time.monotonic() - start


@pytest.fixture(scope="module")
def undisturbed(settings, place):
    """A run that was left alone, and the seconds that it took once libraries were read."""
    finished(settings, place / "first", place / "cache")
    seconds = finished(settings, place / "undisturbed", place / "cache2")
    return place / "undisturbed", seconds


def test_two_runs_of_a_seed_are_equal(undisturbed, place):
    assert differing(place / "first", undisturbed[0]) == []


def test_no_token_in_the_folder(undisturbed, place):
    for path in place.rglob("*"):
        assert not path.is_file() or TOKEN.encode() not in path.read_bytes(), path


def furthest(out):
    """The last file that a run has come to."""
    files = [path for path in out.rglob("*") if path.is_file() and path.name != ".lock"]
    newest = max(files, key=lambda path: path.stat().st_mtime_ns, default=None)
    return str(newest.relative_to(out)) if newest else "nothing"


def test_killed_and_started_again(settings, undisturbed, place):
    """However often it is killed, the files are those of a run that was left alone."""
    whole, seconds = undisturbed
    moments, n_killed = random.Random(0 if KILLS < 10 else time.time_ns()), 0
    for attempt in range(100 * KILLS):
        out, cache = place / f"killed-{attempt}", place / f"cache-{attempt}"
        for _ in range(3):
            process = began(settings, out, cache)
            process.join(moments.uniform(0.05, 0.8) * seconds)
            alive = process.is_alive()
            process.kill()
            process.join()
            n_killed += alive
            keep(fault="kill -9", at=furthest(out), alive=alive)
        finished(settings, out, cache)
        assert differing(whole, out) == []
        assert not [path for path in out.rglob("*") if "versatune-part" in path.name]
        shutil.rmtree(out)
        shutil.rmtree(cache)
        if n_killed >= KILLS:
            break
    keep(fault="kill -9", killed=n_killed, runs=attempt + 1, result="equal to the last bit")


@pytest.mark.parametrize("most", [100, 3_000, 60_000])
def test_a_full_disk(most, settings, undisturbed, place):
    out, told, cache = place / f"full-{most}", place / f"told-{most}", place / f"small-{most}"
    finished(settings, out, cache, told, most)
    message = told.read_text()
    assert "make room" in message and len(message.splitlines()) == 1
    finished(settings, out, cache)
    assert differing(undisturbed[0], out) == []
    keep(fault=f"no file above {most} bytes", result=message.replace(str(place), "FOLDER"))


def test_one_cache_for_two_at_once(settings, undisturbed, place):
    both = [began(settings, place / f"both-{i}", place / "shared") for i in range(2)]
    for process in both:
        process.join(300)
    assert [process.exitcode for process in both] == [0, 0]
    assert all(differing(undisturbed[0], place / f"both-{i}") == [] for i in range(2))
    keep(fault="two processes, one cache", result="both equal to the last bit")


def test_one_folder_for_two_at_once(settings, undisturbed, place):
    out, told = place / "one", [place / "told-0", place / "told-1"]
    both = [began(settings, out, place / "cache", path) for path in told]
    for process in both:
        process.join(300)
    refused = [path.read_text() for path in told if path.exists()]
    assert len(refused) == 1 and "is in use by process" in refused[0]
    assert differing(undisturbed[0], out) == []
    keep(fault="two processes, one folder", result=refused[0].replace(str(place), "FOLDER"))


def test_a_clock_that_goes_back(settings, undisturbed, place):
    """All that was written seems to come from the future."""
    out, cache = place / "clock", place / "clock-cache"
    process = began(settings, out, cache)
    process.join(0.5 * undisturbed[1])
    process.kill()
    process.join()
    later = time.time() + 10 * 24 * 3600
    for path in [*out.rglob("*"), *cache.rglob("*")]:
        os.utime(path, (later, later))
    finished(settings, out, cache)
    assert differing(undisturbed[0], out) == []
    keep(fault="files from the future", result="equal to the last bit")


@pytest.mark.parametrize("damage", ["one byte", "cut short", "no note", "older note"])
def test_a_damaged_cache_is_made_anew(damage, settings, undisturbed, place):
    out, cache = place / f"out-{damage}", place / f"cache {damage}"
    shutil.copytree(place / "cache", cache)
    for path in (cache / "rows").glob("*.arrow"):
        data, note = path.read_bytes(), path.with_suffix(".json")
        if damage == "one byte":
            path.write_bytes(data[: len(data) // 2] + b"\xff" + data[len(data) // 2 + 1 :])
        elif damage == "cut short":
            path.write_bytes(data[:-100])
        elif damage == "no note":
            note.unlink()
        else:
            note.write_text('{"version": 0}')
    finished(settings, out, cache)
    assert differing(undisturbed[0], out) == []
    keep(fault=f"cached rows: {damage}", result="made anew, equal to the last bit")


def test_a_hub_that_hangs(place):
    """A server that takes connections and says nothing: one line, within a minute."""
    server = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{server.getsockname()[1]}"
    quick = dict(HF_HUB_ETAG_TIMEOUT="1", HF_HUB_DOWNLOAD_TIMEOUT="1", HF_HOME=str(place / "hub"))
    command = [sys.executable, "-m", "versatune", "detect", "--model", "nobody/nothing"]
    command += ["--out", str(place / "profile.json")]
    env = os.environ | quick | dict(HF_ENDPOINT=url, HF_HUB_OFFLINE="0", TRANSFORMERS_OFFLINE="0")
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=120)
    server.close()
    line = done.stderr.strip().splitlines()[-1]
    assert done.returncode == 2 and "Traceback" not in done.stderr, done.stderr
    assert "nobody/nothing" in line and not (place / "profile.json").exists()
    keep(fault="a hub that hangs", result=line.replace(url, "HUB"))


# ---- no permission ----


def copied_run(run, to, model, closed=()):
    """A run with another model, and not quite at its end; `closed` may not be written."""
    shutil.copytree(run, to)
    write_json(to / "config.json", read_json(to / "config.json") | dict(model=str(model)))
    (to / "metrics.json").unlink()
    for name in closed:
        (to / name).chmod(0o555 if (to / name).is_dir() else 0o444)


@pytest.fixture(scope="module")
def closed(settings, undisturbed, place):
    """What may not be written, beside a model with torn weights: to read them is an error."""
    top, run = place / "closed", undisturbed[0]
    shutil.copytree(settings.data, top / "data")
    shutil.copyfile(settings.classifier, top / "lab.npz")
    shutil.copytree(lab_model(), top / "torn")
    for path in (top / "torn").glob("*.safetensors"):
        path.write_bytes(path.read_bytes()[:1000])
    copied_run(run, top / "run", top / "torn", ["cost.json", "report.html"])
    copied_run(run, top / "half", top / "torn", ["."])
    for name in ("texts.samples.jsonl", "mine.png"):
        write_atomic(top / name, "").chmod(0o444)
    for name in ("rows", "scores"):
        (top / "cache" / name).mkdir(parents=True)
        (top / "cache" / name).chmod(0o555)
    for name in ("cache", "no"):
        (top / name).mkdir(exist_ok=True)
        (top / name).chmod(0o555)
    yield top
    for path in top.rglob("*"):
        path.chmod(0o755)


# what is typed (MODEL is --model, --data and --classifier) | words of the answer
PERMISSIONS = """
train MODEL --out TOP/no/run | (no permission in TOP/no); name another folder with --out
train MODEL --out TOP/no/run --dry-run | (no permission in TOP/no); name another folder
demo MODEL --out TOP/no/deeper/run | (no permission in TOP/no); name another folder
train --config TOP/half --out TOP/half | TOP/half cannot be written (no permission in TOP/half)
train --config TOP/half --out TOP/half --overwrite | TOP/half cannot be written
train --config TOP/run --out TOP/run | TOP/run/cost.json is read-only; make it writable
repeat TOP/run --out TOP/no/again | (no permission in TOP/no); name another folder with --out
export TOP/run --out TOP/no/merged | (no permission in TOP/no); name another folder with --out
plot TOP/half | (no permission in TOP/half); copy the run to a folder that you may write to
plot TOP/run | TOP/run/report.html is read-only; make it writable (chmod u+w), or copy the run
detect --model TOP/torn --out TOP/no/p.json | (no permission in TOP/no); name another file
detect --model TOP/torn --out TOP/texts.json | TOP/texts.samples.jsonl is read-only
compose DATA --out TOP/no/m.jsonl | (no permission in TOP/no); name another file with --out
compose DATA --export trl --out TOP/no/m | (no permission in TOP/no); name another folder
classifier fit --data TOP/data --out TOP/no/c.npz | (no permission in TOP/no); name another
classifier fit --data TOP/data --out TOP/mine.npz | TOP/mine.png is read-only; make it writable
evaluate --model TOP/torn --out TOP/no/r.json | (no permission in TOP/no); name another file
label TOP/run/samples.jsonl --out TOP/no/labels.jsonl | (no permission in TOP/no); name another
repro rules --out TOP/no/files --folder TOP/work | (no permission in TOP/no); name a folder
repro rules --out TOP/files --folder TOP/no/work | (no permission in TOP/no); name a folder
CACHE train MODEL --out TOP/new | TOP/cache/rows/ | ; set VERSATUNE_CACHE to a folder that you may
CACHE evaluate --model TOP/torn --out TOP/r.json | (no permission in TOP/cache/scores); set VERS
CACHE detect --model smollm2-135m --out TOP/p.json | TOP/cache/models cannot be written | set VERS
"""


@pytest.mark.parametrize("case", PERMISSIONS.strip().splitlines())
def test_no_permission(case, closed, place):
    """One line names the folder and a way out, before the model is read; nothing is written."""
    short = dict(DATA="--data TOP/data --weights uniform --n 4", TOP=str(closed))
    short = dict(MODEL="--model TOP/torn --data TOP/data --classifier TOP/lab.npz") | short
    for word, words in short.items():
        case = case.replace(word, words)
    command, *answer = case.split(" | ")
    command, cache = command.split(), place / "cache"
    if command[0] == "CACHE":
        command, cache = command[1:], closed / "cache"
    before = {path: path.lstat().st_mtime_ns for path in closed.rglob("*")}
    status, _, errors = typed(command, place / "answer", VERSATUNE_CACHE=str(cache))
    assert status == 2 and len(errors) == 1, errors
    assert all(words in errors[0] for words in answer), errors[0]
    assert {path: path.lstat().st_mtime_ns for path in closed.rglob("*")} == before
    keep(fault="no permission", result=errors[0].replace(str(closed), "FOLDER"))


def test_a_read_only_cache_is_read(settings, closed, place):
    """What lies in a cache that may not be written is used; only what is missing is an error."""
    cache = place / "read only"
    shutil.copytree(place / "cache", cache)
    for path in (*cache.rglob("*"), cache):
        path.chmod(0o555)
    words = ["data", str(settings.data), "--model", str(settings.model)]
    status, printed, errors = typed(words, place / "answer", VERSATUNE_CACHE=str(cache))
    assert status == 0 and "law" in printed, errors
    assert typed(["env"], place / "answer", VERSATUNE_CACHE=str(closed / "no"))[0] == 0
    assert "set VERSATUNE_CACHE" in (place / "answer").read_text()


# ---- a download that is cut off ----


@pytest.fixture(scope="module")
def detect(settings, place):
    """A function that types `versatune detect`: (exit status, lines of error), and where to."""

    def type_it(name, out, **env):
        words = ["detect", "--model", name, "--precision", "fp32", "--out", str(place / out)]
        words += ["--classifier", settings.classifier, "--samples", "16", "--within", "0.9"]
        status, _, errors = typed(words, place / "answer", **env)
        return status, errors

    return type_it


def at(server, home):
    """The environment of a user of this hub."""
    online = dict(HF_HUB_OFFLINE="0", TRANSFORMERS_OFFLINE="0")
    return online | dict(HF_ENDPOINT=server.url, HF_HOME=str(home))


def test_a_download_that_is_cut_off(detect, place):
    """Weights that break off, each time; then whole: the profile is that of the folder."""
    with hub(lab_model()) as server:
        env, server.cut = at(server, place / "cut"), 40_000
        status, errors = detect(NAME, "cut.json", **env)
        assert status == 2 and f"model {NAME} cannot be read (its download broke" in errors[-1]
        assert "received 40000 bytes" in errors[-1] and "start again" in errors[-1]
        told = ("Error while downloading", "Trying to resume", "Max retries")  # by the client
        assert all(line.startswith(told) for line in errors[:-1]), errors
        assert not list(place.glob("cut.*")) and not list((place / "cut").rglob("*.incomplete"))
        server.cut, server.asked[:] = None, []
        assert detect(NAME, "cut.json", **env)[0] == 0
        fetched = [path.rpartition("/")[2] for method, path, _ in server.asked if method == "GET"]
        assert "model.safetensors" in fetched and "config.json" not in fetched  # it came before
    assert detect(str(lab_model()), "folder.json")[0] == 0
    assert read_json(place / "cut.json") == read_json(place / "folder.json")
    keep(fault="a download that is cut off", result=errors[-1].replace(str(place), "FOLDER"))


@pytest.fixture(scope="module")
def fetched(detect, place):
    """A cache with the model, as the hub's client left it, and the profile made with it."""
    with hub(lab_model()) as server:
        assert detect(NAME, "fetched.json", **at(server, place / "fetched"))[0] == 0
    return place / "fetched", read_json(place / "fetched.json")


def test_a_hub_that_is_gone(detect, fetched, place):
    """What was downloaded is used, with a word, and nobody waits."""
    with hub(lab_model()) as server:
        env = at(server, fetched[0])
    started = time.monotonic()
    status, errors = detect(NAME, "gone.json", **env)
    assert status == 0 and any("the hub cannot be reached" in line for line in errors), errors
    assert read_json(place / "gone.json") == fetched[1]
    keep(fault="a hub that is gone", seconds=round(time.monotonic() - started))


@pytest.mark.parametrize("file", ["model.safetensors", "tokenizer.json", "config.json"])
def test_a_torn_file_in_the_hubs_cache(file, detect, fetched, place):
    """It is named, with the folder to delete; once that is gone, all is well again."""
    home, out = place / f"torn {file}", f"torn-{file}.json"
    shutil.copytree(fetched[0], home, symlinks=True)
    (path,) = home.rglob(f"snapshots/*/{file}")
    path.resolve().write_bytes(path.read_bytes()[:-100])
    model = home / "hub" / f"models--{NAME.replace('/', '--')}"
    with hub(lab_model()) as server:
        status, errors = detect(NAME, out, **at(server, home))
        assert status == 2 and f"{path} is damaged" in errors[-1], errors
        assert f"delete {model}, and it is fetched again" in errors[-1], errors
        assert not (place / out).exists()
        shutil.rmtree(model)
        assert detect(NAME, out, **at(server, home))[0] == 0
        assert read_json(place / out) == fetched[1]
    keep(fault=f"torn in the hub's cache: {file}", result="named; fetched again once deleted")


def test_the_folder_is_enough_to_repeat_a_run(undisturbed, place, monkeypatch):
    monkeypatch.setenv("VERSATUNE_CACHE", str(place / "cache"))
    repeat_path(undisturbed[0], place / "again", say=lambda line: None)
    assert differing(undisturbed[0], place / "again") == []
    assert Path(place / "again" / "report.html").exists()
