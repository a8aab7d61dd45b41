/**
 * Groups of librdkafka, through `confluent-kafka` for Python: each assignor of both protocols, static members and a
 * pattern as a subscription. A member reads alone, shares with a second one, leaves; nothing is left unread and what
 * is committed is what was read. Skipped by name where `python3` (or the one that PYTHON names) has no
 * `confluent_kafka`.
 */
import { describe, expect, it } from '@jest/globals'
import { execFile, spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { createBroker } from '../../src/index.ts'

const python = process.env['PYTHON'] ?? 'python3'
const script = fileURLToPath(new URL('../support/librdkafka-groups.py', import.meta.url))
const isPresent = spawnSync(python, ['-c', 'import confluent_kafka'], { stdio: 'ignore' }).status === 0
const describeWithLibrdkafka = isPresent ? describe : describe.skip

const quick = {
  'group.initial.rebalance.delay.ms': 0,
  'group.consumer.min.heartbeat.interval.ms': 100,
  'group.consumer.heartbeat.interval.ms': 100,
  'group.consumer.assignment.interval.ms': 0,
}

describeWithLibrdkafka('groups of librdkafka (confluent-kafka for Python)', () => {
  it('share, rebalance, commit and go on in both protocols', async () => {
    await using broker = await createBroker({ 'node.id': 1, ...quick }).start()
    const { host, port } = broker.address()
    const { stdout } = await promisify(execFile)(python, [script, `${host}:${port}`])
    const dynamic = { shared: [0, 1, 2, 3, 4, 5], committed: 180 }
    const kept = { shared: [0, 1, 2, 3, 4, 5], kept: true, committed: 120 }
    expect(JSON.parse(stdout)).toEqual({
      range: dynamic,
      roundrobin: dynamic,
      cooperative: dynamic,
      static: kept,
      consumer: dynamic,
      'consumer range': dynamic,
      'consumer static': kept,
      pattern: dynamic,
    })
  }, 180_000)
})
