/**
 * Kafka-formatted directories written by hand, as the training course's tester writes them: no indexes, no
 * checkpoints, a metadata log of a few batches that begins at offset 1, and sometimes less than that.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { dataBatch } from '../../src/adapters/kraft-metadata/metadata-batches.ts'
import { MetadataRecordEncoder } from '../../src/adapters/kraft-metadata/metadata-record-codec.ts'
import { Crc32cChecksum } from '../../src/adapters/system/crc32c-checksum.ts'
import type { MetadataRecord } from '../../src/domain/cluster/metadata-record.ts'
import type { WritableRecord } from '../../src/domain/cluster/metadata-version.ts'

export interface CourseTopic {
  readonly name: string
  readonly id: string
  /** What each partition's log file holds. */
  readonly partitions: readonly Uint8Array[]
}

export interface CourseDirectory {
  readonly topics: readonly CourseTopic[]
  /** Without it, or when it is empty, the topics are to be found by their folders. */
  readonly metadataLog?: boolean | 'empty'
  readonly cleanShutdown?: boolean
  /** Without them the topics are in the metadata log only. */
  readonly topicFolders?: boolean
}

/** 10000000-0000-4000-8000-000000000001 */
const DIRECTORY_ID = 'EAAAAAAAQACAAAAAAAAAAQ'
const LOG_FILE = '00000000000000000000.log'

/** 00000000-0000-4000-8000-0000000000NN, the form of the course's topic ids. */
export function courseTopicId(number: number): string {
  const bytes = Buffer.from('00000000000040008000000000000000', 'hex')
  bytes[15] = number
  return bytes.toString('base64url')
}

/** Writes `server.properties` and the directory `kraft-combined-logs` into `folder`; the path of the former. */
export function writeCourse(folder: string, directory: CourseDirectory): string {
  const { topics, metadataLog = true, cleanShutdown = true, topicFolders = true } = directory
  const logs = join(folder, 'kraft-combined-logs')
  mkdirSync(logs)
  writeFileSync(
    join(logs, 'meta.properties'),
    `#\n#Thu Jan 01 00:00:00 UTC 2026\ncluster.id=IAt1tqqoTqqvpPs1S3Bqtg\ndirectory.id=${DIRECTORY_ID}\nnode.id=1\nversion=1\n`,
  )
  if (cleanShutdown) writeFileSync(join(logs, '.kafka_cleanshutdown'), '{"version":0,"brokerEpoch":10}')
  if (metadataLog !== false) {
    mkdirSync(join(logs, '__cluster_metadata-0'))
    writeFileSync(
      join(logs, '__cluster_metadata-0', LOG_FILE),
      metadataLog === 'empty' ? new Uint8Array() : metadataLogOf(topics),
    )
    writeFileSync(
      join(logs, '__cluster_metadata-0', 'partition.metadata'),
      'version: 0\ntopic_id: AAAAAAAAAAAAAAAAAAAAAQ',
    )
  }
  for (const topic of topicFolders ? topics : []) {
    topic.partitions.forEach((bytes, partition) => {
      const path = join(logs, `${topic.name}-${partition}`)
      mkdirSync(path)
      writeFileSync(join(path, LOG_FILE), bytes)
      writeFileSync(join(path, 'partition.metadata'), `version: 0\ntopic_id: ${topic.id}`)
    })
  }
  return writeCourseProperties(folder, logs)
}

/** As Kafka's `config/kraft/server.properties` had it, with free ports. */
function writeCourseProperties(folder: string, logs: string): string {
  const file = join(folder, 'server.properties')
  const protocols = 'PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT,SASL_SSL:SASL_SSL'
  writeFileSync(
    file,
    [
      '# The role of this server. Setting this puts us in KRaft mode',
      'process.roles=broker,controller',
      'node.id=1',
      'controller.quorum.voters=1@localhost:9093',
      'listeners=PLAINTEXT://:0,CONTROLLER://:0',
      'inter.broker.listener.name=PLAINTEXT',
      'advertised.listeners=PLAINTEXT://localhost:9092',
      'controller.listener.names=CONTROLLER',
      `listener.security.protocol.map=CONTROLLER:PLAINTEXT,${protocols}`,
      'num.network.threads=3',
      'num.io.threads=8',
      'socket.send.buffer.bytes=102400',
      'socket.receive.buffer.bytes=102400',
      'socket.request.max.bytes=104857600',
      `log.dirs=${logs}`,
      'num.partitions=1',
      'num.recovery.threads.per.data.dir=1',
      'offsets.topic.replication.factor=1',
      'transaction.state.log.replication.factor=1',
      'transaction.state.log.min.isr=1',
      'log.retention.hours=168',
      'log.segment.bytes=1073741824',
      'log.retention.check.interval.ms=300000',
      '',
    ].join('\n'),
  )
  return file
}

/** One batch with the feature level, then one for each topic; the first offset is 1. */
function metadataLogOf(topics: readonly CourseTopic[]): Buffer {
  const encoder = new MetadataRecordEncoder()
  const checksum = new Crc32cChecksum()
  const level: WritableRecord = {
    version: 0,
    record: { type: 'FeatureLevelRecord', name: 'metadata.version', featureLevel: 20 },
  }
  let offset = 1n
  const batches = [[level], ...topics.map(topicRecords)].map((records) => {
    const values = records.map((record) => encoder.encode(record).slice())
    const place = { baseOffset: offset, leaderEpoch: 1, timestamp: 1_726_045_943_832n }
    offset += BigInt(records.length)
    return dataBatch(values, place, (bytes) => checksum.crc32c(bytes))
  })
  return Buffer.concat(batches)
}

function topicRecords({ name, id, partitions }: CourseTopic): readonly WritableRecord[] {
  const partitionRecord = (partitionId: number): MetadataRecord => ({
    type: 'PartitionRecord',
    partitionId,
    topicId: id,
    replicas: [1],
    isr: [1],
    removingReplicas: [],
    addingReplicas: [],
    leader: 1,
    leaderRecoveryState: 0,
    leaderEpoch: 0,
    partitionEpoch: 0,
    directories: [DIRECTORY_ID],
    eligibleLeaderReplicas: null,
    lastKnownElr: null,
  })
  return [
    { version: 0, record: { type: 'TopicRecord', name, topicId: id } },
    ...partitions.map((_, partitionId) => ({ version: 1, record: partitionRecord(partitionId) })),
  ]
}
