# make help lists what there is to do.
GO       ?= go
FUZZTIME ?= 30s
ARGS     ?= --help

# The packages that also run in a browser; their tests, golden reports included, pass as WebAssembly.
ENGINE = ./event/... ./decode/... ./logformat/... ./rule/... ./incident/... ./render/... .

.PHONY: help build run test check fmt vet lint floors wasm golden bench fuzz generate clean

help: ## list the targets
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/' | expand -t 18

build: ## build bin/vanguard
	$(GO) build -trimpath -o bin/vanguard ./cmd/vanguard

run: ## run vanguard: make run ARGS="scan /var/log/nginx"
	$(GO) run ./cmd/vanguard $(ARGS)

test: ## run all tests
	$(GO) test ./...

check: fmt vet lint test wasm ## everything that must hold before a change goes in

fmt:
	@files=$$(gofmt -l $$(git ls-files '*.go')); if [ -n "$$files" ]; then echo "not formatted; run gofmt -w on:"; echo "$$files"; exit 1; fi

vet:
	$(GO) vet ./...

lint:
	$(GO) tool staticcheck ./...

floors: ## which package may import which
	$(GO) test -run TestFloors .

wasm: ## run the engine's tests as WebAssembly, under Node
	PATH="$$PATH:$$($(GO) env GOROOT)/lib/wasm" GOOS=js GOARCH=wasm $(GO) test -exec "$$($(GO) env GOROOT)/lib/wasm/go_js_wasm_exec" $(ENGINE)

golden: ## write the golden reports anew; review the diff
	$(GO) test . -run TestGolden -update

bench: ## run the benchmarks of the hot paths
	$(GO) test -run '^$$' -bench . -benchmem $(ENGINE)

fuzz: ## run every fuzz target for FUZZTIME each
	@for pkg in $$($(GO) list ./...); do \
	  for target in $$($(GO) test -list '^Fuzz' $$pkg | grep '^Fuzz'); do \
	    echo "$$pkg $$target"; $(GO) test -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME) $$pkg || exit 1; \
	  done; \
	done

generate: ## run go:generate
	$(GO) generate ./...

clean: ## remove what was built
	rm -rf bin
