/**
 * Loops that copy a topic in transactions while their broker and they themselves are killed, again and again: each of
 * the copies has every record of the input once, in its order.
 */
import { expect } from '@jest/globals'
import { createTopics } from '../../src/adapters/wire/apis/19-create-topics.ts'
import { seeded } from './killed-producers.ts'
import { batchOf, produceBatch, readPartition, textOf } from './records.ts'
import { startServer, temporaryFolder, writeProperties, type ServerProcess } from './server-process.ts'
import { committedValues, settledOffset, settledState } from './transaction-lives.ts'
import { Transformer, type Command } from './transformers.ts'
import { WireClient } from './wire-client.ts'

const INPUT = 'input'
const PARTITIONS = [0, 1, 2]
/** More than the loops copy before the next kill. */
const RECORDS_A_ROUND = 20

const extra = {
  'offsets.topic.num.partitions': '3',
  'offsets.topic.replication.factor': '1',
  'transaction.state.log.num.partitions': '3',
  'transaction.state.log.replication.factor': '1',
  'transaction.state.log.min.isr': '1',
  'group.initial.rebalance.delay.ms': '0',
  'group.min.session.timeout.ms': '1000',
}

class KilledLoops {
  readonly #folder: string
  readonly #random = seeded(11)
  readonly transformers: Transformer[] = []
  #server: ServerProcess | null = null
  #sent = 0

  constructor(folder: string) {
    this.#folder = folder
  }

  async open(commands: Readonly<Record<string, Command>>): Promise<void> {
    await this.#revive('PLAINTEXT://127.0.0.1:0,CONTROLLER://127.0.0.1:0')
    const names = [INPUT, ...Object.keys(commands)]
    const topics = names.map((name) => ({ name, numPartitions: PARTITIONS.length, replicationFactor: 1 }))
    await this.#asking((client) =>
      client.send(createTopics, 5, {
        topics: topics.map((topic) => ({ ...topic, assignments: [], configs: [] })),
        timeoutMs: 10_000,
      }),
    )
    for (const [name, command] of Object.entries(commands)) {
      const transformer = new Transformer(name, command, this.#server!.bootstrap, INPUT)
      this.transformers.push(transformer)
      transformer.start()
    }
  }

  async #revive(listeners: string): Promise<void> {
    this.#server = await startServer([writeProperties(this.#folder, { ...extra, listeners })], this.#folder)
  }

  async #asking<T>(ask: (client: WireClient) => Promise<T>): Promise<T> {
    const client = await WireClient.connect('127.0.0.1', this.#server!.port)
    try {
      return await ask(client)
    } finally {
      client.close()
    }
  }

  /** More input, and a kill of the broker or of one of the loops in the middle of its work. */
  async round(): Promise<void> {
    await this.#asking(async (client) => {
      for (const partition of PARTITIONS) {
        const values = Array.from({ length: RECORDS_A_ROUND }, () => String(this.#sent++))
        expect((await produceBatch(client, INPUT, partition, batchOf(values, {}, BigInt(Date.now())))).errorCode).toBe(
          0,
        )
      }
    })
    const { transformers } = this
    const watched = transformers[Math.floor(this.#random() * transformers.length)]!
    await watched.reaches(watched.committed + 1 + Math.floor(this.#random() * 3))
    // Not always right behind a commit.
    await new Promise((resolve) => setTimeout(resolve, this.#random() * 10))
    if (this.#random() < 0.5) {
      watched.kill()
      return
    }
    const server = this.#server!
    await server.kill()
    expect(server.lines.filter(({ level }) => level === 'error')).toEqual([])
    await this.#revive(`PLAINTEXT://127.0.0.1:${server.port},CONTROLLER://127.0.0.1:0`)
  }

  /** Lets the loops come to the end of the input, and looks at each of the copies. */
  async expectCopies(): Promise<void> {
    await this.#asking(async (client) => {
      const input: string[][] = []
      for (const partition of PARTITIONS) {
        const { records } = await readPartition(client, INPUT, partition)
        input.push(records.map(({ value }) => textOf(value)!))
      }
      const end = BigInt(input[0]!.length)
      for (const { name } of this.transformers) {
        for (const partition of PARTITIONS) {
          const count = async () => (await committedValues(client, name, partition)).length
          while ((await count()) < input[partition]!.length) await new Promise((resolve) => setTimeout(resolve, 50))
        }
        while ((await settledOffset(client, name, INPUT)) < end) await new Promise((resolve) => setTimeout(resolve, 20))
        expect(await settledState(client, name)).not.toBe('Ongoing')
        for (const partition of PARTITIONS) {
          expect([name, await committedValues(client, name, partition)]).toEqual([name, input[partition]])
        }
      }
    })
  }

  async close(): Promise<void> {
    for (const transformer of this.transformers) await transformer.close()
    await this.#server?.kill()
  }
}

/** @param commands - the loops by name, which is also the topic that each of them copies to */
export async function expectExactlyOnce(commands: Readonly<Record<string, Command>>, rounds: number): Promise<void> {
  const folder = temporaryFolder()
  const loops = new KilledLoops(folder.path)
  try {
    await loops.open(commands)
    for (let round = 0; round < rounds; round++) await loops.round()
    await loops.expectCopies()
  } finally {
    await loops.close()
    folder.remove()
  }
}
