"""The model in hand, and the plain command line of lm-evaluation-harness on the saved model: the same score for every item."""
import json
import subprocess
import sys

import yaml

from versatune.benchmarks import harness_config, of_rows
from versatune.data import load_data
from versatune.evaluate import evaluate
from versatune.lab import lab_model
from versatune.models import load_model, load_tokenizer


def test_in_place_equals_the_command_line(tmp_path):
    model, tokenizer, questions = load_model(lab_model(), "fp32", device="cpu"), load_tokenizer(lab_model()), load_data().choices
    chosen = [of_rows(questions["law"][:20], "law", "law_choices"), of_rows(questions["science"][:20], "science", "science_letters", "letters")]
    ours = evaluate(model, tokenizer, chosen)
    for b in chosen:
        (tmp_path / f"{b.name}.yaml").write_text(yaml.safe_dump(harness_config(b, tmp_path)))
    model.save_pretrained(tmp_path / "model")
    tokenizer.save_pretrained(tmp_path / "model")
    command = [sys.executable, "-m", "lm_eval", "run", "--model", "hf", "--model_args", f"pretrained={tmp_path / 'model'},dtype=float32,softmax_dtype=float32", "--tasks", ",".join(b.name for b in chosen),
               "--include_path", str(tmp_path), "--device", "cpu", "--batch_size", "4", "--log_samples", "--output_path", str(tmp_path / "out")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    for b in chosen:
        file, = (tmp_path / "out").rglob(f"samples_{b.name}_*.jsonl")
        rows = [json.loads(line) for line in file.read_text().splitlines()]
        theirs = {f"{b.name}-{r['doc_id']}-{r['doc_hash'][:12]}": float(r[b.metric]) for r in rows}
        assert theirs == ours.items[b.name] and len(theirs) == 20
