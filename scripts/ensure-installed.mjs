// Installs the locked dependencies when they are missing or older than the lock file, so that `npm test` works in a
// fresh clone.
import { execSync } from 'node:child_process'
import { existsSync, statSync } from 'node:fs'

// Not `npm ci`: it refuses the lock where a registry lacks some other platform's optional binaries.
const marker = 'node_modules/.package-lock.json'
const stale = !existsSync(marker) || statSync(marker).mtimeMs < statSync('package-lock.json').mtimeMs
if (stale) execSync('npm install --no-save --no-fund --no-audit', { stdio: 'inherit' })
