/**
 * Random commands against a simple model, on both storages; the file storage is also killed and loses the end of its
 * active file. fast-check prints the seed of a failure.
 */
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { appendFile, readdir, stat, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import { MemoryLogStore } from '../../src/adapters/storage-memory/memory-log-store.ts'
import type { LogOptions, LogStore, PartitionLog, StampedBatch } from '../../src/application/ports/log-store.ts'
import { LeaderEpochs } from '../../src/domain/log/leader-epochs.ts'
import type { FileStorage } from '../support/file-storage.ts'
import { fileStorage, MortalFileSystem } from '../support/file-storage.ts'
import {
  appendAll,
  lookupMaxTimestamp,
  lookupTimestamp,
  storedBatch,
  takeBytes,
  testLogOptions,
} from '../support/stored-batches.ts'

const partition = { topic: 'model', partition: 0 }
const options: LogOptions = { ...testLogOptions, segmentBytes: 1500, indexIntervalBytes: 200, segmentMs: 5000n }

/** A log as a list. */
class Model {
  batches: StampedBatch[] = []
  start = 0n
  end = 0n
  epochs = new LeaderEpochs()

  append(batches: readonly StampedBatch[]): void {
    for (const batch of batches) {
      this.batches.push(batch)
      this.epochs.assign(batch.leaderEpoch, batch.baseOffset)
      this.end = batch.lastOffset + 1n
    }
  }

  truncate(to: bigint): void {
    this.batches = this.batches.filter((batch) => batch.lastOffset < to)
    this.end = to
    this.epochs.truncateFromEnd(to)
  }

  trim(to: bigint): void {
    if (to <= this.start) return
    this.start = to
    this.epochs.truncateFromStart(to)
  }

  read(from: bigint, bytesMax: number, atLeastOne: boolean, before: bigint): Uint8Array[] {
    const taken: Uint8Array[] = []
    let room = bytesMax
    for (const { bytes, baseOffset, lastOffset } of this.batches) {
      if (lastOffset < from) continue
      if (baseOffset >= before || (bytes.byteLength > room && !(atLeastOne && taken.length === 0))) break
      taken.push(bytes)
      room -= bytes.byteLength
    }
    return taken
  }

  get visible(): StampedBatch[] {
    return this.batches.filter((batch) => batch.lastOffset >= this.start)
  }
}

type Command =
  | { kind: 'append'; sizes: number[]; records: number; jump: number; epoch: number }
  | { kind: 'read'; at: number; bytesMax: number; atLeastOne: boolean; before: number }
  | { kind: 'find'; at: number }
  | { kind: 'trim'; at: number }
  | { kind: 'truncate'; at: number }
  | { kind: 'flush' }
  | { kind: 'reopen' }
  | { kind: 'crash'; lostBytes: number; garbage: boolean }

const at = fc.nat(1000)
const command: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('append' as const),
      sizes: fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 6 }),
      records: fc.integer({ min: 1, max: 5 }),
      jump: fc.integer({ min: -800, max: 1500 }),
      epoch: fc.integer({ min: 0, max: 1 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('read' as const),
      at,
      bytesMax: fc.nat(6000),
      atLeastOne: fc.boolean(),
      before: at,
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('find' as const), at }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('trim' as const), at }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('truncate' as const), at }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'flush' as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'reopen' as const }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('crash' as const),
      lostBytes: fc.nat(900),
      garbage: fc.boolean(),
    }),
  },
)

const commands = fc.array(command, { minLength: 5, maxLength: 60, size: 'max' })

/** What differs between the storages: how one stops and how it is killed. */
interface Subject {
  readonly store: () => LogStore
  /** Kills the store and damages its files as far as the model allows; null = it has nothing to kill. */
  readonly crash: ((lostBytes: number, garbage: boolean, model: Model, flushed: bigint) => Promise<void>) | null
}

async function run(subject: Subject, steps: readonly Command[]): Promise<void> {
  const model = new Model()
  let store = subject.store()
  await store.start()
  let log: PartitionLog = await store.open(partition, options)
  let epoch = 0
  let timestamp = 10_000n
  let flushed = 0n
  const pick = (n: number, low: bigint, high: bigint) => low + (BigInt(n) * (high - low)) / 1000n
  const boundary = (n: number) => {
    const ends = [...model.visible.map((batch) => batch.baseOffset), model.end].filter((end) => end >= model.start)
    return ends[Math.floor((n * (ends.length - 1)) / 1000)]!
  }
  for (const step of steps) {
    switch (step.kind) {
      case 'append': {
        epoch += step.epoch
        const batches: StampedBatch[] = []
        for (const bodyBytes of step.sizes) {
          const baseOffset = batches.length === 0 ? model.end : batches.at(-1)!.lastOffset + 1n
          timestamp += BigInt(step.jump)
          if (timestamp < 0n) timestamp = 0n
          batches.push(storedBatch({ baseOffset, count: step.records, bodyBytes, leaderEpoch: epoch, timestamp }))
        }
        expect(await appendAll(log, batches)).toBe('appended')
        model.append(batches)
        break
      }
      case 'read': {
        const from = pick(step.at, model.start, model.end)
        const before = pick(step.before, model.start, model.end + 5n)
        const limits = { bytesMax: step.bytesMax, atLeastOne: step.atLeastOne, before }
        const slice = await log.read(from, limits)
        const expected = model.read(from, step.bytesMax, step.atLeastOne, before)
        expect(slice.bytes).toBe(expected.reduce((sum, bytes) => sum + bytes.byteLength, 0))
        if (expected.length === 0) expect(slice.nextOffset).toBe(from)
        expect(Buffer.compare(takeBytes(slice), Buffer.concat(expected))).toBe(0)
        break
      }
      case 'find': {
        const target = timestamp - 2000n + BigInt(step.at) * 3n
        const hits = model.visible.map((batch) => lookupTimestamp(batch.bytes, target, model.start))
        expect(await log.offsetForTimestamp(target, lookupTimestamp)).toEqual(hits.find((hit) => hit !== null) ?? null)
        const largest = model.visible.reduce<StampedBatch | null>(
          (most, batch) => (most === null || batch.maxTimestamp > most.maxTimestamp ? batch : most),
          null,
        )
        const found = await log.offsetOfMaxTimestamp(lookupMaxTimestamp)
        expect(found).toEqual(largest === null ? null : lookupMaxTimestamp(largest.bytes))
        break
      }
      case 'trim': {
        const to = pick(step.at, model.start, model.end)
        await log.trim(to)
        model.trim(to)
        break
      }
      case 'truncate': {
        const to = boundary(step.at)
        await log.truncate(to)
        model.truncate(to)
        // an ended segment is flushed, and may be the active one again
        flushed = to
        break
      }
      case 'flush':
        await log.flush()
        flushed = model.end
        break
      case 'reopen':
        await store.close()
        store = subject.store()
        await store.start()
        log = await store.open(partition, options)
        flushed = model.end
        break
      case 'crash':
        if (subject.crash === null) break
        await subject.crash(step.lostBytes, step.garbage, model, flushed)
        store = subject.store()
        await store.start()
        log = await store.open(partition, options)
        break
    }
    expect(log.range()).toEqual({ start: model.start, end: model.end })
    expect(log.leaderEpochs()).toEqual(model.epochs.entries)
  }
  const all = await log.read(model.start, { bytesMax: 1 << 30, atLeastOne: true, before: model.end })
  expect(Buffer.compare(takeBytes(all), Buffer.concat(model.visible.map(({ bytes }) => bytes)))).toBe(0)
  await store.close()
}

/** The active file loses bytes, at most down to what was flushed, or gets garbage behind them. */
function damageOf(storage: FileStorage): NonNullable<Subject['crash']> {
  return async (lostBytes, garbage, model, flushed) => {
    const folder = join(storage.path, 'data', 'model-0')
    const logs = (await readdir(folder)).filter((name) => name.endsWith('.log')).sort()
    const base = BigInt(logs.at(-1)!.slice(0, 20))
    const path = join(folder, logs.at(-1)!)
    const { size } = await stat(path)
    const kept = model.batches.filter((batch) => batch.baseOffset >= base && batch.baseOffset < flushed)
    const keptMin = kept.reduce((sum, { bytes }) => sum + bytes.byteLength, 0)
    const cut = Math.max(keptMin, size - lostBytes)
    await truncate(path, cut)
    if (garbage) await appendFile(path, Buffer.alloc(lostBytes % 200, 0xa5))
    let position = 0
    let end = base
    for (const batch of model.batches.filter(({ baseOffset }) => baseOffset >= base)) {
      position += batch.bytes.byteLength
      if (position > cut) break
      end = batch.lastOffset + 1n
    }
    if (model.start > end) {
      // everything that was left had been deleted: the log begins anew at its start offset
      model.batches = []
      model.end = model.start
      model.epochs.truncateFromEnd(model.start)
      return
    }
    model.truncate(end)
  }
}

describe('a storage under random commands', () => {
  it('in memory does as the model', async () => {
    const property = fc.asyncProperty(commands, async (steps) => {
      const store = new MemoryLogStore()
      await run({ store: () => store, crash: null }, steps)
    })
    await fc.assert(property, { numRuns: 200 })
  })

  it('in files does as the model, through crashes', async () => {
    const property = fc.asyncProperty(commands, async (steps) => {
      const storage = await fileStorage()
      try {
        let disk = new MortalFileSystem()
        const store = () => {
          disk = new MortalFileSystem()
          return storage.store({ fileSystem: disk.system })
        }
        const damage = damageOf(storage)
        const crash: Subject['crash'] = async (...how) => {
          await disk.kill()
          await damage(...how)
        }
        await run({ store, crash }, steps)
      } finally {
        await storage.dispose()
      }
    })
    await fc.assert(property, { numRuns: 40 })
  })
})
