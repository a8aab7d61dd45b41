#!/bin/sh
exec "$(dirname "$0")/../your_program.sh" "$@"
