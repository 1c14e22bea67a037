// Where this repository keeps what the tests run, read and write.

import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

/** What cargo builds. Traces and pictures go there too, so none is ever committed. */
export const TARGET = process.env.CARGO_TARGET_DIR ?? `${ROOT}target`;
export const LOCAL = `${TARGET}/debug/local`;
export const PICTURES = `${TARGET}/console`;
export const CONSOLE = `${ROOT}crates/console`;
