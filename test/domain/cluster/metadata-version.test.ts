import { describe, expect, it } from '@jest/globals'
import type { MetadataRecord } from '../../../src/domain/cluster/metadata-record.ts'
import {
  FORMAT_LEVEL,
  bootstrapRecords,
  formatFeatures,
  metadataVersionAllows,
  metadataVersionName,
  recordAtLevel,
} from '../../../src/domain/cluster/metadata-version.ts'
import { topicRecords } from '../../contracts/metadata-repository.ts'

const id = 'a-1pfa5CTuyJCm6LWHApwg'
const registration: MetadataRecord = {
  type: 'RegisterBrokerRecord',
  brokerId: 1,
  isMigratingZkBroker: false,
  incarnationId: id,
  brokerEpoch: 3n,
  endPoints: [],
  features: [],
  rack: null,
  fenced: true,
  inControlledShutdown: false,
  logDirs: [id],
  cordonedLogDirs: [],
}
const change: MetadataRecord = {
  type: 'BrokerRegistrationChangeRecord',
  brokerId: 1,
  brokerEpoch: 3n,
  fenced: 0,
  inControlledShutdown: 0,
  logDirs: [],
  cordonedLogDirs: null,
}
const partition = topicRecords('t', id, 1)[1]!

describe('metadata levels', () => {
  it('are named after the releases that brought them', () => {
    expect(metadataVersionName(7)).toBe('3.3-IV3')
    expect(metadataVersionName(20)).toBe('3.8-IV0')
    expect(metadataVersionName(FORMAT_LEVEL)).toBe('4.2-IV1')
    expect(metadataVersionName(33)).toBe('4.4-IV2')
    expect(metadataVersionName(34)).toBeNull()
    expect(metadataVersionName(6)).toBeNull()
  })

  it('say from when on something is allowed', () => {
    expect(metadataVersionAllows(12, 'metadataTransactions')).toBe(false)
    expect(metadataVersionAllows(13, 'metadataTransactions')).toBe(true)
  })

  it('give a new cluster the features that kafka-storage format gives it', () => {
    const levels = (level: number) => Object.fromEntries(formatFeatures(level).map((f) => [f.name, f.level]))
    expect(levels(29)).toEqual({
      'metadata.version': 29,
      'eligible.leader.replicas.version': 1,
      'group.version': 1,
      'share.version': 1,
      'streams.version': 1,
      'transaction.version': 2,
    })
    expect(levels(21)).toEqual({ 'metadata.version': 21 })
    expect(levels(24)).toEqual({ 'metadata.version': 24, 'group.version': 1, 'transaction.version': 2 })
    expect(levels(31)['share.version']).toBe(2)
  })

  it('set the default of min.insync.replicas where eligible leader replicas are on', () => {
    const config = { type: 'ConfigRecord', resourceType: 4, resourceName: '', name: 'min.insync.replicas', value: '2' }
    expect(bootstrapRecords(formatFeatures(29), 2)).toContainEqual(config)
    expect(bootstrapRecords(formatFeatures(25), 2)).not.toContainEqual(config)
  })
})

describe('recordAtLevel', () => {
  it.each([
    [7, 1],
    [8, 2],
    [16, 2],
    [17, 3],
    [29, 3],
    [30, 4],
    [33, 4],
  ])('at level %i writes RegisterBrokerRecord in version %i', (level, version) => {
    expect(recordAtLevel(registration, level)?.version).toBe(version)
  })

  it('leaves out what the version lacks', () => {
    expect(recordAtLevel(registration, 29)?.record).toMatchObject({ logDirs: [id], cordonedLogDirs: null })
    expect(recordAtLevel(registration, 16)?.record).toMatchObject({ logDirs: [], cordonedLogDirs: null })
    expect(recordAtLevel(partition, 16)).toMatchObject({ version: 0, record: { directories: [] } })
    expect(recordAtLevel(partition, 17)).toMatchObject({
      version: 1,
      record: { directories: ['AAAAAAAAAAAAAAAAAAAAAA'] },
    })
    expect(recordAtLevel(partition, 23)?.version).toBe(2)
  })

  it('writes a registration change in the lowest version that holds it', () => {
    expect(recordAtLevel({ ...change, fenced: -1 }, 33)?.version).toBe(0)
    expect(recordAtLevel({ ...change, inControlledShutdown: 1 }, 33)?.version).toBe(1)
    expect(recordAtLevel({ ...change, logDirs: [id] }, 33)?.version).toBe(2)
    expect(recordAtLevel({ ...change, cordonedLogDirs: [] }, 33)?.version).toBe(3)
    expect(recordAtLevel({ ...change, cordonedLogDirs: [] }, 29)?.version).toBe(0)
  })

  it('answers null for a record that the level does not know', () => {
    expect(recordAtLevel({ type: 'BeginTransactionRecord', name: null }, 12)).toBeNull()
    expect(recordAtLevel({ type: 'BeginTransactionRecord', name: null }, 13)?.version).toBe(0)
    expect(recordAtLevel({ type: 'UnregisterControllerRecord', controllerId: 1 }, 32)).toBeNull()
  })
})
