/** A directory with all kinds of topics goes from us to a real Kafka and back, twice. */
import { it } from '@jest/globals'
import { PassedDirectory } from '../support/passed-directory.ts'
import { describeWithKafka } from '../support/real-kafka.ts'
import { temporaryFolder } from '../support/server-process.ts'

describeWithKafka('a directory that we formatted, passed between us and Kafka', () => {
  it.each(['stop', 'kill'] as const)(
    'keeps everything when each life ends by a %s',
    async (how) => {
      const folder = temporaryFolder()
      try {
        const directory = new PassedDirectory(folder.path)
        for (let round = 0; round < 2; round++) {
          await directory.ours(how)
          if (how === 'stop') await directory.dumpClean()
          await directory.kafka(how)
        }
        await directory.ours('stop')
        await directory.dumpClean()
        await directory.kafka('stop')
        await directory.dumpClean()
      } finally {
        folder.remove()
      }
    },
    300_000,
  )

  it('keeps everything in three log directories', async () => {
    const folder = temporaryFolder()
    try {
      const directory = new PassedDirectory(folder.path, { dirs: 3 })
      await directory.ours('stop')
      await directory.kafka('stop')
      await directory.ours('kill')
      await directory.kafka('kill')
      await directory.ours('stop')
      await directory.dumpClean()
    } finally {
      folder.remove()
    }
  }, 300_000)
})
