/** `./your_program.sh dir` as people run it, on directories that our own broker wrote, served and left behind. */
import { spawnSync } from 'node:child_process'
import { chmodSync, cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { CompressionTypes, Kafka, logLevel } from 'kafkajs'
import { fingerprint } from '../support/directory-tool.ts'
import { runServer, startServer, temporaryFolder, writeProperties } from '../support/server-process.ts'

let folder: ReturnType<typeof temporaryFolder>
let data: string
/** What the tool said while the broker ran. */
let inUse: Awaited<ReturnType<typeof dir>>
let checkedInUse: Awaited<ReturnType<typeof dir>>

async function dir(...args: readonly string[]) {
  const { code, output, errors } = await runServer(['dir', ...args], folder.path)
  return { code, lines: output.split('\n').slice(0, -1), errors }
}

beforeAll(async () => {
  folder = temporaryFolder()
  data = join(folder.path, 'data')
  const server = await startServer([writeProperties(folder.path)], folder.path)
  try {
    const kafka = new Kafka({ brokers: [server.bootstrap], logLevel: logLevel.NOTHING })
    const admin = kafka.admin()
    await admin.connect()
    const entries = Object.entries({
      'segment.bytes': '1048576',
      'index.interval.bytes': '0',
      'cleanup.policy': 'delete',
    })
    const configEntries = entries.map(([name, value]) => ({ name, value }))
    await admin.createTopics({ topics: [{ topic: 'rolled', configEntries }, { topic: 'binary' }] })
    await admin.disconnect()
    const producer = kafka.producer({ idempotent: true })
    await producer.connect()
    for (let i = 0; i < 60; i++) {
      const value = `value ${i} ${'x'.repeat(150_000)}`
      const acks = { acks: -1, compression: i % 2 === 0 ? CompressionTypes.GZIP : CompressionTypes.None }
      await producer.send({ topic: 'rolled', messages: [{ key: `k${i}`, value, headers: { n: String(i) } }], ...acks })
    }
    await producer.send({ topic: 'binary', acks: -1, messages: [{ key: Buffer.from([0xff, 0xfe]), value: null }] })
    await producer.disconnect()
    inUse = await dir(data)
    checkedInUse = await dir(data, '--check')
  } finally {
    await server.stop()
  }
}, 60_000)

afterAll(() => folder.remove())

describe('a directory in use', () => {
  it('is read beside its broker, and said to be in use', () => {
    expect(inUse.code).toBe(0)
    const text = inUse.lines.join('\n')
    if (process.platform === 'linux') expect(text).toContain('in use by a running broker')
    expect(text).toMatch(/rolled +[\w-]{22} +0 +0 +60 /)
  })

  it('has no problem', () => {
    expect(checkedInUse.lines.filter((line) => line.startsWith('problem'))).toEqual([])
    expect(checkedInUse.code).toBe(0)
  })
})

describe('a directory that our broker closed', () => {
  it('is listed and checked through its properties file', async () => {
    const file = join(folder.path, 'server.properties')
    const listed = await dir('--config', file, '--json')
    const rows = listed.lines.map((line) => JSON.parse(line) as Record<string, unknown>)
    const rolled = rows.find(({ topic }) => topic === 'rolled')
    expect(rolled).toMatchObject({ startOffset: 0, endOffset: 60, lastStableOffset: 60, health: 'ok' })
    expect(rolled!['segments']).toBeGreaterThan(3)
    const checked = await dir('--config', file, '--check')
    expect(checked.lines.at(-1)).toBe('0 problems, 0 unreadable files, 0 notes')
    expect(checked.code).toBe(0)
  })

  it('is dumped within bounds', async () => {
    const { lines } = await dir(data, '--dump', 'rolled-0', '--from', '31', '--to', '40', '--max', '4', '--json')
    const records = lines.map((line) => JSON.parse(line) as { offset: number; key: string; headers: unknown })
    expect(records.map(({ offset, key }) => [offset, key])).toEqual([31, 32, 33, 34].map((n) => [n, `k${n}`]))
    expect(records[0]!.headers).toEqual([{ key: 'n', value: '31' }])
    const readable = await dir(data, '--dump', 'binary-0')
    expect(readable.lines.at(-1)).toMatch(/^ {2}0 \d{4}-.*Z key=0xfffe value=null$/)
  })

  it('ends quietly when nobody reads on', () => {
    const program = join(import.meta.dirname, '..', '..', 'your_program.sh')
    const { stdout, stderr } = spawnSync('sh', ['-c', `"${program}" dir "${data}" --metadata --json | head -n 1`])
    expect(stdout.toString()).toContain('LeaderChange')
    expect(stderr.toString()).toBe('')
  })
})

describe('damage', () => {
  it('of an index and a lost segment is told with its file', async () => {
    const copy = join(folder.path, 'copy')
    cpSync(data, copy, { recursive: true })
    const names = readdirSync(join(copy, 'rolled-0')).filter((name) => name.endsWith('.log'))
    rmSync(join(copy, 'rolled-0', names[1]!))
    const index = join(copy, 'rolled-0', names[0]!.replace('.log', '.index'))
    const bytes = readFileSync(index)
    bytes.writeInt32BE(bytes.readInt32BE(4) + 1, 4)
    writeFileSync(index, bytes)
    const { code, lines } = await dir(copy, '--check')
    expect(code).toBe(1)
    const text = lines.join('\n')
    expect(text).toMatch(/problem: .*\.index its entry of offset \d+ points into a batch/)
    expect(text).toMatch(/problem: .*\.log the offsets \d+ to \d+ behind .* are missing/)
  })
})

describe('a directory that cannot be written to', () => {
  it('is read all the same, and nothing in it changes', async () => {
    const sealed = join(folder.path, 'sealed')
    cpSync(data, sealed, { recursive: true })
    const folders = [
      '',
      ...readdirSync(sealed, { withFileTypes: true }).flatMap((e) => (e.isDirectory() ? [e.name] : [])),
    ]
    for (const name of folders) chmodSync(join(sealed, name), 0o555)
    chmodSync(folder.path, 0o755)
    const before = fingerprint(sealed)
    // root may write everywhere: somebody else then
    const program = join(import.meta.dirname, '..', '..', 'dist', 'launch.cjs')
    const user = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {}
    const run = (...args: string[]) => spawnSync(process.execPath, [program, 'dir', sealed, ...args], user)
    for (const args of [[], ['--check'], ['--metadata'], ['--dump', 'rolled-0', '--max', '3']]) {
      const { status, stderr } = run(...args)
      expect(stderr.toString()).toBe('')
      expect(status).toBe(0)
    }
    expect(fingerprint(sealed)).toBe(before)
    for (const name of folders) chmodSync(join(sealed, name), 0o755)
  })
})
