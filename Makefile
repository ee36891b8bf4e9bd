# The one door: everything a person does with moebench, and everything that CI checks.
PYTHON ?= python3
PROFILE ?= quick
SEEDS ?=
WORKERS ?=
ENGINE ?=
DATA ?=
FIELD ?=
TARGET ?= switch
PORT ?= 5000
NAME ?=
STORAGE ?=
OUT ?= runs/gpu
MINUTES ?= 10

BIN := .venv/bin
OPTIONS := --profile $(PROFILE) $(if $(SEEDS),--seeds $(SEEDS)) \
	$(if $(WORKERS),--workers $(WORKERS)) $(if $(ENGINE),--engine "$(ENGINE)") \
	$(if $(DATA),--data "$(DATA)") $(if $(FIELD),--field "$(FIELD)")

.PHONY: help setup reproduce-% sweep-% test check report compare bench gpu mlflow list doctor

help:
	@echo "make list"
	@echo "make reproduce-NAME of that list, or reproduce-all [PROFILE=smoke|quick|full|gpu] [SEEDS=n] [WORKERS=n] [ENGINE=local] [DATA=folder [FIELD=text]]"
	@echo "make sweep-FILE ($(basename $(notdir $(wildcard configs/sweeps/*.yaml)))) [NAME=study] [STORAGE=postgresql://...] [WORKERS=n] [ENGINE=local] [DATA=folder [FIELD=text]]"
	@echo "make compare [TARGET=switch] [PROFILE=full]"
	@echo "make gpu [OUT=folder] [MINUTES=10] [ONLY=parity,layer,train,evidence] [FROM=folder] [DEVICE=cpu]"
	@echo "make mlflow | doctor | bench | test | check"

# torch comes first and by itself: a looser requirement would pull a build of several GB.
.venv/ready: requirements.lock pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --upgrade pip
	$(BIN)/pip install --quiet "$$(grep '^torch==' requirements.lock)"
	$(BIN)/pip install --quiet --requirement requirements.lock
	$(BIN)/pip install --quiet --no-deps --editable .
	@touch $@

setup: .venv/ready

reproduce-%: .venv/ready
	$(BIN)/moebench reproduce $* $(OPTIONS)

sweep-%: .venv/ready
	$(BIN)/moebench sweep configs/sweeps/$*.yaml $(if $(NAME),--name "$(NAME)") \
		$(if $(STORAGE),--storage "$(STORAGE)") $(if $(WORKERS),--workers $(WORKERS)) \
		$(if $(ENGINE),--engine "$(ENGINE)") \
		$(if $(DATA),--data "$(DATA)") $(if $(FIELD),--field "$(FIELD)")

report: .venv/ready
	$(BIN)/moebench report $(TARGET) --profile $(PROFILE)

# Everything there is, unless the command names a target or a profile.
compare: .venv/ready
	$(BIN)/moebench compare $(if $(filter command%,$(origin TARGET)),--target $(TARGET)) \
		$(if $(filter command%,$(origin PROFILE)),--profile $(PROFILE))

mlflow: .venv/ready
	$(BIN)/moebench mlflow --port $(PORT)

list doctor: .venv/ready
	$(BIN)/moebench $@

bench: .venv/ready
	$(BIN)/python -m benchmarks.layer
	$(BIN)/python -m benchmarks.experts
	$(BIN)/python -m benchmarks.train
	for file in $(wildcard reproductions/*/benchmark.py); do \
		$(BIN)/python -m $$(echo $${file%.py} | tr / .) || exit 1; done

gpu: .venv/ready
	$(BIN)/python -m benchmarks.gpu --minutes $(MINUTES) --out "$(OUT)" $(if $(ONLY),--only $(ONLY)) \
		$(if $(FROM),--from "$(FROM)") $(if $(DEVICE),--device $(DEVICE))

# One thread per test process: two threads beside a busy neighbour are several times slower.
test: .venv/ready
	OMP_NUM_THREADS=1 $(BIN)/pytest --numprocesses auto --dist worksteal --quiet

check: .venv/ready
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/pytest --quiet tests/test_architecture.py
