/** Every message that has a schema, with each of its versions. */
import { type Message, parseRange } from '../../src/adapters/codec/schema.ts'
import * as control from '../../src/adapters/kraft-metadata/control-record-schemas.ts'
import { recordSchemas } from '../../src/adapters/kraft-metadata/record-schemas.ts'
import { apis } from '../../src/adapters/wire/apis/index.ts'
import { requestHeader, responseHeader } from '../../src/adapters/wire/header.ts'

export const everyMessage: readonly Message[] = [
  requestHeader,
  responseHeader,
  ...apis.flatMap((api): Message[] => [api.request, api.response]),
  ...Object.values(recordSchemas).map(({ schema }): Message => schema),
  ...Object.values(control),
]

export function versionsOf(message: Message): readonly number[] {
  const { min, max } = parseRange(message.versions)
  return Array.from({ length: max - min + 1 }, (_, i) => min + i)
}
