# Accord. `make run` starts the server, `make test` runs the tests. Python 3.11 or newer is the only requirement.
#   make run ARGS="--port 8001"        ACCORD_DATA_DIR=/elsewhere make run        DATABASE_URL=postgresql://… make run

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

ARGS ?=
BIN := .venv/bin
ACCORD := $(BIN)/accord
PIP := $(BIN)/python -m pip --disable-pip-version-check -qq
FRONT_ENDS := graphiql accord
CONTRACT := tests/contract
COMPARES := $(CONTRACT)/node_modules/.package-lock.json
BUILT := $(FRONT_ENDS:%=api/static/%/dist/index.html)
# .venv/bin comes first on PATH, so that npm's scripts also find a Node that was installed there.
NODE_PATH := PATH="$(CURDIR)/$(BIN):$$PATH"
NODE_FITS := node -e 'const [a, b] = process.versions.node.split(".").map(Number); \
	process.exit((a == 20 && b >= 19) || (a == 22 && b >= 12) || a > 22 ? 0 : 1)' 2>/dev/null

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# ------------------------------------------------------------------------------------------------------------ set-up

.PHONY: setup
setup: .venv/.installed ## create .venv and install what Accord needs to run

.venv/bin/python:
	@without=; for python in $(PYTHON) python3 python3.13 python3.12 python3.11 python3.14 python; do \
		command -v $$python >/dev/null 2>&1 || continue; \
		$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 || continue; \
		$$python -c 'import ensurepip, venv' 2>/dev/null || { without="$$without $$python"; continue; }; \
		echo "Creating .venv with $$($$python --version)"; \
		rm -rf .venv; $$python -m venv .venv && exit 0; \
	done; \
	if [ -n "$$without" ]; then \
		echo "Found$$without, but the venv module is missing. Install it; on Debian and Ubuntu: apt-get install python3-venv" >&2; \
	else \
		echo "Accord needs Python 3.11 or newer; found: $$(python3 --version 2>&1). Give its path: make setup PYTHON=/path/to/python3.12" >&2; \
	fi; exit 1

# pip checks every file against the hashes in the lock files. The project itself is then installed without an index.
.venv/.installed: requirements.lock requirements-build.lock pyproject.toml | .venv/bin/python
	@echo "Installing the runtime requirements"
	@$(PIP) install --require-hashes -r requirements-build.lock -r requirements.lock
	@$(PIP) install --no-index --no-deps --no-build-isolation --editable .
	@touch $@

.venv/.installed-dev: requirements-dev.lock .venv/.installed
	@echo "Installing the development requirements"
	@$(PIP) install --require-hashes -r requirements-dev.lock
	@touch $@

.venv/.node: requirements-node.lock | .venv/.installed
	@$(NODE_PATH); export PATH; if $(NODE_FITS); then :; else \
		echo "No Node 20.19 or newer was found: installing one into .venv"; \
		$(PIP) install --require-hashes -r requirements-node.lock; fi
	@touch $@

.PHONY: assets
assets: $(BUILT) ## build the pages /graphql and /accord (needs an npm registry the first time)

# The page of the accord is typed by the contract: a document that does not fit it fails the build.
api/static/accord/dist/index.html: schema/schema.graphql

.SECONDEXPANSION:
$(BUILT): api/static/%/dist/index.html: $$(shell find api/static/$$* -type f \
	-not -path '*/node_modules/*' -not -path '*/dist/*' -not -path '*/generated/*') .venv/.node
	@echo "Building the page of $*"
	@$(NODE_PATH); export PATH; cd api/static/$* && npm ci --silent --fetch-retries=1 --fetch-timeout=20000 && npm run --silent build
	@touch $@

# --------------------------------------------------------------------------------------------------------------- run

.PHONY: run
run: setup ## start the server on http://127.0.0.1:8000, with a sample company if the database is empty
	@$(MAKE) assets || echo "The pages were not built (is an npm registry reachable?). Accord runs without them. To build them later: make assets" >&2
	@$(ACCORD) migrate
	@$(ACCORD) sample --if-empty
	@exec $(ACCORD) serve $(ARGS)

.PHONY: stop
stop: .venv/.installed ## stop a running server and its PostgreSQL
	@$(ACCORD) stop

# ------------------------------------------------------------------------------------------------------------- checks

# Tests of one file share a database, so they stay in one process. JOBS=0: all in this process.
# The order of the files stays: pytest-xdist would run those with few tests last, which are often the longest.
JOBS ?= auto
.PHONY: test
test: .venv/.installed-dev ## run all tests on real PostgreSQL servers, one for each core (ARGS="tests/plan -x" JOBS=0)
	@$(BIN)/python -m pytest --numprocesses $(JOBS) --dist loadfile --no-loadscope-reorder $(ARGS)

.PHONY: test-thorough
test-thorough: export EXAMPLES = all
test-thorough: test ## run all tests, with six times as many generated examples and a large sample

.PHONY: test-evolution
test-evolution: .venv/.installed-dev ## follow the recipes for changes, and run two releases on one database, in copies of this tree
	@$(BIN)/python -m pytest -m evolution --numprocesses $(JOBS) --dist loadfile tests/evolution $(ARGS)

.PHONY: test-browser
test-browser: .venv/.installed-dev assets ## test the pages in a real browser (needs chromium and chromedriver)
	@$(BIN)/python -m pytest -m browser tests/browser $(ARGS)

CLIENTS := tests/clients
# Without a registry the clients cannot be installed: then the target fails, or with OPTIONAL=1 only says so.
.PHONY: test-clients
test-clients: .venv/.installed-dev ## test GraphQL clients and generators on a running server (needs an npm registry the first time)
	@$(NODE_PATH); export PATH; \
	if $(MAKE) -s $(CLIENTS)/node_modules/.package-lock.json; then \
		$(BIN)/python -m pytest -m clients $(CLIENTS) $(ARGS); \
	elif npm view typescript version --fetch-retries=0 --fetch-timeout=20000 >/dev/null 2>&1; then \
		echo "The GraphQL clients could not be installed." >&2; exit 1; \
	else \
		echo "The GraphQL clients are not tested: no npm registry was reached." >&2; test -n "$(OPTIONAL)"; \
	fi

$(CLIENTS)/node_modules/.package-lock.json: $(CLIENTS)/package.json $(CLIENTS)/package-lock.json .venv/.node-22
	@echo "Installing the GraphQL clients to test with"
	@$(NODE_PATH); export PATH; cd $(CLIENTS) && npm ci --silent --fetch-retries=1 --fetch-timeout=20000
	@touch $@

.PHONY: check
# `alembic check` needs a migrated database, so it is a test in tests/catalogue.
check: .venv/.installed-dev ## check lint, types, import rule, migrations and SDL
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --cache-dir .cache/import-linter
	$(ACCORD) sdl --check
	$(BIN)/python -m migrations.lint
	@$(MAKE) -s $(COMPARES) || echo "The contract is not compared with the last release: no npm registry was reached." >&2
	@$(MAKE) -s sdl-diff
	$(BIN)/python -m pytest -q tests/architecture tests/catalogue

.PHONY: format
format: .venv/.installed-dev ## sort imports and format the code
	@$(BIN)/ruff check --quiet --select I --fix . && $(BIN)/ruff format --quiet .

.PHONY: bench-load
bench-load: .venv/.installed-dev ## compare import and sample with COPY of the same rows (ARGS="--rounds 1" for a quick run)
	@$(BIN)/python -m tests.bench.load $(ARGS)

.PHONY: bench-import
bench-import: .venv/.installed-dev ## measure what events, audit and undo data add to an import (ARGS="--people 5000 --rounds 1")
	@$(BIN)/python -m tests.bench.import_changes $(ARGS)

SIZES ?= 20000,100000
.PHONY: bench-funnel
bench-funnel: .venv/.installed-dev ## compare evaluation, KPIs and lists by stage with hand-written SQL (SIZES=100000,1000000 KEEP=1)
	@$(BIN)/python -m tests.bench.funnel --sizes "$(SIZES)" $(if $(KEEP),--keep) $(ARGS)

.PHONY: bench-kpi
bench-kpi: .venv/.installed-dev ## compare a board of 12 KPIs from journeys, from facts, by hand and by MetricFlow (ARGS="--sizes 10000,100000,1000000" KEEP=1)
	@$(BIN)/python -m tests.bench.board $(if $(KEEP),--keep) $(ARGS)

.PHONY: bench-cost
bench-cost: .venv/.installed-dev ## compare the stated cost of documents with their time (ARGS="--contacts 20000 --keep")
	@$(BIN)/python -m tests.bench.cost $(ARGS)

.PHONY: bench-entries
bench-entries: .venv/.installed-dev ## measure the re-evaluation of one contact and of thousands (ARGS="--contacts 1000000 --data DIR")
	@$(BIN)/python -m tests.bench.reevaluation $(ARGS)

PEERS := tests/bench/read/node
.PHONY: bench-read
bench-read: .venv/.installed-dev ## compare GraphQL reads with hand-written endpoints and other servers (ARGS=--quick KEEP=1)
	@$(MAKE) -s $(PEERS)/node_modules/.package-lock.json || echo "No npm registry was reached: only the Python servers are compared." >&2
	@$(NODE_PATH); export PATH; $(BIN)/python -m tests.bench.read $(if $(KEEP),--keep) $(ARGS)

.PHONY: bench-write
bench-write: .venv/.installed-dev ## compare mutations with hand-written statements and another server (ARGS=--quick KEEP=1)
	@$(MAKE) -s $(PEERS)/node_modules/.package-lock.json || echo "No npm registry was reached: leave postgraphile out with ARGS=--peers" >&2
	@$(NODE_PATH); export PATH; $(BIN)/python -m tests.bench.write $(if $(KEEP),--keep) $(ARGS)

.PHONY: bench-mixed
bench-mixed: .venv/.installed-dev ## read and write for ten minutes, and see that memory and dead rows stay flat (ARGS="--minutes 3" KEEP=1)
	@$(BIN)/python -m tests.bench.mixed $(if $(KEEP),--keep) $(ARGS)

.PHONY: bench-serve
bench-serve: .venv/.installed-dev ## serve twice the load that the machine can carry, and measure who waits (ARGS="--minutes 1" KEEP=1)
	@$(BIN)/python -m tests.bench.serve $(if $(KEEP),--keep) $(ARGS)

$(PEERS)/node_modules/.package-lock.json: $(PEERS)/package.json $(PEERS)/package-lock.json .venv/.node-22
	@echo "Installing the Node servers to compare with"
	@$(NODE_PATH); export PATH; cd $(PEERS) && npm ci --silent --fetch-retries=1 --fetch-timeout=20000
	@touch $@

OIDC := tests/oidc
.PHONY: test-oidc
test-oidc: .venv/.installed-dev ## test sign-in at a real OpenID Connect provider (needs an npm registry the first time)
	@$(NODE_PATH); export PATH; \
	if $(MAKE) -s $(OIDC)/node_modules/.package-lock.json; then \
		$(BIN)/python -m pytest -m oidc $(OIDC) $(ARGS); \
	elif npm view typescript version --fetch-retries=0 --fetch-timeout=20000 >/dev/null 2>&1; then \
		echo "The identity provider could not be installed." >&2; exit 1; \
	else \
		echo "The sign-in at an identity provider is not tested: no npm registry was reached." >&2; test -n "$(OPTIONAL)"; \
	fi

ROUNDS ?= 20
.PHONY: test-faults
test-faults: .venv/.installed-dev ## kill server, PostgreSQL and commands while clients write (ROUNDS=200 SEED=7)
	@ROUNDS=$(ROUNDS) SEED=$(SEED) $(BIN)/python -m pytest -m faults -s tests/faults $(ARGS)

POSTGRES := tests/postgres_versions
# Those that Accord supports beside its own, which `make test` runs on.
POSTGRES_VERSIONS ?= 15 16 17
VERSION_TESTS ?= tests/access/test_table_matrix.py tests/backup tests/catalogue/test_catalogue.py tests/catalogue/test_migrating.py \
	tests/catalogue/test_server_versions.py tests/doctor tests/evolution/test_rolling.py tests/evolution/test_waiting.py \
	tests/funnel/test_entries_follow.py tests/funnel/test_golden_entries.py tests/funnel/test_rebuilding.py \
	tests/funnel/test_wake_ups.py tests/graph/test_kpis.py tests/importers/test_hubspot.py \
	tests/importers/test_repeated_import.py tests/importers/test_undoing.py tests/intake tests/jobs \
	tests/metrics/test_contacts_by_example.py tests/metrics/test_day_sums.py tests/metrics/test_deals.py \
	tests/metrics/test_economics.py tests/metrics/test_handoff_duties.py tests/metrics/test_journeys.py \
	tests/mutations/test_erasing.py tests/mutations/test_every_table.py tests/mutations/test_merging_contacts.py \
	tests/mutations/test_rows_of_one_bulk.py tests/outbox tests/plan/test_as_of_facts.py tests/plan/test_documents.py \
	tests/plan/test_groups.py tests/plan/test_list_aggregates.py tests/plan/test_money.py tests/plan/test_search.py \
	tests/sample/test_joins_of_statements.py tests/web/test_example_queries_run.py tests/web/test_health.py \
	tests/web/test_screens.py
.PHONY: test-postgres-versions
test-postgres-versions: .venv/.installed-dev $(POSTGRES)/node_modules/.package-lock.json ## test on the other versions of PostgreSQL (needs Debian's postgresql-15; POSTGRES_VERSIONS=17)
	@for version in $(POSTGRES_VERSIONS); do \
		echo "PostgreSQL $$version"; \
		POSTGRES_VERSION=$$version $(BIN)/python -m pytest --numprocesses $(JOBS) --dist loadfile $(VERSION_TESTS) $(ARGS) || exit 1; \
	done

# The packages have links of libraries as a list, which their script makes.
$(POSTGRES)/node_modules/.package-lock.json: $(POSTGRES)/package.json $(POSTGRES)/package-lock.json .venv/.node
	@echo "Installing the PostgreSQL servers to test with"
	@$(NODE_PATH); export PATH; cd $(POSTGRES) && npm ci --silent --ignore-scripts --fetch-retries=1 --fetch-timeout=20000 && \
	for package in node_modules/postgresql-*; do (cd $$package && node scripts/hydrate-symlinks.js) || exit 1; done
	@touch $@

# What reads, writes, imports, evaluates, locks and listens.
THROUGH_PGBOUNCER ?= tests/jobs tests/outbox tests/mutations/test_records.py tests/mutations/test_deal_verbs.py \
	tests/mutations/test_contention.py tests/mutations/test_rows_of_one_bulk.py tests/mutations/test_erasing.py \
	tests/importers/test_hubspot.py tests/importers/test_repeated_import.py tests/importers/test_undoing.py \
	tests/intake tests/funnel/test_concurrent_writers.py tests/funnel/test_rebuilding.py tests/accord/test_activation.py \
	tests/metrics/test_preview_by_example.py tests/graph/test_records.py tests/graph/test_kpis.py
.PHONY: test-pgbouncer
test-pgbouncer: .venv/.installed-dev ## test through PgBouncer in transaction mode (needs pgbouncer: apt-get install pgbouncer)
	@if PATH="$$PATH:/usr/sbin" command -v pgbouncer >/dev/null; then \
		$(BIN)/python -m pytest -m pgbouncer tests/pooler $(ARGS) && \
		THROUGH_PGBOUNCER=1 $(BIN)/python -m pytest --numprocesses $(JOBS) --dist loadfile $(THROUGH_PGBOUNCER) $(ARGS); \
	else \
		echo "PgBouncer is not tested: it is not installed (on Debian: apt-get install pgbouncer)." >&2; test -n "$(OPTIONAL)"; \
	fi

# A newer release runs this target of the release before, with MIGRATED_BY as its own folder.
READS_AND_WRITES ?= tests/mutations tests/graph tests/plan
.PHONY: test-reads-and-writes
test-reads-and-writes: export MIGRATED_BY := $(MIGRATED_BY)
test-reads-and-writes: .venv/.installed-dev ## test reads and writes (MIGRATED_BY=FOLDER: on a database that a newer release migrates)
	@$(BIN)/python -m pytest --numprocesses $(JOBS) --dist loadfile $(READS_AND_WRITES) $(ARGS)

.PHONY: test-release-before
test-release-before: .venv/.installed-dev ## run the read and write tests of the release before on a database of this tree (COMMIT=revision)
	@$(BIN)/python -m tests.evolution.release_before --commit "$(COMMIT)" $(if $(OPTIONAL),--optional) JOBS=$(JOBS) $(if $(ARGS),ARGS="$(ARGS)") \
		$(if $(filter command% environment%,$(origin READS_AND_WRITES)),READS_AND_WRITES="$(READS_AND_WRITES)")

$(OIDC)/node_modules/.package-lock.json: $(OIDC)/package.json $(OIDC)/package-lock.json .venv/.node-22
	@echo "Installing the identity provider to test with"
	@$(NODE_PATH); export PATH; cd $(OIDC) && npm ci --silent --fetch-retries=1 --fetch-timeout=20000
	@touch $@

.venv/.node-22: requirements-node.lock | .venv/.installed
	@$(NODE_PATH); export PATH; \
	if node -e 'process.exit(+process.versions.node.split(".")[0] >= 22 ? 0 : 1)' 2>/dev/null; then :; else \
		echo "No Node 22 or newer was found: installing one into .venv"; \
		$(PIP) install --require-hashes -r requirements-node.lock; fi
	@touch $@

# --------------------------------------------------------------------------------------------------------------- make

COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--custom-compile-command "make lock"

.PHONY: lock
lock: ## lock the current versions of all requirements (UPGRADE= keeps versions that still fit)
	@test -x $(BIN)/uv || { $(MAKE) .venv/bin/python && $(PIP) install uv; }
	$(COMPILE) $(UPGRADE) pyproject.toml --output-file requirements.lock
	$(COMPILE) $(UPGRADE) pyproject.toml --group dev --constraint requirements.lock --output-file requirements-dev.lock
	$(COMPILE) $(UPGRADE) --group build --constraint requirements-dev.lock --output-file requirements-build.lock
	$(COMPILE) $(UPGRADE) --group node --output-file requirements-node.lock

lock: UPGRADE ?= --upgrade

.PHONY: sdl
sdl: .venv/.installed ## write schema/schema.graphql
	@$(ACCORD) sdl --write

.PHONY: golden
golden: .venv/.installed-dev ## rewrite the golden files in tests/plan/golden: review what `git diff` shows
	@ACCORD_GOLDEN=write $(BIN)/python -m pytest -q tests/plan/test_golden.py $(ARGS)

.PHONY: sdl-diff
sdl-diff: ## classify the changes of the contract since the last release (or BASE=revision)
	@base="$(BASE)"; : "$${base:=$$(git describe --tags --match 'v*' --abbrev=0 2>/dev/null)}"; \
	if [ -z "$$base" ]; then \
		echo "There is no release yet (no tag v*), so no client can break. To compare with any revision: BASE=revision"; exit 0; \
	fi; \
	$(MAKE) -s $(COMPARES) || { echo "The tools that compare contracts could not be installed (is an npm registry reachable?)" >&2; exit 1; }; \
	mkdir -p .cache && git show "$$base:schema/schema.graphql" > .cache/released.graphql || exit 1; \
	echo "schema/schema.graphql since $$base:"; $(NODE_PATH); export PATH; \
	node $(CONTRACT)/compare.mjs .cache/released.graphql schema/schema.graphql

$(COMPARES): $(CONTRACT)/package.json $(CONTRACT)/package-lock.json .venv/.node
	@$(NODE_PATH); export PATH; cd $(CONTRACT) && npm ci --silent --fetch-retries=1 --fetch-timeout=20000
	@touch $@

.PHONY: migration
migration: .venv/.installed-dev ## draft a migration and rewrite the SDL: make migration m="add contact.seniority" (kind=expand)
	@$(BIN)/python -m migrations.draft "$(m)" $(if $(kind),--kind $(kind))

.PHONY: clean
clean: ## remove everything that was installed and built (keeps the data in .accord)
	@test ! -x $(ACCORD) || $(ACCORD) stop
	rm -rf .venv .cache .hypothesis build dist $(FRONT_ENDS:%=api/static/%/dist) $(FRONT_ENDS:%=api/static/%/node_modules) $(PEERS)/node_modules $(CLIENTS)/node_modules $(OIDC)/node_modules $(POSTGRES)/node_modules
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
