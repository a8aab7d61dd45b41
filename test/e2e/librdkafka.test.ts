/**
 * librdkafka, the C client beneath the clients of most languages, through `confluent-kafka` for Python: administers,
 * produces in every codec and acknowledgement, reads by assignment. Skipped by name where `python3` (or the one that
 * PYTHON names) has no `confluent_kafka`.
 */
import { describe, expect, it } from '@jest/globals'
import { execFile, spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { createBroker } from '../../src/index.ts'

const python = process.env['PYTHON'] ?? 'python3'
const script = fileURLToPath(new URL('../support/librdkafka.py', import.meta.url))
const isPresent = spawnSync(python, ['-c', 'import confluent_kafka'], { stdio: 'ignore' }).status === 0
const describeWithLibrdkafka = isPresent ? describe : describe.skip

const codecs = ['none', 'gzip', 'snappy', 'lz4', 'zstd']
const acks = ['acks=0', 'acks=1', 'acks=all', 'idempotent']

describeWithLibrdkafka('librdkafka (confluent-kafka for Python)', () => {
  it('creates, changes, produces, reads and deletes', async () => {
    await using broker = await createBroker({ 'node.id': 1 }).start()
    const { host, port } = broker.address()
    const { stdout } = await promisify(execFile)(python, [script, `${host}:${port}`])
    const everyRecord = Object.fromEntries(codecs.map((codec) => [codec, 400]))
    expect(JSON.parse(stdout)).toEqual({
      admin: {
        again: ['TOPIC_ALREADY_EXISTS'],
        configs: { 'retention.ms': '1000000', 'segment.ms': '60000' },
        brokerKeys: expect.any(Number),
        partitions: 4,
        nodes: 1,
      },
      produced: Object.fromEntries(codecs.flatMap((codec) => acks.map((each) => [`${codec} ${each}`, 100]))),
      read: everyRecord,
      readInSmallFetches: everyRecord,
      offsets: { times: [0, -1], low: 10, earliest: 10, latest: 500 },
      refused: ['TOPIC_EXCEPTION'],
      left: false,
    })
  }, 120_000)
})
