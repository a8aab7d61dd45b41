/**
 * What an API is: a key, a name, the versions that we serve and the schemas of both directions. The files in `apis/`
 * are made of this, one an API; version numbers of APIs are written there and nowhere else.
 */
import {
  type Fields,
  type Message,
  message,
  parseRange,
  type Range,
  type ValueOf,
  type VersionRange,
  type WritableOf,
} from '../codec/schema.ts'

interface ApiDefinition<Key extends number, Name extends string, Request extends Fields, Response extends Fields> {
  readonly key: Key
  readonly name: Name
  /** The versions that are served. */
  readonly versions: VersionRange
  /** What ApiVersions tells clients, where that is not what is served. */
  readonly advertised?: VersionRange
  /** A version that Kafka has not released: described by the schema, neither served nor advertised. */
  readonly unstable?: VersionRange
  readonly flexible: VersionRange
  readonly request: Request
  readonly response: Response
}

/** One API in all its versions. */
export interface Api<
  Key extends number = number,
  Name extends string = string,
  Request extends Fields = Fields,
  Response extends Fields = Fields,
> {
  readonly key: Key
  readonly name: Name
  /** The versions that are served. */
  readonly versions: Range
  /** The versions that ApiVersions tells clients; undefined: the API is not mentioned. */
  readonly advertised: Range | undefined
  readonly flexible: Range
  readonly request: Message<Request>
  readonly response: Message<Response>
}

/** The request as the router reads it: every field is there, absent ones with their default. */
export type RequestOf<A extends Api> = ValueOf<A['request']>

/** The response as a handler may give it: fields with a version range, a default or a tag may be left out. */
export type ResponseOf<A extends Api> = WritableOf<A['response']>

export function api<
  const Key extends number,
  const Name extends string,
  const Request extends Fields,
  const Response extends Fields,
>(definition: ApiDefinition<Key, Name, Request, Response>): Api<Key, Name, Request, Response> {
  const { key, name, versions, advertised = versions, unstable, flexible } = definition
  const served = parseRange(versions)
  const described: VersionRange = unstable === undefined ? versions : `${served.min}-${parseRange(unstable).max}`
  return {
    key,
    name,
    versions: served,
    advertised: advertised === 'none' ? undefined : parseRange(advertised),
    flexible: parseRange(flexible),
    request: message({ name: `${name}Request`, versions: described, flexible, fields: definition.request }),
    response: message({ name: `${name}Response`, versions: described, flexible, fields: definition.response }),
  }
}
