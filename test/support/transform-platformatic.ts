/** As transform-kafkajs.ts, of @platformatic/kafka: one record in each transaction. */
import { Consumer, Producer, stringDeserializers, stringSerializers } from '@platformatic/kafka'

const [bootstrap, input, name] = process.argv.slice(-3) as [string, string, string]

function fail(error: unknown): never {
  console.error(error)
  process.exit(1)
}

async function run(): Promise<void> {
  const common = { bootstrapBrokers: [bootstrap], retries: 100, retryDelay: 50 }
  const producer = new Producer<string, string, string, string>({
    ...common,
    clientId: `${name}-producer`,
    serializers: stringSerializers,
    transactionalId: name,
    idempotent: true,
    // It has none yet.
    producerId: -1n,
    producerEpoch: -1,
  })
  const consumer = new Consumer<string, string, string, string>({
    ...common,
    clientId: `${name}-consumer`,
    groupId: name,
    deserializers: stringDeserializers,
    sessionTimeout: 2_000,
    rebalanceTimeout: 3_000,
    heartbeatInterval: 300,
  })
  // What is left of its last life is aborted before any offset of the group is asked for.
  const first = await producer.beginTransaction()
  await first.cancel()
  const stream = await consumer.consume({
    topics: [input],
    mode: 'committed',
    fallbackMode: 'earliest',
    autocommit: false,
    maxWaitTime: 100,
  })
  for await (const message of stream) {
    const transaction = await producer.beginTransaction()
    await transaction.addConsumer(consumer)
    await transaction.send({ messages: [{ topic: name, partition: message.partition, value: message.value }] })
    await transaction.addOffset(message)
    await transaction.commit()
    console.log('committed')
  }
}

run().catch(fail)
