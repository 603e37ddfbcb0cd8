# make run: the main job, everything embedded.   make test: all tests.   make check: exactly what CI runs.
VERSION  ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo devel)
REVISION ?= $(shell git rev-parse --short=12 HEAD 2>/dev/null || echo unknown)
LDFLAGS   = -s -w -X main.buildVersion=$(VERSION) -X main.buildRevision=$(REVISION)
TOOL      = go tool -modfile=$(CURDIR)/.ci/tools/go.mod
FUZZTIME ?= 60s
.PHONY: run demo build test lint race plain fuzz bench bench-proxy soak pgo vuln image release check

run demo: build
	./bin/metrics-gate demo
build:
	CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS)' -o bin/metrics-gate ./cmd/metrics-gate
test: build
	.ci/need
	go test ./...
	cd .ci/release-tools && go test ./...
	cd e2e && go test -count=1 -p 1 ./...
lint:
	@test -z "$$(gofmt -l .)" || { gofmt -l . ; echo 'gofmt: the files above are not formatted'; exit 1; }
	go vet ./... && cd e2e && go vet ./... && go test ./house
	$(TOOL) staticcheck ./... && cd e2e && $(TOOL) staticcheck ./...
	.ci/forbid
race:
	go test -race ./...
plain:
	go test -tags plain,exposition_plain ./...
fuzz:
	.ci/fuzz $(FUZZTIME)
bench:
	go test -run '^$$' -bench . -benchmem ./proxy/exposition ./proxy/scrape ./auth ./tlsconf
bench-proxy soak pgo:
	cd e2e && go run ./$(if $(filter soak,$@),soak,bench) $(ARGS)
pgo: ARGS = -profile $(CURDIR)/cmd/metrics-gate/default.pgo
vuln image release:
	.ci/$@
check: lint test plain race vuln image
	.ci/fuzz 2000x
