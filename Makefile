# `make` lists what there is; `make run` and `make test` need nothing but Go,
# Node and a Debian machine to install the rest on.

TOOL := go tool -modfile=.ci/tools/go.mod
STORES := deploy/testenv/with-stores
GO_TEST := deploy/testenv/go-test
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null)

# Where goroutines share state: tests of these run under the race detector, and only
# there. It makes everything else slower, a browser above all, and finds nothing.
RACE := ./oauth ./authn ./authn/message ./oauth/... ./storage/... ./internal/...

# What takes long under the race detector and has nothing for it: one attempt after
# another, or many at once as others of the package do.
ALONE := ^(TestSprayingIsStopped|TestLuckIsNoBetterThanTheLimit)$$

# The first build on a machine compiles some 600 packages. Not to inline saves a
# third of that, and the standard library can begin while modules are fetched.
QUICK := -gcflags=all=-l

FUZZTIME := 10s

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: run
run: ## Start a development server with demo data on http://localhost:8080
	@go build $(QUICK) net/http & go run $(QUICK) ./cmd/gatehouse dev

.PHONY: build
build: ## Build bin/gatehouse
	CGO_ENABLED=0 go build -trimpath -ldflags '-s -w -X main.version=$(VERSION)' -o bin/ ./cmd/gatehouse

.PHONY: test
test: testenv ## Run every test on every engine; installs what is missing
	@$(STORES) $(MAKE) --no-print-directory go-test go-race

.PHONY: race
race: testenv ## Run the tests of concurrent code under the race detector
	@$(STORES) $(MAKE) --no-print-directory go-race

.PHONY: e2e
e2e: testenv ## Run only the tests that drive the whole binary
	@$(STORES) $(GO_TEST) -parallel 4 -timeout 15m ./cmd/...

.PHONY: conformance
conformance: testenv ## Run the re-implemented conformance modules; writes docs/conformance*.md
	@$(STORES) go test ./cmd/gatehouse -count=1 -run '^(TestConformance|TestBesideOIDCProvider)$$' -conformance-report -peer-report

.PHONY: fuzz
fuzz: ## Fuzz every parser of hostile input for FUZZTIME (10s) each
	@deploy/testenv/fuzz $(FUZZTIME)

.PHONY: bench
bench: ## Measure against a bare net/http server and a peer; writes docs/performance.md
	@deploy/testenv/install wrk
	@deploy/testenv/npm-rigs
	@$(STORES) go run ./cmd/bench

.PHONY: bench-scale
bench-scale: ## Measure a directory and a marketplace of a million users each on PostgreSQL
	@$(STORES) go run ./cmd/bench -scale

.PHONY: bench-import
bench-import: ## Measure imports of a million users into PostgreSQL, after an LDIF of 100,000 with mixed hashes on both engines
	@$(STORES) go test ./directory/transfer -count=1 -run '^TestEachKindOfHashSignsInAndIsReplaced$$' -users 100000
	@$(STORES) go run ./cmd/bench -import 1000000

.PHONY: lint
lint: ## Check style and the import rules
	@$(TOOL) golangci-lint run

.PHONY: check
check: test lint ## Everything that CI runs

.PHONY: vuln
vuln: ## Look for known vulnerabilities in what is linked
	@$(TOOL) govulncheck ./...

.PHONY: journeys
journeys: ## Draw the journeys through the hosted pages; writes docs/journeys.md
	@go test ./authn/pages -count=1 -run '^TestJourneys$$' -update

.PHONY: round-trips
round-trips: ## Count what each step of a sign-in waits for; writes docs/journeys.md
	@go test ./cmd/gatehouse -count=1 -run '^TestAStepCostsNoMoreRoundTrips$$' -update-round-trips

.PHONY: screenshots
screenshots: ## Show every hosted page in every state; writes docs/screenshots*
	@rm -rf docs/screenshots && mkdir docs/screenshots
	@go test ./authn/pages -count=1 -run '^TestScreenshots$$' -update

.PHONY: assets
assets: ## Compile the style sheet of the hosted pages
	@cd authn/pages/assets-src && npm ci && npm run build

# The steps of the targets above.

.PHONY: testenv
testenv:
	@deploy/testenv/install
	@deploy/testenv/npm-rigs

.PHONY: go-test
go-test:
	@# The package that takes longest goes first, so that the others run beside it.
	@# Much of what tests do there is wait, so that more of them fit on a processor.
	@$(GO_TEST) -parallel 4 -timeout 15m ./cmd/gatehouse $$(go list ./... | grep -vxF "$$(go list $(RACE))")
	@$(GO_TEST) -run '$(ALONE)' ./authn

.PHONY: go-race
go-race:
	@$(GO_TEST) -race -skip '$(ALONE)' -timeout 15m $(RACE)
