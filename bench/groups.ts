/**
 * What groups cost: members until they are stable and what their heartbeats cost from then on, commits at a fixed
 * rate, and the time to a new consumer's first record.
 */
import { Kafka, logLevel } from 'kafkajs'
import { offsetCommit } from '../src/adapters/wire/apis/08-offset-commit.ts'
import { findCoordinator } from '../src/adapters/wire/apis/10-find-coordinator.ts'
import { decodeResponse, encodeRequest } from '../test/support/wire-client.ts'
import { createTopic, encodeRequestFrame, checkAnswer } from './frames.ts'
import { ClassicMember, ConsumerMember, Line, type Member } from './group-members.ts'
import { ask, load } from './load-client.ts'
import { usageOf, type Target } from './processes.ts'

const topic = 'bench'
const commitVersion = 7
const stableForMs = 9_000
/** Connects that are under way at once: the listening socket's queue has its bound. */
const connectsAtOnce = 100

export interface GroupScenario {
  readonly name: string
  readonly overrides: readonly string[]
  /** One line of figures about a fresh broker. */
  readonly run: (target: Target) => Promise<string>
}

const quick = ['group.initial.rebalance.delay.ms=0']
const delayed = ['group.initial.rebalance.delay.ms=3000']
const beatsOfConsumers = ['group.consumer.min.heartbeat.interval.ms=3000', 'group.consumer.heartbeat.interval.ms=3000']

export const groupScenarios: readonly GroupScenario[] = [
  { name: 'groups-classic', overrides: quick, run: (target) => membership(target, 1000, 1, 'classic', 3) },
  { name: 'groups-consumer', overrides: beatsOfConsumers, run: (target) => membership(target, 1000, 1, 'consumer', 3) },
  { name: 'group-classic', overrides: delayed, run: (target) => membership(target, 1, 1000, 'classic', 10) },
  { name: 'group-classic-undelayed', overrides: quick, run: (target) => membership(target, 1, 1000, 'classic', 10) },
  { name: 'group-consumer', overrides: beatsOfConsumers, run: (target) => membership(target, 1, 1000, 'consumer', 10) },
  { name: 'commits', overrides: quick, run: (target) => commits(target, 4) },
  { name: 'commits-1000-connections', overrides: quick, run: (target) => commits(target, 1000) },
  { name: 'first-record', overrides: quick, run: (target) => firstRecord(target) },
]

/** The topic of offsets exists and its partitions are open. */
async function findCoordinators({ host, port }: Target): Promise<void> {
  const frame = encodeRequest(findCoordinator, 1, { key: 'g', keyType: 0 })
  while (decodeResponse(findCoordinator, 1, await ask(host, port, frame)).errorCode !== 0);
}

async function linesTo({ host, port }: Target, count: number): Promise<Line[]> {
  const lines: Line[] = []
  while (lines.length < count) {
    const next = Math.min(connectsAtOnce, count - lines.length)
    lines.push(...(await Promise.all(Array.from({ length: next }, () => Line.open(host, port)))))
  }
  return lines
}

async function membership(
  target: Target,
  groups: number,
  membersOfEach: number,
  protocol: 'classic' | 'consumer',
  atMostSeconds: number,
): Promise<string> {
  await createTopic(target.host, target.port, topic, membersOfEach)
  await findCoordinators(target)
  const lines = await linesTo(target, groups * membersOfEach)
  const before = cpuOf(target)
  const started = performance.now()
  const all = Array.from({ length: groups }, (_, group) => {
    const own = lines.slice(group * membersOfEach, (group + 1) * membersOfEach)
    return groupOf(own, `group-${String(group)}`, protocol)
  })
  const joined = performance.now()
  await Promise.all(all.map(({ stable }) => stable))
  const stable = performance.now()
  const stableCpu = cpuOf(target)
  await new Promise((resolve) => setTimeout(resolve, stableForMs))
  const share = (cpuOf(target) - stableCpu) / ((performance.now() - stable) / 1000)
  for (const { members } of all) for (const member of members) member.leave()
  const seconds = (stable - joined) / 1000
  return (
    `${String(groups)} ${protocol} group(s) of ${String(membersOfEach)}: joins sent in ${(joined - started).toFixed(0)} ms, ` +
    `stable ${seconds.toFixed(2)} s after the last (at most ${String(atMostSeconds)}), ` +
    `${(stableCpu - before).toFixed(2)} s CPU until then; heartbeats ${percent(share)} of a core (at most 40 %)`
  )
}

function groupOf(lines: readonly Line[], groupId: string, protocol: 'classic' | 'consumer') {
  const members: Member[] = []
  const stable = new Promise<void>((resolve) => {
    const look = () => {
      if (areStable(members)) resolve()
    }
    lines.forEach((line, i) => {
      const memberId = `${groupId}-member-${String(i)}`
      members.push(
        protocol === 'classic'
          ? new ClassicMember(line, groupId, look)
          : new ConsumerMember(line, groupId, memberId, topic, look),
      )
    })
    for (const member of members) member.join()
  })
  return { members, stable }
}

/** All in one generation, and, where the broker assigns, each with its partition. */
function areStable(members: readonly Member[]): boolean {
  const generation = members[0]?.holding?.generation
  const isAssigned = members[0] instanceof ConsumerMember
  const taken = new Set<number>()
  for (const { holding } of members) {
    if (holding === null || holding.generation !== generation) return false
    if (isAssigned && holding.partitions.length !== 1) return false
    for (const partition of holding.partitions) taken.add(partition)
  }
  return !isAssigned || taken.size === members.length
}

const cpuOf = ({ pid }: Target): number => (pid === undefined ? NaN : usageOf(pid).cpuSeconds)
const percent = (share: number): string => `${(share * 100).toFixed(0)} %`

/** 10,000 commits per second by the members of 1,000 groups, each of one partition. */
async function commits(target: Target, connections: number): Promise<string> {
  const groups = 1000
  const perSecond = 10_000
  await createTopic(target.host, target.port, topic, 1)
  await findCoordinators(target)
  const lines = await linesTo(target, groups)
  const members = await Promise.all(
    lines.map(async (line, i) => {
      const group = groupOf([line], `group-${String(i)}`, 'classic')
      await group.stable
      return group.members[0]!
    }),
  )
  const frames = members.map(({ memberId, holding }, i) =>
    encodeRequest(offsetCommit, commitVersion, {
      groupId: `group-${String(i)}`,
      generationIdOrMemberEpoch: holding!.generation,
      memberId,
      topics: [{ name: topic, partitions: [{ partitionIndex: 0, committedOffset: 5n, committedMetadata: '' }] }],
    }),
  )
  const over = lines.slice(0, connections)
  await commitFor(over, frames, perSecond, 3)
  const before = cpuOf(target)
  const { delays, seconds } = await commitFor(over, frames, perSecond, 10)
  const share = (cpuOf(target) - before) / seconds
  for (const member of members) member.leave()
  const at = (part: number) => delays[Math.floor(delays.length * part)]!.toFixed(1)
  return (
    `commits of 1,000 groups over ${String(connections)} connections: ${(delays.length / seconds).toFixed(0)}/s ` +
    `(10,000 wanted), ${percent(share)} of a core (at most 60 %), p50 ${at(0.5)} ms, p99 ${at(0.99)} ms (at most 20), ` +
    `max ${at(0.99999)} ms`
  )
}

/** Commits at a fixed rate: the delay of each answer from the time that its request was due, sorted. */
async function commitFor(lines: readonly Line[], frames: readonly Uint8Array[], perSecond: number, seconds: number) {
  const total = perSecond * seconds
  const delays: number[] = []
  const started = performance.now()
  let sent = 0
  let refused = 0
  await new Promise<void>((resolve) => {
    const pace = setInterval(() => {
      const due = Math.min(total, ((performance.now() - started) * perSecond) / 1000)
      for (; sent < due; sent++) {
        const dueAt = started + (sent * 1000) / perSecond
        lines[sent % lines.length]!.send(frames[sent % frames.length]!, (answer) => {
          // The error code of the only partition ends the answer.
          if (answer.readInt16BE(answer.length - 2) !== 0) refused++
          delays.push(performance.now() - dueAt)
          if (delays.length === total) resolve()
        })
      }
      if (sent === total) clearInterval(pace)
    }, 1)
  })
  if (refused > 0) throw new Error(`${String(refused)} commits were refused`)
  return { delays: delays.sort((a, b) => a - b), seconds: (performance.now() - started) / 1000 }
}

/** A consumer of kafkajs with all its defaults, from its creation to its first record; new groups, one by one. */
async function firstRecord({ host, port }: Target): Promise<string> {
  await createTopic(host, port, topic, 1)
  const records = encodeRequestFrame.batch(100, 100)
  const frames = [encodeRequestFrame.produce(topic, [{ index: 0, records }], -1)]
  await load({ host, port, connections: 1, inFlight: 1, frames, requests: 1, check: checkAnswer.produce })
  const kafka = new Kafka({ brokers: [`${host}:${String(port)}`], logLevel: logLevel.NOTHING })
  const times: number[] = []
  for (let i = 0; i < 11; i++) {
    const started = performance.now()
    const consumer = kafka.consumer({ groupId: `new-${String(i)}` })
    await consumer.connect()
    await consumer.subscribe({ topics: [topic], fromBeginning: true })
    const first = new Promise<number>((resolve) => {
      const eachMessage = () => {
        resolve(performance.now())
        return Promise.resolve()
      }
      void consumer.run({ eachMessage })
    })
    times.push((await first) - started)
    await consumer.disconnect()
  }
  const [cold, ...warm] = times
  const median = warm.sort((a, b) => a - b)[Math.floor(warm.length / 2)]!
  return (
    `first record of a kafkajs consumer: ${median.toFixed(0)} ms after its start, median of ${String(warm.length)} ` +
    `(at most 300); the first group of a broker ${cold!.toFixed(0)} ms`
  )
}
