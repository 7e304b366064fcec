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
# marks and half from what the three read in the same texts. Some four hours on 2 cores; what is done stays done, and a
# training run that was cut off goes on from its last whole epoch.
SHARED := ../shared
NEWS := $(SHARED)/unlabelled/news.jsonl.gz
MARKED := $(SHARED)/corpus/train seeds/train data/standoff.jsonl
TEACHERS := $(addprefix runs/teacher-,13 14 15)
TRAIN := $(BIN)/attackspan train --config configs/default.yaml data=data/release epochs=3
.PHONY: release
release: runs/release/manifest.json
	mkdir -p model/default
	cp $(addprefix runs/release/,README.md config.json tokenizer.json encoder.onnx relations.onnx) model/default/
	$(BIN)/python -c "from attackspan.model.checkpoint import DEFAULT, write_manifest; write_manifest(DEFAULT)"

data/standoff.jsonl: seeds/news.standoff | .venv/.dev
	mkdir -p data
	$(BIN)/python -m attackspan.training.standoff put $< $(NEWS) -o $@

data/release/build.json: data/standoff.jsonl
	$(BIN)/attackspan build $(addprefix --train ,$(MARKED)) --validation $(SHARED)/corpus/dev --snap -o data/release

runs/teacher-%/manifest.json: data/release/build.json
	$(TRAIN) seed=$* output=runs/teacher-$*

data/read.parquet: $(addsuffix /manifest.json,$(TEACHERS))
	$(BIN)/attackspan distil $(MARKED) $(addprefix --teacher ,$(TEACHERS)) -o $@

runs/release/manifest.json: data/read.parquet
	$(TRAIN) 'silver=[data/read.parquet]' seed=13 output=runs/release
