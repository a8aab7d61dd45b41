/**
 * Plays recorded odd requests to one whole broker over TCP, in their order. The recording left some requests out; what
 * they did is done again in `before`. Ids and times that a broker draws are those that the real one drew.
 */
import { expect } from '@jest/globals'
import net from 'node:net'
import { SystemRandom } from '../../src/adapters/system/system-random.ts'
import { produce } from '../../src/adapters/wire/apis/00-produce.ts'
import { fetch } from '../../src/adapters/wire/apis/01-fetch.ts'
import { listOffsets } from '../../src/adapters/wire/apis/02-list-offsets.ts'
import { metadata } from '../../src/adapters/wire/apis/03-metadata.ts'
import { findCoordinator } from '../../src/adapters/wire/apis/10-find-coordinator.ts'
import { leaveGroup } from '../../src/adapters/wire/apis/13-leave-group.ts'
import { apiVersions } from '../../src/adapters/wire/apis/18-api-versions.ts'
import { createTopics } from '../../src/adapters/wire/apis/19-create-topics.ts'
import { deleteRecords } from '../../src/adapters/wire/apis/21-delete-records.ts'
import { initProducerId } from '../../src/adapters/wire/apis/22-init-producer-id.ts'
import { describeTransactions } from '../../src/adapters/wire/apis/65-describe-transactions.ts'
import { buildBatch } from '../../src/domain/log/batch-writer.ts'
import { RecordBatchView } from '../../src/domain/log/record-batch.ts'
import { createBroker } from '../../src/index.ts'
import { type Row, bytesOf, expectedOf, rowNumbered, wholeBatches } from './behaviour-rows.ts'
import { temporaryFolder } from './server-process.ts'
import { testChecksum } from './stored-batches.ts'
import { WireClient } from './wire-client.ts'

/** Every batch of beh-0 that a later row reads, by its first offset. */
const batchesOfBeh = new Map(
  [169, 194]
    .flatMap((number) => wholeBatches(expectedOf(number).responses[0]!.partitions[0]!.records))
    .map((bytes) => [new RecordBatchView(bytes).baseOffset, bytes]),
)

/** The response without its size; 'closed'; or 'open' when nothing comes and nothing closes. */
export type Outcome = Buffer | 'closed' | 'open'

/** One whole broker on a directory, with the topics that the real one had. */
export class RowPlayer {
  readonly ids: string[] = ['WireGoldenAAAAAAAAAAAA']
  #nowMs = 1_795_354_989_451n
  client!: WireClient
  readonly #random = new SystemRandom()
  readonly #folder = temporaryFolder()
  readonly #broker = createBroker(
    { 'node.id': 1, 'advertised.listeners': 'PLAINTEXT://127.0.0.1:29170', 'log.dirs': this.#folder.path },
    {
      clock: { nowMs: () => this.#nowMs, monotonicMs: () => performance.now() },
      random: {
        uuid: () => this.ids.shift() ?? this.#random.uuid(),
        // The id of a new fetch session.
        integer: (below) => (below > 1e9 ? expectedOf(186).sessionId - 1 : 0),
      },
    },
  )

  async open(): Promise<void> {
    await this.#broker.start()
    this.client = await this.#connect()
    await this.#create('beh', 2, {}, 'PX5bDGBIT3u7aOvQRfBfSA')
    await this.#create('lat', 1, { 'message.timestamp.type': 'LogAppendTime' })
    await this.#create('small', 1, { 'max.message.bytes': '1000' })
    await this.#create('cmp', 1, { 'cleanup.policy': 'compact' })
    await this.#create('txt', 2)
    await this.#create('del', 1)
    await this.#create('coll.a', 1)
  }

  async close(): Promise<void> {
    this.client.close()
    await this.#broker.close()
    this.#folder.remove()
  }

  #connect(): Promise<WireClient> {
    const { host, port } = this.#broker.address()
    return WireClient.connect(host, port)
  }

  async #create(name: string, numPartitions: number, configs: Readonly<Record<string, string>> = {}, id?: string) {
    if (id !== undefined) this.ids.push(id)
    const entries = Object.entries(configs).map(([key, value]) => ({ name: key, value }))
    const topic = { name, numPartitions, replicationFactor: 1, assignments: [], configs: entries }
    await this.client.send(createTopics, 7, { topics: [topic] })
  }

  /** Appends what the recording left out, so that the next batch gets the offset `before`. */
  async #fill(name: string, index: number, before: bigint): Promise<void> {
    for (let next = await this.#end(name, index); next < before;) {
      const batch = (name === 'beh' && index === 0 && batchesOfBeh.get(next)) || filler(Number(before - next))
      const records = batch.slice()
      const view = new RecordBatchView(records)
      view.stamp(0n, -1)
      const topicData = [{ name, partitionData: [{ index, records }] }]
      const { responses } = await this.client.send(produce, 11, { acks: -1, timeoutMs: 1000, topicData })
      expect(responses[0]!.partitionResponses[0]).toMatchObject({ errorCode: 0, baseOffset: next })
      next += BigInt(view.lastOffsetDelta + 1)
    }
  }

  async #end(name: string, partitionIndex: number): Promise<bigint> {
    const topics = [{ name, partitions: [{ partitionIndex, timestamp: -1n }] }]
    const answer = await this.client.send(listOffsets, 8, { replicaId: -1, isolationLevel: 0, topics })
    return answer.topics[0]!.partitions[0]!.offset
  }

  /** The time of the end marker that row 267 shows, for the row that commits. */
  #markerTime(): void {
    const batches = wholeBatches(expectedOf(267).responses[0]!.partitions[0]!.records).map(
      (b) => new RecordBatchView(b),
    )
    this.#nowMs = batches.find(({ isControl }) => isControl)!.maxTimestamp
  }

  async play(row: Row): Promise<Outcome> {
    await before[row.row]?.(this)
    if (row.row === 257) this.#markerTime()
    if (row.responseHex === null && row.row !== 254) return this.#playFrame(row)
    await this.#prepare(row)
    const answer = await this.client.sendRaw(bytesOf(row))
    if (answer !== null) return Buffer.from(answer)
    this.client = await this.#connect()
    return 'closed'
  }

  /** What the answer tells of the broker: ids, times and offsets that ours is to draw, too. */
  async #prepare({ row, api }: Row): Promise<void> {
    if (api.startsWith('CreateTopics')) {
      for (const { topicId, errorCode } of expectedOf(row).topics) if (errorCode === 0) this.ids.push(topicId)
    }
    if (!api.startsWith('Produce') || row === 229) return
    for (const { name, partitionResponses } of expectedOf(row).responses) {
      for (const { index, baseOffset, logAppendTimeMs } of partitionResponses) {
        if (logAppendTimeMs > 0n) this.#nowMs = logAppendTimeMs
        if (name !== '' && baseOffset > 0n) await this.#fill(name, index, baseOffset)
      }
    }
  }

  #playFrame(row: Row): Promise<Outcome> {
    return new Promise((resolve, reject) => {
      const socket = net.connect(this.#broker.address())
      socket.on('data', () => {
        reject(new Error(`row ${row.row} was answered`))
      })
      socket.on('error', reject)
      socket.on('close', () => {
        resolve('closed')
      })
      socket.write(bytesOf(row))
      if (row.what.startsWith('half a frame')) socket.end()
      if (row.row !== 31) return
      // What waits for the rest of a frame is still there when others were served.
      void this.client.send(apiVersions, 0, {}).then(() => {
        resolve('open')
        socket.destroy()
      })
    })
  }
}

function filler(count: number): Uint8Array {
  const records = Array.from({ length: count }, () => ({ key: null, value: Uint8Array.of(1), timestamp: 1n }))
  return buildBatch(records, {}, (bytes) => testChecksum.crc32c(bytes))
}

const sessionTopics = [{ topic: 'beh', partitions: [{ partition: 0, fetchOffset: 4n, partitionMaxBytes: 100 }] }]

/** Of the member id that row 284 was given. */
const GIVEN_UUID = '57549ab8-80e1-4e91-80a2-480b0e41b0d8'

function base64Of(uuid: string): string {
  return Buffer.from(uuid.replaceAll('-', ''), 'hex').toString('base64url')
}

/** The transactional producer begins anew. */
async function initRawtx({ client }: RowPlayer): Promise<void> {
  const answer = await client.send(initProducerId, 5, { transactionalId: 'rawtx', transactionTimeoutMs: 60_000 })
  expect(answer).toMatchObject({ errorCode: 0, producerId: 1n })
}

/** What happened before a row and has no row of its own. */
const before: Readonly<Record<number, (player: RowPlayer) => Promise<unknown>>> = {
  44: (player) => {
    player.ids.push(expectedOf(44).topics[0]!.topicId)
    return player.client.send(metadata, 12, { topics: [{ name: 'auto1' }] })
  },
  176: ({ client }) => {
    const topics = [{ name: 'beh', partitions: [{ partitionIndex: 0, offset: 4n }] }]
    return client.send(deleteRecords, 2, { topics, timeoutMs: 1000 })
  },
  186: ({ client }) => client.send(fetch, 12, { maxWaitMs: 0, minBytes: 1, sessionEpoch: 0, topics: sessionTopics }),
  189: ({ client }) => {
    const sessionId = expectedOf(186).sessionId
    return client.send(fetch, 12, { maxWaitMs: 0, minBytes: 1, sessionId, sessionEpoch: -1, topics: [] })
  },
  // What the coordinator of groups keeps is not there yet.
  269: ({ client }) => client.send(findCoordinator, 4, { keyType: 0, coordinatorKeys: ['rawtxg'] }),
  279: ({ client }) => client.send(findCoordinator, 4, { keyType: 0, coordinatorKeys: ['g1'] }),
  284: ({ ids }) => Promise.resolve(ids.push(base64Of(GIVEN_UUID))),
  334: ({ client }) => client.send(leaveGroup, 5, { groupId: 'g1', members: [{ memberId: `raw-${GIVEN_UUID}` }] }),
  349: ({ ids }) => Promise.resolve(ids.push(expectedOf(349).memberId)),
  229: ({ client }) => client.sendRaw(bytesOf(rowNumbered.get(229)!)),
  242: async (player) => {
    await initRawtx(player)
    await initRawtx(player)
  },
  244: initRawtx,
  246: initRawtx,
  260: async ({ client }) => {
    let state = ''
    while (state !== 'CompleteCommit') {
      const answer = await client.send(describeTransactions, 0, { transactionalIds: ['rawtx'] })
      state = answer.transactionStates[0]!.transactionState
    }
  },
}
