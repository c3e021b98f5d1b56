# Fillbook. `make demo` and `make test` do all set-up themselves; Python 3.11+ and make are enough.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.ready

.PHONY: setup demo test lint format bench full lock storm storm-full

setup: $(STAMP)

$(STAMP): requirements-dev.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Fillbook needs Python 3.11 or newer.")'
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $(STAMP)

demo: setup
	$(BIN)/fillbook demo $(ARGS)

test: setup
	$(BIN)/python -m pytest -n logical --dist loadscope $(ARGS)

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: setup
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: setup
	$(BIN)/python -m benchmarks $(ARGS)

full: setup
	$(BIN)/python -m pytest -n logical --dist loadscope --full $(ARGS)
	$(MAKE) storm-full

# SEEDS=n FROM=k JOBS=j; STORY=1 prints what happened.
storm: setup
	cd tests && PYTHONHASHSEED=0 ../$(BIN)/python -m storm $(if $(SEEDS),--seeds $(SEEDS)) $(if $(FROM),--from $(FROM)) \
		$(if $(JOBS),--jobs $(JOBS)) $(if $(STORY),--story) $(ARGS)

# Hours; SEEDS=n for fewer.
storm-full: setup
	cd tests && PYTHONHASHSEED=0 ../$(BIN)/python -m storm --seeds $(or $(SEEDS),10000) --report ../docs/storm-report.md
	cd tests && PYTHONHASHSEED=0 ../$(BIN)/python -m storm --week --report ../docs/storm-report.md

lock: setup
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --extra dev pyproject.toml -o requirements-dev.lock
