/**
 * The `.txnindex` files of directories that Apache Kafka 4.3.1 wrote, lost with the power in part or whole: recovery
 * makes them again byte for byte.
 */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { cp, readdir, readFile, rm, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import { recoverProducers } from '../../../src/application/recover-producers.ts'
import type { FileStorage } from '../../support/file-storage.ts'
import { fileStorage } from '../../support/file-storage.ts'
import { testChecksum, testLogOptions } from '../../support/stored-batches.ts'

const golden = join(import.meta.dirname, '../../fixtures/golden')

/** The `.txnindex` files that hold something, by their path below the directory. */
async function aborted(directory: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {}
  for (const name of (await readdir(directory, { recursive: true })).sort()) {
    if (!name.endsWith('.txnindex')) continue
    const bytes = await readFile(join(directory, name))
    if (bytes.length > 0) found[name] = bytes.toString('hex')
  }
  return found
}

describe.each(['groups-txns', 'crashed'])('the aborted transactions of %s', (name) => {
  let storage: FileStorage
  let data: string
  let expected: Record<string, string>

  beforeEach(async () => {
    storage = await fileStorage()
    data = join(storage.path, 'data')
    await cp(join(golden, name, 'data'), data, { recursive: true })
    expected = await aborted(data)
    // as a power loss does that comes before the first flush
    await rm(join(data, '.kafka_cleanshutdown'), { force: true })
    await rm(join(data, 'recovery-point-offset-checkpoint'))
  })

  afterEach(() => storage.dispose())

  async function recover(): Promise<void> {
    const { topics } = JSON.parse(await readFile(join(golden, name, 'expected.json'), 'utf8')) as {
      readonly topics: Readonly<Record<string, { readonly id: string; readonly partitions: readonly { p: number }[] }>>
    }
    const store = storage.store()
    await store.start()
    for (const [topic, { id, partitions }] of Object.entries(topics)) {
      for (const { p } of partitions) {
        const log = await store.open({ topic, partition: p }, { ...testLogOptions, topicId: id })
        await recoverProducers(log, testChecksum)
        expect(log.unsoundFrom).toBeNull()
      }
    }
    await store.close()
  }

  it('are there', () => {
    expect(Object.keys(expected).length).toBeGreaterThan(0)
  })

  it('are found again when their files are gone', async () => {
    for (const file of Object.keys(expected)) await rm(join(data, file))
    await recover()
    expect(await aborted(data)).toEqual(expected)
  })

  it('are found again when their files were torn', async () => {
    for (const [file, bytes] of Object.entries(expected)) await truncate(join(data, file), bytes.length / 2 - 5)
    await recover()
    expect(await aborted(data)).toEqual(expected)
  })

  it('are not doubled', async () => {
    await recover()
    expect(await aborted(data)).toEqual(expected)
  })

  it('are found in the next life when the first one ended before it had looked for them', async () => {
    for (const file of Object.keys(expected)) await rm(join(data, file))
    const topic = name === 'crashed' ? 'c-txn' : 'txonly'
    const store = storage.store()
    await store.start()
    const listed = (await store.list()).find(({ topicPartition }) => topicPartition.topic === topic)
    const log = await store.open({ topic, partition: 0 }, { ...testLogOptions, topicId: listed!.topicId! })
    expect(log.unsoundFrom).not.toBeNull()
    await store.close()
    await recover()
    expect(await aborted(data)).toEqual(expected)
  })
})
