import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import {
  type FetchContext,
  type FetchOutcome,
  type FetchSelection,
  FetchSessions,
  type FetchSessionRequest,
} from '../../src/application/fetch-sessions.ts'
import type { FetchTarget } from '../../src/application/fetch-target.ts'
import type { Random } from '../../src/application/ports/random.ts'
import { ZERO_UUID } from '../../src/domain/uuid.ts'
import { ManualClock } from '../../src/adapters/system/manual-clock.ts'

/** 1, 2, 3, … as session ids. */
function counting(): Random {
  let next = 0
  return { integer: () => next++, uuid: () => ZERO_UUID }
}

function sessions({ slots = 2, partitionsMax = 1000 } = {}) {
  const time = new ManualClock()
  const made = new FetchSessions(time, counting(), () => ({ maxIncrementalFetchSessionCacheSlots: slots }), {
    partitionsMax,
  })
  return { time, sessions: made }
}

/** `{ t: [0, 1] }` = partitions 0 and 1 of t from offset 0. */
type Named = Readonly<Record<string, readonly number[]>>

function request(
  sessionId: number,
  sessionEpoch: number,
  named: Named = {},
  { forgotten = {}, usesTopicIds = false }: { forgotten?: Named; usesTopicIds?: boolean } = {},
): FetchSessionRequest {
  const name = (key: string) => (usesTopicIds ? { topic: '', topicId: key } : { topic: key, topicId: ZERO_UUID })
  return {
    sessionId,
    sessionEpoch,
    usesTopicIds,
    topics: Object.entries(named).map(([topic, partitions]) => ({
      ...name(topic),
      partitions: partitions.map((partition) => ({
        partition,
        currentLeaderEpoch: -1,
        fetchOffset: 0n,
        lastFetchedEpoch: -1,
        partitionMaxBytes: 100,
      })),
    })),
    forgotten: Object.entries(forgotten).map(([topic, partitions]) => ({ ...name(topic), partitions })),
  }
}

const quiet = { error: 'NONE', highWatermark: 5n, logStartOffset: 0n, recordBytes: 0, diverging: null } as const

function outcome(target: FetchTarget, news: Partial<FetchOutcome> = {}): FetchOutcome {
  return { target, ...quiet, ...news }
}

function label(target: FetchTarget): string {
  return `${target.topic === '' ? target.topicId : target.topic}-${target.partition}`
}

function begun(context: FetchContext | string): FetchContext {
  if (typeof context === 'string') throw new Error(context)
  return context
}

function answer(context: FetchContext | string, news: Readonly<Record<string, Partial<FetchOutcome>>> = {}) {
  const { targets, select } = begun(context)
  const selected: FetchSelection<FetchOutcome> = select(targets.map((target) => outcome(target, news[label(target)])))
  return { ...selected, answered: selected.outcomes.map(({ target }) => label(target)) }
}

const noNames = () => null

describe('FetchSessions', () => {
  it('opens a session for a full request and answers only news afterwards', () => {
    const { sessions: s } = sessions()
    const full = answer(s.begin(request(0, 0, { t: [0, 1] }), noNames))
    expect(full).toMatchObject({ error: 'NONE', sessionId: 1, answered: ['t-0', 't-1'] })
    expect(answer(s.begin(request(1, 1), noNames))).toMatchObject({ sessionId: 1, answered: [] })
    const news = { 't-1': { highWatermark: 6n } }
    expect(answer(s.begin(request(1, 2), noNames), news).answered).toEqual(['t-1'])
    expect(answer(s.begin(request(1, 3), noNames), news).answered).toEqual([])
  })

  it.each<[string, Partial<FetchOutcome>, boolean]>([
    ['records', { recordBytes: 10 }, true],
    ['a new log start', { logStartOffset: 2n }, false],
    ['an error', { error: 'OFFSET_OUT_OF_RANGE', highWatermark: -1n, logStartOffset: -1n }, true],
    ['a diverging epoch', { diverging: { epoch: 1, endOffset: 3n } }, true],
  ])('answers %s, and again while it lasts', (_, news, again) => {
    const { sessions: s } = sessions()
    answer(s.begin(request(0, 0, { t: [0] }), noNames))
    expect(answer(s.begin(request(1, 1), noNames), { 't-0': news }).answered).toEqual(['t-0'])
    expect(answer(s.begin(request(1, 2), noNames), { 't-0': news }).answered).toEqual(again ? ['t-0'] : [])
  })

  it('answers a partition again when its error is over', () => {
    const { sessions: s } = sessions()
    answer(s.begin(request(0, 0, { t: [0] }), noNames))
    answer(s.begin(request(1, 1), noNames), { 't-0': { error: 'KAFKA_STORAGE_ERROR' } })
    expect(answer(s.begin(request(1, 2), noNames)).answered).toEqual(['t-0'])
    expect(answer(s.begin(request(1, 3), noNames)).answered).toEqual([])
  })

  it('reads those that had records last', () => {
    const { sessions: s } = sessions()
    answer(s.begin(request(0, 0, { t: [0, 1, 2] }), noNames))
    answer(s.begin(request(1, 1), noNames), { 't-0': { recordBytes: 1 }, 't-2': { highWatermark: 9n } })
    const next = begun(s.begin(request(1, 2), noNames))
    expect(next.targets.map(label)).toEqual(['t-1', 't-2', 't-0'])
  })

  it('adds, changes and forgets partitions', () => {
    const { sessions: s } = sessions()
    answer(s.begin(request(0, 0, { t: [0, 1] }), noNames))
    const changed = begun(s.begin(request(1, 1, { u: [3] }, { forgotten: { t: [0], v: [9] } }), noNames))
    expect(changed.targets.map(label)).toEqual(['t-1', 'u-3'])
    expect(s.partitions).toBe(2)
    expect(answer(changed).answered).toEqual(['u-3'])
  })

  it('takes a partition that is named twice once, with the last parameters', () => {
    const { sessions: s } = sessions()
    expect(begun(s.begin(request(0, -1, { t: [0, 1, 0] }), noNames)).targets.map(label)).toEqual(['t-0', 't-1'])
  })

  it('is gone when nothing is left in it', () => {
    const { sessions: s } = sessions()
    answer(s.begin(request(0, 0, { t: [0] }), noNames))
    const emptied = answer(s.begin(request(1, 1, {}, { forgotten: { t: [0] } }), noNames))
    expect(emptied).toMatchObject({ error: 'NONE', sessionId: 0, answered: [] })
    expect(s.begin(request(1, 2), noNames)).toBe('FETCH_SESSION_ID_NOT_FOUND')
    expect(s.partitions).toBe(0)
  })

  it('refuses unknown sessions, wrong epochs, and names where there were ids', () => {
    const { sessions: s } = sessions()
    expect(s.begin(request(12345, 5), noNames)).toBe('FETCH_SESSION_ID_NOT_FOUND')
    answer(s.begin(request(0, 0, { t: [0] }), noNames))
    expect(s.begin(request(1, 9), noNames)).toBe('INVALID_FETCH_SESSION_EPOCH')
    expect(s.begin(request(1, 1, {}, { usesTopicIds: true }), noNames)).toBe('FETCH_SESSION_TOPIC_ID_ERROR')
    expect(answer(s.begin(request(1, 1), noNames)).error).toBe('NONE')
  })

  it('closes the session that a full request names', () => {
    const { sessions: s } = sessions()
    answer(s.begin(request(0, 0, { t: [0] }), noNames))
    expect(answer(s.begin(request(1, -1, { t: [1] }), noNames))).toMatchObject({ sessionId: 0, answered: ['t-1'] })
    expect(s.size).toBe(0)
    expect(answer(s.begin(request(1, 0, { t: [1] }), noNames)).sessionId).toBe(2)
    expect(answer(s.begin(request(2, 0, { t: [1] }), noNames)).sessionId).toBe(3)
    expect(s.size).toBe(1)
  })

  it('says nothing to a request that another one of its session has overtaken', () => {
    const { sessions: s } = sessions()
    answer(s.begin(request(0, 0, { t: [0] }), noNames))
    const overtaken = s.begin(request(1, 1), noNames)
    answer(s.begin(request(1, 2), noNames))
    expect(answer(overtaken)).toMatchObject({ error: 'INVALID_FETCH_SESSION_EPOCH', sessionId: 1, answered: [] })
  })

  it('learns the name of a topic id later', () => {
    const { sessions: s } = sessions()
    const names = new Map<string, string>()
    const byId = { usesTopicIds: true }
    const first = begun(s.begin(request(0, 0, { id: [0] }, byId), (id) => names.get(id) ?? null))
    expect(first.targets[0]).toMatchObject({ topic: '', topicId: 'id' })
    answer(first)
    names.set('id', 'named')
    const second = begun(s.begin(request(1, 1, {}, byId), (id) => names.get(id) ?? null))
    expect(second.targets[0]).toMatchObject({ topic: 'named', topicId: 'id' })
  })

  describe('with all slots taken', () => {
    function full() {
      const made = sessions({ slots: 1 })
      answer(made.sessions.begin(request(0, 0, { t: [0, 1] }), noNames))
      return made
    }

    it('opens no session', () => {
      const { sessions: s } = full()
      expect(answer(s.begin(request(0, 0, { t: [0, 1, 2] }), noNames)).sessionId).toBe(0)
      expect(answer(s.begin(request(1, 1), noNames)).error).toBe('NONE')
    })

    it('replaces one that was not used for two minutes', () => {
      const { time, sessions: s } = full()
      time.advance(120_001)
      expect(answer(s.begin(request(0, 0, { t: [0] }), noNames)).sessionId).toBe(2)
      expect(s.begin(request(1, 1), noNames)).toBe('FETCH_SESSION_ID_NOT_FOUND')
    })

    it.each([
      ['smaller', [0, 1, 2], 2],
      ['of the same size', [0, 1], 0],
    ])('as to an old one in use that is %s', (_, partitions, sessionId) => {
      const { time, sessions: s } = full()
      time.advance(119_000)
      answer(s.begin(request(1, 1), noNames))
      time.advance(2_000)
      answer(s.begin(request(1, 2), noNames))
      expect(answer(s.begin(request(0, 0, { t: partitions }), noNames)).sessionId).toBe(sessionId)
    })
  })

  it('opens none without slots, and none past the bound on partitions', () => {
    expect(answer(sessions({ slots: 0 }).sessions.begin(request(0, 0, { t: [0] }), noNames)).sessionId).toBe(0)
    const { sessions: s } = sessions({ partitionsMax: 2 })
    expect(answer(s.begin(request(0, 0, { t: [0, 1, 2] }), noNames)).sessionId).toBe(0)
    expect(answer(s.begin(request(0, 0, { t: [0, 1] }), noNames)).sessionId).toBe(1)
    expect(s.begin(request(1, 1, { t: [2] }), noNames)).toBe('FETCH_SESSION_ID_NOT_FOUND')
    expect(s.partitions).toBe(0)
  })

  it('keeps a client that only applies differences up to date', () => {
    // The model is the client: what it put together from incremental answers must be what the broker has.
    const change = fc.record({
      partition: fc.nat(3),
      highWatermark: fc.bigInt({ min: 0n, max: 3n }),
      kind: fc.constantFrom('grow', 'ask', 'forget'),
    })
    fc.assert(
      fc.property(fc.array(fc.array(change, { maxLength: 4 }), { maxLength: 15 }), (rounds) => {
        const { sessions: s } = sessions()
        const broker = new Map([0, 1, 2, 3].map((partition) => [partition, 0n]))
        const client = new Map<number, bigint>()
        let asked = new Set([0, 1])
        let [id, epoch] = [0, 0]
        let [add, forget]: [number[], number[]] = [[0, 1], []]
        for (const round of rounds) {
          const context = begun(s.begin(request(id, epoch, { t: add }, { forgotten: { t: forget } }), noNames))
          const { sessionId, outcomes } = context.select(
            context.targets.map((target) => outcome(target, { highWatermark: broker.get(target.partition)! })),
          )
          for (const { target, highWatermark } of outcomes) client.set(target.partition, highWatermark)
          expect(new Set(context.targets.map(({ partition }) => partition))).toEqual(asked)
          for (const partition of asked) expect(client.get(partition)).toBe(broker.get(partition))
          epoch = sessionId === 0 ? 0 : epoch + 1
          id = sessionId
          const before = asked
          asked = new Set(asked)
          for (const { partition, highWatermark, kind } of round) {
            if (kind === 'grow') broker.set(partition, highWatermark)
            else if (kind === 'ask') asked.add(partition)
            else asked.delete(partition)
          }
          add = [...asked].filter((partition) => epoch === 0 || !before.has(partition))
          forget = [...before].filter((partition) => !asked.has(partition))
          for (const partition of forget) client.delete(partition)
        }
      }),
    )
  })
})
