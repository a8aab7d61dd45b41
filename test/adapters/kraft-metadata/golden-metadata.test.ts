/** The metadata of a real Kafka's directories, read to the same facts that this Kafka answered. */
import { describe, expect, it } from '@jest/globals'
import { readFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { controlBatch, dataBatch, readMetadataBatches } from '../../../src/adapters/kraft-metadata/metadata-batches.ts'
import { MetadataRecordEncoder } from '../../../src/adapters/kraft-metadata/metadata-record-codec.ts'
import { readSnapshot, writeSnapshot } from '../../../src/adapters/kraft-metadata/snapshot-file.ts'
import type { ClusterImage, ConfigResourceType } from '../../../src/domain/cluster/cluster-image.ts'
import { configsOf } from '../../../src/domain/cluster/cluster-image.ts'
import type { AccessControlEntryRecord } from '../../../src/domain/cluster/metadata-record.ts'
import { recordAtLevel } from '../../../src/domain/cluster/metadata-version.ts'
import { RecordBatchView } from '../../../src/domain/log/record-batch.ts'
import type { KraftDirectory } from '../../support/kraft-directories.ts'
import {
  crc32c,
  goldenDirectory,
  goldenFolder,
  goldenLog,
  goldenNames,
  kraftDirectory,
} from '../../support/kraft-directories.ts'

interface Expected {
  readonly clusterId: string
  readonly finalizedFeatures: Readonly<Record<string, number>>
  readonly topics: Readonly<
    Record<string, { readonly id: string; readonly partitionCount: number; readonly configs: Record<string, string> }>
  >
  readonly acls?: readonly string[]
  readonly clientQuotas: Readonly<Record<string, Record<string, number>>>
  readonly scram: Readonly<Record<string, readonly string[]>>
  readonly scramRecords_base64?: Readonly<
    Record<
      string,
      { readonly salt: string; readonly storedKey: string; readonly serverKey: string; iterations: number }
    >
  >
  readonly dynamicBrokerConfigs_1: Record<string, string>
  readonly dynamicBrokerConfigs_default: Record<string, string>
  readonly otherConfigResources: Record<string, Record<string, string>>
}

async function expectedOf(name: string): Promise<Expected> {
  return JSON.parse(await readFile(join(goldenFolder(name), 'expected.json'), 'utf8')) as Expected
}

const object = (map: ReadonlyMap<string, string>) => Object.fromEntries(map)

function factsOf(image: ClusterImage) {
  return {
    clusterId: image.clusterId,
    finalizedFeatures: Object.fromEntries(image.features),
    topics: Object.fromEntries(
      [...image.topicsByName].map(([name, { id, partitions }]) => [
        name,
        { id, partitionCount: partitions.length, configs: object(configsOf(image, 'TOPIC', name)) },
      ]),
    ),
    clientQuotas: Object.fromEntries(
      [...image.clientQuotas.values()].map(({ entity, quotas }) => [
        `{${entity
          .map(({ entityType, entityName }) => `${entityType}=${entityName}`)
          .sort()
          .join(', ')}}`,
        Object.fromEntries(quotas),
      ]),
    ),
    dynamicBrokerConfigs_1: object(configsOf(image, 'BROKER', '1')),
    dynamicBrokerConfigs_default: object(configsOf(image, 'BROKER', '')),
  }
}

const resources = ['', '', 'TOPIC', 'GROUP', 'CLUSTER', 'TRANSACTIONAL_ID', 'DELEGATION_TOKEN', 'USER']
const patterns = ['', '', '', 'LITERAL', 'PREFIXED']
const operations = [
  ...['', '', 'ALL', 'READ', 'WRITE', 'CREATE', 'DELETE', 'ALTER', 'DESCRIBE', 'CLUSTER_ACTION', 'DESCRIBE_CONFIGS'],
  ...['ALTER_CONFIGS', 'IDEMPOTENT_WRITE', 'CREATE_TOKENS', 'DESCRIBE_TOKENS'],
]
const permissions = ['', '', 'DENY', 'ALLOW']

/** As `expected.json` has them. */
function aclText(acl: AccessControlEntryRecord): string {
  const { resourceName, principal, host } = acl
  const resource = `${resources[acl.resourceType]} ${patterns[acl.patternType]} ${resourceName}`
  return `${resource} | ${principal} ${host} ${operations[acl.operation]} ${permissions[acl.permissionType]}`
}

async function withGolden(name: string, run: (directory: KraftDirectory) => Promise<void>): Promise<void> {
  await using directory = await goldenDirectory(name)
  await run(directory)
}

describe.each(goldenNames)('the metadata of %s', (name) => {
  it('holds what the real broker answered', () =>
    withGolden(name, async (directory) => {
      const expected = await expectedOf(name)
      const repository = directory.repository()
      await repository.start()
      const image = repository.image()
      const { clusterId, finalizedFeatures, clientQuotas } = expected
      const { dynamicBrokerConfigs_1, dynamicBrokerConfigs_default } = expected
      const topics = Object.fromEntries(
        Object.entries(expected.topics).map(([topic, { id, partitionCount, configs }]) => [
          topic,
          { id, partitionCount, configs },
        ]),
      )
      const facts = { clusterId, finalizedFeatures, topics, clientQuotas }
      expect(factsOf(image)).toEqual({ ...facts, dynamicBrokerConfigs_1, dynamicBrokerConfigs_default })
      for (const [key, configs] of Object.entries(expected.otherConfigResources)) {
        const [type, resource] = key.split(':')
        expect(object(configsOf(image, type as ConfigResourceType, resource!))).toEqual(configs)
      }
      for (const { partitions } of image.topicsByName.values()) {
        for (const partition of partitions) expect(partition).toMatchObject({ leader: 1, isr: [1] })
      }
      expect(image.brokers.get(1)).toMatchObject({ fenced: false, inControlledShutdown: false })
      await repository.close()
    }))

  it('comes out byte for byte when each batch is made again', async () => {
    const log = await goldenLog(name)
    const view = new RecordBatchView(log)
    const encoder = new MetadataRecordEncoder()
    let level = 0
    for (const batch of readMetadataBatches(log, crc32c, () => name)) {
      const { baseOffset, leaderEpoch, maxTimestamp: timestamp } = batch
      const place = { baseOffset, leaderEpoch, timestamp }
      for (const { record, version } of batch.data) {
        if (record.type === 'FeatureLevelRecord' && record.name === 'metadata.version') level = record.featureLevel
        if (level > 0) expect(recordAtLevel(record, level)).toEqual({ record, version })
      }
      const values = batch.data.map((entry) => encoder.encode(entry))
      const again = view.isControl ? controlBatch(batch.control, place, crc32c) : dataBatch(values, place, crc32c)
      const bytes = log.subarray(view.at, view.at + view.sizeBytes)
      expect(Buffer.from(again).toString('hex')).toBe(bytes.toString('hex'))
      view.at += view.sizeBytes
    }
    expect(view.at).toBe(log.length)
  })
})

describe('scram-acls-quotas', () => {
  it('has the ACLs and credentials that the real broker knew', () =>
    withGolden('scram-acls-quotas', async (directory) => {
      const expected = await expectedOf('scram-acls-quotas')
      const repository = directory.repository()
      await repository.start()
      const image = repository.image()
      expect([...image.acls.values()].map(aclText).sort()).toEqual(expected.acls)
      const text = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64')
      const credentials = [...image.scramCredentials].flatMap(([user, mechanisms]) =>
        [...mechanisms].map(([mechanism, { salt, storedKey, serverKey, iterations }]) => [
          `${user}/SCRAM-SHA-${mechanism === 1 ? '256' : '512'}`,
          { salt: text(salt), storedKey: text(storedKey), serverKey: text(serverKey), iterations },
        ]),
      )
      expect(Object.fromEntries(credentials)).toEqual(expected.scramRecords_base64)
      await repository.close()
    }))

  it('gives the same image from every snapshot and from the log alone', async () => {
    await using directory = await goldenDirectory('scram-acls-quotas')
    await using bare = await kraftDirectory()
    const folder = join(goldenFolder('scram-acls-quotas'), 'data', '__cluster_metadata-0')
    const checkpoints = (await readdir(folder)).filter((file) => file.endsWith('.checkpoint'))
    expect(checkpoints).toHaveLength(5)
    for (const file of checkpoints) {
      const bytes = await readFile(join(folder, file))
      const { records, ...facts } = await readSnapshot(join(folder, file), crc32c)
      const view = new RecordBatchView(bytes)
      // Kafka stamps each batch when it is made; all else is to be the same.
      const copy = join(bare.path, file)
      const place = {
        file: copy,
        temporary: `${copy}.part`,
        epoch: view.leaderEpoch,
        level: 30,
        nowMs: view.maxTimestamp,
      }
      await writeSnapshot({ records, ...facts }, place, crc32c)
      const again = await readFile(copy)
      expect(again.length).toBe(bytes.length)
      expect(await readSnapshot(copy, crc32c)).toEqual({ records, ...facts })
      expect(again.subarray(0, view.sizeBytes).toString('hex')).toBe(bytes.subarray(0, view.sizeBytes).toString('hex'))
    }
    expect(directory.events).toEqual([])
  })
})
