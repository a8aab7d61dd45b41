import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { Deadlines } from '../../src/application/deadlines.ts'
import { type WaitEnd, Waiters } from '../../src/application/waiters.ts'
import { ManualClock } from '../../src/adapters/system/manual-clock.ts'
import { settled } from '../support/settled.ts'

/** Things that may change, by name. */
const things = { a: {}, b: {}, c: {}, d: {}, x: {}, key: {} }
type Key = (typeof things)[keyof typeof things]

function waiters(keysMax = 100) {
  const time = new ManualClock()
  return { time, waiters: new Waiters<Key>(time, time, { keysMax }) }
}

async function endOf(ended: Promise<WaitEnd>): Promise<WaitEnd | 'waiting'> {
  return Promise.race([ended, settled().then(() => 'waiting' as const)])
}

describe('Waiters', () => {
  it('ends a wait when one of its keys is notified, and forgets it', async () => {
    const { time, waiters: w } = waiters()
    const wait = w.wait([things.a, things.b], 100)
    w.notify(things.c)
    expect(await endOf(wait.ended)).toBe('waiting')
    w.notify(things.b)
    expect(await endOf(wait.ended)).toBe('notified')
    expect(w.size).toBe(0)
    w.notify(things.a)
    time.advance(200)
    expect(time.pending).toBe(0)
  })

  it('ends a wait at its deadline with one timer for all', async () => {
    const { time, waiters: w } = waiters()
    const late = w.wait([things.a], 300)
    const early = w.wait([things.a], 100)
    const between = w.wait([things.a], 200)
    expect(time.pending).toBe(1)
    time.advance(100)
    expect(await endOf(early.ended)).toBe('deadline')
    expect(await endOf(between.ended)).toBe('waiting')
    time.advance(200)
    expect(await endOf(between.ended)).toBe('deadline')
    expect(await endOf(late.ended)).toBe('deadline')
    expect(time.pending).toBe(0)
  })

  it('wakes all who wait for a key, and asks each whether this is enough', async () => {
    const { waiters: w } = waiters()
    const seen: number[] = []
    const content = w.wait([things.x, things.a], 100)
    const demanding = w.wait([things.b, things.a, things.a], 100, (index) => {
      seen.push(index)
      return seen.length > 2
    })
    w.notify(things.a)
    expect(await endOf(content.ended)).toBe('notified')
    expect(await endOf(demanding.ended)).toBe('waiting')
    expect([...seen].sort()).toEqual([1, 2])
    w.notify(things.b)
    expect(await endOf(demanding.ended)).toBe('notified')
  })

  it('can be given up, once', async () => {
    const { waiters: w } = waiters()
    const wait = w.wait([things.a], 100)
    wait.cancel()
    wait.cancel()
    w.notify(things.a)
    expect(await endOf(wait.ended)).toBe('cancelled')
  })

  it('refuses to grow past its bound, and takes waits again when others have ended', async () => {
    const { waiters: w } = waiters(3)
    w.wait([things.a, things.b], 100)
    expect(await endOf(w.wait([things.c, things.d], 100).ended)).toBe('full')
    w.notify(things.a)
    expect(await endOf(w.wait([things.c, things.d], 100).ended)).toBe('waiting')
  })

  it('ends everything when it closes and leaves no timer', async () => {
    const { time, waiters: w } = waiters()
    const wait = w.wait([things.a], 100)
    w.close()
    expect(await endOf(wait.ended)).toBe('closed')
    expect(await endOf(w.wait([things.a], 100).ended)).toBe('closed')
    expect(time.pending).toBe(0)
  })

  it('does what a list of waits would do, under any order of events', async () => {
    const key = fc.constantFrom('a' as const, 'b' as const, 'c' as const)
    const event = fc.oneof(
      fc.record({
        do: fc.constant('wait' as const),
        keys: fc.array(key, { minLength: 1, maxLength: 4 }),
        ms: fc.nat(5),
      }),
      fc.record({ do: fc.constant('notify' as const), key }),
      fc.record({ do: fc.constant('cancel' as const), which: fc.nat(20) }),
      fc.record({ do: fc.constant('step' as const), ms: fc.nat(3) }),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(event, { maxLength: 40 }), async (events) => {
        const { time, waiters: w } = waiters(1000)
        const ended: (WaitEnd | undefined)[] = []
        const waits: { cancel(): void }[] = []
        const model: { keys: string[]; atMs: number; end: WaitEnd | undefined }[] = []
        const endWhere = (end: WaitEnd, test: (wait: (typeof model)[number]) => boolean) => {
          for (const wait of model) if (wait.end === undefined && test(wait)) wait.end = end
        }
        for (const now of events) {
          if (now.do === 'wait') {
            const atMs = time.monotonicMs() + now.ms + 1
            const wait = w.wait(
              now.keys.map((name) => things[name]),
              atMs,
            )
            const index = waits.push(wait) - 1
            void wait.ended.then((end) => (ended[index] = end))
            model.push({ keys: now.keys, atMs, end: undefined })
          } else if (now.do === 'notify') {
            w.notify(things[now.key])
            endWhere('notified', ({ keys }) => keys.includes(now.key))
          } else if (now.do === 'cancel') {
            waits[now.which]?.cancel()
            const wait = model[now.which]
            if (wait !== undefined) wait.end ??= 'cancelled'
          } else {
            time.advance(now.ms)
            endWhere('deadline', ({ atMs }) => atMs <= time.monotonicMs())
          }
          expect(w.size).toBe(model.filter(({ end }) => end === undefined).length)
        }
        await settled()
        expect(model.map(({ end }) => end)).toEqual(model.map((_, index) => ended[index]))
        w.close()
        expect(time.pending).toBe(0)
      }),
    )
  })

  it('loses no wake-up between looking and waiting, whatever the interleaving', async () => {
    // Consumers look at a counter and wait in the same turn; a producer raises it at random turns and notifies.
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(3), { minLength: 1, maxLength: 20 }), fc.nat(3), async (turns, consumers) => {
        const { waiters: w } = waiters(1000)
        let counter = 0
        const consume = async (pause: number) => {
          let seen = 0
          while (seen < turns.length) {
            for (let turn = 0; turn < pause; turn++) await Promise.resolve()
            if (counter > seen) seen = counter
            else expect(await w.wait([things.key], 1000).ended).toBe('notified')
          }
        }
        const all = Array.from({ length: consumers + 1 }, (_, pause) => consume(pause))
        for (const turn of turns) {
          for (let i = 0; i < turn; i++) await Promise.resolve()
          counter += 1
          w.notify(things.key)
        }
        await Promise.all(all)
      }),
    )
  })
})

describe('Deadlines', () => {
  it('runs what is due in order of time, and sets the timer for the earliest only', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(50), fc.boolean()), { maxLength: 30 }), (wanted) => {
        const time = new ManualClock()
        const deadlines = new Deadlines(time, time)
        const ran: number[] = []
        const made = wanted.map(([atMs]) => deadlines.at(atMs, () => ran.push(atMs)))
        wanted.forEach(([, cancel], index) => {
          if (cancel) made[index]!.cancel()
        })
        expect(time.pending).toBe(wanted.length === 0 ? 0 : 1)
        time.advance(60)
        expect(ran).toEqual(wanted.flatMap(([atMs, cancel]) => (cancel ? [] : [atMs])).sort((a, b) => a - b))
        expect(deadlines.size).toBe(0)
        expect(time.pending).toBe(0)
      }),
    )
  })

  it('takes deadlines that are set while others run, and later ones than a timer can hold', () => {
    const time = new ManualClock()
    const deadlines = new Deadlines(time, time)
    const ran: string[] = []
    deadlines.at(10, () => {
      ran.push('first')
      deadlines.at(20, () => ran.push('second'))
    })
    deadlines.at(3_000_000_000, () => ran.push('far'))
    time.advance(30)
    expect(ran).toEqual(['first', 'second'])
    time.advance(3_000_000_000)
    expect(ran).toEqual(['first', 'second', 'far'])
  })
})
