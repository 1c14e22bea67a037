#!/bin/sh
# Two releases on one table: runs every scenario of the exploration while each function runs the binary of this
# commit or of an earlier one, at random by a seed.
#
#   tests/outside/mixed.sh [COMMIT] [SEED]     default: the commit before this one, seed 1
#
# The earlier binaries are built into target/mixed, from a copy of their sources. They must know the same template.
set -eu
cd "$(dirname "$0")/../.."
commit=$(git rev-parse --verify "${1:-HEAD~1}^{commit}")
seed=${2:-1}
sources=target/mixed/sources/$commit
if [ ! -d "$sources" ]; then
  mkdir -p "$sources"
  git archive "$commit" | tar -x -C "$sources"
fi
CARGO_TARGET_DIR=$PWD/target/mixed cargo build --manifest-path "$sources/Cargo.toml" --workspace --bins
cargo run -p tests --example releases -- mix target/mixed/debug "$seed"
