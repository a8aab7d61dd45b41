/** An unmodified @platformatic/kafka in a group of the consumer protocol (KIP-848): members share, and take over. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { Admin, Consumer, Producer, stringDeserializers, stringSerializers } from '@platformatic/kafka'
import type { Broker } from '../../src/bootstrap/broker.ts'
import { createBroker } from '../../src/bootstrap/create-broker.ts'
import { temporaryFolder } from '../support/server-process.ts'

const TOPIC = 'shared'
const PARTITIONS = 4
const quick = {
  'group.consumer.min.heartbeat.interval.ms': 50,
  'group.consumer.heartbeat.interval.ms': 50,
  'group.consumer.assignment.interval.ms': 0,
}

describe('@platformatic/kafka with the consumer protocol', () => {
  const folder = temporaryFolder()
  let broker: Broker
  let admin: Admin
  let producer: Producer<string, string, string, string>
  /** This client reads again what it had not committed when it lost a partition, so each value counts once. */
  const received = new Set<string>()

  beforeAll(async () => {
    broker = await createBroker({ ...quick, 'log.dirs': folder.path }).start()
    admin = new Admin(client())
    producer = new Producer({ ...client(), serializers: stringSerializers })
    await admin.createTopics({ topics: [TOPIC], partitions: PARTITIONS })
  })

  afterAll(async () => {
    await Promise.all([admin.close(), producer.close()])
    await broker.close()
    folder.remove()
  })

  function client() {
    const { host, port } = broker.address()
    return { clientId: 'test', bootstrapBrokers: [`${host}:${port}`], retries: 0, timeout: 5_000 }
  }

  async function join() {
    const consumer = new Consumer({
      ...client(),
      groupId: 'new-protocol',
      groupProtocol: 'consumer',
      deserializers: stringDeserializers,
    })
    const stream = await consumer.consume({
      topics: [TOPIC],
      mode: 'committed',
      fallbackMode: 'earliest',
      autocommit: true,
      maxWaitTime: 20,
    })
    stream.on('data', ({ value }) => received.add(value))
    return { consumer, leave: () => leave(stream, consumer) }
  }

  async function leave(stream: { close(): Promise<unknown> }, consumer: { close(force: boolean): Promise<void> }) {
    await stream.close()
    await consumer.close(true)
  }

  const send = (prefix: string) =>
    producer.send({
      messages: [0, 1, 2, 3].map((partition) => ({ topic: TOPIC, partition, value: `${prefix}${partition}` })),
    })

  async function until(happened: () => boolean): Promise<void> {
    while (!happened()) await new Promise((resolve) => setImmediate(resolve))
  }

  it('reads everything, alone, in company and alone again', async () => {
    const first = await join()
    await send('a')
    await until(() => received.size >= 4)
    const second = await join()
    const assigned = () =>
      [first, second].map(({ consumer }) => consumer.assignments?.flatMap((a) => a.partitions).length)
    await until(() => assigned().every((count) => count === PARTITIONS / 2))
    await send('b')
    await until(() => received.size >= 8)
    await first.leave()
    await until(() => assigned()[1] === PARTITIONS)
    await send('c')
    await until(() => received.size >= 12)
    expect([...received].sort()).toEqual(['a', 'b', 'c'].flatMap((prefix) => [0, 1, 2, 3].map((p) => `${prefix}${p}`)))
    await second.leave()
  })
})
