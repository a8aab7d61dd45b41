/**
 * Disks that fail under meta.properties, quorum-state, bootstrap.checkpoint and the metadata snapshots, at each single
 * step: the start or the snapshot fails with a line, and the next start on a sound disk has everything.
 */
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import type { KraftMetadataOptions } from '../../src/adapters/kraft-metadata/kraft-metadata-options.ts'
import { KraftMetadataRepository } from '../../src/adapters/kraft-metadata/kraft-metadata-repository.ts'
import { nodeMetadataFiles, type MetadataFiles } from '../../src/adapters/kraft-metadata/metadata-files.ts'
import { FileLogStore } from '../../src/adapters/storage-fs/file-log-store.ts'
import { Crc32cChecksum } from '../../src/adapters/system/crc32c-checksum.ts'
import { ManualClock } from '../../src/adapters/system/manual-clock.ts'
import { SystemRandom } from '../../src/adapters/system/system-random.ts'
import { LogLines } from '../support/tcp.ts'
import { metadataOptions } from '../support/kraft-directories.ts'
import { ioError } from './support/faulty-file-system.ts'

/** What goes wrong at a step: nothing of it happens; half of a write does; all of it does, but is not said to be safe. */
type Kind = 'refused' | 'torn' | 'not synced'
const kinds: readonly Kind[] = ['refused', 'torn', 'not synced']

interface Plan {
  /** The number of the step that fails, from 0 on; null = none. */
  readonly at: number | null
  readonly kind: Kind
  /** Whether everything after it fails too, as when the process dies there. */
  readonly dies: boolean
}

/** The machine's files, with one step of those that change something failing by plan. */
function faultyFiles(plan: Plan, counts: (step: string) => boolean = () => true) {
  const steps: string[] = []
  const fault = (name: string, file: string): Kind | null => {
    const said = `${name} ${path.basename(file)}`
    if (!counts(said)) return null
    const step = steps.push(said) - 1
    if (step === plan.at) return plan.kind
    return plan.dies && plan.at !== null && step > plan.at ? 'refused' : null
  }
  const half = (chunks: readonly (Uint8Array | string)[]): Uint8Array[] => {
    const all = Buffer.concat(chunks.map((chunk) => Buffer.from(chunk as Uint8Array)))
    return [all.subarray(0, all.length >> 1)]
  }
  const now = (kind: Kind | null, work: () => void, partly: () => void = () => undefined): void => {
    if (kind === 'torn') partly()
    if (kind === null || kind === 'not synced') work()
    if (kind !== null) throw ioError(kind === 'not synced' ? 'EIO' : 'ENOSPC')
  }
  const later = async (kind: Kind | null, work: () => Promise<void>, partly?: () => Promise<void>): Promise<void> => {
    if (kind === 'torn') await partly?.()
    if (kind === null || kind === 'not synced') await work()
    if (kind !== null) throw ioError(kind === 'not synced' ? 'EIO' : 'ENOSPC')
  }
  const under = nodeMetadataFiles
  const files: MetadataFiles = {
    ...under,
    makeFolderNow: (file) => now(fault('make', file), () => under.makeFolderNow(file)),
    writeNow: (file, chunks) =>
      now(
        fault('write', file),
        () => under.writeNow(file, chunks),
        () => under.writeNow(file, half(chunks)),
      ),
    renameNow: (from, to) => now(fault('rename', from), () => under.renameNow(from, to)),
    syncFolderNow: (file) => now(fault('sync', file), () => under.syncFolderNow(file)),
    write: (file, chunks, mode) =>
      later(
        fault('write', file),
        () => under.write(file, chunks, mode),
        () => under.write(file, half(chunks)),
      ),
    rename: (from, to) => later(fault('rename', from), () => under.rename(from, to)),
    syncFolder: (file) => later(fault('sync beside', file), () => under.syncFolder(file)),
    remove: (file) => later(fault('remove', file), () => under.remove(file)),
  }
  return { files, steps }
}

let folder: string

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'odradek-metadata-disk-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const checksum = new Crc32cChecksum()

/** One life of node 1's metadata on these files; `run` throws what the start or the life threw. */
async function life<T>(
  data: string,
  files: MetadataFiles,
  run: (repository: KraftMetadataRepository) => Promise<T>,
  options: Partial<KraftMetadataOptions> = {},
): Promise<{ readonly result: T; readonly log: LogLines }> {
  const log = new LogLines()
  const ports = { checksum, timers: new ManualClock(), random: new SystemRandom(), logger: log }
  const logStore = new FileLogStore({ directories: [data], ...ports })
  await logStore.start()
  try {
    const clock = new ManualClock()
    const repository = new KraftMetadataRepository(
      { ...ports, logStore, clock, files },
      { ...metadataOptions(data), ...options },
    )
    await repository.start()
    logStore.setBrokerEpoch(repository.image().brokers.get(1)!.epoch)
    try {
      return { result: await run(repository), log }
    } finally {
      await repository.close()
    }
  } finally {
    await logStore.close()
  }
}

const createTopic = (repository: KraftMetadataRepository, name: string, topicId: string): Promise<void> =>
  repository.commit(() => ({ records: [{ type: 'TopicRecord', name, topicId }], answer: undefined }))

const topicsOf = (repository: KraftMetadataRepository): Promise<readonly string[]> =>
  Promise.resolve([...repository.image().topicsByName.keys()].sort())

const nothing = (): Promise<void> => Promise.resolve()
const idOf = (index: number): string => `AAAAAAAAAAAAAAAAAAAA${index}Q`.slice(0, 22)

describe('formatting', () => {
  it('fails with a line at each step of it, and the next start finishes it', async () => {
    const counted = faultyFiles({ at: null, kind: 'refused', dies: false })
    await life(path.join(folder, 'counted'), counted.files, nothing)
    expect(counted.steps).toEqual(
      expect.arrayContaining([
        'write bootstrap.checkpoint.tmp',
        'write quorum-state.tmp',
        'rename meta.properties.tmp',
      ]),
    )
    for (const at of counted.steps.keys()) {
      for (const kind of kinds) {
        const step = `${kind}: ${counted.steps[at]!}`
        const data = path.join(folder, `${at}-${kind}`)
        const broken = faultyFiles({ at, kind, dies: true })
        await expect(life(data, broken.files, nothing)).rejects.toThrow(kind === 'not synced' ? /EIO/ : /ENOSPC/)
        const { result, log } = await life(data, nodeMetadataFiles, async (repository) => {
          await createTopic(repository, 'first', idOf(1))
          return repository.image().features.get('metadata.version')
        })
        expect([step, result]).toEqual([step, 29])
        expect([step, log.lines.filter(({ level }) => level === 'error')]).toEqual([step, []])
        const again = await life(data, nodeMetadataFiles, topicsOf)
        expect([step, again.result]).toEqual([step, ['first']])
      }
    }
  }, 60_000)
})

describe('a later start', () => {
  it('that fails at any step leaves a directory that the next one opens, in a new epoch', async () => {
    const counted = faultyFiles({ at: null, kind: 'refused', dies: false })
    const data = path.join(folder, 'data')
    await life(data, nodeMetadataFiles, (repository) => createTopic(repository, 'first', idOf(1)))
    await life(data, counted.files, nothing)
    expect(counted.steps.length).toBeGreaterThan(2)
    let epoch = 2
    for (const at of counted.steps.keys()) {
      for (const kind of kinds) {
        await expect(life(data, faultyFiles({ at, kind, dies: true }).files, nothing)).rejects.toThrow(/EIO|ENOSPC/)
        const { result } = await life(data, nodeMetadataFiles, async (repository) => {
          expect(await topicsOf(repository)).toEqual(['first'])
          return repository.image().epoch
        })
        expect(result).toBeGreaterThan(epoch)
        epoch = result
      }
    }
  }, 60_000)
})

describe('a snapshot', () => {
  const often = { maxRecordBytesBetweenSnapshots: 1, maxRetentionBytes: 1 }
  const ofSnapshots = (step: string): boolean => /checkpoint\.part|\d\.checkpoint|sync beside/.test(step)
  const begin = (data: string) =>
    life(data, nodeMetadataFiles, (repository) => createTopic(repository, 't1', idOf(1)), often)
  const goOn = (repository: KraftMetadataRepository): Promise<void> => createTopic(repository, 't2', idOf(2))

  it('that fails at any step fails alone, with a line; commits go on and nothing is lost', async () => {
    const counted = faultyFiles({ at: null, kind: 'refused', dies: false }, ofSnapshots)
    await begin(path.join(folder, 'counted'))
    await life(path.join(folder, 'counted'), counted.files, goOn, often)
    const steps = counted.steps.map((step) => step.replace(/\d{10,}/g, 'N'))
    expect(steps.slice(0, 5)).toEqual([
      'write N-N.checkpoint.part',
      'rename N-N.checkpoint.part',
      'sync beside __cluster_metadata-0',
      'rename N-N.checkpoint',
      'remove N-N.checkpoint.deleted',
    ])
    for (const dies of [false, true]) {
      for (const kind of kinds) {
        for (let at = 0; at < 5; at++) {
          const step = `${kind} ${steps[at]!} ${String(dies)}`
          const data = path.join(folder, `${kind}-${at}-${String(dies)}`)
          await begin(data)
          const { log } = await life(data, faultyFiles({ at, kind, dies }, ofSnapshots).files, goOn, often)
          const said = log.lines.filter(({ event }) => event === 'metadata snapshot failed')
          expect([step, said.length > 0]).toEqual([step, true])
          const again = await life(data, nodeMetadataFiles, topicsOf)
          expect([step, again.result]).toEqual([step, ['t1', 't2']])
          const names = await readdir(path.join(data, '__cluster_metadata-0'))
          expect([step, names.filter((name) => /\.part$|deleted/.test(name))]).toEqual([step, []])
        }
      }
    }
  }, 60_000)
})
