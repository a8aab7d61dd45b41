#!/bin/sh
# Installs and builds ahead of time, so that a stage starts at once and needs no network.
set -e
cd "$(dirname "$0")/.."
[ -d node_modules/esbuild ] || npm install --no-save --no-fund --no-audit
npm run --silent build -- --server-only
