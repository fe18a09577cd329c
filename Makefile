# make help lists what there is to do.
GO       ?= go
FUZZTIME ?= 30s
ARGS     ?= --help

# The packages that also run in a browser; their tests, golden reports included, pass as WebAssembly.
ENGINE = ./event/... ./decode/... ./neural/... ./logformat/... ./rule/... ./witness/... ./incident/... ./render/... .

.PHONY: help build web site reproducible sizes page FORCE run test check fmt vet lint floors wasm golden coverage bench fuzz generate clean

help: ## list the targets
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/' | expand -t 18

build: web ## build bin/vanguard, with the page in it
	CGO_ENABLED=0 $(GO) build -trimpath -o bin/vanguard ./cmd/vanguard

# The engine for the browser. The flags make it the same bytes wherever it is built; make reproducible tries that.
WASM_BUILD = GOOS=js GOARCH=wasm $(GO) build -trimpath -ldflags='-s -w' -buildvcs=false

bin/vanguard.wasm: FORCE
	$(WASM_BUILD) -o $@ ./cmd/vanguard-wasm

web: bin/vanguard.wasm ## build the page into web/dist: the bundle, the engine, packed copies, hashes
	mkdir -p web/gen && cp "$$($(GO) env GOROOT)/lib/wasm/wasm_exec.js" web/gen/
	cd web && if [ -f package.json ]; then { [ -d node_modules ] || npm ci --no-audit --no-fund; } && npm run build; fi
	node web/pack.mjs bin/vanguard.wasm

site: web ## write the page as static files into site/, for any web host
	node web/pack.mjs bin/vanguard.wasm site

reproducible: bin/vanguard.wasm ## build the engine again elsewhere, from nothing: the same bytes must come out
	rm -rf bin/elsewhere && mkdir -p bin/elsewhere/source
	git ls-files -z | tar -c --null -T - | tar -x -C bin/elsewhere/source
	cd bin/elsewhere/source && GOCACHE="$$PWD/../cache" $(WASM_BUILD) -o ../vanguard.wasm ./cmd/vanguard-wasm
	cmp bin/vanguard.wasm bin/elsewhere/vanguard.wasm && rm -rf bin/elsewhere && echo "two builds, the same bytes"

sizes: bin/vanguard.wasm ## how large the engine for the browser is, packed, with the classifier and without
	: > bin/none.bin && printf '{"Replace":{"%s":"%s"}}' "$$PWD/models/$$(sed -n 's/^.*go:embed //p' models/embed.go)" "$$PWD/bin/none.bin" > bin/without.json
	$(WASM_BUILD) -overlay bin/without.json -o bin/without.wasm ./cmd/vanguard-wasm
	@node -e 'const z = require("zlib"), fs = require("fs"), c = z.constants; for (const f of process.argv.slice(1)) { const b = fs.readFileSync(f); console.log(f, b.length, "gzip", z.gzipSync(b, { level: 9 }).length, "brotli", z.brotliCompressSync(b, { params: { [c.BROTLI_PARAM_QUALITY]: 11, [c.BROTLI_PARAM_LGWIN]: 24, [c.BROTLI_PARAM_SIZE_HINT]: b.length } }).length); }' bin/vanguard.wasm bin/without.wasm
	@rm -f bin/none.bin bin/without.json bin/without.wasm

FORCE:

run: ## run vanguard: make run ARGS="scan /var/log/nginx"
	$(GO) run ./cmd/vanguard $(ARGS)

test: ## run all tests
	$(GO) test ./...

check: fmt vet lint test wasm reproducible page ## everything that must hold before a change goes in

fmt:
	@files=$$(gofmt -l $$(git ls-files '*.go')); if [ -n "$$files" ]; then echo "not formatted; run gofmt -w on:"; echo "$$files"; exit 1; fi

vet:
	$(GO) vet ./...
	GOOS=js GOARCH=wasm $(GO) vet ./cmd/vanguard-wasm

lint:
	$(GO) tool staticcheck ./...

floors: ## which package may import which
	$(GO) test -run TestFloors .

wasm: ## run the engine's tests as WebAssembly, under Node
	PATH="$$PATH:$$($(GO) env GOROOT)/lib/wasm" GOOS=js GOARCH=wasm $(GO) test -exec "$$($(GO) env GOROOT)/lib/wasm/go_js_wasm_exec" $(ENGINE)

page: build ## type-check the page and drive it in a real Chromium
	cd web && npm run check && node --test --test-concurrency=1 test/*.test.mjs

golden: ## write the golden reports anew; review the diff
	$(GO) test . -run TestGolden -update

coverage: ## write docs/coverage.md anew, from all samples
	VANGUARD_WRITE_COVERAGE=1 $(GO) test . -count=1 -run TestCoverage

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
	rm -rf bin site web/gen web/node_modules
	git clean -fdxq web/dist
