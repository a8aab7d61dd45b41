/** Whatever lies in a directory: the tool says what is wrong with it and where, and never ends with a stack trace. */
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { parsed, runTool } from '../../support/directory-tool.ts'
import { temporaryFolder } from '../../support/server-process.ts'

const golden = join(import.meta.dirname, '..', '..', 'fixtures', 'golden')
const LOG = '00000000000000000000.log'

let folder: ReturnType<typeof temporaryFolder>
let data: string

/** A copy that can be changed. */
function take(name: string): void {
  data = join(folder.path, name)
  cpSync(join(golden, name, 'data'), data, { recursive: true, mode: 0 })
}

beforeEach(() => {
  folder = temporaryFolder()
})
afterEach(() => folder.remove())

const at = (name: string): string => join(data, name)

function spoil(name: string, position: number, bytes: readonly number[]): void {
  const content = readFileSync(at(name))
  content.set(bytes, position < 0 ? content.length + position : position)
  writeFileSync(at(name), content)
}

const text = (name: string): string => readFileSync(at(name), 'utf8')
const rewrite = (name: string, change: (old: string) => string): void => writeFileSync(at(name), change(text(name)))

/** The problems that `--check` finds, as `file: text` with the file relative to the directory. */
async function problems(): Promise<string[]> {
  const run = await runTool([data, '--check', '--json'])
  const lines = parsed(run)
  const found = lines.filter(({ severity }) => severity === 'problem')
  expect(run.errors).toBe('')
  expect(run.code).toBe(found.length > 0 ? 1 : 0)
  return found.map(({ path, text: said }) => `${String(path).slice(data.length + 1)}: ${String(said)}`)
}

/** Takes the marker of the clean stop away, and says up to where everything was on the disk. */
function uncleanStop(recoveryPoint: string): void {
  rmSync(at('.kafka_cleanshutdown'))
  writeFileSync(at('recovery-point-offset-checkpoint'), recoveryPoint)
}

describe('damage in a log that was closed', () => {
  const middle = `plain1-0/${LOG}`
  it.each<[string, () => void, RegExp]>([
    ['a flipped byte in a batch', () => spoil(middle, 65, [0xff]), /plain1-0.*is damaged at byte 0, offset 0: its CRC/],
    ['a batch that is cut off', () => truncateSync(at(middle), 30), /plain1-0.*the file ends inside a batch/],
    [
      'garbage behind the last batch',
      () => appendFileSync(at(middle), 'garbage, garbage, garbage'),
      /plain1-0.*no batch begins/,
    ],
    ['a checkpoint of garbage', () => rewrite('recovery-point-offset-checkpoint', () => '7\nx'), /is no checkpoint/],
    [
      'a negative offset',
      () => rewrite('log-start-offset-checkpoint', () => '0\n1\ntrimmed-0 0 -5\n'),
      /negative|no checkpoint/,
    ],
    [
      'a start offset behind the end',
      () => rewrite('log-start-offset-checkpoint', () => '0\n1\nplain1 0 5000\n'),
      /start offsets says 5000/,
    ],
    [
      'a recovery point behind the end',
      () => rewrite('recovery-point-offset-checkpoint', () => '0\n1\nplain1 0 5000\n'),
      /up to 5000/,
    ],
    [
      'no partition.metadata',
      () => rmSync(at('plain1-0/partition.metadata')),
      /plain1-0\/partition.metadata: is missing/,
    ],
    [
      'another topic id',
      () => rewrite('plain1-0/partition.metadata', () => 'version: 0\ntopic_id: SxZsK7soT8a6lmIQtaYP5g'),
      /says topic id SxZs/,
    ],
    [
      'a topic that the metadata does not know',
      () => renameSync(at('plain1-0'), at('unheard-0')),
      /unheard-0: its topic is not in the metadata/,
    ],
    ['a folder that is gone', () => rmSync(at('plain1-0'), { recursive: true }), /plain1-0: has no folder/],
    [
      'leader epochs of garbage',
      () => rewrite('plain1-0/leader-epoch-checkpoint', () => '0\n2\n1 0\n'),
      /no list of leader epochs/,
    ],
    [
      'leader epochs that are not those of the log',
      () => rewrite('plain1-0/leader-epoch-checkpoint', () => '0\n1\n77 0\n'),
      /does not have the epoch 0/,
    ],
    [
      'a spoilt quorum-state',
      () => rewrite('__cluster_metadata-0/quorum-state', () => '{"a"'),
      /quorum-state: not JSON/,
    ],
    ['no meta.properties', () => rmSync(at('meta.properties')), /meta.properties: is missing/],
    [
      'meta.properties of ZooKeeper',
      () => rewrite('meta.properties', () => 'version=0\nbroker.id=1\ncluster.id=x\n'),
      /meta.properties: version 0 belongs to a cluster with ZooKeeper/,
    ],
    [
      'the middle of the metadata log',
      () => spoil(`__cluster_metadata-0/${LOG}`, 400, [1, 2, 3]),
      /__cluster_metadata-0.*is damaged at offset \d+: the checksum/,
    ],
  ])('%s', async (_name, damage, expected) => {
    take('basic-clean')
    damage()
    const found = await problems()
    expect(found.join('\n')).toMatch(expected)
  })

  it('holds every index entry against the log', async () => {
    take('compacted')
    const indexes = readdirSync(data, { recursive: true, encoding: 'utf8' }).filter((file) =>
      file.endsWith('.timeindex'),
    )
    let spoilt = 0
    for (const file of indexes.filter((candidate) => readFileSync(at(candidate)).length === 12)) {
      if (file.startsWith('__')) continue
      const original = readFileSync(at(file))
      spoil(file, 7, [original[7]! ^ 1])
      expect((await problems()).join('\n')).toMatch(new RegExp(`${file.replaceAll('.', '\\.')}: its entry of offset`))
      writeFileSync(at(file), original)
      spoilt++
    }
    expect(spoilt).toBeGreaterThan(2)
  })

  it('checks snapshots of producers by their CRC, and aborted transactions by their markers', async () => {
    take('groups-txns')
    const files = readdirSync(data, { recursive: true, encoding: 'utf8' })
    const snapshot = files.find(
      (file) => file.startsWith('orders-0') && file.endsWith('.snapshot') && readFileSync(at(file)).length > 10,
    )!
    const aborted = files.find((file) => file.startsWith('orders-0') && file.endsWith('.txnindex'))!
    spoil(snapshot, 20, [0x55])
    spoil(aborted, 25, [0x63])
    const found = (await problems()).join('\n')
    expect(found).toMatch(/\.snapshot: is no producer snapshot/)
    expect(found).toMatch(/\.txnindex: the log has no marker at offset 99/)
  })

  it('finds a snapshot of the metadata that does not hold', async () => {
    take('scram-acls-quotas')
    const [first] = readdirSync(at('__cluster_metadata-0')).filter((file) => file.endsWith('.checkpoint'))
    spoil(`__cluster_metadata-0/${first!}`, -3, [0x55])
    expect(await problems()).toEqual([expect.stringMatching(/\.checkpoint: is damaged at offset \d+: the checksum/)])
  })
})

describe('after an unclean stop', () => {
  const log = `segs-by-bytes-0`
  const logs = (): string[] => readdirSync(at(log)).filter((file) => file.endsWith('.log'))

  it('a torn tail above the recovery point is a note, and damage below it a problem', async () => {
    take('basic-clean')
    const last = `${log}/${logs().at(-1)!}`
    appendFileSync(at(last), Buffer.alloc(40))
    uncleanStop('0\n0\n')
    expect(await problems()).toEqual([])
    const end = (await runTool([data, '--json'])).lines.map((line) => JSON.parse(line) as Record<string, unknown>)
    const { endOffset } = end.find(({ topic }) => topic === 'segs-by-bytes')!
    uncleanStopAt(String(Number(endOffset)))
    expect(await problems()).toEqual([])
    spoil(last, 70, [0xee])
    expect((await problems()).join('\n')).toMatch(/segs-by-bytes-0.*is damaged at byte 0/)
  })

  function uncleanStopAt(offset: string): void {
    writeFileSync(at('recovery-point-offset-checkpoint'), `0\n1\nsegs-by-bytes 0 ${offset}\n`)
  }
})

describe('what is no partition', () => {
  it('is listed or named, and left alone', async () => {
    take('basic-clean')
    mkdirSync(at('holiday pictures'))
    mkdirSync(at('old-1.0123456789abcdef0123456789abcdef-stray'))
    writeFileSync(at('plain1-0/readme.txt'), 'mine')
    writeFileSync(at('notes.txt'), 'mine')
    const { lines, code } = await runTool([data])
    expect(code).toBe(0)
    expect(lines).toEqual(expect.arrayContaining(['  set aside (unknown): holiday pictures']))
    expect(lines.join('\n')).toMatch(/set aside \(stray\): old-1\.0123/)
    expect(lines.join('\n')).toMatch(/plain1 .* 1 unknown files/)
    expect(await problems()).toEqual([])
  })

  it.each([
    [['--check'], 'ENOENT'],
    [['--dump', 'nothing-0'], 'ENOENT'],
    [[], 'ENOENT'],
  ])('a path that is not there ends %j with one line and 2', async (args, reason) => {
    const run = await runTool([...args, join(folder.path, 'nowhere')])
    expect(run.code).toBe(2)
    expect(run.errors.split('\n')).toHaveLength(2)
    expect(run.errors).toContain(reason)
  })

  it('an empty folder and one that is no log directory are said to be such', async () => {
    const run = await runTool([folder.path, '--check'])
    expect(run.code).toBe(1)
    expect(run.lines.join('\n')).toContain('takes the directory for one that is not formatted')
  })
})

describe('several directories', () => {
  it('that belong to different clusters are told', async () => {
    const paths = ['basic-clean', 'compacted'].map((name) => join(golden, name, 'data'))
    const { lines, code } = await runTool([...paths, '--check'])
    expect(code).toBe(1)
    expect(lines.join('\n')).toMatch(
      /meta\.properties cluster\.id is Compacted\w+, but .*basic-clean.* says BasicClean/,
    )
  })
})

it('survives bytes changed, cut and added at random: each run ends with one of its exit codes', async () => {
  const files = ['groups-txns', 'scram-acls-quotas'].flatMap((name) =>
    readdirSync(join(golden, name, 'data'), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(golden.length + 1)),
  )
  const damage = fc.record({
    file: fc.constantFrom(...files),
    position: fc.nat(4000),
    bytes: fc.uint8Array({ minLength: 1, maxLength: 24 }),
    cut: fc.option(fc.nat(4000), { freq: 4 }),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(damage, { minLength: 1, maxLength: 4 }), async (damages) => {
      const [name] = damages[0]!.file.split('/')
      const copy = join(folder.path, 'fuzzed')
      rmSync(copy, { recursive: true, force: true })
      cpSync(join(golden, name!), copy, { recursive: true })
      for (const { file, position, bytes, cut } of damages) {
        const path = join(copy, file.slice(file.indexOf('/') + 1))
        if (!existsSync(path)) continue
        const content = readFileSync(path)
        const from = content.length === 0 ? 0 : position % content.length
        const changed = Buffer.concat([content.subarray(0, from), bytes, content.subarray(from + bytes.length)])
        writeFileSync(path, cut === null ? changed : changed.subarray(0, cut % (changed.length + 1)))
      }
      const target = join(copy, 'data')
      for (const args of [
        [],
        ['--check'],
        ['--metadata', '--json'],
        ['--dump', damages[0]!.file.split('/')[2] ?? ''],
      ]) {
        const run = await runTool([target, ...args])
        expect([0, 1, 2]).toContain(run.code)
        expect(run.errors).not.toMatch(/TypeError|RangeError|ReferenceError|\n\s+at /)
        expect(run.lines.join('\n')).not.toMatch(/RangeError|TypeError|undefined/)
      }
    }),
    { numRuns: 15, seed: 7 },
  )
})
