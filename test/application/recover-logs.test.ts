/** Recovery after an unclean stop: how much at a time, and what an operator is told. */
import { expect, it } from '@jest/globals'
import { recoverLogs } from '../../src/application/recover-logs.ts'
import type { ListedLog, LogRepairs } from '../../src/application/ports/log-store.ts'
import { ManualClock } from '../../src/adapters/system/manual-clock.ts'
import { recordingLogger, type LoggedEvent } from '../support/file-storage.ts'
import { settled } from '../support/settled.ts'

interface Opening {
  readonly key: string
  readonly open: () => void
}

function recovery(logs: Readonly<Record<string, number>>, threads = 1) {
  const clock = new ManualClock()
  const events: LoggedEvent[] = []
  const opening: Opening[] = []
  const repairs = new Map<string, LogRepairs | 'offline'>()
  const unclean = Object.entries(logs).flatMap(([directory, count]) =>
    Array.from({ length: count }, (_, partition): ListedLog => {
      return { topicPartition: { topic: directory, partition }, directory, topicId: null, needsRecovery: true }
    }),
  )
  const running = recoverLogs(
    { clock, timers: clock, logger: recordingLogger(events) },
    () => threads,
    unclean,
    ({ topic, partition }) => {
      const key = `${topic}-${partition}`
      const whenOpen = new Promise<void>((resolve) => opening.push({ key, open: resolve }))
      const found = repairs.get(key) ?? null
      return {
        whenOpen: () => whenOpen,
        state: found === 'offline' ? ('offline' as const) : ('open' as const),
        log: found === 'offline' ? null : { repairs: found },
        sizeBytes: () => 100,
      }
    },
  )
  return { clock, events, opening, repairs, running }
}

it('takes several logs of each directory at a time, and the directories beside each other', async () => {
  const { opening, running, events } = recovery({ a: 6, b: 2 })
  expect(opening.map(({ key }) => key)).toEqual(['a-0', 'a-1', 'a-2', 'a-3', 'b-0', 'b-1'])
  opening[1]!.open()
  await settled()
  expect(opening.map(({ key }) => key).slice(6)).toEqual(['a-4'])
  for (let next = 0; next < 8; next++) {
    opening[next]!.open()
    await settled()
  }
  await running
  expect(events.map(({ event }) => event)).toEqual(['recovery finished'])
})

it('says each second how far each directory is, and nothing after the end', async () => {
  const { opening, running, events, clock } = recovery({ a: 2, b: 1 })
  clock.advance(999)
  expect(events).toEqual([])
  opening[0]!.open()
  await settled()
  clock.advance(1)
  expect(events).toEqual([
    {
      level: 'info',
      event: 'recovery under way',
      fields: {
        directories: [
          { path: 'a', logs: 2, done: 1, bytes: 100 },
          { path: 'b', logs: 1, done: 0, bytes: 0 },
        ],
      },
    },
  ])
  clock.advance(1000)
  expect(events).toHaveLength(2)
  for (const { open } of opening) open()
  await running
  expect(clock.pending).toBe(0)
})

it('says at the end how long it took and what was put right', async () => {
  const { opening, repairs, running, events, clock } = recovery({ a: 8 })
  repairs.set('a-4', { end: 7n, cutBytes: 33, finished: 0, undone: 1 })
  repairs.set('a-5', { end: 9n, cutBytes: 0, finished: 2, undone: 0 })
  repairs.set('a-6', 'offline')
  clock.advance(250)
  for (let next = 0; next < 8; next++) {
    opening[next]!.open()
    await settled()
  }
  await running
  const fields = {
    logs: 8,
    of: 8,
    directories: 1,
    tookMs: 250,
    repaired: 2,
    cutBytes: 33,
    finished: 2,
    undone: 1,
    offline: 1,
  }
  expect(events).toEqual([{ level: 'info', event: 'recovery finished', fields }])
})

it('says nothing where nothing is to be recovered', async () => {
  const { running, events, clock } = recovery({})
  await running
  expect(events).toEqual([])
  expect(clock.pending).toBe(0)
})
