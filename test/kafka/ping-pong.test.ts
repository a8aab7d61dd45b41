/**
 * A directory that Kafka began goes between Kafka and us for five rounds, with clean stops and kills: each appends in
 * all codecs for producers that run on, rolls, compacts, applies retention, deletes records and topics. Nothing that was
 * sent is lost or changes its place, and Kafka's own tools find nothing wrong.
 */
import { expect, it } from '@jest/globals'
import { DrivenBroker } from '../support/driven-broker.ts'
import { endOurs, harmless, PassedDirectory, type End } from '../support/passed-directory.ts'
import { PingPongTopic } from '../support/ping-pong-topic.ts'
import { describeWithKafka, kafkaTool, RealKafka } from '../support/real-kafka.ts'
import { startServer, temporaryFolder } from '../support/server-process.ts'
import { WireClient } from '../support/wire-client.ts'

const codecs = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const

/** How the lives of a round end: Kafka's, then ours. */
const rounds: readonly (readonly [End, End])[] = [
  ['stop', 'stop'],
  ['kill', 'stop'],
  ['stop', 'kill'],
  ['kill', 'kill'],
  ['stop', 'stop'],
]

/** Upkeep without long rests. */
const extra = {
  'log.cleaner.backoff.ms': '200',
  'log.cleaner.dedupe.buffer.size': '2097152',
  'log.retention.check.interval.ms': '300',
  'log.initial.task.delay.ms': '300',
}

const plain = codecs.map((codec) => new PingPongTopic(`codec-${codec}`, [codec], { 'retention.ms': '-1' }))
const mixed = new PingPongTopic('mixed', codecs, { 'retention.ms': '-1' })
const trimmed = new PingPongTopic('trimmed', codecs, { 'retention.ms': '-1' })
const sized = new PingPongTopic('sized', ['none'], { 'retention.ms': '-1', 'retention.bytes': '60000' })
const compacted = new PingPongTopic('compacted', codecs, {
  'cleanup.policy': 'compact',
  'min.cleanable.dirty.ratio': '0.01',
  'delete.retention.ms': '86400000',
})
const topics = [...plain, mixed, trimmed, sized, compacted]

async function live(port: number, life: number): Promise<void> {
  const broker = await DrivenBroker.connect(port)
  const client = await WireClient.connect('127.0.0.1', port)
  try {
    for (const topic of topics) {
      if (life === 0) topic.begin(await broker.create(topic.name, 1, topic.configs), await broker.producerId())
      else await topic.take(client)
    }
    await change(broker, client, life)
    for (const topic of topics) await topic.leave(client)
  } finally {
    broker.close()
    client.close()
  }
}

async function change(broker: DrivenBroker, client: WireClient, life: number): Promise<void> {
  const values = (count: number, bytes: number) =>
    Array.from({ length: count }, (_, i) => ({ key: `key ${i}`, value: `${life} ${i} `.padEnd(bytes, 'abcdefg') }))
  // lives of many segments and of none
  for (const topic of [...plain, mixed])
    for (let i = 0; i < 3 + (life % 3) * 9; i++) await topic.append(client, values(4, 900))
  for (let i = 0; i < 15; i++) await trimmed.append(client, values(3, 900))
  const before = trimmed.end - 20n
  await broker.deleteBefore(trimmed.name, 0, before)
  trimmed.deletedBefore(before)

  const old = compacted.end
  for (let i = 0; i < 30; i++)
    await compacted.append(client, [...values(6, 300), { key: `only ${life} ${i}`, value: 'x' }])
  await compacted.append(client, [{ key: `only ${life} 3`, value: null }])
  for (let i = 0; i < 15; i++) await compacted.append(client, values(6, 300))
  await until(async () => !(await compacted.check(client)).records.has(old))

  const start = await sized.startNow(client)
  for (let i = 0; i < 30; i++) await sized.append(client, values(4, 900))
  await until(async () => (await sized.startNow(client)) > start)

  await broker.create(`life-${life}`, 2)
  await broker.send(`life-${life}`, 1, { count: 3 })
  if (life > 0) await broker.delete(`life-${life - 1}`)
}

/** What happens in the background. */
async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 100))
}

describeWithKafka('a directory that Kafka formatted', () => {
  it('goes five times to us and back', async () => {
    const folder = temporaryFolder()
    try {
      const directory = new PassedDirectory(folder.path, { extra })
      const { properties } = await directory.kafkaFiles()
      const clusterId = 'PingPongAAAAAAAAAAAAAA'
      await kafkaTool('kafka.tools.StorageTool', 'format', '--cluster-id', clusterId, '-c', properties)
      const kafka = async (life: number, end: End) => {
        const broker = await RealKafka.start(await directory.kafkaFiles())
        await live(broker.port, life).finally(() => (end === 'kill' ? broker.kill() : broker.stop()))
        expect(broker.complaints().filter((entry) => !harmless.test(entry))).toEqual([])
      }
      for (const [round, [kafkaEnds, weEnd]] of rounds.entries()) {
        await kafka(2 * round, kafkaEnds)
        const server = await startServer([directory.ourProperties()], folder.path)
        let done = false
        try {
          await live(server.port, 2 * round + 1)
          done = true
        } finally {
          if (!done) await server.kill()
        }
        await endOurs(server, weEnd)
        // the indexes of an active segment are cut to size by a clean stop, as Kafka's are
        await directory.dumpClean({ indexes: weEnd === 'stop', compacted: 'compacted-0' })
      }
      await kafka(2 * rounds.length, 'stop')
      await directory.dumpClean({ compacted: 'compacted-0' })
    } finally {
      folder.remove()
    }
  }, 300_000)
})
