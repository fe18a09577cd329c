#!/bin/sh
# Builds what the benchmarks need and writes their logs into data/, which git ignores.
set -eu
cd "$(dirname "$0")"
mkdir -p data
(cd .. && CGO_ENABLED=0 go build -trimpath -o bin/vanguard ./cmd/vanguard)
go build -o data/gen ./gen
go build -o data/coraza ./coraza
[ -s data/access.log ] || data/gen access > data/access.log
[ -d data/cloudtrail ] || data/gen cloudtrail -dir data/cloudtrail
