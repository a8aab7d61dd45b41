/**
 * The keys of a client metrics subscription (KIP-714). Columns: see `ResourceRow`.
 */
import { defineResourceKeys } from './config-definition.ts'

export const clientMetricsKeys = defineResourceKeys([
  ['interval.ms', 'INT', '300000', '', 'MEDIUM', []],
  ['match', 'LIST', '', '', 'MEDIUM', []],
  ['metrics', 'LIST', '', '', 'MEDIUM', []],
])
