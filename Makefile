# Two commands do all set-up by themselves: `make demo` and `make test`.
# Where this folder cannot be written to: make test VENV=/elsewhere/venv, make demo VENV=/elsewhere/venv OUT=/elsewhere/out
PYTHON  ?= python3
VENV    := .venv
OUT     := out
WORKERS := auto
BIN     := $(VENV)/bin
READY   := $(VENV)/.ready
INSTALL := $(BIN)/pip install --quiet --disable-pip-version-check

.PHONY: demo test quick fuzz check lint types docs bench bench-quality bench-spark faults kills clean

demo: $(READY)  ## clean the sample articles of corpus/ into OUT, which is out/
	$(BIN)/dedup warm-up
	$(BIN)/dedup clean corpus -o $(OUT) --force
	$(BIN)/dedup explain $(OUT) 000_47e8d8cd22c70bfd
	$(BIN)/dedup verify $(OUT)

test: $(READY)  ## every test
	$(BIN)/pytest -n $(WORKERS) --dist loadfile --durations=20

quick: $(READY)  ## all but the slow tests: Spark, browsers, kills, full disks, large inputs
	$(BIN)/pytest -n $(WORKERS) --dist loadfile -m 'not slow'

# make fuzz [RUNS=500] [TIME=60]: examples of each test of tests/test_fuzz.py, and seconds for the readers under atheris
fuzz: RUNS := $(if $(filter command line environment,$(origin RUNS)),$(RUNS),500)
fuzz: $(READY)  ## small corpora with any settings, and broken files
	DEDUP_FUZZ_RUNS=$(RUNS) $(BIN)/pytest -n $(WORKERS) tests/test_fuzz.py
	$(INSTALL) atheris || echo 'no atheris for this Python: its readers are fuzzed by the tests above alone'
	! $(BIN)/python -c 'import atheris' 2>/dev/null || PYTHONPATH=tests $(BIN)/python tests/fuzz_readers.py -max_total_time=$(or $(TIME),60)

check: lint types docs test  ## everything that must hold before a change goes in

lint: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(READY)
	$(BIN)/mypy

docs: $(READY)  ## the pages as a site in build/site; any warning is an error
	$(BIN)/dedup rules --markdown | diff docs/rules.md -
	$(INSTALL) -e '.[docs]'
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet

# make bench [JOBS="40MB 172MB"] [RUNS=3] [SIZES="10MB 40MB 172MB"] [DATA=folder of real corpora, each NAME.jsonl.gz]
JOBS  ?= 40MB 172MB
SIZES ?= 10MB 40MB 172MB
RUNS  ?= 3
REAL  := $(if $(DATA),--data $(wildcard $(DATA)/senate_releases.jsonl.gz))
bench: $(READY)  ## speed and memory beside other tools, growth, stages, start-up; writes the tables of README.md and docs/benchmarks.md, and docs/plots
	$(INSTALL) -e '.[bench]'
	$(BIN)/python benchmarks/startup.py --write
	$(BIN)/python benchmarks/stages.py --runs $(RUNS) --write
	$(BIN)/python benchmarks/growth.py --sizes $(SIZES) --write
	$(BIN)/python benchmarks/whole_job.py --sizes $(JOBS) --runs $(RUNS) $(REAL) --write
	$(if $(DATA),$(BIN)/python benchmarks/articles.py $(DATA) --write)
	$(BIN)/python benchmarks/table.py --write

bench-quality: $(READY)  ## duplicates found and real text lost, on known truth made from the corpora of DATA=folder; writes docs/quality.md
	PYTHONPATH=benchmarks $(BIN)/python -m quality.run $(DATA)

kills: RUNS = 100
kills: $(READY)  ## kill RUNS runs at random moments, resume them, and count what is lost; writes the table of docs/reliability.md
	$(BIN)/python -m benchmarks.kills --runs $(RUNS) --write

faults: $(READY)  ## try each fault of docs/reliability.md, and write its table
	$(BIN)/python -m pytest -q -m fault --write-faults tests

SPARK := build/spark
bench-spark: $(READY)  ## the Spark engine beside the local one, on parts of DATA=folder and skewed corpora; writes the tables of docs/scaling.md
	$(INSTALL) -e '.[spark]'
	mkdir -p $(SPARK)
	for size in 10 40; do $(BIN)/python benchmarks/spark.py cut $(DATA)/senate_releases.jsonl.gz $$size $(SPARK)/senate_releases-$${size}MB.jsonl; done
	for kind in copies bucket source; do $(BIN)/python benchmarks/spark.py make $$kind 100000 $(SPARK)/$$kind-100000.jsonl; done
	$(BIN)/python benchmarks/spark.py run $(SPARK)/*.jsonl $(DATA)/senate_releases.jsonl.gz
	$(BIN)/python benchmarks/spark_table.py --write

$(READY): pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "dedup needs Python 3.11 or newer; set PYTHON=")'
	$(PYTHON) -m venv $(VENV)
	$(INSTALL) -e '.[dev]'
	touch $(READY)

clean:
	rm -rf $(VENV) $(OUT) build dist
