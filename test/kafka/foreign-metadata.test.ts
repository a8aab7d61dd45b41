/**
 * What we do not serve is not lost: ACLs, SCRAM credentials and quotas of a real Kafka's directory are in the snapshot
 * that we write of it, and a real Kafka goes on with them.
 */
import { expect, it } from '@jest/globals'
import { cp, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { topicRecords } from '../contracts/metadata-repository.ts'
import { goldenFolder, metadataLife } from '../support/kraft-directories.ts'
import { describeWithKafka, dumpLogSegments, kafkaProperties, kafkaTool, RealKafka } from '../support/real-kafka.ts'
import { temporaryFolder } from '../support/server-process.ts'

const kept =
  /"type":"(ACCESS_CONTROL_ENTRY|USER_SCRAM_CREDENTIAL|CLIENT_QUOTA|CONFIG|FEATURE_LEVEL|TOPIC|PRODUCER_IDS)_RECORD"/

/** The newest snapshot of a metadata folder, as Kafka's own tool prints its records. */
async function newestSnapshot(data: string): Promise<{ readonly file: string; readonly records: readonly string[] }> {
  const folder = join(data, '__cluster_metadata-0')
  const file = (await readdir(folder))
    .filter((name) => name.endsWith('.checkpoint'))
    .sort()
    .at(-1)!
  const printed = await dumpLogSegments('--cluster-metadata-decoder', '--files', join(folder, file))
  const records = printed.split('\n').flatMap((line) => /payload: (.*)$/.exec(line)?.[1] ?? [])
  return { file, records: records.filter((record) => kept.test(record)).sort() }
}

describeWithKafka('a directory with ACLs, SCRAM credentials and quotas', () => {
  it('is snapshotted by us with all of them, and Kafka goes on with that', async () => {
    const folder = temporaryFolder()
    try {
      const data = join(folder.path, 'data')
      await cp(join(goldenFolder('scram-acls-quotas'), 'data'), data, { recursive: true })
      const before = await newestSnapshot(data)
      await metadataLife(
        data,
        async (repository) => {
          const records = topicRecords('ours', 'a-1pfa5CTuyJCm6LWHApwg', 1)
          await repository.commit(() => ({ records, answer: null }))
        },
        { maxRecordBytesBetweenSnapshots: 100 },
      )
      const after = await newestSnapshot(data)
      expect(after.file > before.file).toBe(true)
      expect(after.records.filter((record) => !record.includes('"name":"ours"'))).toEqual(before.records)
      expect(before.records.length).toBeGreaterThan(20)

      const files = await kafkaProperties(join(folder.path, 'kafka.properties'), data, {
        dynamicQuorum: true,
        extra: {
          'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
          'super.users': 'User:ANONYMOUS',
        },
      })
      const kafka = await RealKafka.start(files)
      try {
        const server = ['--bootstrap-server', files.bootstrap]
        const acls = await kafkaTool('org.apache.kafka.tools.AclCommand', ...server, '--list')
        expect(acls.match(/\(principal=/g)).toHaveLength(8)
        expect(acls).toContain('(principal=User:bob, host=127.0.0.1, operation=ALL, permissionType=DENY)')
        const users = await kafkaTool(
          'kafka.admin.ConfigCommand',
          ...[...server, '--describe', '--entity-type', 'users'],
        )
        for (const user of ['admin', 'alice', 'bob']) expect(users).toContain(`'${user}'`)
        expect(users).toContain('SCRAM-SHA-256=iterations=8192')
        expect(users).toContain('producer_byte_rate=1048576')
      } finally {
        await kafka.stop()
      }
    } finally {
      folder.remove()
    }
  }, 120_000)
})
