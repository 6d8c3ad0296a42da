# make test is all that a change must pass; .ci/run calls it.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := build

GO ?= go
# FUZZTIME is the CPU time that make fuzz gives each fuzz target in all.
FUZZTIME ?= 10m
# FAULTFLAGS are added to faultcheck: make faults FAULTFLAGS='-rows 24-34'.
FAULTFLAGS ?=
# SOAK is how many rounds make soak runs, SOAKSEED what their faults depend on.
SOAK ?= 50
SOAKSEED ?= 1
# TESTFLAGS are added to go test: make unit TESTFLAGS='-run TestScript'.
TESTFLAGS ?=
PACKAGES ?= ./...
# TRUTHFLAGS are added to truthbench: make truth TRUTHFLAGS='-ops sleep,sha256 -hogs 2'.
TRUTHFLAGS ?=
# TRUTHSEED draws the ops of make truth-sample, and the order of their trials.
TRUTHSEED ?= 1

# Other modules of this repository, with tests of their own.
MODULES := $(shell find testdata -name go.mod -not -path '*/node_modules/*' -exec dirname {} \;)

.PHONY: build test fmt vet staticcheck layout unit modules fuzz fuzz-seconds faults soak bench browser truth truth-labels truth-sample peers clean

build: ## concprof into bin/
	$(GO) build -trimpath -o bin/concprof ./cmd/concprof

test: fmt vet staticcheck layout browser unit modules fuzz-seconds
	@echo "all checks passed"

fmt: ## every file is as gofmt writes it
	@files="$$(find . -name '*.go' -not -path '*/testdata/*' -not -path './.*' -print0 | xargs -0 gofmt -l)"; \
	for m in $(MODULES); do files="$$files$$(gofmt -l "$$m")"; done; \
	if [ -n "$$files" ]; then echo "gofmt -w these files:"; echo "$$files"; exit 1; fi

vet:
	$(GO) vet ./...

staticcheck:
	$(GO) tool staticcheck ./...

layout: ## the direction of imports and the other rules of the layout
	$(GO) test -count=1 ./cmd/concprof/internal/layout

browser: ## Chromium and axe-core, which look at the report and at the pprof web UI
	@.ci/browser

unit: ## unit, golden, script, property, process and browser tests
	$(GO) test -race -shuffle=on -timeout 14m $(TESTFLAGS) $(PACKAGES)

modules: ## the modules below testdata, by their own tests
	@for m in $(MODULES); do echo "module $$m"; (cd "$$m" && $(GO) vet ./... && $(GO) test ./...); done

fuzz-seconds: ## each fuzz target for three seconds
	@.ci/fuzz 3s $(PACKAGES)

fuzz: ## each fuzz target until it has had FUZZTIME of CPU; goes on where it was ended: FUZZTIME=1h make fuzz
	@.ci/fuzz-on $(FUZZTIME) $(CURDIR)/.fuzz $(PACKAGES)

faults: ## every row of docs/faults.md by its tests, and a table of what was seen
	@$(GO) run ./cmd/faultcheck $(FAULTFLAGS)

soak: ## runs with a random fault each, four at once, two seconds a round; goes on where it was ended: SOAK=1000 make soak
	$(GO) test ./cmd/concprof -run '^TestSoak$$' -count=1 -parallel 4 -timeout 0 -v -soak $(SOAK) -soak-seed $(SOAKSEED) -soak-state $(CURDIR)/.soak

bench:
	$(GO) test -run '^$$' -bench . -benchmem $(TESTFLAGS) $(PACKAGES)

truth: truth-labels ## the truth suite in full, 76 minutes on two quiet cores; goes on where it was ended: make truth TRUTHFLAGS='-time 60m'
	$(GO) run ./cmd/truthbench $(TRUTHFLAGS)

truth-labels: ## its labels, held to clocks and counters alone, five minutes
	cd testdata/truth && $(GO) test -count=1 -timeout 30m ./op -measure

truth-sample: ## eight of its ops, drawn by TRUTHSEED, within ten minutes: no class may be wrong
	$(GO) run ./cmd/truthbench -sample 8 -seed $(TRUTHSEED) -repeat 1 -overhead=false -time 9m -require class $(TRUTHFLAGS)

peers: ## the frame reader beside cProfile, py-spy and yappi, eight minutes; PYTHON=python3.12 make peers
	CONCPROF_PEERS="$$(.ci/peers)" $(GO) test ./probes/internal/pyread -run '^TestPeers$$' -count=1 -timeout 30m -v -peers

clean:
	rm -rf bin
