/**
 * What brokers promise of records, held through crashes, power losses and failing disks that a seed decides. Each seed
 * is a story of sixty steps, about ten crashes among them; the name of the one that fails is printed.
 *
 *   ODRADEK_SEEDS=10000 npm run jest -- test/robustness/crash-simulation     more of them
 *   ODRADEK_SEED=17 npm run jest -- test/robustness/crash-simulation         the one that failed
 */
import { describe, it } from '@jest/globals'
import { CrashSimulation } from './support/crash-simulation.ts'
import { seeds } from './support/hostile-broker.ts'

const STEPS = 60
/** So that a test is a few seconds of work, and a line of the report is more than one story. */
const STORIES = 50

/** A minute of one core: 25 stories a second. */
const stories = seeds(1500)
const chapters = Array.from({ length: Math.ceil(stories.length / STORIES) }, (_, chapter) =>
  stories.slice(chapter * STORIES, (chapter + 1) * STORIES),
).map((chapter) => ({ first: chapter[0]!, last: chapter.at(-1)!, chapter }))

describe('partitions on a disk that crashes', () => {
  it.each(chapters)(
    'keep what they promised, seeds $first to $last',
    async ({ chapter }) => {
      for (const seed of chapter) {
        await new CrashSimulation(seed).run(STEPS).catch((cause: unknown) => {
          throw new Error(`ODRADEK_SEED=${seed}: ${String(cause)}`, { cause })
        })
      }
    },
    300_000,
  )
})
