import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { decode, encode } from '../../../src/adapters/codec/codec.ts'
import { ProtocolError } from '../../../src/adapters/codec/protocol-error.ts'
import type { Message, WritableOf } from '../../../src/adapters/codec/schema.ts'
import { everyMessage, versionsOf } from '../../support/every-message.ts'
import { anyValue } from '../../support/schema-arbitraries.ts'
import { interpretRead, interpretWrite } from '../../support/schema-interpreter.ts'

describe.each(everyMessage.map((message) => ({ name: message.name, message })))('$name', ({ message }) => {
  it.each(versionsOf(message))('v%i: compiled code reads and writes what the interpreter does', (version) => {
    fc.assert(
      fc.property(anyValue(message, version), (value) => {
        const bytes = interpretWrite(message, version, value)
        expect(Buffer.from(encode(message, version, value as WritableOf<Message>)).toString('hex')).toBe(
          bytes.toString('hex'),
        )
        expect(decode(message, version, bytes)).toEqual(interpretRead(message, version, bytes))
        expect(decode(message, version, bytes)).toEqual(value)
      }),
      { numRuns: 12, endOnFailure: true },
    )
  })

  it.each(versionsOf(message))('v%i: values have all keys in the order of the schema', (version) => {
    fc.assert(
      fc.property(anyValue(message, version), (value) => {
        const read = decode(message, version, encode(message, version, value as WritableOf<Message>))
        expect(Object.keys(read)).toEqual(Object.keys(message.fields))
      }),
      { numRuns: 2, endOnFailure: true },
    )
  })

  it.each(versionsOf(message))(
    'v%i: any prefix of a message is refused, and what follows one is ignored',
    (version) => {
      fc.assert(
        fc.property(anyValue(message, version), fc.nat(), (value, cut) => {
          const bytes = encode(message, version, value as WritableOf<Message>)
          expect(decode(message, version, Buffer.concat([bytes, Buffer.alloc(10, 0xff)]))).toEqual(value)
          if (bytes.length === 0) return
          expect(() => decode(message, version, bytes.subarray(0, cut % bytes.length))).toThrow(ProtocolError)
        }),
        { numRuns: 4, endOnFailure: true },
      )
    },
  )
})
