/** `kafka-reassign-partitions` against our broker: a replica moves to another log directory, as an operator does it. */
import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { createBroker } from '../../src/index.ts'
import { connectTo, makeTopic, put, valuesOf } from '../support/embedded-client.ts'
import { describeWithKafka, kafkaTool } from '../support/real-kafka.ts'
import { temporaryFolder } from '../support/server-process.ts'

const folder = temporaryFolder()
const dirs = ['a', 'b'].map((name) => path.join(folder.path, name))
const broker = createBroker({ 'node.id': 1, 'log.dirs': dirs.join(',') })
const file = path.join(folder.path, 'reassign.json')

async function reassign(replicas: number[], ...args: string[]): Promise<string> {
  const { host, port } = broker.address()
  const log_dirs = replicas.map(() => dirs.find((dir) => !existsSync(path.join(dir, 't-0'))) ?? dirs[0]!)
  const plan = { version: 1, partitions: [{ topic: 't', partition: 0, replicas, log_dirs }] }
  if (args[0] === '--execute') await writeFile(file, JSON.stringify(plan))
  return await kafkaTool(
    'org.apache.kafka.tools.reassign.ReassignPartitionsCommand',
    ...['--bootstrap-server', `${host}:${port}`, '--reassignment-json-file', file, ...args],
  )
}

describeWithKafka('kafka-reassign-partitions', () => {
  beforeAll(async () => {
    await broker.start()
  })

  afterAll(async () => {
    await broker.close()
    folder.remove()
  })

  it('moves a replica between log directories, verifies it, lists and cancels nothing', async () => {
    const client = await connectTo(broker.address())
    await makeTopic(client, 't')
    await put(client, 't', 'x', 'y', 'z')
    const from = dirs.find((dir) => existsSync(path.join(dir, 't-0')))!
    const executed = await reassign([1], '--execute')
    expect(executed).toContain('Successfully started partition reassignment for t-0')
    expect(executed).toMatch(/Successfully started moving log directory to \S+ for replica t-0 with broker 1/)
    let verified: string
    do verified = await reassign([1], '--verify')
    while (verified.includes('still in progress'))
    expect(verified).toContain('Reassignment of partition t-0 is completed.')
    expect(verified).toContain('Reassignment of replica t-0-1 completed successfully.')
    expect(existsSync(path.join(from, 't-0'))).toBe(false)
    expect(await valuesOf(client, 't')).toEqual(['x', 'y', 'z'])
    client.close()
    const { host, port } = broker.address()
    const list = ['--bootstrap-server', `${host}:${port}`, '--list']
    expect(await kafkaTool('org.apache.kafka.tools.reassign.ReassignPartitionsCommand', ...list)).toContain(
      'No partition reassignments found.',
    )
    expect(await reassign([1], '--cancel')).toContain('None of the specified partition reassignments are active.')
  }, 120_000)

  it('is told of a broker that does not exist', async () => {
    await expect(reassign([1, 2], '--execute')).rejects.toThrow(/Unknown broker id 2|broker 2/)
  }, 60_000)
})
