/**
 * `npm run bench -- [--scenario NAME]… [--rounds N] [--size FACTOR] [--dir FOLDER] [--minutes N] [--no-startup]
 *   [--bootstrap HOST:PORT [--pid N]] [--beside HOST:PORT --pid N]`
 *
 * For each scenario: a fresh broker and a fresh floor of each kind in turn, `rounds` times; prints MB/s, records/s, CPU
 * seconds per GB and per million records of the broker process, its resident memory, and the ratios to the floors. With
 * `--bootstrap` it loads any other broker instead (CPU and memory only with its `--pid`), with `--beside` another
 * broker too, in the same rounds. `--minutes` keeps up one load for so long instead, and prints how resident memory goes.
 */
import { closeSync, existsSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import type { FloorKind } from './floor-input.ts'
import type { FloorPlan } from './floor.ts'
import { checkAnswer, createTopic, deleteTopic, encodeRequestFrame } from './frames.ts'
import { latencies, load, type LoadResult } from './load-client.ts'
import { groupScenarios } from './groups.ts'
import { startTarget, usageOf, type OwnTarget, type Target } from './processes.ts'
import { scenarios, topic, type Scenario } from './scenarios.ts'
import { startupTimes } from './startup.ts'
import { storageScenarios } from './storage.ts'
import { transactionScenarios } from './transactions.ts'

/** Those that start their brokers themselves. */
const ownScenarios = [...storageScenarios, ...transactionScenarios]

interface Measurement {
  readonly mbPerSecond: number
  readonly recordsPerSecond: number
  readonly cpuPerGb: number
  readonly cpuPerMillionRecords: number
  readonly residentMb: number
  readonly peakMb: number
}

const { values: options } = parseArgs({
  options: {
    scenario: { type: 'string', multiple: true, default: [] },
    rounds: { type: 'string', default: '3' },
    size: { type: 'string', default: '1' },
    dir: { type: 'string' },
    bootstrap: { type: 'string' },
    beside: { type: 'string' },
    pid: { type: 'string' },
    minutes: { type: 'string' },
    'no-startup': { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})
const root = path.dirname(path.dirname(new URL(import.meta.url).pathname)).replace(/\/dist$/, '')

if (options.help) {
  console.log(
    'npm run bench -- [--scenario NAME]... [--rounds N] [--size FACTOR] [--dir FOLDER] [--minutes N] [--bootstrap HOST:PORT [--pid N]] [--beside HOST:PORT --pid N] [--no-startup]',
  )
  console.log(
    `scenarios: ${[...scenarios(1).map((s) => s.name), 'latency', ...groupScenarios.map((s) => s.name), ...ownScenarios.map((s) => s.name)].join(', ')}`,
  )
} else {
  await main()
}

async function main(): Promise<void> {
  const base = options.dir ?? (existsSync('/dev/shm') ? '/dev/shm' : tmpdir())
  const wanted = (name: string) => options.scenario.length === 0 || options.scenario.includes(name)
  touchMemory(base)
  if (options.minutes !== undefined) {
    await soak(Number(options.minutes), base)
    return
  }
  console.log(
    `data in ${base}; medians of ${options.rounds} rounds; cpu = CPU seconds of the process per GB of batches\n`,
  )
  console.log(
    'scenario                                     MB/s   records/s   cpu/GB  cpu/M rec.  RSS MB  peak MB  plain floor  ratio  at most  tight floor  ratio',
  )
  for (const scenario of scenarios(Number(options.size))) if (wanted(scenario.name)) await runScenario(scenario, base)
  if (wanted('latency')) await runLatency(base)
  for (const { name, overrides, run } of groupScenarios) {
    if (!wanted(name)) continue
    // a line for each round: they hold several figures
    for (let round = 0; round < Number(options.rounds); round++) {
      await inFolder(base, (folder) => runGroups(folder, overrides, run))
    }
  }
  for (const { name, onDisk, run } of options.bootstrap === undefined ? ownScenarios : []) {
    if (!wanted(name)) continue
    await inFolder(onDisk === true ? (options.dir ?? tmpdir()) : base, async (folder) => {
      const broker = (overrides?: readonly string[]) => startOwnBroker(folder, overrides)
      const floor = (plan: Omit<FloorPlan, 'directory'>) => startFloor(plan, folder)
      const directory = path.join(folder, 'data')
      console.log(`\n${await run({ directory, size: Number(options.size), broker, floor })}`)
    })
  }
  if (!options['no-startup'] && options.bootstrap === undefined && options.scenario.length === 0)
    await startupTimes(root, base)
}

async function runScenario(scenario: Scenario, base: string): Promise<void> {
  const ours: Measurement[] = []
  const floors: Record<FloorKind, Measurement[]> = { plain: [], tight: [] }
  const others: Measurement[] = []
  for (let round = 0; round < Number(options.rounds); round++) {
    ours.push(await inFolder(base, (folder) => measure(scenario, () => startBroker(folder), true)))
    if (options.bootstrap === undefined) {
      for (const kind of ['plain', 'tight'] as const) {
        const start = (folder: string) => () => startFloor({ ...scenario.floor, kind }, folder)
        floors[kind].push(await inFolder(base, (folder) => measure(scenario, start(folder), false)))
      }
    }
    if (options.beside !== undefined) others.push(await measureBeside(scenario, options.beside))
  }
  const m = medians(ours)
  const columns = [
    scenario.title.padEnd(42),
    m.mbPerSecond.toFixed(0).padStart(6),
    m.recordsPerSecond.toFixed(0).padStart(11),
    m.cpuPerGb.toFixed(2).padStart(8),
    m.cpuPerMillionRecords.toFixed(2).padStart(11),
    m.residentMb.toFixed(0).padStart(7),
    m.peakMb.toFixed(0).padStart(8),
  ]
  if (floors.plain.length > 0) {
    for (const kind of ['plain', 'tight'] as const) {
      const floor = medians(floors[kind]).cpuPerGb
      columns.push(floor.toFixed(2).padStart(12), (m.cpuPerGb / floor).toFixed(2).padStart(6))
      if (kind === 'plain') columns.push(scenario.atMost.toFixed(1).padStart(8))
    }
  }
  if (others.length > 0) {
    const other = medians(others)
    const ratio = (m.cpuPerGb / other.cpuPerGb).toFixed(2)
    columns.push(
      `| beside: ${other.cpuPerGb.toFixed(2)} cpu/GB, ours is ${ratio} of it; ${other.residentMb.toFixed(0)} MB`,
    )
  }
  console.log(columns.join(' '))
}

/** The other broker keeps running; the topic is gone afterwards. */
async function measureBeside(scenario: Scenario, address: string): Promise<Measurement> {
  const target = runningBroker('beside', address)
  try {
    return await measure(scenario, () => Promise.resolve(target), true)
  } finally {
    await deleteTopic(target.host, target.port, topic)
  }
}

function runningBroker(name: string, address: string): Target {
  const [host, port] = address.split(':')
  const pid = options.pid === undefined ? undefined : Number(options.pid)
  return { name, host: host!, port: Number(port), pid, stop: () => Promise.resolve() }
}

async function measure(scenario: Scenario, start: () => Promise<Target>, protocol: boolean): Promise<Measurement> {
  const target = await start()
  try {
    const address = { host: target.host, port: target.port }
    if (protocol) {
      await createTopic(address.host, address.port, topic, scenario.partitions)
      if (scenario.preload !== undefined) {
        const { frame, requests } = scenario.preload
        await load({ ...address, connections: 1, inFlight: 5, frames: [frame], requests, check: checkAnswer.produce })
      }
    }
    const plan = {
      ...address,
      connections: scenario.connections,
      inFlight: scenario.inFlight,
      frames: scenario.frames,
      check: !protocol ? () => undefined : scenario.kind === 'produce' ? checkAnswer.produce : checkAnswer.fetch,
    }
    await load({ ...plan, requests: scenario.warmUpRequests })
    const before = target.pid === undefined ? null : usageOf(target.pid)
    const result = await load({ ...plan, requests: scenario.requests })
    const after = target.pid === undefined ? null : usageOf(target.pid)
    return measurement(scenario, result, (after?.cpuSeconds ?? NaN) - (before?.cpuSeconds ?? NaN), after)
  } finally {
    await target.stop()
  }
}

function measurement(
  scenario: Scenario,
  result: LoadResult,
  cpuSeconds: number,
  after: ReturnType<typeof usageOf> | null,
): Measurement {
  const bytes = result.requests * scenario.bytesPerRequest
  const records = result.requests * scenario.recordsPerRequest
  return {
    mbPerSecond: bytes / 1e6 / result.seconds,
    recordsPerSecond: records / result.seconds,
    cpuPerGb: cpuSeconds / (bytes / 1e9),
    cpuPerMillionRecords: cpuSeconds / (records / 1e6),
    residentMb: after?.residentMb ?? NaN,
    peakMb: after?.peakMb ?? NaN,
  }
}

/** One load after the other on one broker, each on a topic that is deleted afterwards: the folder must not fill up. */
async function soak(minutes: number, base: string): Promise<void> {
  await inFolder(base, async (folder) => {
    const target = await startBroker(folder, ['log.segment.delete.delay.ms=100'])
    try {
      const all = scenarios(1).filter((scenario) => scenario.kind === 'produce')
      const started = performance.now()
      for (let turn = 0; performance.now() - started < minutes * 60_000; turn++) {
        const { frames, requests, connections, inFlight, title, partitions } = all[turn % all.length]!
        const address = { host: target.host, port: target.port }
        await createTopic(target.host, target.port, topic, partitions)
        await load({ ...address, connections, inFlight, frames, requests, check: checkAnswer.produce })
        await deleteTopic(target.host, target.port, topic)
        const seconds = ((performance.now() - started) / 1000).toFixed(0)
        const memory = target.pid === undefined ? '' : `${usageOf(target.pid).residentMb.toFixed(0)} MB resident`
        console.log(`${seconds.padStart(5)} s  ${memory.padStart(15)}  after ${title}`)
      }
    } finally {
      await target.stop()
    }
  })
}

/** One 10 kB request every 5 ms: the delay from the time each was due to its answer. */
async function runLatency(base: string): Promise<void> {
  await inFolder(base, async (folder) => {
    const target = await startBroker(folder)
    try {
      await createTopic(target.host, target.port, topic, 1)
      const records = encodeRequestFrame.batch(100, 100)
      const frame = encodeRequestFrame.produce(topic, [{ index: 0, records }], -1)
      await latencies(target.host, target.port, frame, 200, 400)
      const delays = await latencies(target.host, target.port, frame, 200, 2000)
      const at = (share: number) => delays[Math.floor(delays.length * share)]!.toFixed(2)
      console.log(
        `\nproduce latency at 200 requests/s of 10 kB: p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, max ${at(0.9999)} ms`,
      )
    } finally {
      await target.stop()
    }
  })
}

async function runGroups(
  folder: string,
  overrides: readonly string[],
  run: (target: Target) => Promise<string>,
): Promise<void> {
  const target = await startBroker(folder, overrides)
  try {
    console.log(await run(target))
  } finally {
    await target.stop()
  }
}

async function startBroker(folder: string, more: readonly string[] = []): Promise<Target> {
  if (options.bootstrap !== undefined) return runningBroker('broker', options.bootstrap)
  return startOwnBroker(folder, more)
}

async function startOwnBroker(folder: string, more: readonly string[] = []): Promise<OwnTarget> {
  const overrides = [`log.dirs=${path.join(folder, 'data')}`, 'listeners=PLAINTEXT://127.0.0.1:0', ...more]
  return startTarget(
    'broker',
    path.join(root, 'your_program.sh'),
    overrides.flatMap((override) => ['--override', override]),
    /"port":(?<port>\d+).*"event":"listening"/,
  )
}

async function startFloor(unplaced: Omit<FloorPlan, 'directory'>, folder: string): Promise<OwnTarget> {
  const plan: FloorPlan = { ...unplaced, directory: folder }
  const file = path.join(root, 'dist/bench/floor.js')
  return startTarget('floor', process.execPath, [file, JSON.stringify(plan)], /listening (?<port>\d+)/)
}

async function inFolder<T>(base: string, work: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(path.join(base, 'odradek-bench-'))
  try {
    return await work(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** The first touch of fresh memory costs seconds of system time on some machines: fill and free it before. */
function touchMemory(base: string): void {
  const file = path.join(base, `odradek-bench-touch-${String(process.pid)}`)
  const block = Buffer.alloc(16 << 20, 1)
  const fd = openSync(file, 'w')
  for (let i = 0; i < 160; i++) writeSync(fd, block)
  closeSync(fd)
  rmSync(file)
}

function medians(all: readonly Measurement[]): Measurement {
  const median = (key: keyof Measurement) => {
    const sorted = all.map((m) => m[key]).sort((a, b) => a - b)
    return sorted[Math.floor(sorted.length / 2)]!
  }
  return {
    mbPerSecond: median('mbPerSecond'),
    recordsPerSecond: median('recordsPerSecond'),
    cpuPerGb: median('cpuPerGb'),
    cpuPerMillionRecords: median('cpuPerMillionRecords'),
    residentMb: median('residentMb'),
    peakMb: median('peakMb'),
  }
}
