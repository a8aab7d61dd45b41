/**
 * Every topic key of Kafka: altered while the topic is in use, it is in effect at once, by the topic's own value and by
 * the broker's default; or it is stored, shown, and told in the README as one that has nothing to act on here.
 */
import { readFile } from 'node:fs/promises'
import { afterEach, describe, expect, it } from '@jest/globals'
import { brokerKeys } from '../../src/domain/config/broker-keys.ts'
import { topicKeys } from '../../src/domain/config/topic-keys.ts'
import { LiveTopic, type Configs } from '../support/live-topic.ts'

const DYNAMIC_TOPIC_CONFIG = 1
const MESSAGE_TOO_LARGE = 10
const INVALID_TIMESTAMP = 32
const INVALID_RECORD = 87

/** A segment for each batch of a small record. */
const oneEach: Configs = { 'internal.segment.bytes': '100' }
const never: Configs = { 'retention.ms': '-1' }
const compacted: Configs = { ...oneEach, 'cleanup.policy': 'compact', 'min.cleanable.dirty.ratio': '0' }

interface Effect {
  /** The topic's configs before; a value for the key itself is the broker's where the broker's is altered. */
  readonly begins?: Configs
  readonly to: string
  /** Done before and after the change: what is seen. */
  readonly look: (live: LiveTopic) => Promise<unknown>
  readonly was: unknown
  readonly is: unknown
}

/** Whether new segments began during something. */
async function rolls(live: LiveTopic, during: () => Promise<unknown>): Promise<boolean> {
  const before = await live.files('.log')
  await during()
  await live.settle()
  return (await live.files('.log')).some((name) => !before.includes(name))
}

async function syncs(live: LiveTopic, during: () => Promise<unknown>): Promise<boolean> {
  const before = live.dataSyncs
  await during()
  return live.dataSyncs > before
}

const sendTimes =
  (count: number, size = 5) =>
  async (live: LiveTopic) => {
    for (let i = 0; i < count; i++) await live.send({ value: 'v'.repeat(size) })
  }

/** Whether the older of two records with one key stays. */
async function supersededStays(live: LiveTopic): Promise<boolean> {
  const { baseOffset } = await live.send({ key: 'a' })
  await live.send({ key: 'a' })
  await live.send({ key: 'b' })
  await live.pass()
  await live.pass()
  return (await live.read()).records.some(({ offset }) => offset === baseOffset)
}

/** How long after a compaction its tombstone may go. */
async function horizonMs(live: LiveTopic): Promise<bigint> {
  await live.send({ key: 'a', value: null })
  await live.send({ key: 'b' })
  await live.pass()
  const kept = (await live.batches()).filter((batch) => batch.hasDeleteHorizon)
  return kept.at(-1)!.baseTimestamp - live.clock.nowMs()
}

async function deletedFilesStay(live: LiveTopic): Promise<boolean> {
  const before = await live.files('.deleted')
  await sendTimes(2)(live)
  await live.deleteRecordsBefore((await live.read()).records.at(-1)!.offset)
  expect((await live.files('.deleted')).length).toBeGreaterThan(before.length)
  await live.advance(1000)
  return (await live.files('.deleted')).some((name) => !before.includes(name))
}

async function indexesHaveEntries(live: LiveTopic): Promise<boolean> {
  await sendTimes(8)(live)
  await live.settle()
  const [newestEnded] = (await live.files('.index')).slice(-2)
  return (await live.fileBytes(newestEnded!)) > 0
}

async function expiredStays(live: LiveTopic): Promise<boolean> {
  await sendTimes(2)(live)
  await live.pass()
  return (await live.read()).records.length > 0
}

async function moreThanTwoSegmentsStay(live: LiveTopic): Promise<boolean> {
  await sendTimes(4)(live)
  await live.pass()
  return (await live.files('.log')).length > 2
}

/** Whether a segment ends 6 s after it began, where it may last 10. */
async function endsEarly(live: LiveTopic): Promise<boolean> {
  await live.advance(30_000)
  await live.send()
  await live.send({ aheadMs: 20_000n })
  return await rolls(live, () => live.send({ aheadMs: 26_000n }))
}

const levelOf = (live: LiveTopic) => live.send().then(() => live.lastLevel)
const codecOf = (live: LiveTopic) => live.send().then(async () => (await live.batches()).at(-1)!.codec)

const effects: Readonly<Record<string, Effect>> = {
  'cleanup.policy': { to: 'compact', look: (live) => live.sendCode({}), was: 0, is: INVALID_RECORD },
  'compression.gzip.level': {
    begins: { 'compression.type': 'gzip', 'compression.gzip.level': '1' },
    ...{ to: '9', look: levelOf, was: 1, is: 9 },
  },
  'compression.type': { to: 'zstd', look: codecOf, was: 'none', is: 'zstd' },
  'compression.zstd.level': {
    begins: { 'compression.type': 'zstd', 'compression.zstd.level': '1' },
    ...{ to: '5', look: levelOf, was: 1, is: 5 },
  },
  'delete.retention.ms': { begins: compacted, to: '5000', look: horizonMs, was: 86_400_000n, is: 5000n },
  'file.delete.delay.ms': { begins: oneEach, to: '1000', look: deletedFilesStay, was: true, is: false },
  'flush.messages': { to: '1', look: (live) => syncs(live, () => live.send()), was: false, is: true },
  'flush.ms': {
    begins: { 'flush.ms': '3600000' },
    to: '1000',
    look: (live) => syncs(live, () => live.send().then(() => live.advance(1000))),
    ...{ was: false, is: true },
  },
  'index.interval.bytes': {
    begins: { 'internal.segment.bytes': '300' },
    ...{ to: '0', look: indexesHaveEntries, was: false, is: true },
  },
  'internal.segment.bytes': {
    to: '100',
    look: (live) => rolls(live, () => sendTimes(3)(live)),
    ...{ was: false, is: true },
  },
  'max.compaction.lag.ms': {
    begins: { ...compacted, 'min.cleanable.dirty.ratio': '1' },
    ...{ to: '1000', look: supersededStays, was: true, is: false },
  },
  'max.decompressed.message.bytes': {
    to: '100',
    look: (live) => live.sendCode({ value: 'v'.repeat(1000), codec: 'gzip' }),
    ...{ was: 0, is: MESSAGE_TOO_LARGE },
  },
  'max.message.bytes': {
    to: '100',
    look: (live) => live.sendCode({ value: 'v'.repeat(100) }),
    ...{ was: 0, is: MESSAGE_TOO_LARGE },
  },
  'message.timestamp.after.max.ms': {
    to: '1000',
    look: (live) => live.sendCode({ aheadMs: 60_000n }),
    ...{ was: 0, is: INVALID_TIMESTAMP },
  },
  'message.timestamp.before.max.ms': {
    to: '1000',
    look: (live) => live.sendCode({ aheadMs: -60_000n }),
    ...{ was: 0, is: INVALID_TIMESTAMP },
  },
  'message.timestamp.type': {
    to: 'LogAppendTime',
    look: (live) => live.send({ aheadMs: -1n }).then(({ logAppendTimeMs }) => logAppendTimeMs === live.clock.nowMs()),
    ...{ was: false, is: true },
  },
  'min.cleanable.dirty.ratio': {
    begins: { ...compacted, 'min.cleanable.dirty.ratio': '1' },
    ...{ to: '0', look: supersededStays, was: true, is: false },
  },
  'min.compaction.lag.ms': {
    begins: { ...compacted, 'min.compaction.lag.ms': '1000000000' },
    ...{ to: '0', look: supersededStays, was: true, is: false },
  },
  'retention.bytes': {
    begins: { ...oneEach, ...never },
    ...{ to: '100', look: moreThanTwoSegmentsStay, was: true, is: false },
  },
  'retention.ms': { begins: oneEach, to: '1000', look: expiredStays, was: true, is: false },
  'segment.bytes': {
    to: String(1 << 20),
    look: (live) => rolls(live, () => sendTimes(2, 700_000)(live)),
    ...{ was: false, is: true },
  },
  'segment.index.bytes': {
    begins: { 'index.interval.bytes': '0' },
    to: '24',
    look: (live) => rolls(live, () => sendTimes(4)(live)),
    ...{ was: false, is: true },
  },
  'segment.jitter.ms': { begins: { 'segment.ms': '10000' }, to: '10000', look: endsEarly, was: false, is: true },
  'segment.ms': {
    to: '1000',
    look: (live) => rolls(live, () => live.send().then(() => live.send({ aheadMs: 5000n }))),
    ...{ was: false, is: true },
  },
}

/** Keys that have nothing to act on, each with a value that is stored. */
const inert: Configs = {
  'compression.lz4.level': '3',
  'errors.deadletterqueue.group.enable': 'true',
  'follower.replication.throttled.replicas': '0:1',
  'leader.replication.throttled.replicas': '0:1',
  'local.retention.bytes': '1000',
  'local.retention.ms': '1000',
  'min.insync.replicas': '2',
  preallocate: 'true',
  'remote.copy.lag.bytes': '1000',
  'remote.copy.lag.ms': '1000',
  'remote.log.copy.disable': 'true',
  'remote.log.delete.on.disable': 'true',
  'remote.storage.enable': 'false',
  'unclean.leader.election.enable': 'true',
}

let live: LiveTopic
afterEach(() => live.close())

async function changes({ look, was, is }: Effect, change: () => Promise<string | null>): Promise<void> {
  expect(await live.sendCode({ key: 'first' })).toBe(0)
  expect(await look(live)).toEqual(was)
  expect(await change()).toBeNull()
  expect(await look(live)).toEqual(is)
}

describe('a topic key that is altered is in effect at once', () => {
  it.each(Object.entries(effects))('%s', async (key, effect) => {
    live = await LiveTopic.open(effect.begins ?? {})
    await changes(effect, () => live.alter({ [key]: effect.to }))
  })

  it('flush.ms, for what was written before too', async () => {
    live = await LiveTopic.open({ 'flush.ms': '3600000' })
    await live.send()
    expect(await live.alter({ 'flush.ms': '1000' })).toBeNull()
    expect(await syncs(live, () => live.advance(1000))).toBe(true)
  })

  it('file.delete.delay.ms, for the topic that is deleted', async () => {
    live = await LiveTopic.open({})
    await live.send()
    expect(await live.alter({ 'file.delete.delay.ms': '1000' })).toBeNull()
    await live.deleteTopic()
    expect(await live.folders('-delete')).toHaveLength(1)
    await live.advance(1000)
    expect(await live.folders('-delete')).toEqual([])
  })
})

describe('a default of the broker that is altered reaches the topics without a value of their own at once', () => {
  const ofBroker = Object.entries(effects).flatMap(([key, effect]) => {
    const [server] = topicKeys.get(key)!.serverSynonyms
    const known = server === undefined ? undefined : brokerKeys.get(server.name)
    return known === undefined || known.update === 'read-only' ? [] : [{ key, server: server!.name, effect }]
  })

  it.each(ofBroker)('$server', async ({ key, server, effect }) => {
    const begins = new Map(Object.entries(effect.begins ?? {}))
    const own = begins.get(key)
    begins.delete(key)
    live = await LiveTopic.open(Object.fromEntries(begins), own === undefined ? {} : { [server]: own })
    await changes(effect, () => live.alterBroker('', { [server]: effect.to }))
  })

  it('and only those; the value for one broker is above that for all', async () => {
    live = await LiveTopic.open({ ...oneEach, ...never })
    await live.create('u', oneEach)
    for (const topic of ['t', 'u']) for (let i = 0; i < 3; i++) await live.send({ topic })
    expect(await live.alterBroker('', { 'log.retention.ms': '100000000' })).toBeNull()
    expect(await live.alterBroker('1', { 'log.retention.ms': '1000' })).toBeNull()
    await live.pass()
    expect((await live.read('t')).records).toHaveLength(3)
    expect((await live.read('u')).records).toEqual([])
  })
})

describe('a topic key that has nothing to act on', () => {
  it.each(Object.entries(inert))('%s is stored, shown and told in the README', async (key, value) => {
    live = await LiveTopic.open({})
    expect(await live.alter({ [key]: value })).toBeNull()
    expect(await live.shown(key)).toMatchObject({ name: key, value, configSource: DYNAMIC_TOPIC_CONFIG })
    expect(await live.sendCode({})).toBe(0)
    const readme = await readFile(new URL('../../README.md', import.meta.url), 'utf8')
    expect(readme).toContain(`\`${key}\``)
  })
})

it('no topic key is left out', async () => {
  live = await LiveTopic.open({})
  expect([...Object.keys(effects), ...Object.keys(inert)].sort()).toEqual([...topicKeys.keys()].sort())
})
