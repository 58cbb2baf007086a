# Darkroom. `make` lists the commands; `make demo` shows everything, from nothing.
# A fresh machine needs Python 3.11 or newer with pip, and make. All else is installed below this folder.

PYTHON ?= python3
ENV ?= dev
OUT ?= cdk.out.$(ENV)

BIN := .venv/bin
STEP := $(PYTHON) laptop/steps.py
IN_VENV := env PATH="$(CURDIR)/$(BIN):$$PATH"
CDK := $(IN_VENV) node node_modules/aws-cdk/bin/cdk
PIP := -m pip --quiet --disable-pip-version-check --no-input install
LOCKED := $(PIP) --require-hashes -r
LOCKS := requirements-dev requirements-audit laptop/requirements laptop/requirements-runtime laptop/requirements-uv lambdas/requirements \
	lambdas/stages/requirements
COMPILE := env UV_NO_CONFIG=1 .cache/uv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-header --no-annotate --no-strip-extras
LAPTOP := $(BIN)/python -m laptop

# Written last, so that a set-up which was interrupted is done again.
READY := .venv/.ready .laptop/venv/.ready node_modules/.ready

.DEFAULT_GOAL := help
.PHONY: help setup demo up down status logs test bench pages capacity chaos fuzz test-fast test-browser test-enforced mutants corpus lint format lock audit synth diff bootstrap deploy destroy clean

help: ## List the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

setup: $(READY) ## Install everything below this folder; the others do it by themselves
	@:

demo: setup ## Show it all on real jobs, and check it; KEEP=1 leaves it running
	@$(LAPTOP) demo

up: setup ## Start Darkroom on this machine, or bring it up to date
	@$(LAPTOP) up

down: setup ## Stop it; its state is kept
	@$(LAPTOP) down

status: setup ## Say what runs where
	@$(LAPTOP) status

logs: setup ## Follow the log of the emulator and the functions
	@$(LAPTOP) logs

test: setup ## Run all tests
	@$(BIN)/python -m pytest

bench: setup ## Measure every goal of docs/performance.md; PHOTOS=folder, JOBS=
	@$(BIN)/python -m laptop.bench $(if $(PHOTOS),--photos "$(PHOTOS)") $(if $(JOBS),--jobs $(JOBS))

pages: setup ## Write the last run of the bench into docs/, and what is computed from it
	@$(STEP) "docs/performance.md" $(BIN)/python -m laptop.bench.page
	@$(STEP) "docs/cost.md" $(BIN)/python -m laptop.bench.cost_page
	@$(STEP) "docs/capacity.md" $(BIN)/python -m laptop.capacity.page

capacity: setup ## Say which limit a rate of jobs meets first, and play it through; RATE=, BURST=, MEGAPIXELS=, FOR=, SET=, REGION=, HOURS=, JSON=1
	@$(BIN)/python -m laptop.capacity --rate "$(or $(RATE),10)" --burst "$(or $(BURST),0)" --megapixels "$(or $(MEGAPIXELS),16)" --env "$(or $(FOR),prod)" --region "$(or $(REGION),us-east-1)" --hours "$(or $(HOURS),1)" --set "$(SET)" $(if $(JSON),--json)

chaos: setup ## Run jobs among faults, and judge; SEED=, JOBS=, KINDS=, AT_LEAST=
	@$(BIN)/python -m laptop.chaos --seed "$(SEED)" --jobs "$(or $(JOBS),300)" --kinds "$(KINDS)" $(if $(AT_LEAST),--at-least $(AT_LEAST))

fuzz: setup ## Let schemathesis try every call of the API, signed in as two users; CASES=, SECONDS=
	@$(BIN)/python -m laptop.fuzz --cases "$(or $(CASES),500)" --seconds "$(or $(SECONDS),2400)"

test-fast: setup ## Run the tests that need no emulator
	@$(BIN)/python -m pytest --ignore tests/emulator --ignore tests/browser

test-browser: setup ## Run the tests in a browser, which need Chromium: CHROMIUM=/path/to/it
	@BROWSER_REQUIRED=1 $(BIN)/python -m pytest tests/browser

test-enforced: setup ## Run the emulator's tests with permissions enforced
	@ENFORCED=1 $(BIN)/python -m pytest tests/emulator

mutants: setup ## Break on purpose what keeps jobs safe; show that a test notices, or a fault run: CHAOS=1; SECURITY=1
	@$(BIN)/python -m tests.mutants $(if $(CHAOS),--chaos) $(if $(SECURITY),--security)

corpus: setup ## Put hostile images through the stages; SEED=, FILES=, or FOLDER= of your own
	@$(BIN)/python -m tests.hostile --seed "$(or $(SEED),1)" --files "$(or $(FILES),3000)" $(if $(FOLDER),--folder "$(FOLDER)")

lint: setup ## Check style, types and imports
	@$(STEP) "Style (ruff check)" $(BIN)/ruff check
	@$(STEP) "Layout (ruff format)" $(BIN)/ruff format --check
	@$(STEP) "Types (mypy)" $(BIN)/mypy
	@$(STEP) "Imports (import-linter)" $(BIN)/lint-imports

format: setup ## Lay out the code, and mend what can be mended by itself
	@$(BIN)/ruff format --quiet
	@$(BIN)/ruff check --fix

lock: ## Pin every package by its hash again, after an edit of a requirements*.txt; needs the network
	@$(STEP) "Environment of uv" $(PYTHON) -m venv .cache/uv
	@$(STEP) "uv" .cache/uv/bin/python $(LOCKED) laptop/requirements-uv.lock
	@for name in $(LOCKS); do $(STEP) "$$name.lock" $(COMPILE) "$$name.txt" --output-file "$$name.lock" || exit; done

audit: ## Look up the locked packages in the list of known faults; needs the network
	@$(STEP) "Environment of pip-audit" $(PYTHON) -m venv .cache/audit
	@$(STEP) "pip-audit" .cache/audit/bin/python $(LOCKED) requirements-audit.lock
	@for name in $(LOCKS); do $(STEP) "$$name.lock" .cache/audit/bin/pip-audit --disable-pip --require-hashes \
		--requirement "$$name.lock" || exit; done

synth: setup ## Write the CloudFormation of ENV=dev|prod|laptop to OUT=folder
	@$(STEP) "Stack for $(ENV), into $(OUT)" $(CDK) synth --quiet --no-notices --context env=$(ENV) --output "$(OUT)"

diff: setup ## Say what a deployment of ENV=dev|prod would change in the account
	@$(CDK) diff --no-notices --method template --context env=$(ENV) "Darkroom-$(ENV)*"

deploy: setup ## Deploy ENV=dev|prod to the AWS account you are signed in to; YES=1 does not ask, AT_ONCE=1 does not wait
	@test "$(ENV)" != laptop || { echo "The laptop is deployed to by \`make up\`."; exit 2; }
	@$(CDK) deploy --no-notices --context env=$(ENV) $(if $(AT_ONCE),--context at_once=true) $(if $(YES),--require-approval never) "Darkroom-$(ENV)*"

bootstrap: setup ## Prepare the account for the first deployment: once per account and region
	@$(CDK) bootstrap --no-notices --context env=$(ENV)

destroy: setup ## Delete ENV=dev|prod from the account
	@$(CDK) destroy --no-notices --context env=$(ENV) "Darkroom-$(ENV)*"

clean: ## Stop the emulator and delete all that was made here
	@if [ -e .venv/.ready ]; then $(LAPTOP) clean; fi
	@rm -rf .venv .laptop .darkroom .cache node_modules cdk.out cdk.out.* *.egg-info client/*.egg-info
	@rm -rf .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/.ready: requirements-dev.lock pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info; v >= (3, 11) or sys.exit("Darkroom needs Python 3.11 or newer, and %s is %d.%d: make PYTHON=/path/to/another" % (sys.executable, v[0], v[1]))'
	@$(STEP) "Python environment" $(PYTHON) -m venv .venv
	@$(STEP) "Python packages" $(BIN)/python $(LOCKED) requirements-dev.lock
	@$(STEP) "The darkroom command" $(BIN)/python $(PIP) --no-build-isolation --no-deps -e .
	@touch $@

.laptop/venv/.ready: laptop/requirements.lock | .venv/.ready
	@$(STEP) "Emulator's environment" $(PYTHON) -m venv .laptop/venv
	@$(STEP) "Emulator of AWS" .laptop/venv/bin/python $(LOCKED) laptop/requirements.lock
	@touch $@

node_modules/.ready: package.json package-lock.json | .venv/.ready
	@$(STEP) "CDK command line" $(IN_VENV) npm ci --no-audit --no-fund --loglevel=error
	@touch $@
