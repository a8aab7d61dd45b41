/** Directories that Kafka's own tool formatted and nobody used yet, metadata snapshots, and the lock. */
import { expect, it } from '@jest/globals'
import path from 'node:path'
import { apiVersions } from '../../src/adapters/wire/apis/18-api-versions.ts'
import { PassedDirectory } from '../support/passed-directory.ts'
import { RealKafka, describeWithKafka, kafkaRefusal, kafkaTool, levelOfKafka } from '../support/real-kafka.ts'
import { runServer, startServer, temporaryFolder } from '../support/server-process.ts'
import { WireClient } from '../support/wire-client.ts'

const clusterId = 'FormattedByKafkaAAAAAA'

async function levelOf(directory: PassedDirectory, folder: string): Promise<number | undefined> {
  const server = await startServer([directory.ourProperties()], folder)
  const client = await WireClient.connect(server.host, server.port)
  try {
    const software = { clientSoftwareName: 'test', clientSoftwareVersion: '1' }
    const { finalizedFeatures } = await client.send(apiVersions, 4, software)
    return finalizedFeatures.find(({ name }) => name === 'metadata.version')?.maxVersionLevel
  } finally {
    client.close()
    await server.stop()
  }
}

describeWithKafka('a directory that only kafka-storage has touched', () => {
  it.each([
    ['static voters, at its newest level', false, [], levelOfKafka],
    ['a dynamic quorum, at its newest level', true, ['--standalone'], levelOfKafka],
    ['static voters, at the level of 4.0', false, ['--release-version', '4.0'], 25],
  ] as const)(
    'with %s is begun by us, goes on with Kafka and keeps its level',
    async (_, dynamicQuorum, args, level) => {
      const folder = temporaryFolder()
      try {
        const directory = new PassedDirectory(folder.path, { dynamicQuorum })
        const { properties } = await directory.kafkaFiles()
        await kafkaTool('kafka.tools.StorageTool', 'format', '--cluster-id', clusterId, '-c', properties, ...args)
        await directory.ours('stop')
        await directory.kafka('stop')
        await directory.ours('kill')
        await directory.kafka('kill')
        expect(await levelOf(directory, folder.path)).toBe(level)
        await directory.kafka('stop')
        await directory.dumpClean()
      } finally {
        folder.remove()
      }
    },
    300_000,
  )
})

describeWithKafka('snapshots of the metadata', () => {
  it('are read by Kafka and by its tool when we wrote them, and by us when Kafka did', async () => {
    const folder = temporaryFolder()
    try {
      const extra = {
        'metadata.log.max.record.bytes.between.snapshots': '2000',
        'metadata.max.retention.bytes': '4000',
        'metadata.log.segment.bytes': '8388608',
      }
      const directory = new PassedDirectory(folder.path, { extra })
      for (const how of ['stop', 'kill'] as const) {
        await directory.ours(how)
        const printed = await directory.metadataDumpClean()
        expect(printed).toContain('SnapshotHeader')
        expect(printed).toContain('"type":"TOPIC_RECORD"')
        expect(printed).toContain('SnapshotFooter')
        await directory.kafka(how)
      }
      await directory.ours('stop')
    } finally {
      folder.remove()
    }
  }, 300_000)
})

describeWithKafka('the lock of a directory', () => {
  it('keeps Kafka out of ours while we run, and us out of Kafka’s', async () => {
    const folder = temporaryFolder()
    try {
      const directory = new PassedDirectory(folder.path)
      const server = await startServer([directory.ourProperties()], folder.path)
      expect(await kafkaRefusal((await directory.kafkaFiles()).properties)).toContain('Failed to acquire lock')
      expect(await server.stop()).toBe(0)

      const kafka = await RealKafka.start(await directory.kafkaFiles())
      const { code, errors } = await runServer([directory.ourProperties()], folder.path)
      await kafka.stop()
      expect(code).toBe(1)
      expect(errors).toContain(path.join(directory.data, '.lock'))
    } finally {
      folder.remove()
    }
  }, 120_000)
})
