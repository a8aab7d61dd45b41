/**
 * Which configs a broker may be given at run time.
 */
import type { ClusterImage } from '../cluster/cluster-image.ts'
import type { BrokerConfig, ConfigTexts } from './broker-config.ts'
import { brokerKey, brokerKeys, isPerBrokerOnly, listenerBaseKey, listenerOnlyKeys } from './broker-keys.ts'
import { invalidValue, parseConfig } from './config-value.ts'
import { checkBrokerLimits, checkDynamicChange } from './limits.ts'

/** A real broker can change these at run time, this one cannot. */
const fixedHere: ReadonlySet<string> = new Set(['listeners', 'listener.security.protocol.map'])

/**
 * What is wrong with `after` as the values set at run time for one broker, or for all of them (name ''); null = nothing.
 * The checks of a change do not carry a Java class name in their text, as a real broker's do.
 */
export function validateDynamicBrokerTexts(
  image: ClusterImage,
  broker: BrokerConfig,
  name: string,
  after: ConfigTexts,
): string | null {
  const names = [...after.keys()]
  const fixed = names.filter((key) => fixedHere.has(key) || brokerKeys.get(key)?.update === 'read-only')
  if (fixed.length > 0) return `Cannot update these configs dynamically: [${fixed.join(', ')}]`
  for (const [key, text] of after) {
    const error = valueError(key, text)
    if (error !== null) return error
  }
  const unlistened = names.filter((key) => listenerOnlyKeys.has(key))
  if (unlistened.length > 0) {
    const what = 'These security configs can be dynamically updated only per-listener using the listener prefix'
    return `${what}: [${unlistened.join(', ')}]`
  }
  const single = name === '' ? names.filter((key) => isPerBrokerOnly(key)) : []
  if (single.length > 0) {
    const what = 'Cannot update these configs at default cluster level, broker id must be specified'
    return `${what}: [${single.join(', ')}]`
  }
  const before = broker.at(image)
  const next = before.with(name === '' ? { dynamicDefault: after } : { dynamicBroker: after })
  return checkBrokerLimits(next) ?? checkDynamicChange(before, next)
}

function valueError(name: string, text: string): string | null {
  const key = brokerKey(name)
  if (key === undefined) return null
  // With a listener's prefix only keys that can differ between listeners are looked at.
  if (listenerBaseKey(name) !== null && key.update === 'read-only') return null
  const parsed = parseConfig(key, text)
  if (parsed.error !== null) return parsed.error
  if (key.type !== 'CLASS' || text === key.defaultValue) return null
  return invalidValue(key.name, text, `Class ${text} could not be found.`)
}
