/**
 * The broker's configuration: gathered, checked as a whole and typed, or refused with one line (`ConfigError`).
 *
 * Without a properties file the embedded default holds (`embeddedDefaults`): a node that is broker and controller, on
 * port 9092, with its data in `./data`. With one, only what no Kafka can do without is filled in from there.
 * Reads nothing but its arguments and the file that they name.
 */
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { BrokerConfig } from '../domain/config/broker-config.ts'
import { authorizerKeys, brokerKey, brokerKeys, brokerSynonyms } from '../domain/config/broker-keys.ts'
import { parseConfig } from '../domain/config/config-value.ts'
import { checkBrokerLimits } from '../domain/config/limits.ts'
import {
  ConfigError,
  settingsOfEnvironment,
  settingsOfFile,
  settingsOfOverrides,
  settingsOfRecord,
  type ConfigSetting,
  type ConfigSettings,
} from './config-sources.ts'
import { parseListeners, type ListenerConfig } from './listeners.ts'
import { refusedFeature, warningAbout } from './unsupported.ts'

export interface ServerConfig extends ListenerConfig {
  /** All keys, typed; `broker.at(image)` with what was set at run time. */
  readonly broker: BrokerConfig
  readonly nodeId: number
  /** Absolute paths without duplicates. */
  readonly logDirs: readonly string[]
  /** One line each, for the log. */
  readonly warnings: readonly string[]
}

export interface ConfigInput {
  /** A properties file, relative to `directory`; null = the embedded default. */
  readonly file: string | null
  /** Keys of an embedder, as if they were in a file, over `file`. */
  readonly properties?: Readonly<Record<string, string>>
  readonly env: Readonly<Record<string, string | undefined>>
  /** `key=value` each. */
  readonly overrides: readonly string[]
  /** What relative paths are relative to. */
  readonly directory: string
}

/** What holds where no properties file says otherwise. */
const embeddedDefaults: Readonly<Record<string, string>> = {
  'process.roles': 'broker,controller',
  'node.id': '1',
  'log.dirs': 'data',
  'group.initial.rebalance.delay.ms': '0',
  'offsets.topic.replication.factor': '1',
  'share.coordinator.state.topic.min.isr': '1',
  'share.coordinator.state.topic.replication.factor': '1',
  'transaction.state.log.min.isr': '1',
  'transaction.state.log.replication.factor': '1',
}

/** Gathers and checks everything. Throws `ConfigError`. */
export function loadConfig(input: ConfigInput): ServerConfig {
  const settings = gather(input)
  checkValues(settings)
  const source = input.file ?? 'configuration'
  const fail = (message: string, key: string): never => {
    throw new ConfigError(`${message} (${settings.get(key)?.origin ?? source})`)
  }
  checkIds(settings, source)
  const broker = BrokerConfig.of(new Map([...settings].map(([key, setting]) => [key, setting.value])))
  const parsed = parseListeners(broker)
  if (parsed.error !== null) return fail(parsed.error, parsed.key)
  const listeners = parsed.config
  const refused = refusedFeature(broker, listeners)
  if (refused !== null) return fail(refused.message, refused.key)
  const limits = checkBrokerLimits(broker)
  if (limits !== null) throw broken(limits.replace(/^requirement failed: /, ''), settings, source)
  const logDirs = new Set(broker.list('log.dirs').map((path) => resolve(input.directory, path)))
  return {
    ...listeners,
    broker,
    nodeId: broker.nodeId,
    logDirs: [...logDirs],
    warnings: warningsOf(settings),
  }
}

function gather(input: ConfigInput): ConfigSettings {
  const settings = new Map<string, ConfigSetting>()
  const add = (more: ConfigSettings): void => more.forEach((setting, key) => settings.set(key, setting))
  if (input.file !== null) add(settingsOfFile(input.file, readFile(resolve(input.directory, input.file), input.file)))
  if (input.properties !== undefined) add(settingsOfRecord(input.properties, 'given configuration'))
  add(settingsOfEnvironment(input.env))
  add(settingsOfOverrides(input.overrides))
  const needed = ['process.roles', 'node.id']
  for (const [key, value] of Object.entries(embeddedDefaults)) {
    const elsewhere =
      (key === 'node.id' && settings.has('broker.id')) || (key === 'log.dirs' && settings.has('log.dir'))
    const wanted = input.file === null || needed.includes(key)
    if (wanted && !elsewhere && !settings.has(key)) settings.set(key, { value, origin: 'embedded default' })
  }
  return settings
}

function readFile(path: string, shown: string): string {
  try {
    // Java reads ISO-8859-1; UTF-8 is the same for ASCII, and what was meant for everything else.
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new ConfigError(`Cannot read ${shown}: ${(error as Error).message}`)
  }
}

function checkValues(settings: ConfigSettings): void {
  for (const [key, { value, origin }] of settings) {
    const definition = brokerKey(key)
    const error = definition === undefined ? null : parseConfig(definition, value).error
    if (error !== null) throw new ConfigError(`${error} (${origin})`)
  }
}

/** A rule between keys says which keys, not which values: what was set of them, and where, is added. */
function broken(rule: string, settings: ConfigSettings, source: string): ConfigError {
  const named = new Set(rule.match(/[a-z]+(?:\.[a-z]+)+/g))
  const keys = [...named].flatMap((key) => brokerSynonyms(key, { listenerOverrides: false }))
  const set = keys.flatMap((key) => {
    const setting = settings.get(key)
    return setting === undefined ? [] : [`${key}=${setting.value} (${setting.origin})`]
  })
  return new ConfigError(set.length === 0 ? `${rule} (${source})` : `${rule} Set: ${set.join(', ')}`)
}

function checkIds(settings: ConfigSettings, source: string): void {
  const node = settings.get('node.id')?.value
  const older = settings.get('broker.id')?.value
  if (node !== undefined && older !== undefined && Number(node) !== Number(older)) {
    throw broken('You must set `node.id` to the same value as `broker.id`.', settings, source)
  }
  const id = node ?? older
  if (id !== undefined && Number(id) < 0) {
    throw new ConfigError(
      `Invalid value ${id} for configuration node.id: Value must be at least 0 (${settings.get('broker.id')?.origin ?? source})`,
    )
  }
}

function warningsOf(settings: ConfigSettings): readonly string[] {
  return [...settings].flatMap(([key, { origin }]) => {
    const warning = warningAbout(key)
    if (warning !== null) return [`${warning} (${origin})`]
    if (authorizerKeys.has(key) || brokerKey(key) !== undefined) {
      return brokerKeys.get(key)?.dynamicOnly === true ? [`${key} can only be set at run time (${origin})`] : []
    }
    return [`Unknown configuration key ${key} has no effect (${origin})`]
  })
}

export interface Arguments {
  readonly file: string | null
  readonly overrides: readonly string[]
}

/** `[server.properties] [--override key=value]…`, as Kafka's own start takes them. Throws `ConfigError`. */
export function parseArguments(args: readonly string[]): Arguments {
  let file: string | null = null
  const overrides: string[] = []
  for (let index = 0; index < args.length; index++) {
    const argument = args[index] ?? ''
    if (argument === '--override') {
      index += 1
      overrides.push(args[index] ?? '')
    } else if (argument.startsWith('--override=')) {
      overrides.push(argument.slice('--override='.length))
    } else if (argument.startsWith('-')) {
      throw new ConfigError(`Unknown option ${argument}: usage is [server.properties] [--override key=value]...`)
    } else if (file !== null) {
      throw new ConfigError(`Only one properties file can be given, not both ${file} and ${argument}`)
    } else {
      file = argument
    }
  }
  return { file, overrides }
}
