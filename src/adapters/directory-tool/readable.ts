/**
 * Bytes and values as text. In the readable form bytes that are UTF-8 are a quoted string, others `0x` and hex. As JSON
 * they are a string, or `{"base64": "…"}`. Numbers beyond 2^53 are written with all their digits.
 */
import { isUtf8 } from 'node:buffer'

/** JSON with bigints as plain numbers and bytes as above; maps become objects. */
export function jsonOf(value: unknown): string {
  if (value === undefined || value === null) return 'null'
  if (typeof value === 'bigint') return value.toString()
  if (typeof value === 'string') return quoted(value)
  if (typeof value !== 'object') return JSON.stringify(value)
  if (value instanceof Uint8Array) return isUtf8(value) ? quoted(decode(value)) : `{"base64":"${base64(value)}"}`
  if (value instanceof Map) return jsonOf(Object.fromEntries(value as Map<string, unknown>))
  if (Array.isArray(value)) return `[${value.map(jsonOf).join(',')}]`
  const fields = Object.entries(value).filter(([, field]) => field !== undefined)
  return `{${fields.map(([key, field]) => `${quoted(key)}:${jsonOf(field)}`).join(',')}}`
}

/** Bytes for people: `"text"`, `0xff00`, `null`. */
export function textOf(bytes: Uint8Array | null): string {
  if (bytes === null) return 'null'
  return isUtf8(bytes) ? quoted(decode(bytes)) : `0x${view(bytes).toString('hex')}`
}

/** Controls of the second block and of text direction are escaped too: they would act on a terminal. */
function quoted(text: string): string {
  return JSON.stringify(text).replace(
    /[\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

function view(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

function decode(bytes: Uint8Array): string {
  return view(bytes).toString('utf8')
}

function base64(bytes: Uint8Array): string {
  return view(bytes).toString('base64')
}

/** ISO 8601 where the timestamp is one, else the number. */
export function timeText(timestamp: bigint): string {
  const date = new Date(Number(timestamp))
  return timestamp < 0n || Number.isNaN(date.getTime()) ? String(timestamp) : date.toISOString()
}
