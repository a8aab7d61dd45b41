/**
 * A consume–transform–produce loop of kafkajs, a program of its own: `BOOTSTRAP INPUT NAME`. Copies what it reads of
 * the input to the same partition of the topic `NAME`, with transactional id and group `NAME`, a few records in each
 * transaction, and prints a line for each that it committed. Whatever goes wrong ends it: who starts it again goes on
 * where the last committed transaction ended.
 */
import { Kafka, logLevel, type Batch } from 'kafkajs'

const [bootstrap, input, name] = process.argv.slice(-3) as [string, string, string]
const RECORDS = 5

function fail(error: unknown): never {
  console.error(error)
  process.exit(1)
}

const retry = { retries: 40, initialRetryTime: 50, maxRetryTime: 300 }
const kafka = new Kafka({ brokers: [bootstrap], logLevel: logLevel.NOTHING, retry })
const producer = kafka.producer({ transactionalId: name, idempotent: true, maxInFlightRequests: 1 })
// It heartbeats while it polls: a broker that was killed finds its members within this time.
const consumer = kafka.consumer({
  groupId: name,
  sessionTimeout: 2_000,
  heartbeatInterval: 300,
  maxWaitTimeInMs: 100,
})
consumer.on('consumer.crash', ({ payload }) => fail(payload.error))

async function copy({ topic, partition, messages }: Batch, isStale: () => boolean): Promise<void> {
  for (let at = 0; at < messages.length && !isStale(); at += RECORDS) {
    const some = messages.slice(at, at + RECORDS)
    const transaction = await producer.transaction()
    await transaction.send({ topic: name, messages: some.map(({ value }) => ({ value, partition })) })
    const offset = String(BigInt(some.at(-1)!.offset) + 1n)
    await transaction.sendOffsets({ consumerGroupId: name, topics: [{ topic, partitions: [{ partition, offset }] }] })
    await transaction.commit()
    console.log('committed')
  }
}

async function run(): Promise<void> {
  await producer.connect()
  await consumer.connect()
  await consumer.subscribe({ topic: input, fromBeginning: true })
  await consumer.run({
    autoCommit: false,
    eachBatch: ({ batch, isStale, isRunning }) => copy(batch, () => isStale() || !isRunning()).catch(fail),
  })
}

run().catch(fail)
