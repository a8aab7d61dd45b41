/** Every port of the core, replaced by the host's own adapter, with nothing imported but the public surface. */
import { afterEach, describe, expect, it } from '@jest/globals'
import {
  createBroker,
  ManualClock,
  MemoryLogStore,
  MemoryMetadataRepository,
  type Adapters,
  type Broker,
  type BrokerProperties,
  type Checksum,
  type Compressor,
  type Logger,
  type Random,
} from '../../src/index.ts'
import { connectTo, makeTopic, put, valuesOf } from '../support/embedded-client.ts'
import { batchesIn, batchOf, fetchFrom, produceBatch, readPartition, topicIdOf } from '../support/records.ts'
import type { WireClient } from '../support/wire-client.ts'

let broker: Broker
let client: WireClient

async function start(adapters: Adapters, properties: BrokerProperties = {}): Promise<void> {
  broker = await createBroker(properties, adapters).start()
  client = await connectTo(broker.address())
}

afterEach(async () => {
  client.close()
  await broker.close()
})

/** One bit after the other: slow, and nobody else's. */
function bitwiseCrc32c(bytes: Uint8Array, previous = 0): number {
  let crc = ~previous
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1
  }
  return ~crc >>> 0
}

/** Drawn in turn from 1; no two are alike. */
function countingRandom(): Random {
  let drawn = 0
  return {
    uuid: () => `own${String(++drawn).padStart(18, '0')}A`,
    integer: (below) => ++drawn % below,
  }
}

const exclusiveOr = (bytes: Uint8Array): Uint8Array => bytes.map((byte) => byte ^ 0x55)

describe('createBroker takes the host’s own', () => {
  it('checksum', async () => {
    let checked = 0
    const checksum: Checksum = {
      crc32c: (bytes, previous) => {
        checked += bytes.length
        return bitwiseCrc32c(bytes, previous)
      },
    }
    await start({ checksum })
    await makeTopic(client, 't')
    const batch = batchOf(['a', 'b'])
    expect((await produceBatch(client, 't', 0, batch)).errorCode).toBe(0)
    // the CRC covers everything from byte 21 on
    expect(checked).toBe(batch.length - 21)
    batch[batch.length - 1]! ^= 1
    expect((await produceBatch(client, 't', 0, batch)).errorCode).toBe(2)
  })

  it('clock', async () => {
    const nowMs = 1_234_567_890_123n
    await start({ clock: { nowMs: () => nowMs, monotonicMs: () => performance.now() } })
    await makeTopic(client, 't', { 'message.timestamp.type': 'LogAppendTime' })
    expect((await produceBatch(client, 't', 0, batchOf(['a']))).logAppendTimeMs).toBe(nowMs)
    const { records } = await readPartition(client, 't', 0)
    expect(records[0]!.timestamp).toBe(nowMs)
  })

  it('clock and timers as one that is moved by hand', async () => {
    const time = new ManualClock(1_000n)
    await start({ clock: time, timers: time })
    const topicId = await makeTopic(client, 't')
    const waiting = fetchFrom(client, topicId, 0, 0n, { maxWaitMs: 60_000 })
    const other = await connectTo(broker.address())
    await makeTopic(other, 'after-the-fetch-has-come')
    other.close()
    time.advance(60_000)
    expect((await waiting).responses[0]!.partitions[0]).toMatchObject({ errorCode: 0, highWatermark: 0n })
  })

  it('timers', async () => {
    const asked: { readonly delayMs: number; readonly run: () => void }[] = []
    await start({
      timers: {
        after(delayMs, run) {
          const timer = { delayMs, run }
          asked.push(timer)
          return { cancel: () => void asked.splice(asked.indexOf(timer) >>> 0, 1) }
        },
      },
    })
    const topicId = await makeTopic(client, 't')
    const waiting = fetchFrom(client, topicId, 0, 0n, { maxWaitMs: 43_210 })
    const other = await connectTo(broker.address())
    await makeTopic(other, 'after-the-fetch-has-come')
    expect(asked.filter(({ delayMs }) => delayMs > 43_000 && delayMs <= 43_210)).toHaveLength(1)
    await put(other, 't', 'a')
    other.close()
    expect((await waiting).responses[0]!.partitions[0]).toMatchObject({ errorCode: 0, highWatermark: 1n })
  })

  it('compressor', async () => {
    const levels: (number | undefined)[] = []
    const compressor: Compressor = {
      compress: (codec, bytes, level) => {
        levels.push(level)
        return exclusiveOr(bytes)
      },
      decompress: (codec, bytes) => exclusiveOr(bytes),
    }
    await start({ compressor })
    await makeTopic(client, 't', { 'compression.type': 'gzip', 'compression.gzip.level': '7' })
    const batch = batchOf(['a', 'b'])
    expect((await produceBatch(client, 't', 0, batch)).errorCode).toBe(0)
    expect(levels).toEqual([7])
    const topicId = await topicIdOf(client, 't')
    const answer = (await fetchFrom(client, topicId, 0, 0n)).responses[0]!.partitions[0]!
    const [stored] = [...batchesIn(answer.records!)]
    const [sent] = [...batchesIn(batch)]
    expect(stored!.codec).toBe('gzip')
    expect(exclusiveOr(stored!.records())).toEqual(sent!.records())
  })

  it('log store', async () => {
    const appended: string[] = []
    class WatchedLogStore extends MemoryLogStore {
      override async open(...args: Parameters<MemoryLogStore['open']>) {
        const log = await super.open(...args)
        const append = log.append.bind(log)
        const { topic, partition } = log.topicPartition
        log.append = (at, batches) => {
          appended.push(`${topic}-${partition}@${at}+${batches.length}`)
          return append(at, batches)
        }
        return log
      }
    }
    const logStore = new WatchedLogStore(countingRandom())
    await start({ logStore })
    await makeTopic(client, 't')
    await put(client, 't', 'a', 'b')
    await put(client, 't', 'c')
    expect(appended).toEqual(['t-0@0+1', 't-0@2+1'])
    expect(await valuesOf(client, 't')).toEqual(['a', 'b', 'c'])
  })

  it('logger', async () => {
    const lines: string[] = []
    const at =
      (level: string): Logger['info'] =>
      (event) =>
        void lines.push(`${level} ${event}`)
    await start(
      { logger: { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') } },
      { odd: '1' },
    )
    await makeTopic(client, 't')
    expect(lines).toEqual(
      expect.arrayContaining(['warn configuration', 'info listening', expect.stringMatching(/^info .*topic/)]),
    )
  })

  it('metadata', async () => {
    const committed: string[] = []
    class WatchedMetadata extends MemoryMetadataRepository {
      override commit<Answer>(decide: Parameters<MemoryMetadataRepository['commit']>[0]): Promise<Answer> {
        return super.commit((image) => {
          const decision = decide(image)
          committed.push(...decision.records.map(({ type }) => type))
          return decision
        }) as Promise<Answer>
      }
    }
    const metadata = new WatchedMetadata(countingRandom(), {
      nodeId: 1,
      clusterId: 'ownClusterAAAAAAAAAAAA',
      endPoints: () => [],
      rack: null,
      minInsyncReplicas: 1,
    })
    await start({ metadata })
    await makeTopic(client, 't', { 'retention.ms': '1000' })
    expect(committed).toEqual(['TopicRecord', 'ConfigRecord', 'PartitionRecord'])
    expect(metadata.image().topicsByName.get('t')).toBeDefined()
  })

  it('random', async () => {
    await start({ random: countingRandom() })
    expect(await makeTopic(client, 't')).toMatch(/^own0{10}/)
  })
})
