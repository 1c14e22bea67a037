// Fails before the first test, with the command that helps, when something that every test needs is missing.

import { existsSync } from 'node:fs';
import { LOCAL } from './paths.js';

export default function checkMachine(config) {
  const { executablePath } = config.projects[0].use.launchOptions;
  const needed = { [executablePath]: 'apt-get install chromium, or CHROMIUM=/path/to/chromium', [LOCAL]: 'cargo build --workspace --bins' };
  for (const [file, command] of Object.entries(needed)) {
    if (!existsSync(file)) throw new Error(`${file} is missing: ${command}`);
  }
}
