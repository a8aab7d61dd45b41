// Runs test/kafka/: the tests beside a real Apache Kafka. They need Java 17+ and Kafka's jars in a folder named by
// KAFKA_LIBS (default ~/.cache/odradek/kafka-libs, see CONTRIBUTING.md); where either is missing each test is
// skipped by name. `npm run test:kafka -- test/kafka/ping-pong` runs a part of them.
import { spawnSync } from 'node:child_process'

const build = spawnSync(process.execPath, ['scripts/build.mjs'], { stdio: 'inherit' })
if (build.status !== 0) process.exit(build.status ?? 1)
const wanted = process.argv.slice(2)
const { status } = spawnSync(
  process.execPath,
  [
    '--experimental-vm-modules',
    '--no-warnings',
    'node_modules/jest/bin/jest.js',
    '--testPathIgnorePatterns',
    '/node_modules/',
    '--runInBand',
    '--verbose',
    // a pattern takes a part of them: each one more would only add to those before
    ...(wanted.some((argument) => !argument.startsWith('-')) ? [] : ['test/kafka/']),
    ...wanted,
  ],
  { stdio: 'inherit' },
)
process.exit(status ?? 1)
