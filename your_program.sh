#!/bin/sh
# Starts Odradek: ./your_program.sh [server.properties] [--override key=value ...]
# Installs the dependencies and builds on first use, and builds again when a source is newer than the last build.
set -e
self=$0
while [ -h "$self" ]; do
  target=$(readlink "$self")
  case $target in /*) self=$target ;; *) self=$(dirname "$self")/$target ;; esac
done
case $self in */*) here=${self%/*} ;; *) here=. ;; esac

if [ ! -f "$here/dist/.built" ] ||
  { [ -d "$here/src" ] && [ -n "$(find "$here/src" "$here/scripts" "$here/package-lock.json" -newer "$here/dist/.built" -print -quit)" ]; }; then
  (
    cd "$here"
    [ -d node_modules/esbuild ] || npm install --no-save --no-fund --no-audit
    npm run --silent build -- --server-only
  ) >&2
fi

# Node reads and parses these certificates at every start, for TLS connections that a program opens. The broker opens
# none, and an ordinary bundle of them takes longer than the broker's whole start.
unset NODE_EXTRA_CA_CERTS

# One helper thread for V8: four of them collect garbage in slices of 4 ms each, and on few cores whatever else is to run
# waits for all of them in turn.

# Two arenas keep the resident memory of the I/O threads small; with a fixed threshold large buffers go back to the
# operating system when they are freed, instead of leaving holes.
MALLOC_ARENA_MAX=${MALLOC_ARENA_MAX:-2} MALLOC_MMAP_THRESHOLD_=${MALLOC_MMAP_THRESHOLD_:-262144} exec node --no-warnings --v8-pool-size=1 "$here/dist/launch.cjs" "$@"
