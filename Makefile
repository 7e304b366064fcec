# Two commands set everything up on a machine with Python 3.10 or newer: `make demo` and `make test`.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test check clean

demo: .venv/.predict
	$(BIN)/attackspan predict seeds/kurdistan24-2021-11-07.xml --to view

test: .venv/.dev
	$(BIN)/python -m pytest

check: .venv/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	rm -rf build/typed && $(BIN)/pip install --quiet --no-deps --target build/typed .
	cd build/typed && ../../$(BIN)/mypy --config-file ../../pyproject.toml -p attackspan

# The demo needs no torch; the tests and checks need the training extra too.
.venv/.predict: pyproject.toml constraints.txt | .venv
	$(BIN)/pip install --quiet --constraint constraints.txt --editable .
	touch $@

.venv/.dev: pyproject.toml constraints.txt | .venv
	$(BIN)/pip install --quiet --constraint constraints.txt torch
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@ .venv/.predict

.venv:
	$(PYTHON) -m venv .venv

clean:
	rm -rf .venv build dist *.egg-info

# The shipped model, from the shared corpus and the seeds: about 30 minutes on 2 cores.
.PHONY: release
release: .venv/.dev
	$(BIN)/attackspan build --train ../shared/corpus/train --train seeds/train --validation ../shared/corpus/dev --snap -o data/news
	$(BIN)/attackspan train --config configs/default.yaml data=data/news output=runs/default
	mkdir -p model/default
	cp $(addprefix runs/default/,README.md config.json tokenizer.json encoder.onnx relations.onnx) model/default/
	$(BIN)/python -c "from attackspan.model.checkpoint import DEFAULT, write_manifest; write_manifest(DEFAULT)"
