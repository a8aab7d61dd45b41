/** The command line, the forms of printed values and the progress of a check. */
import { describe, expect, it } from '@jest/globals'
import { parseArguments } from '../../../src/adapters/directory-tool/arguments.ts'
import { Progress, sizeText } from '../../../src/adapters/directory-tool/progress.ts'
import { jsonOf, textOf, timeText } from '../../../src/adapters/directory-tool/readable.ts'
import { runTool } from '../../support/directory-tool.ts'

describe('arguments', () => {
  it('take modes, bounds and paths in any order', () => {
    expect(parseArguments(['--dump=a-0', 'x', '--from', '5', '--to=9', '--max', '2', '--json', 'y'])).toEqual({
      mode: { kind: 'dump', folder: 'a-0' },
      paths: ['x', 'y'],
      config: null,
      json: true,
      from: 5n,
      to: 9n,
      max: 2,
    })
    expect(parseArguments(['--config', 'server.properties', '--check']).config).toBe('server.properties')
  })

  it.each([
    [[], 'no log directory is given'],
    [['a', '--config', 'b'], 'not both'],
    [['a', '--check', '--metadata'], 'exclude each other'],
    [['a', '--frob'], 'unknown option --frob'],
    [['a', '--dump'], '--dump needs a value'],
    [['a', '--dump', 'x-0', '--from', '-1'], '--from -1 is not a number'],
    [['a', '--from', '1'], '--from goes with'],
    [['a', '--dump', 'x-0', '--dump', 'y-0'], 'given twice'],
  ])('%j are wrong use: 2 and a line', async (args, text) => {
    const run = await runTool(args)
    expect(run.code).toBe(2)
    expect(run.errors).toContain(text)
    expect(run.lines).toEqual([])
  })

  it('--help prints what it can do', async () => {
    const run = await runTool(['--help'])
    expect(run.code).toBe(0)
    expect(run.lines.join('\n')).toContain('--dump TOPIC-PARTITION')
  })
})

describe('values', () => {
  it('are strings where they are UTF-8, and hex or base64 where they are not', () => {
    expect(textOf(Buffer.from('grüß "dich"\n\u001b[2J\u009b'))).toBe('"grüß \\"dich\\"\\n\\u001b[2J\\u009b"')
    expect(textOf(Uint8Array.of(0xff, 0, 1))).toBe('0xff0001')
    expect(textOf(null)).toBe('null')
    expect(jsonOf({ big: 9007199254740993n, raw: Uint8Array.of(0xff), text: Buffer.from('a'), gone: undefined })).toBe(
      '{"big":9007199254740993,"raw":{"base64":"/w=="},"text":"a"}',
    )
  })

  it('show times that are none as numbers', () => {
    expect(timeText(1767225600000n)).toBe('2026-01-01T00:00:00.000Z')
    expect(timeText(-1n)).toBe('-1')
    expect(timeText(2n ** 62n)).toBe(String(2n ** 62n))
  })
})

describe('progress', () => {
  const run = (isTerminal: boolean): string => {
    let now = 0
    let text = ''
    const progress = new Progress({ write: (more) => void (text += more), isTerminal }, () => now, 1_000_000_000)
    for (let i = 0; i < 10; i++) {
      now += 2_000
      progress.add(100_000_000)
    }
    progress.clear()
    return text
  }

  it('is a bar on a terminal, taken away at the end', () => {
    expect(run(true).split('\r')).toHaveLength(12)
    expect(run(true)).toContain('[###...........................] 10 % of 1.0 GB checked, 50 MB/s')
    expect(run(true).endsWith('\r\u001b[K')).toBe(true)
  })

  it('is a line every ten seconds elsewhere', () => {
    expect(run(false)).toBe('50 % of 1.0 GB checked, 50 MB/s\n100 % of 1.0 GB checked, 50 MB/s\n')
  })

  it('counts in powers of 1000', () => {
    expect([0, 999, 1000, 25_000_000].map(sizeText)).toEqual(['0 B', '999 B', '1.0 kB', '25 MB'])
  })
})
