/** Kafka's own command line tools against our broker, as an operator would use them. */
import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { createBroker } from '../../src/index.ts'
import { describeWithKafka, kafkaTool } from '../support/real-kafka.ts'
import { temporaryFolder } from '../support/server-process.ts'

const folder = temporaryFolder()
const broker = createBroker({ 'node.id': 1, 'log.dirs': path.join(folder.path, 'data') })
let bootstrap: string

const tool = (name: string, ...args: string[]) =>
  kafkaTool(
    name.startsWith('kafka.') ? name : `org.apache.kafka.tools.${name}`,
    '--bootstrap-server',
    bootstrap,
    ...args,
  )

describeWithKafka('Kafka’s tools against our broker', () => {
  beforeAll(async () => {
    await broker.start()
    const { host, port } = broker.address()
    bootstrap = `${host}:${port}`
  })

  afterAll(async () => {
    await broker.close()
    folder.remove()
  })

  it('create, grow, describe, list and delete topics', async () => {
    expect(await tool('TopicCommand', '--create', '--topic', 'made', '--partitions', '2')).toContain(
      'Created topic made.',
    )
    await tool('TopicCommand', '--alter', '--topic', 'made', '--partitions', '3')
    const described = await tool('TopicCommand', '--describe', '--topic', 'made')
    expect(described).toMatch(/PartitionCount: 3\s+ReplicationFactor: 1/)
    expect(described.match(/Leader: 1\s+Replicas: 1\s+Isr: 1/g)).toHaveLength(3)
    await expect(tool('TopicCommand', '--create', '--topic', 'made')).rejects.toThrow("Topic 'made' already exists")
    await tool('TopicCommand', '--delete', '--topic', 'made')
    expect(await tool('TopicCommand', '--list')).not.toContain('made')
  }, 60_000)

  it('change and describe configs of topics and brokers', async () => {
    await tool('TopicCommand', '--create', '--topic', 'configured')
    const command = 'kafka.admin.ConfigCommand'
    const topic = ['--entity-type', 'topics', '--entity-name', 'configured']
    await tool(command, '--alter', ...topic, '--add-config', 'cleanup.policy=[compact,delete],segment.bytes=2000000')
    await tool(command, '--alter', ...topic, '--delete-config', 'segment.bytes')
    const described = await tool(command, '--describe', ...topic)
    expect(described).toContain('cleanup.policy=compact,delete sensitive=false')
    expect(described).not.toContain('segment.bytes')
    const ofBroker = ['--entity-type', 'brokers', '--entity-name', '1']
    await tool(command, '--alter', ...ofBroker, '--add-config', 'log.retention.ms=123456')
    expect(await tool(command, '--describe', '--all', ...ofBroker)).toContain(
      'log.retention.ms=123456 sensitive=false synonyms={DYNAMIC_BROKER_CONFIG:log.retention.ms=123456',
    )
  }, 60_000)

  it('produce, read by assignment, look up and delete records', async () => {
    await tool('TopicCommand', '--create', '--topic', 'records')
    for (const codec of ['none', 'gzip', 'snappy', 'lz4', 'zstd']) {
      const load = ['--topic', 'records', '--num-records', '1000', '--record-size', '100', '--throughput', '-1']
      const sent = await tool('ProducerPerformance', ...load, '--command-property', `compression.type=${codec}`)
      expect(sent).toContain('1000 records sent')
    }
    expect(await tool('GetOffsetShell', '--topic', 'records')).toContain('records:0:5000')
    const reading = ['--topic', 'records', '--partition', '0', '--offset', '10', '--max-messages', '4990']
    expect(await tool('consumer.ConsoleConsumer', ...reading)).toContain('Processed a total of 4990 messages')
    const file = path.join(folder.path, 'delete.json')
    await writeFile(file, '{"version":1,"partitions":[{"topic":"records","partition":0,"offset":100}]}')
    expect(await tool('DeleteRecordsCommand', '--offset-json-file', file)).toContain('low_watermark: 100')
    expect(await tool('GetOffsetShell', '--topic', 'records', '--time', '-2')).toContain('records:0:100')
    expect(await tool('LogDirsCommand', '--describe')).toContain('"partition":"records-0"')
  }, 120_000)

  it('tell of the cluster, its versions and features, and say clearly what is not served', async () => {
    const id = (
      await kafkaTool('org.apache.kafka.tools.ClusterTool', 'cluster-id', '--bootstrap-server', bootstrap)
    ).trim()
    expect(id).toMatch(/^Cluster ID: [\w-]{22}$/)
    expect(await tool('BrokerApiVersionsCommand')).toContain('Fetch(1): 4 to 18 [usable: 18]')
    expect(await tool('FeatureCommand', 'describe')).toMatch(/metadata\.version\s.*FinalizedVersionLevel: 4\.2-IV1/)
    await expect(tool('MetadataQuorumCommand', 'describe', '--status')).rejects.toThrow(
      'does not support DESCRIBE_QUORUM',
    )
  }, 60_000)
})
