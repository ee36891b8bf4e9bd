# The one door: everything a person does with moebench, and everything that CI checks.
PYTHON ?= python3
PROFILE ?= quick
SEEDS ?=
PILOTS ?=
WORKERS ?=
ENGINE ?=
DATA ?=
FIELD ?=
DEVICE ?=
PRECISION ?=
ROOT ?=
TARGET ?= switch
CONFIG ?=
MODEL ?=
PORT ?= 5000
NAME ?=
STORAGE ?=
OUT ?= runs/gpu
MINUTES ?= 10

BIN := .venv/bin
# A word for the shell, whatever letters it holds; an option, where its variable is set.
quoted = '$(subst ','\'',$(1))'
given = $(if $($(2)),$(1) $(call quoted,$($(2))))
AT := $(call given,--root,ROOT)
TEXT := $(call given,--data,DATA) $(call given,--field,FIELD)
RUNS := $(TEXT) $(call given,--device,DEVICE) $(call given,--precision,PRECISION) $(AT)
MANY := $(call given,--workers,WORKERS) $(call given,--engine,ENGINE) $(RUNS)
NAMED := $(call given,--name,NAME)

.PHONY: help setup plan-% reproduce-% sweep-% fit analyze quality test check report compare bench gpu mlflow list doctor

help:
	@echo "make list"
	@echo "make reproduce-NAME of that list, or reproduce-all [PROFILE=smoke|quick|full|gpu] [SEEDS=n] [RUNS]"
	@echo "make plan-NAME [PROFILE=full] [PILOTS=seeds] [RUNS], before a reproduction"
	@echo "make sweep-FILE ($(basename $(notdir $(wildcard configs/sweeps/*.yaml)))) [NAME=study] [STORAGE=postgresql://...] [RUNS]"
	@echo "make fit CONFIG=\"file ...\" [NAME=run] [RUNS]"
	@echo "make quality [NAME=studies] [RUNS]"
	@echo "     RUNS: [WORKERS=n] [ENGINE=local|ray|file.yaml] [DATA=folder [FIELD=text]] [DEVICE=cpu|cuda] [PRECISION=faster] [ROOT=folder]"
	@echo "make analyze MODEL=run [NAME=analysis] [DATA=folder [FIELD=text]] [DEVICE=cpu|cuda] [ROOT=folder]"
	@echo "make report | compare [TARGET=switch] [PROFILE=full] [ROOT=folder]"
	@echo "make gpu [OUT=folder] [MINUTES=10] [ONLY=parity,layer,train,evidence] [FROM=folder] [DEVICE=cpu]"
	@echo "make mlflow | doctor [ROOT=folder]"
	@echo "make bench | test | check"

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
	$(BIN)/moebench reproduce $* --profile $(PROFILE) $(call given,--seeds,SEEDS) $(MANY)

# Of the profile full, unless the command names another.
plan-%: .venv/ready
	$(BIN)/moebench plan $* $(if $(filter command%,$(origin PROFILE)),--profile $(PROFILE)) \
		$(call given,--pilots,PILOTS) $(MANY)

sweep-%: .venv/ready
	$(BIN)/moebench sweep configs/sweeps/$*.yaml $(NAMED) $(call given,--storage,STORAGE) $(MANY)

fit: .venv/ready
	$(BIN)/moebench fit $(foreach file,$(CONFIG),--config $(call quoted,$(file))) $(NAMED) $(RUNS)

analyze: .venv/ready
	$(BIN)/moebench analyze $(call quoted,$(MODEL)) $(NAMED) $(TEXT) $(call given,--device,DEVICE) $(AT)

quality: .venv/ready
	$(BIN)/python -m benchmarks.quality $(NAMED) $(MANY)

report: .venv/ready
	$(BIN)/moebench report $(TARGET) --profile $(PROFILE) $(AT)

# Everything there is, unless the command names a target or a profile.
compare: .venv/ready
	$(BIN)/moebench compare $(if $(filter command%,$(origin TARGET)),--target $(TARGET)) \
		$(if $(filter command%,$(origin PROFILE)),--profile $(PROFILE)) $(AT)

mlflow: .venv/ready
	$(BIN)/moebench mlflow --port $(PORT) $(AT)

list doctor: .venv/ready
	$(BIN)/moebench $@ $(AT)

bench: .venv/ready
	$(BIN)/python -m benchmarks.layer
	$(BIN)/python -m benchmarks.experts
	$(BIN)/python -m benchmarks.train
	for file in $(wildcard reproductions/*/benchmark.py); do \
		$(BIN)/python -m $$(echo $${file%.py} | tr / .) || exit 1; done

gpu: .venv/ready
	$(BIN)/python -m benchmarks.gpu --minutes $(MINUTES) $(call given,--out,OUT) $(call given,--only,ONLY) \
		$(call given,--from,FROM) $(call given,--device,DEVICE)

# One thread per test process: two threads beside a busy neighbour are several times slower. One
# process more than cores: some tests wait for servers.
test: .venv/ready
	OMP_NUM_THREADS=1 $(BIN)/pytest --numprocesses $$(($$(getconf _NPROCESSORS_ONLN) + 1)) --dist worksteal --quiet

check: .venv/ready
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/pytest --quiet tests/test_architecture.py
