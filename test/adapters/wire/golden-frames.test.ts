/** Frames of real clients and a real broker: read and written again, they are the same bytes. */
import { describe, expect, it } from '@jest/globals'
import { codecOf } from '../../../src/adapters/codec/codec.ts'
import { Reader } from '../../../src/adapters/codec/reader.ts'
import { Writer } from '../../../src/adapters/codec/writer.ts'
import type { Api } from '../../../src/adapters/wire/api.ts'
import {
  peekRequest,
  readRequestBody,
  readRequestHeader,
  requestHeader,
  requestHeaderVersion,
  responseHeader,
  responseHeaderVersion,
  writeResponse,
} from '../../../src/adapters/wire/header.ts'
import { goldenFiles, goldenFrames } from '../../support/golden-frames.ts'

/** What a client sent behind the end of its message: librdkafka has one tag section too many here. */
const EXCESS_BYTES: Readonly<Record<string, number>> = {
  'confluent-kafka-python.jsonl AlterUserScramCredentialsRequest': 1,
}

function readAndWriteRequest(api: Api, version: number, frame: Buffer): Buffer {
  const reader = new Reader(frame)
  const header = readRequestHeader(api, version, reader)
  const body = readRequestBody(api, version, reader)
  const chunks = new Writer(64).message((writer) => {
    codecOf(requestHeader, requestHeaderVersion(api, version)).write(writer, header)
    codecOf(api.request, version).write(writer, body)
  })
  return Buffer.concat(chunks)
}

function readAndWriteResponse(api: Api, version: number, frame: Buffer): Buffer {
  const reader = new Reader(frame)
  const { correlationId } = codecOf(responseHeader, responseHeaderVersion(api, version)).read(reader)
  const body = codecOf(api.response, version).read(reader)
  const chunks = writeResponse(new Writer(64), api, version, correlationId, body)
  const written = Buffer.concat(chunks)
  expect(written.readInt32BE()).toBe(written.length - 4)
  return written.subarray(4)
}

describe.each(goldenFiles())('%s', (file) => {
  const frames = goldenFrames(file)

  it('has frames', () => {
    expect(frames.length).toBeGreaterThan(0)
  })

  it('requests are the same after reading and writing', () => {
    for (const { api, version, request } of frames) {
      expect(peekRequest(request)).toEqual({ apiKey: api.key, apiVersion: version })
      const excess = EXCESS_BYTES[`${file} ${api.request.name}`] ?? 0
      const expected = request.subarray(0, request.length - excess)
      expect(readAndWriteRequest(api, version, request).toString('hex')).toBe(expected.toString('hex'))
    }
  })

  it('responses are the same after reading and writing', () => {
    for (const { api, version, response } of frames) {
      if (response === null) continue
      expect(readAndWriteResponse(api, version, response).toString('hex')).toBe(response.toString('hex'))
    }
  })
})
