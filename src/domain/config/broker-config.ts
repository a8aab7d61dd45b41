/**
 * The values of one broker's keys: what its properties file says, and over it what the cluster's metadata says
 * (`BROKER` configs, those of all brokers below those of this one), with Kafka's synonyms.
 *
 * Keys that cannot change at run time, and values that do not parse, are passed over in the metadata, as Kafka does.
 */
import { configsOf, type ClusterImage } from '../cluster/cluster-image.ts'
import { brokerKey, brokerKeys, brokerSynonyms, isPerBrokerOnly, listenerOnlyKeys } from './broker-keys.ts'
import { defaultConfig, parseConfig, type ConfigValue } from './config-value.ts'

/** Names and the texts set for them. */
export type ConfigTexts = ReadonlyMap<string, string>

/** The three places that a broker value can come from, the strongest first; below them is the default. */
export interface BrokerConfigLayers {
  readonly dynamicBroker: ConfigTexts
  readonly dynamicDefault: ConfigTexts
  readonly static: ConfigTexts
}

const none: ConfigTexts = new Map()
const noListenerOverrides = { listenerOverrides: false }

/** The factor from a key's own unit to milliseconds, where another key counts in them. */
const unitsMs: Readonly<Record<string, bigint>> = {
  'log.roll.hours': 3_600_000n,
  'log.roll.jitter.hours': 3_600_000n,
  'log.retention.hours': 3_600_000n,
  'log.retention.minutes': 60_000n,
}

export class BrokerConfig {
  readonly layers: BrokerConfigLayers
  /** What is set, after the layers were laid over each other: the synonyms of a stronger key are gone. */
  readonly #set: ConfigTexts
  readonly #values = new Map<string, ConfigValue>()
  #seen: ClusterImage['configs'] | null = null
  #current: BrokerConfig = this

  /** `texts` as in a properties file: every known key of it has been checked (`validateBrokerTexts`). */
  static of(texts: ConfigTexts): BrokerConfig {
    return new BrokerConfig({ dynamicBroker: none, dynamicDefault: none, static: withNodeId(texts) })
  }

  private constructor(layers: BrokerConfigLayers) {
    this.layers = layers
    const set = new Map(layers.static)
    overlay(set, layers.dynamicDefault)
    overlay(set, layers.dynamicBroker)
    this.#set = set
  }

  /** This broker's values with what `image` says over them. Cheap while the image's configs stay the same. */
  at(image: ClusterImage): BrokerConfig {
    if (image.configs === this.#seen) return this.#current
    this.#seen = image.configs
    const everyBroker = configsOf(image, 'BROKER', '')
    const thisBroker = configsOf(image, 'BROKER', String(this.nodeId))
    if (everyBroker.size === 0 && thisBroker.size === 0) {
      this.#current = this
      return this
    }
    const layers = {
      dynamicBroker: dynamicOnly(thisBroker, true),
      dynamicDefault: dynamicOnly(everyBroker, false),
      static: this.layers.static,
    }
    if (!sameLayers(layers, this.#current.layers)) this.#current = new BrokerConfig(layers)
    return this.#current
  }

  /** The same broker with other values set at run time. */
  with(layers: Partial<Pick<BrokerConfigLayers, 'dynamicBroker' | 'dynamicDefault'>>): BrokerConfig {
    return new BrokerConfig({ ...this.layers, ...layers })
  }

  /** `node.id`, or `broker.id` where only that is set; -1 where neither is. */
  get nodeId(): number {
    const id = this.value('node.id')
    return typeof id === 'number' ? id : -1
  }

  /** The texts in force, without defaults: what Kafka calls the originals. */
  get texts(): ConfigTexts {
    return this.#set
  }

  /** Whether anything but the default decides this key, a synonym included. */
  isSet(name: string): boolean {
    return brokerSynonyms(name, noListenerOverrides).some((synonym) => this.#set.has(synonym))
  }

  /** The value of exactly this key, without synonyms: what DescribeConfigs shows. */
  ownValue(name: string): ConfigValue {
    const definition = brokerKey(name)
    if (definition === undefined) return this.#set.get(name) ?? null
    const text = this.#set.get(name)
    if (text === undefined) return defaultConfig(definition)
    const parsed = parseConfig(definition, text)
    return parsed.error === null ? parsed.value : defaultConfig(definition)
  }

  /**
   * The value in force. `log.retention.ms`, `log.roll.ms`, `log.roll.jitter.ms` and `log.flush.interval.ms` answer
   * for their synonyms, in milliseconds; `log.dirs` for `log.dir`.
   */
  value(name: string): ConfigValue {
    const known = this.#values.get(name)
    if (known !== undefined) return known
    const value = this.#resolve(name)
    this.#values.set(name, value)
    return value
  }

  number(name: string): number {
    const value = this.value(name)
    if (typeof value === 'number') return value
    throw new TypeError(`${name} is not a number: ${String(value)}`)
  }

  bigint(name: string): bigint {
    const value = this.value(name)
    if (typeof value === 'bigint') return value
    throw new TypeError(`${name} is not a LONG: ${String(value)}`)
  }

  boolean(name: string): boolean {
    const value = this.value(name)
    if (typeof value === 'boolean') return value
    throw new TypeError(`${name} is not a BOOLEAN: ${String(value)}`)
  }

  /** null = not set and without a default. */
  string(name: string): string | null {
    const value = this.value(name)
    if (value === null || typeof value === 'string') return value
    throw new TypeError(`${name} is not a STRING: ${String(value)}`)
  }

  /** Empty when it is not set. */
  list(name: string): readonly string[] {
    const value = this.value(name)
    if (value === null) return []
    if (typeof value === 'object') return value
    throw new TypeError(`${name} is not a LIST: ${String(value)}`)
  }

  #resolve(name: string): ConfigValue {
    if (name === 'log.dirs') {
      const directories = this.ownValue('log.dirs') ?? this.ownValue('log.dir')
      return [...new Set(directories as readonly string[])]
    }
    if (!name.endsWith('.ms')) return this.ownValue(name)
    for (const synonym of brokerSynonyms(name, noListenerOverrides)) {
      const value = this.ownValue(synonym)
      if (value === null) continue
      const unit = unitsMs[synonym]
      const inUnit = unit === undefined ? value : BigInt(value as number) * unit
      // Every negative retention means "for ever" (LogConfig knows -1 only).
      return name === 'log.retention.ms' && (inUnit as bigint) < 0n ? -1n : inUnit
    }
    return null
  }
}

/** Kafka fills `broker.id` and `node.id` from each other. */
function withNodeId(texts: ConfigTexts): ConfigTexts {
  const id = texts.get('node.id') ?? texts.get('broker.id')
  if (id === undefined || (texts.has('node.id') && texts.has('broker.id'))) return texts
  return new Map([...texts, ['node.id', id], ['broker.id', id]])
}

function overlay(set: Map<string, string>, layer: ConfigTexts): void {
  for (const [name, text] of layer) {
    for (const synonym of brokerSynonyms(name, noListenerOverrides)) set.delete(synonym)
    set.set(name, text)
  }
}

function dynamicOnly(texts: ConfigTexts, perBroker: boolean): ConfigTexts {
  const kept = [...texts].filter(([name, text]) => {
    if (brokerKeys.get(name)?.update === 'read-only' || listenerOnlyKeys.has(name)) return false
    if (!perBroker && isPerBrokerOnly(name)) return false
    const definition = brokerKey(name)
    return definition === undefined || parseConfig(definition, text).error === null
  })
  return kept.length === texts.size ? texts : new Map(kept)
}

function sameLayers(one: BrokerConfigLayers, other: BrokerConfigLayers): boolean {
  return one.dynamicBroker === other.dynamicBroker && one.dynamicDefault === other.dynamicDefault
}
