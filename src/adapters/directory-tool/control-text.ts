/** What a control record says: the end of a transaction, or one of KRaft's. */
import type { LogRecord } from '../../domain/log/record.ts'
import { decodeControlRecord } from '../kraft-metadata/control-records.ts'
import { messageOf } from './findings.ts'

export interface ControlText {
  readonly type: string
  readonly value: unknown
}

const ABORT = 0
const COMMIT = 1

export function controlText({ key, value }: Pick<LogRecord, 'key' | 'value'>): ControlText {
  const type = key === null || key.length < 4 ? -1 : (key[2]! << 8) | key[3]!
  if ((type === ABORT || type === COMMIT) && value !== null && value.length >= 6) {
    const coordinatorEpoch = new DataView(value.buffer, value.byteOffset).getInt32(2)
    return { type: type === COMMIT ? 'COMMIT' : 'ABORT', value: { coordinatorEpoch } }
  }
  try {
    return decodeControlRecord(key, value)
  } catch (error) {
    return { type: 'UNKNOWN', value: { key, value, reason: messageOf(error) } }
  }
}
