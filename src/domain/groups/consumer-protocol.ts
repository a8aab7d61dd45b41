/**
 * What members of classic groups with the protocol type 'consumer' write into their metadata and assignments
 * (ConsumerProtocolSubscription and ConsumerProtocolAssignment, versions 0–3; newer ones are read as 3, as Kafka does).
 *
 * Reading checks every length against the bytes; what is no subscription or assignment is null, never a throw.
 */
import { utf8 } from '../log/record.ts'

/** The protocol type of consumers; others ('connect', 'sr' …) are opaque to the broker. */
export const CONSUMER_PROTOCOL_TYPE = 'consumer'

const VERSION_MAX = 3
const OWNED_PARTITIONS_SINCE = 1
const GENERATION_SINCE = 2
const RACK_SINCE = 3

/** Partitions of a topic that is named, as clients speak of them. */
export interface NamedPartitions {
  readonly topic: string
  readonly partitions: readonly number[]
}

export interface ConsumerSubscription {
  readonly topics: readonly string[]
  /** What the member holds (from version 1 on). */
  readonly owned: readonly NamedPartitions[]
  /** From version 3 on (KIP-881). */
  readonly rackId: string | null
}

export interface ConsumerAssignment {
  readonly partitions: readonly NamedPartitions[]
  /** What the leader's assignor adds for itself: only custom ones do. */
  readonly hasUserData: boolean
}

/** The subscription in these bytes, or null when they are none. */
export function subscriptionIn(metadata: Uint8Array): ConsumerSubscription | null {
  return parsed(metadata, (input, version) => {
    const topics = input.list(() => input.text())
    input.skipBytes()
    const owned = version >= OWNED_PARTITIONS_SINCE ? input.list(() => namedPartitions(input)) : []
    if (version >= GENERATION_SINCE) input.int32()
    const rackId = version >= RACK_SINCE ? input.nullableText() : null
    return { topics, owned, rackId }
  })
}

/** The topics of a subscription, which every version begins with, or null when the bytes are none. */
export function subscribedTopics(metadata: Uint8Array): readonly string[] | null {
  return parsed(metadata, (input) => input.list(() => input.text()))
}

/** The assignment in these bytes, or null when they are none. */
export function assignmentIn(bytes: Uint8Array): ConsumerAssignment | null {
  return parsed(bytes, (input) => {
    const partitions = input.list(() => namedPartitions(input))
    return { partitions, hasUserData: input.skipBytes() > 0 }
  })
}

/** An assignment for a member whose metadata is this: in the version of the metadata. */
export function assignmentBytes(partitions: readonly NamedPartitions[], metadata: Uint8Array): Uint8Array {
  const topics = partitions.map((named) => ({ name: asciiBytes(named.topic), partitions: named.partitions }))
  const size = topics.reduce((sum, { name, partitions }) => sum + 6 + name.length + 4 * partitions.length, 10)
  const bytes = new Uint8Array(size)
  const view = new DataView(bytes.buffer)
  view.setInt16(0, versionIn(metadata) ?? 0)
  view.setInt32(2, topics.length)
  let at = 6
  for (const { name, partitions } of topics) {
    view.setInt16(at, name.length)
    bytes.set(name, at + 2)
    at += 2 + name.length
    view.setInt32(at, partitions.length)
    partitions.forEach((partition, i) => {
      view.setInt32(at + 4 + 4 * i, partition)
    })
    at += 4 + 4 * partitions.length
  }
  view.setInt32(at, -1)
  return bytes
}

function namedPartitions(input: ProtocolBytes): NamedPartitions {
  return { topic: input.text(), partitions: input.list(() => input.int32()) }
}

/** Names of topics are ASCII. */
function asciiBytes(name: string): Uint8Array {
  return Uint8Array.from(name, (character) => character.charCodeAt(0))
}

function versionIn(bytes: Uint8Array): number | null {
  if (bytes.length < 2) return null
  const version = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getInt16(0)
  return version < 0 ? null : Math.min(version, VERSION_MAX)
}

function parsed<Value>(bytes: Uint8Array, read: (input: ProtocolBytes, version: number) => Value): Value | null {
  const version = versionIn(bytes)
  if (version === null) return null
  const input = new ProtocolBytes(bytes)
  const value = read(input, version)
  return input.isBad ? null : value
}

/** Reads what follows the version. Once anything does not fit, `isBad` stays set and everything reads as nothing. */
class ProtocolBytes {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  #at = 2
  isBad = false

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  int32(): number {
    const at = this.#take(4)
    return this.isBad ? 0 : this.#view.getInt32(at)
  }

  text(): string {
    const text = this.nullableText()
    if (text === null) this.isBad = true
    return text ?? ''
  }

  nullableText(): string | null {
    const at = this.#take(2)
    const length = this.isBad ? -1 : this.#view.getInt16(at)
    if (length < 0) return null
    const from = this.#take(length)
    return this.isBad ? null : utf8(this.#bytes.subarray(from, from + length))
  }

  /** Passes over bytes that may be null; how many they were. */
  skipBytes(): number {
    const length = Math.max(0, this.int32())
    this.#take(length)
    return length
  }

  list<Item>(read: () => Item): readonly Item[] {
    const items: Item[] = []
    const count = this.int32()
    if (count < 0) this.isBad = true
    for (let i = 0; i < count && !this.isBad; i++) items.push(read())
    return items
  }

  #take(count: number): number {
    const at = this.#at
    if (at + count > this.#bytes.length) this.isBad = true
    else this.#at += count
    return at
  }
}
