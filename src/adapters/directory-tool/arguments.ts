/** The command line of the directory tool. */

export type Mode =
  { readonly kind: 'list' | 'check' | 'metadata' | 'help' } | { readonly kind: 'dump'; readonly folder: string }

export interface ToolArguments {
  readonly mode: Mode
  readonly paths: readonly string[]
  /** A properties file that names the log directories. */
  readonly config: string | null
  readonly json: boolean
  readonly from: bigint | null
  readonly to: bigint | null
  readonly max: number | null
}

/** Used in a way that it does not have: one line that says which. */
export class WrongUse extends Error {
  override readonly name = 'WrongUse'
}

export const help = `odradek dir [options] <log directory>...
odradek dir [options] --config server.properties

Looks at Kafka log directories: those of Apache Kafka and those of Odradek. It never writes, takes no lock and
works beside a running broker.

  (no mode)              lists topics, partitions, offsets, sizes and what looks unsound; reads no records
  --check                verifies every batch, index, producer snapshot, checkpoint and the metadata log
  --dump TOPIC-PARTITION prints records and control records; those of __consumer_offsets and __transaction_state are decoded
  --metadata             prints the newest metadata snapshot and the metadata log

  --config FILE          takes log.dirs and metadata.log.dir from a server.properties
  --json                 prints one JSON object per line
  --from OFFSET          begins at this offset (--dump, --metadata)
  --to OFFSET            ends before this offset (--dump, --metadata)
  --max N                prints at most N records (--dump, --metadata)
  --help                 prints this

Bytes that are UTF-8 are printed as quoted strings, others as 0x and hex, or with --json as {"base64": "..."}.

--check tells notes from problems. After an unclean stop (a kill, a crash) a torn tail, and indexes that do not
fit, are expected behind the recovery point: the next start cuts and rebuilds them, and they are notes. Damage
anywhere else is a problem.

Exit codes: 0 sound, 1 problems found, 2 something could not be read, or wrong use.`

const flags: Readonly<Record<string, Mode['kind'] | 'json'>> = {
  '--check': 'check',
  '--metadata': 'metadata',
  '--help': 'help',
  '-h': 'help',
  '--json': 'json',
}
const withValue = new Set(['--dump', '--config', '--from', '--to', '--max'])

/** @throws WrongUse */
export function parseArguments(args: readonly string[]): ToolArguments {
  const paths: string[] = []
  const values = new Map<string, string>()
  const modes: Mode[] = []
  let json = false
  for (let i = 0; i < args.length; i++) {
    const [name, inline] = split(args[i]!)
    const flag = flags[name]
    if (withValue.has(name)) {
      const value = inline ?? args[++i]
      if (value === undefined) throw new WrongUse(`${name} needs a value`)
      if (values.has(name)) throw new WrongUse(`${name} is given twice`)
      values.set(name, value)
    } else if (flag === 'json') json = true
    else if (flag !== undefined && flag !== 'dump') modes.push({ kind: flag })
    else if (name.startsWith('-')) throw new WrongUse(`unknown option ${name}`)
    else paths.push(args[i]!)
  }
  const folder = values.get('--dump')
  if (folder !== undefined) modes.push({ kind: 'dump', folder })
  const asked = modes.find(({ kind }) => kind === 'help')
  if (asked === undefined && modes.length > 1) throw new WrongUse('--check, --dump and --metadata exclude each other')
  const mode = asked ?? modes[0] ?? { kind: 'list' }
  const config = values.get('--config') ?? null
  if (mode.kind !== 'help' && (config === null) === (paths.length === 0)) {
    throw new WrongUse(config === null ? 'no log directory is given' : 'give log directories or --config, not both')
  }
  const bounds = { from: offsetIn(values, '--from'), to: offsetIn(values, '--to'), max: offsetIn(values, '--max') }
  if (!['dump', 'metadata', 'help'].includes(mode.kind)) {
    for (const name of ['--from', '--to', '--max']) {
      if (values.has(name)) throw new WrongUse(`${name} goes with --dump or --metadata`)
    }
  }
  return { mode, paths, config, json, ...bounds, max: bounds.max === null ? null : Number(bounds.max) }
}

function split(argument: string): readonly [string, string | undefined] {
  const at = argument.indexOf('=')
  return argument.startsWith('--') && at > 0 ? [argument.slice(0, at), argument.slice(at + 1)] : [argument, undefined]
}

function offsetIn(values: ReadonlyMap<string, string>, name: string): bigint | null {
  const text = values.get(name)
  if (text === undefined) return null
  if (!/^\d{1,18}$/.test(text)) throw new WrongUse(`${name} ${text} is not a number`)
  return BigInt(text)
}
