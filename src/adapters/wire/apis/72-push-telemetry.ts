/**
 * PushTelemetry (key 72): a client pushes metrics (KIP-714). Not advertised: no telemetry receiver.
 */
import { bool, bytes, int16, int32, int8, uuid } from '../../codec/schema.ts'
import { api } from '../api.ts'

export const pushTelemetry = api({
  key: 72,
  name: 'PushTelemetry',
  versions: '0',
  advertised: 'none',
  flexible: '0+',
  request: {
    clientInstanceId: uuid(),
    subscriptionId: int32(),
    terminating: bool(),
    compressionType: int8(),
    metrics: bytes(),
  },
  response: {
    throttleTimeMs: int32(),
    errorCode: int16(),
  },
})
