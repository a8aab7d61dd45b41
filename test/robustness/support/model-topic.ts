/**
 * What must be true of one partition, whatever happened to its disk: every record that was sent, which of them may
 * not be lost, and who wrote them. It judges what a broker shows and then learns what is left.
 */
export interface SentRecord {
  readonly key: string
  /** null = a tombstone. */
  readonly value: string | null
  readonly timestampMs: bigint
}

/** A batch of an idempotent producer, at the offset that it was given. */
export interface SentBatch {
  readonly sequence: number
  readonly offset: number
  readonly records: readonly SentRecord[]
}

export interface ModelProducer {
  readonly id: bigint
  nextSequence: number
  /** The last five, as a broker remembers them. */
  batches: SentBatch[]
}

export interface ModelConfigs {
  readonly flushes: boolean
  readonly policy: 'delete' | 'compact' | 'compact,delete'
  readonly retentionMs: number
  readonly retentionBytes: number
  readonly deleteRetentionMs: number
  readonly segmentBytes: number
}

/** What a broker shows of a partition. */
export interface FoundLog {
  readonly start: number
  readonly end: number
  readonly records: ReadonlyMap<number, { readonly key: string; readonly value: string | null }>
}

class BrokenPromise extends Error {
  override readonly name = 'BrokenPromise'
}

export class ModelTopic {
  readonly name: string
  readonly id: string
  configs: ModelConfigs
  /** By offset; null = known to be gone. */
  sent: (SentRecord | null)[] = []
  /** So many are acknowledged (or were shown to readers), and so many survive a power loss. */
  acknowledged = 0
  durable = 0
  /** The start offset: reached, and asked for. */
  start = 0
  startAsked = 0
  producer: ModelProducer
  /** Once compacted, older values may be gone whatever the policy is now. */
  #compacts = false
  /** Once it was short, tombstones may be gone. */
  #tombstonesGo = false

  constructor(name: string, id: string, configs: ModelConfigs, producer: ModelProducer) {
    this.name = name
    this.id = id
    this.producer = producer
    this.configs = configs
    this.configure(configs)
  }

  configure(configs: ModelConfigs): void {
    this.configs = configs
    if (configs.policy === 'delete') return
    this.#compacts = true
    if (configs.deleteRetentionMs === 0) this.#tombstonesGo = true
  }

  acknowledge(end: number, written: boolean): void {
    this.acknowledged = Math.max(this.acknowledged, end)
    // what was sent again is not written again, and was perhaps written before it had to be flushed
    if (this.configs.flushes && written) this.durable = Math.max(this.durable, end)
  }

  fail(what: string): never {
    throw new BrokenPromise(`${this.name}: ${what}`)
  }

  /** Everything below `due` must be there as it was sent, as far as it was not deleted or compacted. */
  judge(found: FoundLog, due: number): void {
    if (found.end < due) this.fail(`ends at ${found.end}, ${due} was promised`)
    const newestFound = new Map<string, number>()
    for (const [offset, record] of found.records) {
      const sent = this.sent[offset]
      if (offset < found.start || offset >= found.end) this.fail(`${offset} is outside of ${found.start}-${found.end}`)
      if (sent === undefined) this.fail(`nothing was sent at ${offset}`)
      if (sent === null) this.fail(`${offset} was gone and came back`)
      if (sent.key !== record.key || sent.value !== record.value) this.fail(`${offset} is another record`)
      newestFound.set(sent.key, offset)
    }
    this.#judgeMissing(found, due, newestFound)
  }

  #judgeMissing(found: FoundLog, due: number, newestFound: ReadonlyMap<string, number>): void {
    /** From the end on: the tombstone after which nothing of a key is found. */
    const forgotten = new Set<string>()
    for (let offset = Math.min(due, this.sent.length) - 1; offset >= found.start; offset--) {
      const sent = this.sent[offset] ?? null
      if (sent === null || found.records.has(offset)) continue
      if (!this.#compacts) this.fail(`${offset} is lost`)
      const newest = newestFound.get(sent.key) ?? -1
      if (newest > offset || forgotten.has(sent.key)) continue
      if (sent.value !== null || !this.#tombstonesGo) this.fail(`${offset} is lost, the newest of ${sent.key}`)
      if (newest >= 0) this.fail(`${newest} came back after the tombstone of ${sent.key} at ${offset}`)
      forgotten.add(sent.key)
    }
  }

  /** What was found is what there is from now on. Below the start nothing is known: a power loss may bring it back. */
  learn(found: FoundLog): void {
    this.sent.length = Math.min(this.sent.length, found.end)
    while (this.sent.length < found.end) this.sent.push(null)
    for (let offset = found.start; offset < found.end; offset++) {
      if (!found.records.has(offset)) this.sent[offset] = null
    }
    this.acknowledged = found.end
  }

  /** Whether retention may have moved the start to `start`, leaving `bytes`. */
  mayBeRetainedTo(start: number, bytes: number, nowMs: bigint): boolean {
    const { policy, retentionMs, retentionBytes } = this.configs
    if (policy === 'compact') return false
    if (retentionBytes >= 0 && bytes >= retentionBytes) return true
    if (retentionMs < 0) return false
    const newest = new Map(this.sent.map((record, offset) => [record?.key, offset]))
    return this.sent.slice(this.start, start).every((record, i) => {
      if (record === null || nowMs - record.timestampMs > BigInt(retentionMs)) return true
      // compaction took it, in the same round: what was left in its segment was old enough
      return this.#compacts && newest.get(record.key)! > this.start + i
    })
  }
}
