#!/bin/sh
# Two releases on one table: runs every scenario of the exploration while each function runs the binary of this release or
# of the previous one, at random by a seed.
#
#   tests/outside/mixed.sh [SEED [COMMIT]]     default: seed 1, and the commit that tests/releases/before names
#
# Both must know the same template.
set -eu
cd "$(dirname "$0")/../.."
before=$(tests/outside/before.sh ${2:+"$2"})
cargo run -p tests --example releases -- mix "$before" "${1:-1}"
