#!/bin/sh
# Builds the binaries of the release before, and says where they are.
#
#   tests/outside/before.sh [COMMIT]     default: the commit that tests/releases/before names
#
# The sources are those of the commit; what both releases depend on is compiled once, as the builds share the folder of intermediate artifacts.
set -eu
cd "$(dirname "$0")/../.."
name=${1:-$(cat tests/releases/before)}
if ! commit=$(git rev-parse --verify --quiet "$name^{commit}"); then
  echo "$name is not in this clone: git fetch --unshallow" >&2
  exit 1
fi
directory=$PWD/target/before/$commit
if [ ! -d "$directory/sources" ]; then
  mkdir -p "$directory/sources.new"
  git archive "$commit" | tar -x -C "$directory/sources.new"
  mv "$directory/sources.new" "$directory/sources"
fi
CARGO_BUILD_BUILD_DIR=$PWD/target CARGO_TARGET_DIR=$directory cargo build --manifest-path "$directory/sources/Cargo.toml" --workspace --bins --locked >&2
echo "$directory/debug"
