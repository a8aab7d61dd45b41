/**
 * The schema language: what a message looks like in each of its versions, as a value from which TypeScript infers
 * the type and from which `codec.ts` compiles a reader and a writer.
 *
 * ```ts
 * const ping = message({
 *   name: 'Ping', versions: '0-3', flexible: '2+',
 *   fields: {
 *     id: int32(),                                       // in every version
 *     sentMs: int64('1+', { default: -1n, ignorable: true }),
 *     rack: string('3+', { nullable: true, default: null }),
 *     hops: array({ host: string(), port: uint16() }),
 *     features: array('2+', { tag: 0 }, 'string'),       // lives in the tag section
 *   },
 * })
 * type Ping = ValueOf<typeof ping>
 * ```
 *
 * - A field without a version range is there whenever what contains it is there; with one, only in those versions.
 * - There is one value shape for all versions: what a version lacks has its default when read.
 * - When written, a field may be left out if it has a version range, a default or a tag; it then has its default.
 *   A value that is not the default cannot be written into a version without the field, unless it is `ignorable`.
 * - In flexible versions strings, bytes and arrays are compact, and every struct ends with a tag section (KIP-482).
 *
 * This file knows no Kafka API and reads no bytes.
 */

/** `'3+'`: from 3 on; `'0-12'`: both ends included; `'4'`: only that one; `'none'`. */
export type VersionRange = 'none' | `${number}` | `${number}+` | `${number}-${number}`

/** The scalar types, as they are in memory. A uuid is the 22 characters of unpadded base64url that Kafka prints. */
interface ScalarValues {
  int8: number
  int16: number
  int32: number
  int64: bigint
  uint16: number
  uint32: number
  float64: number
  bool: boolean
  uuid: string
  string: string
  /** A copy: it outlives the frame that it was read from. */
  bytes: Uint8Array
  /** A slice of the frame that it was read from: valid as long as the frame. Written as it is or as its chunks. */
  records: Uint8Array
}

interface WritableScalarValues extends Omit<ScalarValues, 'records'> {
  records: Uint8Array | readonly Uint8Array[]
}

export type ScalarType = keyof ScalarValues

interface Options<T> {
  /** In which versions null may stand for the value; `true`: wherever the field is. */
  readonly nullable?: VersionRange | true
  /** The value in versions without the field. Without this: 0, false, '', no bytes, no items, a struct of defaults. */
  readonly default?: T | null
  /** The field is not in line but in the tag section, under this number. */
  readonly tag?: number
  /** May be dropped silently when written into a version that lacks it. */
  readonly ignorable?: true
  /** `false`: not compact even in flexible versions. */
  readonly compact?: false
}

interface Common {
  readonly versions: VersionRange
  readonly nullable: VersionRange
  /** undefined: the type's own default. */
  readonly default: unknown
  readonly tag: number | undefined
  readonly ignorable: boolean
  readonly compact: boolean
}

export interface ScalarField extends Common {
  readonly type: ScalarType
}

export interface ArrayField extends Common {
  readonly type: 'array'
  readonly element: ScalarType | Fields
}

export interface StructField extends Common {
  readonly type: 'struct'
  readonly fields: Fields
}

/**
 * A field as the compiler sees it, with what TypeScript is to infer from it: no field has the property `~inferred`.
 * (Its name is text, because declaration files cannot name a symbol that they do not import.)
 */
export type Field<Read = unknown, Write = unknown, Optional extends boolean = boolean> = (
  ScalarField | ArrayField | StructField
) & { readonly '~inferred'?: { readonly read: Read; readonly write: Write; readonly optional: Optional } }

/** The fields of a struct, in the order in which they are on the wire. */
export interface Fields {
  readonly [name: string]: Field
}

export interface Message<F extends Fields = Fields> {
  readonly name: string
  /** Every version that can be read and written. */
  readonly versions: VersionRange
  readonly flexible: VersionRange
  readonly fields: F
}

/** The value of a struct or message as it is read: every field is there. */
export type ValueOf<S extends Message | Fields> =
  S extends Message<infer F> ? StructValue<F> : S extends Fields ? StructValue<S> : never

/** The value of a struct or message as it may be written: see the rules at the top for what may be left out. */
export type WritableOf<S extends Message | Fields> =
  S extends Message<infer F> ? WritableStructValue<F> : S extends Fields ? WritableStructValue<S> : never

type StructValue<F extends Fields> = {
  readonly [K in keyof F]: F[K] extends Field<infer Read> ? Read : never
}

type OptionalKey<F extends Fields> = {
  [K in keyof F]: F[K] extends Field<unknown, unknown, false> ? never : K
}[keyof F]

type Written<F> = F extends Field<unknown, infer Write> ? Write : never

type WritableStructValue<F extends Fields> = {
  readonly [K in Exclude<keyof F, OptionalKey<F>>]: Written<F[K]>
} & {
  readonly [K in OptionalKey<F>]?: Written<F[K]> | undefined
}

type OrNull<O, T> = O extends { readonly nullable: VersionRange | true } ? T | null : T
type HasDefault<O> = O extends { readonly default: unknown } | { readonly tag: number } ? true : false

type Element = ScalarType | Fields
type ReadElement<E extends Element> = E extends ScalarType ? ScalarValues[E] : E extends Fields ? StructValue<E> : never
type WrittenElement<E extends Element> = E extends ScalarType
  ? WritableScalarValues[E]
  : E extends Fields
    ? WritableStructValue<E>
    : never

function common(versions: VersionRange | undefined, options: Options<unknown>): Common {
  const range = versions ?? '0+'
  return {
    versions: range,
    nullable: options.nullable === true ? '0+' : (options.nullable ?? 'none'),
    default: options.default,
    tag: options.tag,
    ignorable: options.ignorable ?? false,
    compact: options.compact ?? true,
  }
}

interface ScalarFactory<T extends ScalarType> {
  <const O extends Options<ScalarValues[T]>>(
    options?: O,
  ): Field<OrNull<O, ScalarValues[T]>, OrNull<O, WritableScalarValues[T]>, HasDefault<O>>
  <const O extends Options<ScalarValues[T]>>(
    versions: VersionRange,
    options?: O,
  ): Field<OrNull<O, ScalarValues[T]>, OrNull<O, WritableScalarValues[T]>, true>
}

function scalar<T extends ScalarType>(type: T): ScalarFactory<T> {
  return (first?: VersionRange | Options<ScalarValues[T]>, second?: Options<ScalarValues[T]>) =>
    typeof first === 'string' ? { type, ...common(first, second ?? {}) } : { type, ...common(undefined, first ?? {}) }
}

export const int8 = scalar('int8')
export const int16 = scalar('int16')
export const int32 = scalar('int32')
export const int64 = scalar('int64')
export const uint16 = scalar('uint16')
export const uint32 = scalar('uint32')
export const float64 = scalar('float64')
export const bool = scalar('bool')
export const uuid = scalar('uuid')
export const string = scalar('string')
export const bytes = scalar('bytes')
export const records = scalar('records')

type ArrayOf<E extends Element, O, Optional extends boolean> = Field<
  OrNull<O, readonly ReadElement<E>[]>,
  OrNull<O, readonly WrittenElement<E>[]>,
  Optional
>

/** A list of scalars (`array('int32')`) or of structs (`array({ host: string() })`). */
export function array<const E extends Element>(element: E): ArrayOf<E, Options<readonly never[]>, false>
export function array<const E extends Element, const O extends Options<readonly never[]>>(
  options: O,
  element: E,
): ArrayOf<E, O, HasDefault<O>>
export function array<const E extends Element>(
  versions: VersionRange,
  element: E,
): ArrayOf<E, Options<readonly never[]>, true>
export function array<const E extends Element, const O extends Options<readonly never[]>>(
  versions: VersionRange,
  options: O,
  element: E,
): ArrayOf<E, O, true>
export function array(...args: readonly unknown[]): ArrayField {
  const [versions, options, element] = split<Element>(args)
  return { type: 'array', element, ...common(versions, options) }
}

type StructOf<F extends Fields, O, Optional extends boolean> = Field<
  OrNull<O, StructValue<F>>,
  OrNull<O, WritableStructValue<F>>,
  Optional
>

/** A struct in line. Its default, unless it is given as null, is the struct of its fields' defaults. */
export function struct<const F extends Fields>(fields: F): StructOf<F, Options<null>, false>
export function struct<const F extends Fields, const O extends Options<null>>(
  options: O,
  fields: F,
): StructOf<F, O, HasDefault<O>>
export function struct<const F extends Fields>(versions: VersionRange, fields: F): StructOf<F, Options<null>, true>
export function struct<const F extends Fields, const O extends Options<null>>(
  versions: VersionRange,
  options: O,
  fields: F,
): StructOf<F, O, true>
export function struct(...args: readonly unknown[]): StructField {
  const [versions, options, fields] = split<Fields>(args)
  return { type: 'struct', fields, ...common(versions, options) }
}

/** Tells `([versions], [options], last)` apart, as the overloads above allow them. */
function split<Last>(args: readonly unknown[]): [VersionRange | undefined, Options<unknown>, Last] {
  const last = args[args.length - 1] as Last
  const before = args.slice(0, -1)
  const versions = typeof before[0] === 'string' ? (before[0] as VersionRange) : undefined
  const options = (versions === undefined ? before[0] : before[1]) as Options<unknown> | undefined
  return [versions, options ?? {}, last]
}

/** A message: the top-level struct, with the versions that it has. */
export function message<const F extends Fields>(definition: Message<F>): Message<F> {
  return definition
}

/** Both ends included; `max` is Infinity for an open range, and `min > max` for `'none'`. */
export interface Range {
  readonly min: number
  readonly max: number
}

export function parseRange(range: VersionRange): Range {
  if (range === 'none') return { min: 1, max: 0 }
  const match = /^(\d+)(?:(\+)|-(\d+))?$/.exec(range)
  if (match === null) throw new TypeError(`not a version range: ${range}`)
  const min = Number(match[1])
  return { min, max: match[2] === '+' ? Infinity : Number(match[3] ?? min) }
}

export function inRange(version: number, range: VersionRange): boolean {
  const { min, max } = parseRange(range)
  return min <= version && version <= max
}
