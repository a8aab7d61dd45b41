/** A move between log directories that was interrupted between its two renames: a real Kafka completes it. */
import { afterAll, expect, it } from '@jest/globals'
import { existsSync, readdirSync, renameSync } from 'node:fs'
import path from 'node:path'
import { createBroker } from '../../src/index.ts'
import { connectTo, makeTopic, put } from '../support/embedded-client.ts'
import { describeWithKafka, kafkaProperties, kafkaTool, RealKafka } from '../support/real-kafka.ts'
import { temporaryFolder } from '../support/server-process.ts'

const folder = temporaryFolder()

describeWithKafka('Kafka after our interrupted move', () => {
  afterAll(() => folder.remove())

  it('takes the copy for the log, as the metadata says, and has every record', async () => {
    const dirs = ['a', 'b'].map((name) => path.join(folder.path, name))
    const broker = await createBroker({ 'node.id': 1, 'log.dirs': dirs.join(',') }).start()
    const client = await connectTo(broker.address())
    await makeTopic(client, 't')
    await put(client, 't', 'x', 'y', 'z')
    client.close()
    await broker.close()
    const holder = dirs.find((dir) => existsSync(path.join(dir, 't-0')))!
    renameSync(path.join(holder, 't-0'), path.join(holder, `t-0.${'0f'.repeat(16)}-future`))
    const files = await kafkaProperties(path.join(folder.path, 'server.properties'), dirs.join(','))
    const kafka = await RealKafka.start(files)
    const tool = 'org.apache.kafka.tools.GetOffsetShell'
    expect(await kafkaTool(tool, '--bootstrap-server', files.bootstrap, '--topic', 't')).toContain('t:0:3')
    await kafka.stop()
    expect(readdirSync(holder).filter((name) => name.startsWith('t-0'))).toEqual(['t-0'])
  }, 90_000)
})
