/**
 * A consume–transform–produce loop of Kafka's own clients against our broker, with `kill -9` of the broker and of the
 * loop. Its session of 45 s cannot be set, so each kill of the loop takes that long.
 *
 *   ODRADEK_KILLS=20 npm run test:kafka -- exactly-once     more kills
 */
import { it } from '@jest/globals'
import { expectExactlyOnce } from '../support/exactly-once.ts'
import { describeWithKafka, kafkaToolCommand } from '../support/real-kafka.ts'
import type { Job } from '../support/transformers.ts'

const kills = Number(process.env['ODRADEK_KILLS'] ?? 4)

function copier({ bootstrap, input, name }: Job) {
  return kafkaToolCommand(
    'org.apache.kafka.tools.TransactionalMessageCopier',
    ...['--broker-list', bootstrap, '--input-topic', input, '--input-partition', '-1', '--group-mode'],
    ...['--output-topic', name, '--consumer-group', name, '--transactional-id', name],
    ...['--transaction-size', '5', '--transaction-timeout', '10000', '--use-group-metadata'],
  )
}

describeWithKafka('exactly once, through kills of the broker and of the client', () => {
  it(
    'a loop of Kafka’s Java clients',
    async () => {
      await expectExactlyOnce({ java: copier }, kills)
    },
    120_000 + kills * 60_000,
  )
})
