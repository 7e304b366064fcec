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

# The shipped model: all that is marked, in one run from the packaged encoder. Within an hour on 2 cores.
SHARED := ../shared
NEWS := $(SHARED)/unlabelled/news.jsonl.gz
SEED := 13
.PHONY: release
release: .venv/.dev
	mkdir -p data model/default
	$(BIN)/python -m attackspan.training.standoff put seeds/news.standoff $(NEWS) -o data/standoff.jsonl
	$(BIN)/attackspan build --train $(SHARED)/corpus/train --train seeds/train --train data/standoff.jsonl \
		--validation $(SHARED)/corpus/dev --snap -o data/release
	$(BIN)/attackspan train --config configs/default.yaml data=data/release epochs=3 seed=$(SEED) output=runs/release
	cp $(addprefix runs/release/,README.md config.json tokenizer.json encoder.onnx relations.onnx) model/default/
	$(BIN)/python -c "from attackspan.model.checkpoint import DEFAULT, write_manifest; write_manifest(DEFAULT)"
