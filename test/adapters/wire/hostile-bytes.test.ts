/** No bytes make a reader do anything but read or refuse, in time and memory that the bytes' number bounds. */
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { codecOf, decode } from '../../../src/adapters/codec/codec.ts'
import { ProtocolError } from '../../../src/adapters/codec/protocol-error.ts'
import { Reader } from '../../../src/adapters/codec/reader.ts'
import { readRequestBody, readRequestHeader, responseHeader } from '../../../src/adapters/wire/header.ts'
import { everyMessage, versionsOf } from '../../support/every-message.ts'
import { goldenFiles, goldenFrames } from '../../support/golden-frames.ts'

/** What is read, or undefined when it is refused; any other end fails the test. */
function readOrRefuse(read: () => unknown): unknown {
  try {
    return read()
  } catch (error) {
    expect(error).toBeInstanceOf(ProtocolError)
    return undefined
  }
}

/** Arrays' items plus bytes and characters, over the whole value. */
function weigh(value: unknown): number {
  if (typeof value === 'string' || value instanceof Uint8Array) return value.length
  if (Array.isArray(value)) return value.reduce<number>((sum, item) => sum + 1 + weigh(item), 0)
  if (typeof value !== 'object' || value === null) return 0
  return Object.values(value).reduce<number>((sum, item) => sum + weigh(item), 0)
}

describe('random bytes', () => {
  it.each(everyMessage.map((message) => ({ name: message.name, message })))('$name', ({ message }) => {
    for (const version of versionsOf(message)) {
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
          const value = readOrRefuse(() => decode(message, version, bytes))
          // A uuid has more characters than bytes, and an absent one has characters for no bytes at all.
          expect(weigh(value)).toBeLessThanOrEqual(22 * (bytes.length + 10))
        }),
        { numRuns: 30, endOnFailure: true },
      )
    }
  })
})

describe.each(goldenFiles())('%s, damaged', (file) => {
  const frames = goldenFrames(file)

  it('requests', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...frames),
        fc.nat(),
        fc.nat(255),
        fc.nat(),
        ({ api, version, request }, at, byte, cut) => {
          const bytes = Buffer.from(request)
          bytes[4 + (at % (bytes.length - 4))] = byte
          const end = cut % 4 === 0 ? cut % bytes.length : bytes.length
          readOrRefuse(() => {
            const reader = new Reader(bytes.subarray(0, end))
            readRequestHeader(api, version, reader)
            return readRequestBody(api, version, reader)
          })
        },
      ),
      { numRuns: 300, endOnFailure: true },
    )
  })

  it('responses', () => {
    fc.assert(
      fc.property(fc.constantFrom(...frames), fc.nat(), fc.nat(255), ({ api, version, response }, at, byte) => {
        if (response === null) return
        const bytes = Buffer.from(response)
        bytes[at % bytes.length] = byte
        readOrRefuse(() => {
          const reader = new Reader(bytes)
          codecOf(responseHeader, 0).read(reader)
          return codecOf(api.response, version).read(reader)
        })
      }),
      { numRuns: 300, endOnFailure: true },
    )
  })
})
