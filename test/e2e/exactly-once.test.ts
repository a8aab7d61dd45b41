/**
 * Consume–transform–produce loops of the clients of Node and of librdkafka, with `kill -9` of the broker and of the
 * clients: their output is their input, exactly once.
 *
 *   ODRADEK_KILLS=50 npm run jest -- test/e2e/exactly-once     more kills
 */
import { describe, it } from '@jest/globals'
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expectExactlyOnce } from '../support/exactly-once.ts'
import { nodeProgram } from '../support/transformers.ts'

const kills = Number(process.env['ODRADEK_KILLS'] ?? 4)
const python = process.env['PYTHON'] ?? 'python3'
const script = fileURLToPath(new URL('../support/transform-librdkafka.py', import.meta.url))
const hasLibrdkafka = spawnSync(python, ['-c', 'import confluent_kafka'], { stdio: 'ignore' }).status === 0
const timeoutMs = 60_000 + kills * 15_000

describe('exactly once, through kills of the broker and of the clients', () => {
  it(
    'loops of kafkajs and @platformatic/kafka',
    async () => {
      await expectExactlyOnce(
        { kafkajs: nodeProgram('transform-kafkajs.ts'), platformatic: nodeProgram('transform-platformatic.ts') },
        kills,
      )
    },
    timeoutMs,
  )
  ;(hasLibrdkafka ? it : it.skip)(
    'a loop of librdkafka (confluent-kafka for Python)',
    async () => {
      await expectExactlyOnce({ librdkafka: [python, script] }, kills)
    },
    timeoutMs,
  )
})
