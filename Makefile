# Pawl: what there is to make. `make` alone tells.
GO      ?= go
BIN     := build/bin
PLATFORMS := linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 freebsd/amd64 freebsd/arm64 windows/amd64 windows/arm64
FUZZTIME ?= 5m
export CGO_ENABLED ?= 0

.PHONY: help run build test deps check unit race e2e cross fuzz bench gobench compat golden demo image clean

help: ## tell what there is to make
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | expand -t 12

run: deps-run build ## install what is missing, build, and listen on 127.0.0.1:9000 with the bundled hooks
	@scripts/try-it.sh $(BIN)/pawl

# The same flags as in the Dockerfile: one source, one hash.
build: ## build the one static binary
	@mkdir -p $(BIN)
	$(GO) build -trimpath -buildvcs=false -ldflags '-s -w -buildid=' -o $(BIN)/pawl ./cmd/pawl

test: deps check race cross e2e ## the whole test suite; installs the Debian packages that it needs

deps: ## install what the tests need (Debian packages, the scanner)
	scripts/install-tools.sh test

deps-run: ## install what the bundled scan needs
	@scripts/install-tools.sh run

check: ## format, vet, staticcheck, shellcheck
	@unformatted=$$(gofmt -l cmd internal bench); if [ -n "$$unformatted" ]; then echo "not formatted (gofmt -w): $$unformatted"; exit 1; fi
	$(GO) mod tidy -diff
	$(GO) vet ./...
	$(GO) vet -tags e2e ./internal/e2e ./internal/fault
	$(GO) tool staticcheck ./...
	$(GO) tool staticcheck -tags e2e ./internal/e2e ./internal/fault
	shellcheck -x scripts/*.sh scripts/lib/*.sh packaging/*.sh .ci/run

unit: ## the Go tests, without the race detector
	$(GO) test ./...

race: ## the Go tests, with the race detector
	CGO_ENABLED=1 $(GO) test -race ./...

e2e: build ## the tests with a real registry, scanner and docker daemon, and with disks that are full or fail
	$(GO) test -tags e2e -count=1 -timeout 25m ./internal/e2e ./internal/fault

cross: ## vet and build for every platform
	@for platform in $(PLATFORMS); do \
		echo "build $$platform"; \
		GOOS=$${platform%/*} GOARCH=$${platform#*/} $(GO) build -o /dev/null ./cmd/pawl || exit 1; \
	done
	@for os in darwin freebsd windows; do echo "vet $$os"; GOOS=$$os $(GO) vet ./... || exit 1; done

fuzz: ## run each fuzz test for FUZZTIME (5m)
	@for package in $$($(GO) list ./...); do \
		for name in $$($(GO) test -list '^Fuzz' $$package | grep '^Fuzz'); do \
			echo "$$package $$name"; $(GO) test -run '^$$' -fuzz "^$$name\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 10x $$package || exit 1; \
		done; \
	done

bench: ## compare with webhook and with a bare loop; BENCH="-quick -only burst" for parts (bench/README.md)
	@$(GO) run ./bench $(BENCH)

gobench: ## run the Go benchmarks
	$(GO) test -run '^$$' -bench . -benchmem ./...

compat: ## replay webhook's recorded behaviour
	$(GO) test -count=1 -run TestCompat ./internal/cli

golden: ## write the golden files anew; look at the difference before you commit it
	$(GO) test ./internal/hook -update

demo: deps-run build ## scan an image before your eyes: registry, push, notification, scan
	PAWL=$(BIN)/pawl scripts/demo.sh

image: ## build the container images (needs docker)
	docker build --target slim -t pawl:slim .
	docker build --target full -t pawl:full .

clean: ## remove what was built
	rm -rf build
