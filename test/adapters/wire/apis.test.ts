/** The schemas against what a real broker (4.4.0) says of itself: test/fixtures/wire/apis.tsv. */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from '@jest/globals'
import { parseRange, type Range, type VersionRange } from '../../../src/adapters/codec/schema.ts'
import { apis } from '../../../src/adapters/wire/apis/index.ts'
import { requestHeaderVersion, responseHeaderVersion } from '../../../src/adapters/wire/header.ts'

interface Row {
  readonly key: number
  readonly name: string
  /** Every version with a schema, the unstable one included. */
  readonly valid: VersionRange
  readonly flexible: VersionRange
  /** `-`: not at all. */
  readonly advertised: VersionRange | '-'
  /** `1(0-8),2(9-13)` */
  readonly requestHeader: string
  readonly responseHeader: string
}

const rows = readFileSync(new URL('../../fixtures/wire/apis.tsv', import.meta.url), 'utf8')
  .trimEnd()
  .split('\n')
  .slice(1)
  .map((line): Row => {
    const [key, name, valid, flexible, advertised, request, response] = line.split('\t') as [string, ...string[]]
    return {
      key: Number(key),
      name: name!,
      valid: valid as VersionRange,
      flexible: flexible as VersionRange,
      advertised: advertised as VersionRange | '-',
      requestHeader: request!,
      responseHeader: response!,
    }
  })

const UNSTABLE: Readonly<Record<string, number>> = { InitProducerId: 6 }

function versions({ min, max }: Range): readonly number[] {
  return Array.from({ length: max - min + 1 }, (_, i) => min + i)
}

function headers(valid: VersionRange, version: (v: number) => number): string {
  const found = new Map<number, number[]>()
  for (const v of versions(parseRange(valid))) found.set(version(v), [...(found.get(version(v)) ?? []), v])
  return [...found]
    .map(([header, vs]) => `${header}(${vs.length === 1 ? vs[0]! : `${vs[0]!}-${vs[vs.length - 1]!}`})`)
    .join(',')
}

it('has a schema for every API that a broker listener serves, in the order of their keys', () => {
  expect(apis.map(({ key, name }) => `${key} ${name}`)).toEqual(rows.map(({ key, name }) => `${key} ${name}`))
})

describe.each(rows)('$key $name', (row) => {
  const api = apis.find(({ key }) => key === row.key)!

  it('has the versions of Kafka and serves all but the unstable one', () => {
    expect(parseRange(api.request.versions)).toEqual(parseRange(row.valid))
    expect(parseRange(api.response.versions)).toEqual(parseRange(row.valid))
    const unstable = UNSTABLE[row.name]
    expect(versions(api.versions)).toEqual(versions(parseRange(row.valid)).filter((v) => v !== unstable))
  })

  it('is advertised as Kafka does', () => {
    expect(api.advertised).toEqual(row.advertised === '-' ? undefined : parseRange(row.advertised))
  })

  it('is flexible, and has its headers, in the same versions', () => {
    expect(api.request.flexible).toBe(row.flexible)
    expect(api.response.flexible).toBe(row.flexible)
    expect(headers(row.valid, (v) => requestHeaderVersion(api, v))).toBe(row.requestHeader)
    expect(headers(row.valid, (v) => responseHeaderVersion(api, v))).toBe(row.responseHeader)
  })
})
