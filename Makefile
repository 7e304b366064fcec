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

# The shipped model. Three seeds learn from all that is marked, from the packaged encoder; then one more, half from the
# marks and half from what the three read in the same texts. Some four hours on 2 cores.
SHARED := ../shared
NEWS := $(SHARED)/unlabelled/news.jsonl.gz
MARKED := $(SHARED)/corpus/train seeds/train data/standoff.jsonl
TEACHERS := 13 14 15
SEED := 13
TRAIN := $(BIN)/attackspan train --config configs/default.yaml data=data/release epochs=3
.PHONY: release
release: .venv/.dev
	mkdir -p data model/default
	$(BIN)/python -m attackspan.training.standoff put seeds/news.standoff $(NEWS) -o data/standoff.jsonl
	$(BIN)/attackspan build $(addprefix --train ,$(MARKED)) --validation $(SHARED)/corpus/dev --snap -o data/release
	for seed in $(TEACHERS); do $(TRAIN) seed=$$seed output=runs/teacher-$$seed || exit; done
	$(BIN)/attackspan distil $(MARKED) $(addprefix --teacher runs/teacher-,$(TEACHERS)) -o data/read.parquet
	$(TRAIN) 'silver=[data/read.parquet]' seed=$(SEED) output=runs/release
	cp $(addprefix runs/release/,README.md config.json tokenizer.json encoder.onnx relations.onnx) model/default/
	$(BIN)/python -c "from attackspan.model.checkpoint import DEFAULT, write_manifest; write_manifest(DEFAULT)"
