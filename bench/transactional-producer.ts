/** A producer that the load of transactions.ts is made of: one request in flight, batches that differ in their framing. */
import { crc32c } from '@node-rs/crc32'
import { produce } from '../src/adapters/wire/apis/00-produce.ts'
import { initProducerId } from '../src/adapters/wire/apis/22-init-producer-id.ts'
import { endTxn } from '../src/adapters/wire/apis/26-end-txn.ts'
import { CRC_COVERS_FROM } from '../src/domain/log/record-batch.ts'
import { buildBatch } from '../src/domain/log/batch-writer.ts'
import { WireClient } from '../test/support/wire-client.ts'
import type { OwnTarget } from './processes.ts'

const atProducerId = 43
const atProducerEpoch = 51
const atBaseSequence = 53
const atCrc = 17
/** Transactions V2: partitions are added by the produce, the answer to the end brings the next epoch. */
const versions = { produce: 12, end: 5, init: 5 } as const
const tryAgain = new Set([14, 15, 16, 51])

/** One batch of records that look random, to be framed anew for each request. */
export function batchTemplate(records: number, bytesOfEach: number, transactional: boolean): Uint8Array {
  const value = Buffer.alloc(bytesOfEach)
  for (let i = 0; i < bytesOfEach; i++) value[i] = (i * 31 + 7) & 0xff
  const each = { timestamp: BigInt(Date.now()), key: null, value }
  const framing = { producerId: 0n, producerEpoch: 0, baseSequence: 0, transactional }
  return buildBatch(
    Array.from({ length: records }, () => each),
    framing,
    () => 0,
  )
}

/** A copy of the template that says whose it is. */
export function framed(template: Uint8Array, producerId: bigint, epoch: number, sequence: number): Uint8Array {
  const batch = Buffer.from(template)
  batch.writeBigInt64BE(producerId, atProducerId)
  batch.writeInt16BE(epoch, atProducerEpoch)
  batch.writeInt32BE(sequence, atBaseSequence)
  batch.writeUInt32BE(crc32c(batch.subarray(CRC_COVERS_FROM)), atCrc)
  return batch
}

export class BenchProducer {
  readonly #client: WireClient
  readonly #transactionalId: string | null
  readonly #topic: string
  readonly #sequences = new Map<number, number>()
  #producerId = -1n
  #epoch = 0

  private constructor(client: WireClient, topic: string, transactionalId: string | null) {
    this.#client = client
    this.#topic = topic
    this.#transactionalId = transactionalId
  }

  static async open({ host, port }: OwnTarget, topic: string, transactionalId: string | null): Promise<BenchProducer> {
    const producer = new BenchProducer(await WireClient.connect(host, port), topic, transactionalId)
    await producer.#init()
    return producer
  }

  /** Goes on as the producer of another transactional id, on the same connection. */
  async become(transactionalId: string): Promise<BenchProducer> {
    const producer = new BenchProducer(this.#client, this.#topic, transactionalId)
    await producer.#init()
    return producer
  }

  async #init(): Promise<void> {
    const request = { transactionalId: this.#transactionalId, transactionTimeoutMs: 600_000 }
    for (;;) {
      const answer = await this.#client.send(initProducerId, versions.init, request)
      if (tryAgain.has(answer.errorCode)) continue
      expectNone('InitProducerId', answer.errorCode)
      this.#producerId = answer.producerId
      this.#epoch = answer.producerEpoch
      return
    }
  }

  /** A copy of the template to each of the partitions, in one request. */
  async produce(template: Uint8Array, records: number, partitions: readonly number[]): Promise<void> {
    const partitionData = partitions.map((index) => {
      const sequence = this.#sequences.get(index) ?? 0
      this.#sequences.set(index, sequence + records)
      return { index, records: framed(template, this.#producerId, this.#epoch, sequence) }
    })
    const { responses } = await this.#client.send(produce, versions.produce, {
      transactionalId: this.#transactionalId,
      acks: -1,
      timeoutMs: 30_000,
      topicData: [{ name: this.#topic, partitionData }],
    })
    for (const { errorCode } of responses[0]!.partitionResponses) expectNone('Produce', errorCode)
  }

  async end(committed: boolean): Promise<void> {
    const answer = await this.#client.send(endTxn, versions.end, {
      transactionalId: this.#transactionalId!,
      producerId: this.#producerId,
      producerEpoch: this.#epoch,
      committed,
    })
    expectNone('EndTxn', answer.errorCode)
    this.#producerId = answer.producerId
    this.#epoch = answer.producerEpoch
    this.#sequences.clear()
  }

  close(): void {
    this.#client.close()
  }
}

function expectNone(what: string, code: number): void {
  if (code !== 0) throw new Error(`${what} was answered with ${String(code)}`)
}
