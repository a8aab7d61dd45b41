/**
 * The headers of requests and responses, with the two oddities of the protocol:
 *
 * - The client id is never compact, not even in the flexible request header (v2).
 * - The response to ApiVersions always has the oldest header (v0): its reader does not know yet what we speak.
 *
 * Otherwise flexible versions of an API have request header v2 and response header v1, the others v1 and v0. This
 * also holds for versions that are not served, so that a request in one of them can be answered at all.
 */
import { codecOf } from '../codec/codec.ts'
import type { Reader } from '../codec/reader.ts'
import { int16, int32, message, string, type ValueOf } from '../codec/schema.ts'
import type { Writer } from '../codec/writer.ts'
import type { Api, RequestOf, ResponseOf } from './api.ts'

/** v2: with a tag section. */
export const requestHeader = message({
  name: 'RequestHeader',
  versions: '1-2',
  flexible: '2+',
  fields: {
    apiKey: int16(),
    apiVersion: int16(),
    correlationId: int32(),
    clientId: string({ nullable: true, compact: false }),
  },
})

/** v1: with a tag section. */
export const responseHeader = message({
  name: 'ResponseHeader',
  versions: '0-1',
  flexible: '1+',
  fields: { correlationId: int32() },
})

export type RequestHeader = ValueOf<typeof requestHeader>

const API_VERSIONS = 18

export function requestHeaderVersion(api: Api, version: number): number {
  return isFlexible(api, version) ? 2 : 1
}

export function responseHeaderVersion(api: Api, version: number): number {
  return isFlexible(api, version) && api.key !== API_VERSIONS ? 1 : 0
}

function isFlexible({ flexible }: Api, version: number): boolean {
  return flexible.min <= version && version <= flexible.max
}

/** What a frame asks for, which tells how to read the rest; undefined when it is too short even for this. */
export function peekRequest(frame: Uint8Array): { readonly apiKey: number; readonly apiVersion: number } | undefined {
  if (frame.length < 4) return undefined
  const view = new DataView(frame.buffer, frame.byteOffset, 4)
  return { apiKey: view.getInt16(0), apiVersion: view.getInt16(2) }
}

/** The header at the start of a frame; the body is where the reader then stands. */
export function readRequestHeader(api: Api, version: number, reader: Reader): RequestHeader {
  return codecOf(requestHeader, requestHeaderVersion(api, version)).read(reader)
}

/** The body, from where `readRequestHeader` left the reader. What is behind it is ignored, as Kafka does. */
export function readRequestBody<A extends Api>(api: A, version: number, reader: Reader): RequestOf<A> {
  return codecOf(api.request, version).read(reader) as RequestOf<A>
}

/** A whole response frame, its size included, as chunks in order. `version` is that of the body. */
export function writeResponse<A extends Api>(
  writer: Writer,
  api: A,
  version: number,
  correlationId: number,
  body: ResponseOf<A>,
): readonly Uint8Array[] {
  const header = codecOf(responseHeader, responseHeaderVersion(api, version))
  const codec = codecOf(api.response, version)
  return writer.frame((w) => {
    header.write(w, { correlationId })
    codec.write(w, body)
  })
}
