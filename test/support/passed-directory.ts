/**
 * A data directory that goes from hand to hand: in each life one broker, ours or a real Kafka, opens it, must tell of
 * it what the one before told, changes everything that can be changed, and stops or is killed.
 */
import { expect } from '@jest/globals'
import { readdir } from 'node:fs/promises'
import path from 'node:path'
import { errorCode } from '../../src/domain/errors.ts'
import { type BatchToSend, DrivenBroker, type Seen } from './driven-broker.ts'
import { RealKafka, dumpLogSegments, kafkaProperties } from './real-kafka.ts'
import { type ServerProcess, startServer, writeProperties } from './server-process.ts'

export type End = 'stop' | 'kill'

const codecs = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const

/**
 * What a healthy Kafka says at WARN and ERROR while it lives through `#change` on a directory of its own: each start of
 * its controller, which asks itself to be registered before it is active when the machine is busy, each partition that
 * a topic grows by, the gap in the sequence that the test makes, a client that it closes twice, a topic deleted before
 * it was told of its directory, and, after a kill without a checkpoint, a high watermark that begins inside a batch.
 */
export const harmless =
  /Performing controller activation|NotControllerException: The active controller appears to be node 1|Expected partition grown-\d|OutOfOrderSequence|Error processing append|Non-monotonic update of high watermark|close NetworkClient that has already been closed|references unknown topic ID/

interface Running {
  readonly port: number
  end(how: End): Promise<void>
}

export interface PassedDirectoryOptions {
  readonly dynamicQuorum?: boolean
  /** How many log directories; 1 unless told. */
  readonly dirs?: number
  /** Broker configs for both. */
  readonly extra?: Readonly<Record<string, string>>
}

export class PassedDirectory {
  /** The first log directory: that with the metadata. */
  readonly data: string
  readonly #dirs: readonly string[]
  readonly #folder: string
  readonly #dynamicQuorum: boolean
  readonly #extra: Readonly<Record<string, string>>
  #expected: Seen | null = null
  /** A real Kafka was killed last: it notes only now and then where a log starts, so deleted records may be back. */
  #startMayFallBack = false
  #lives = 0
  #producer: { readonly id: bigint; sequence: number; last: bigint; batch: BatchToSend } | null = null
  readonly #producerIds = new Set<bigint>()

  constructor(folder: string, options: PassedDirectoryOptions = {}) {
    this.#folder = folder
    this.#dirs = Array.from({ length: options.dirs ?? 1 }, (_, i) => path.join(folder, i === 0 ? 'data' : `data${i}`))
    this.data = this.#dirs[0]!
    this.#dynamicQuorum = options.dynamicQuorum ?? false
    this.#extra = options.extra ?? {}
  }

  /** One life of our broker. */
  async ours(how: End): Promise<void> {
    const server = await startServer([this.ourProperties()], this.#folder)
    await this.#life({ port: server.port, end: (how) => endOurs(server, how) }, how)
    this.#startMayFallBack = false
  }

  /** One life of a real Kafka; what it logs at WARN or above fails the test. */
  async kafka(how: End): Promise<void> {
    const kafka = await RealKafka.start(await this.kafkaFiles())
    await this.#life({ port: kafka.port, end: (how) => (how === 'kill' ? kafka.kill() : kafka.stop()) }, how)
    this.#startMayFallBack = how === 'kill'
    expect(kafka.complaints().filter((line) => !harmless.test(line))).toEqual([])
  }

  ourProperties(): string {
    const quorum = this.#dynamicQuorum ? { 'controller.quorum.voters': '' } : {}
    return writeProperties(this.#folder, { ...quorum, 'log.dirs': this.#dirs.join(','), ...this.#extra })
  }

  kafkaFiles() {
    const dynamicQuorum = this.#dynamicQuorum
    return kafkaProperties(path.join(this.#folder, 'kafka.properties'), this.#dirs.join(','), {
      dynamicQuorum,
      extra: this.#extra,
    })
  }

  async #life(running: Running, how: End): Promise<void> {
    let ended = false
    try {
      const broker = await DrivenBroker.connect(running.port)
      if (this.#expected === null) await createAll(broker)
      else expect(this.#comparable(await broker.seen())).toEqual(this.#comparable(this.#expected))
      await this.#change(broker)
      this.#expected = await broker.seen()
      this.#lives++
      broker.close()
      ended = true
      await running.end(how)
    } finally {
      if (!ended) await running.end('kill')
    }
    expect((await this.#folders()).filter((folder) => folder.endsWith('-stray'))).toEqual([])
  }

  #comparable(seen: Seen): Seen {
    if (!this.#startMayFallBack) return seen
    const { trimmed, ...topics } = seen.topics
    const partitions = trimmed!.partitions.map((partition) => ({ ...partition, start: 0n, bytes: 0, sha256: '' }))
    return { ...seen, topics: { ...topics, trimmed: { ...trimmed!, partitions } } }
  }

  /** The folders of all partitions. */
  async #folders(): Promise<string[]> {
    const found: string[] = []
    for (const dir of this.#dirs) {
      const entries = await readdir(dir, { withFileTypes: true })
      found.push(...entries.filter((entry) => entry.isDirectory()).map(({ name }) => path.join(dir, name)))
    }
    return found
  }

  async #change(broker: DrivenBroker): Promise<void> {
    const life = this.#lives
    for (const codec of codecs) {
      for (let i = 0; i < 3; i++) await broker.send('codecs', i, { codec, count: 20, seed: `${codec} ${life}` })
    }
    await broker.send('append-time', 0, { codec: 'lz4', count: 5 })
    await broker.send('recompressed', 0, { codec: 'snappy', count: 30 })
    await broker.send('compacted', 0, { count: 10 })
    for (let i = 0; i < 30; i++) await broker.send('rolled', 0, { count: 3, size: 900, seed: `${life}` })
    for (let i = 0; i < 30; i++) await broker.send('trimmed', 0, { count: 3, size: 900 })
    await broker.deleteBefore('trimmed', 0, BigInt(life * 90 + 40))
    await broker.grow('grown', 2 + life)
    await broker.send('grown', 1 + life, { count: 4 })
    if (life > 0) await this.#delete(broker, `life-${life - 1}`)
    await broker.create(`life-${life}`, 2, { 'retention.ms': `${100_000_000 + life}` })
    await broker.send(`life-${life}`, 1, { count: 2 })
    await broker.alter('codecs', {
      'retention.ms': `${200_000_000 + life}`,
      'segment.ms': life % 2 ? null : '77000000',
    })
    // A name that comes back must not bring anything of its old life with it.
    await broker.create('again', 1, { 'segment.jitter.ms': '5' })
    await broker.send('again', 0, { seed: 'gone' })
    await this.#delete(broker, 'again')
    await this.#produceOn(broker)
  }

  /**
   * Resolves when the topic is gone from the disk too: a real Kafka answers before that, shows the topic for a while
   * although nobody leads it any more, and, killed then, leaves a folder of nobody.
   */
  async #delete(broker: DrivenBroker, name: string): Promise<void> {
    await broker.delete(name)
    const isOf = (folder: string) => new RegExp(`^${name}-\\d+$`).test(path.basename(folder))
    while ((await this.#folders()).some(isOf)) await new Promise((resolve) => setTimeout(resolve, 20))
  }

  /** The idempotent producer of the first life goes on: duplicates, gaps and the next batch are told apart. */
  async #produceOn(broker: DrivenBroker): Promise<void> {
    const fresh = await broker.producerId()
    expect(this.#producerIds.has(fresh)).toBe(false)
    this.#producerIds.add(fresh)
    if (this.#producer === null) this.#producer = { id: fresh, sequence: 0, last: -1n, batch: {} }
    else expect(await broker.send('idempotent', 0, this.#producer.batch)).toBe(this.#producer.last)
    const producer = this.#producer
    for (let i = 0; i < 8; i++) {
      producer.batch = { producerId: producer.id, producerEpoch: 0, baseSequence: producer.sequence, count: 3 }
      const sent = await broker.send('idempotent', 0, producer.batch)
      expect(typeof sent).toBe('bigint')
      producer.last = sent as bigint
      producer.sequence += 3
    }
    const gap = { ...producer.batch, baseSequence: producer.sequence + 1 }
    expect(await broker.send('idempotent', 0, gap)).toBe(errorCode('OUT_OF_ORDER_SEQUENCE_NUMBER'))
    await broker.send('idempotent', 0, { producerId: fresh, producerEpoch: 0, baseSequence: 0, seed: 'fresh' })
  }

  /**
   * Kafka's own reader of log files goes through every file of the directory, which nobody has open.
   * @param indexes - false = after a kill: those of active segments are not cut to size yet
   * @param compacted - the folder of a partition whose offsets have gaps
   */
  async dumpClean({ indexes: withIndexes = true, compacted = '-' } = {}): Promise<void> {
    const files: string[] = []
    for (const folder of await this.#folders()) {
      if (folder.endsWith('__cluster_metadata-0') || folder.endsWith('-delete')) continue
      for (const file of await readdir(folder)) {
        if (/\.(log|snapshot)$/.test(file) || (withIndexes && file.endsWith('index')))
          files.push(path.join(folder, file))
      }
    }
    const hasGaps = (file: string) => path.basename(path.dirname(file)) === compacted
    const whole = files.filter((file) => !hasGaps(file))
    expect(linesThatAreWrong(await dump(whole, '--deep-iteration'))).toEqual([])
    const cleaned = files.filter(hasGaps)
    if (cleaned.length > 0) {
      const wrong = linesThatAreWrong(await dump(cleaned, '--deep-iteration'))
      expect(wrong.filter((line) => !/^ {2}\d+ is followed by/.test(line))).toEqual([])
    }
    if (!withIndexes) return
    const indexes = files.filter((file) => /index$/.test(file))
    const sane = await dump(indexes, '--index-sanity-check')
    expect(sane.match(/passed sanity check|is empty/g)).toHaveLength(indexes.length)
  }

  /** Kafka's own reader of metadata goes through the log and every snapshot: what it printed of the snapshots. */
  async metadataDumpClean(): Promise<string> {
    const folder = path.join(this.data, '__cluster_metadata-0')
    const filesEndingIn = async (end: string) =>
      (await readdir(folder)).filter((file) => file.endsWith(end)).map((file) => path.join(folder, file))
    expect(linesThatAreWrong(await dump(await filesEndingIn('.log'), '--cluster-metadata-decoder'))).toEqual([])
    const printed = await dump(await filesEndingIn('.checkpoint'), '--cluster-metadata-decoder')
    expect(linesThatAreWrong(printed)).toEqual([])
    return printed
  }
}

const dump = (files: readonly string[], ...args: string[]) => dumpLogSegments('--files', files.join(','), ...args)

/** The tool finds a gap before each segment but the first, in Kafka's own files too: "-1 is followed by". */
function linesThatAreWrong(text: string): string[] {
  const wrong = /isvalid: false|[Mm]ismatch|^ {2}\d+ is followed by|[Ii]nvalid|Could not|Exception|Found/
  return text.split('\n').filter((line) => wrong.test(line))
}

export async function endOurs(server: ServerProcess, how: End): Promise<void> {
  if (how === 'kill') return server.kill()
  expect(await server.stop()).toBe(0)
  expect(server.lines.filter(({ level }) => level === 'warn' || level === 'error')).toEqual([])
}

async function createAll(broker: DrivenBroker): Promise<void> {
  const segments = { 'internal.segment.bytes': '20000', 'index.interval.bytes': '2000' }
  await broker.create('codecs', 3)
  await broker.create('append-time', 1, { 'message.timestamp.type': 'LogAppendTime' })
  await broker.create('recompressed', 1, { 'compression.type': 'zstd' })
  // Compaction itself would change bytes between two looks.
  await broker.create('compacted', 1, { 'cleanup.policy': 'compact', 'min.compaction.lag.ms': '86400000' })
  await broker.create('rolled', 1, segments)
  await broker.create('trimmed', 1, segments)
  await broker.create('grown', 1)
  await broker.create('idempotent', 1)
  await broker.create('empty', 2)
  await broker.create('dotted.Name_with-1-2', 1)
}
