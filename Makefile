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

# The shipped model, in rounds: teachers read unmarked news, students learn from that and from all that is marked, and
# teach beside the large models in the next round. Some nine hours on 2 cores.
SHARED := ../shared
NEWS := $(SHARED)/unlabelled/news.jsonl.gz
TRAIN := $(BIN)/attackspan train --config
STUDENT := $(TRAIN) configs/default.yaml data=data/release
DISTIL := $(BIN)/attackspan distil $(NEWS)
SEEDS := 13 14 15
teachers = $(addprefix --teacher runs/,$(1))
.PHONY: release
release: .venv/.dev
	mkdir -p data
	$(BIN)/python -m attackspan.training.standoff put seeds/news.standoff $(NEWS) -o data/standoff.jsonl
	$(BIN)/attackspan build --train $(SHARED)/corpus/train --train seeds/train \
		--validation $(SHARED)/corpus/dev --snap -o data/news
	$(BIN)/attackspan build --train $(SHARED)/corpus/train --train seeds/train --train data/standoff.jsonl \
		--validation $(SHARED)/corpus/dev --snap -o data/release
	$(TRAIN) configs/large.yaml data=data/news output=runs/large
	$(TRAIN) configs/large.yaml data=data/release encoder=runs/large epochs=2 output=runs/large2
	$(TRAIN) configs/default.yaml data=data/news output=runs/plain
	$(DISTIL) $(call teachers,large large plain) --attacks 2 --sample 2200 --seed 13 -o data/silver13.parquet
	for seed in $(SEEDS); do $(STUDENT) silver=[data/silver13.parquet] \
		encoder=runs/plain epochs=4 seed=$$seed output=runs/s$$seed || exit; done
	$(DISTIL) $(call teachers,large large large $(SEEDS:%=s%)) --attacks 2 --sample 2200 --seed 14 -o data/silver14.parquet
	$(STUDENT) silver=[data/silver14.parquet] encoder=runs/s13 epochs=4 output=runs/second
	$(DISTIL) $(call teachers,large2 large2 large2 $(SEEDS:%=s%)) --attacks 2 --sample 1700 --seed 15 -o data/silver15.parquet
	for seed in $(SEEDS); do $(STUDENT) silver=[data/silver15.parquet] \
		encoder=runs/second epochs=3 learning_rate=2e-4 seed=$$seed output=runs/third-$$seed || exit; done
	$(STUDENT) silver=[data/silver15.parquet,data/silver14.parquet] \
		encoder=runs/second epochs=2 learning_rate=2e-4 seed=14 output=runs/fourth
	$(DISTIL) $(call teachers,large2 large2 large large $(SEEDS:%=third-%)) --attacks 1 --sample 1800 --seed 16 -o data/silver16.parquet
	$(STUDENT) silver=[data/silver16.parquet,data/silver15.parquet] \
		encoder=runs/fourth epochs=2 learning_rate=2e-4 seed=14 output=runs/even
	$(TRAIN) configs/large.yaml data=data/release encoder=runs/large2 epochs=1 output=runs/large3
	$(DISTIL) $(call teachers,large3 even) --attacks 1 --sample 1800 --seed 17 -o data/silver17.parquet
	$(STUDENT) silver=[data/silver17.parquet] encoder=runs/even epochs=2 learning_rate=2e-4 seed=15 output=runs/release
	mkdir -p model/default
	cp $(addprefix runs/release/,README.md config.json tokenizer.json encoder.onnx relations.onnx) model/default/
	$(BIN)/python -c "from attackspan.model.checkpoint import DEFAULT, write_manifest; write_manifest(DEFAULT)"
