/**
 * Incremental fetch sessions (KIP-227, by topic id KIP-516): a client names its partitions once, later requests say
 * only what changed, and answers hold only partitions with news.
 *
 * The rules are Kafka's: a full request (epoch 0) opens a session if a slot is free or can be freed, epoch -1 closes
 * one, any other epoch must be exactly the next. A slot is taken from a session that was not used for two minutes, or
 * from a smaller one that is older than that. Not here: the precedence of replica fetchers, which a single node has
 * none of.
 */
import type { ErrorName, KafkaError } from '../domain/errors.ts'
import type { Uuid } from '../domain/uuid.ts'
import { FetchTarget, type FetchedTopicRequest, type ForgottenTopic } from './fetch-target.ts'
import type { Clock } from './ports/clock.ts'
import type { Random } from './ports/random.ts'

/** No session. */
export const NO_SESSION = 0
const INITIAL_EPOCH = 0
const FINAL_EPOCH = -1
const EPOCH_MAX = 2_147_483_647
/** Kafka's constant: how long a session is safe from being replaced. */
const EVICTION_MS = 120_000

export interface FetchSessionSettings {
  readonly maxIncrementalFetchSessionCacheSlots: number
}

export interface FetchSessionLimits {
  /** The most partitions that all sessions together remember; each costs some 200 bytes. Past it there is no session. */
  readonly partitionsMax: number
}

export interface FetchSessionRequest {
  readonly sessionId: number
  readonly sessionEpoch: number
  readonly usesTopicIds: boolean
  readonly topics: readonly FetchedTopicRequest[]
  readonly forgotten: readonly ForgottenTopic[]
}

/** The part of a partition's answer that decides whether an incremental answer holds it. */
export interface FetchOutcome {
  readonly target: FetchTarget
  readonly error: ErrorName
  readonly highWatermark: bigint
  readonly logStartOffset: bigint
  readonly recordBytes: number
  readonly diverging: object | null
}

export interface FetchSelection<Outcome> {
  readonly error: ErrorName
  readonly sessionId: number
  readonly outcomes: readonly Outcome[]
}

/** One fetch on its way: what to read, and afterwards what of it to answer. */
export interface FetchContext {
  readonly targets: readonly FetchTarget[]
  /** Call once, with an outcome for each target, in the order in which to answer them. */
  select<Outcome extends FetchOutcome>(outcomes: readonly Outcome[]): FetchSelection<Outcome>
}

/** The name of the topic with an id, or null. */
export type TopicNames = (topicId: Uuid) => string | null

interface Session {
  readonly id: number
  readonly usesTopicIds: boolean
  readonly createdMs: number
  usedMs: number
  /** The epoch that the next request must carry. */
  epoch: number
  /** In the order in which they are read: whoever had data goes to the end. */
  readonly targets: Map<string, FetchTarget>
}

export class FetchSessions {
  readonly #clock: Clock
  readonly #random: Random
  readonly #settings: () => FetchSessionSettings
  readonly #limits: FetchSessionLimits
  /** Least recently used first. */
  readonly #sessions = new Map<number, Session>()
  #partitions = 0

  constructor(clock: Clock, random: Random, settings: () => FetchSessionSettings, limits: FetchSessionLimits) {
    this.#clock = clock
    this.#random = random
    this.#settings = settings
    this.#limits = limits
  }

  get size(): number {
    return this.#sessions.size
  }

  /** How many partitions all sessions together remember. */
  get partitions(): number {
    return this.#partitions
  }

  /** Takes a request in, or says why its session cannot. */
  begin(request: FetchSessionRequest, names: TopicNames): FetchContext | KafkaError {
    if (request.sessionEpoch === INITIAL_EPOCH || request.sessionEpoch === FINAL_EPOCH) {
      // A full request closes the session that it names, if any, and without an error if there is none.
      this.#remove(this.#sessions.get(request.sessionId))
      const targets = new Map<string, FetchTarget>()
      takeIn(targets, request, names)
      return request.sessionEpoch === FINAL_EPOCH ? sessionless(targets) : this.#full(request, targets)
    }
    return this.#incremental(request, names)
  }

  #full(request: FetchSessionRequest, targets: Map<string, FetchTarget>): FetchContext {
    return {
      targets: [...targets.values()],
      select: (outcomes) => {
        const sessionId = this.#open(request.usesTopicIds, targets, outcomes)
        return { error: 'NONE', sessionId, outcomes }
      },
    }
  }

  #incremental(request: FetchSessionRequest, names: TopicNames): FetchContext | KafkaError {
    const session = this.#sessions.get(request.sessionId)
    if (session === undefined) return 'FETCH_SESSION_ID_NOT_FOUND'
    if (session.epoch !== request.sessionEpoch) return 'INVALID_FETCH_SESSION_EPOCH'
    if (session.usesTopicIds !== request.usesTopicIds) return 'FETCH_SESSION_TOPIC_ID_ERROR'
    const sizeBefore = session.targets.size
    if (session.usesTopicIds) resolveNames(session.targets, names)
    takeIn(session.targets, request, names)
    for (const topic of request.forgotten) {
      for (const partition of topic.partitions)
        session.targets.delete(targetKey(request.usesTopicIds, topic, partition))
    }
    this.#partitions += session.targets.size - sizeBefore
    if (session.targets.size === 0) {
      this.#remove(session)
      return sessionless(session.targets)
    }
    if (this.#partitions > this.#limits.partitionsMax) {
      // The client opens a new session, and gets none while there is no room.
      this.#remove(session)
      return 'FETCH_SESSION_ID_NOT_FOUND'
    }
    session.usedMs = this.#clock.monotonicMs()
    this.#sessions.delete(session.id)
    this.#sessions.set(session.id, session)
    const epoch = nextEpoch(session.epoch)
    session.epoch = epoch
    return {
      targets: [...session.targets.values()],
      select: (outcomes) => {
        // Another request went on with this session meanwhile: what this one would answer is not what its client has.
        if (session.epoch !== epoch) {
          return { error: 'INVALID_FETCH_SESSION_EPOCH', sessionId: session.id, outcomes: [] }
        }
        return { error: 'NONE', sessionId: session.id, outcomes: selectNews(session, outcomes) }
      },
    }
  }

  /** The id of a new session over `targets`, or NO_SESSION when there is no room. */
  #open(usesTopicIds: boolean, targets: Map<string, FetchTarget>, outcomes: readonly FetchOutcome[]): number {
    const nowMs = this.#clock.monotonicMs()
    const slots = this.#settings().maxIncrementalFetchSessionCacheSlots
    if (this.#sessions.size >= slots && !this.#evict(targets.size, nowMs)) return NO_SESSION
    if (this.#partitions + targets.size > this.#limits.partitionsMax) return NO_SESSION
    const ordered = new Map<string, FetchTarget>()
    for (const { target, highWatermark, logStartOffset } of outcomes) {
      target.knownHighWatermark = highWatermark
      target.knownLogStartOffset = logStartOffset
      ordered.set(targetKey(usesTopicIds, target, target.partition), target)
    }
    const session: Session = {
      id: this.#newId(),
      usesTopicIds,
      createdMs: nowMs,
      usedMs: nowMs,
      epoch: nextEpoch(INITIAL_EPOCH),
      targets: ordered,
    }
    this.#sessions.set(session.id, session)
    this.#partitions += ordered.size
    return session.id
  }

  #newId(): number {
    for (;;) {
      const id = this.#random.integer(EPOCH_MAX) + 1
      if (!this.#sessions.has(id)) return id
    }
  }

  /** Frees a slot for a session of `size` partitions, if Kafka would. */
  #evict(size: number, nowMs: number): boolean {
    const stalest = this.#sessions.values().next().value
    if (stalest === undefined) return false
    if (nowMs - stalest.usedMs > EVICTION_MS) {
      this.#remove(stalest)
      return true
    }
    let smallest: Session | undefined
    for (const session of this.#sessions.values()) {
      if (session.usedMs - session.createdMs <= EVICTION_MS) continue
      if (smallest === undefined || comesBefore(session, smallest)) smallest = session
    }
    // A newcomer of the same size wins only against ids below its own, which counts as 0: never.
    if (smallest === undefined || size <= smallest.targets.size) return false
    this.#remove(smallest)
    return true
  }

  #remove(session: Session | undefined): void {
    if (session === undefined || !this.#sessions.delete(session.id)) return
    this.#partitions -= session.targets.size
  }
}

function comesBefore(a: Session, b: Session): boolean {
  return a.targets.size === b.targets.size ? a.id < b.id : a.targets.size < b.targets.size
}

function sessionless(targets: Map<string, FetchTarget>): FetchContext {
  return {
    targets: [...targets.values()],
    select: (outcomes) => ({ error: 'NONE', sessionId: NO_SESSION, outcomes }),
  }
}

/** A partition named twice keeps its first place and its last parameters. */
function takeIn(targets: Map<string, FetchTarget>, request: FetchSessionRequest, names: TopicNames): void {
  const { usesTopicIds } = request
  for (const topic of request.topics) {
    const name = usesTopicIds ? (names(topic.topicId) ?? '') : topic.topic
    for (const partition of topic.partitions) {
      const key = targetKey(usesTopicIds, topic, partition.partition)
      const known = targets.get(key)
      if (known === undefined) targets.set(key, new FetchTarget(name, topic.topicId, partition))
      else known.update(partition)
    }
  }
}

function resolveNames(targets: Map<string, FetchTarget>, names: TopicNames): void {
  for (const target of targets.values()) {
    if (target.topic === '') target.topic = names(target.topicId) ?? ''
  }
}

function targetKey(
  byId: boolean,
  topic: { readonly topic: string; readonly topicId: Uuid },
  partition: number,
): string {
  return `${byId ? topic.topicId : topic.topic}/${partition}`
}

/** Keeps the outcomes that the client has not seen, remembers them, and moves those with records to the end. */
function selectNews<Outcome extends FetchOutcome>(session: Session, outcomes: readonly Outcome[]): Outcome[] {
  const news: Outcome[] = []
  for (const outcome of outcomes) {
    const { target, error } = outcome
    const isNews =
      outcome.recordBytes > 0 ||
      target.knownHighWatermark !== outcome.highWatermark ||
      target.knownLogStartOffset !== outcome.logStartOffset ||
      error !== 'NONE' ||
      outcome.diverging !== null
    if (!isNews) continue
    news.push(outcome)
    // An error is answered every time, and the partition again as soon as it is over.
    target.knownHighWatermark = error === 'NONE' ? outcome.highWatermark : -1n
    target.knownLogStartOffset = outcome.logStartOffset
    if (outcome.recordBytes > 0) moveToEnd(session, target)
  }
  return news
}

function moveToEnd(session: Session, target: FetchTarget): void {
  const key = targetKey(session.usesTopicIds, target, target.partition)
  session.targets.delete(key)
  session.targets.set(key, target)
}

function nextEpoch(epoch: number): number {
  return epoch === EPOCH_MAX ? 1 : epoch + 1
}
