import { describe, expect, it } from '@jest/globals'
import { EarlyLogger } from '../../../src/adapters/observability/early-logger.ts'
import type { Logger } from '../../../src/application/ports/logger.ts'

/** Writes down what it is told, with the time that the early logger names. */
function recorder(written: unknown[], at: () => number): Logger {
  const log =
    (level: string) =>
    (event: string, fields?: Readonly<Record<string, unknown>>): void =>
      void written.push([level, event, fields, at()])
  return { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') }
}

describe('events before the log is open', () => {
  it('come out in their order, with the time at which they happened, before any later one', () => {
    let ms = 100
    const logger = new EarlyLogger(() => ms)
    const written: unknown[] = []
    logger.info('formatted', { nodeId: 1 })
    ms = 200
    logger.warn('odd')
    logger.error('failed')
    logger.debug('seen')
    expect(written).toEqual([])
    ms = 300
    logger.open(recorder(written, logger.at))
    logger.info('later')
    expect(written).toEqual([
      ['info', 'formatted', { nodeId: 1 }, 100],
      ['warn', 'odd', undefined, 200],
      ['error', 'failed', undefined, 200],
      ['debug', 'seen', undefined, 200],
      ['info', 'later', undefined, 300],
    ])
  })

  it('are written once, to the first log that opens', () => {
    const logger = new EarlyLogger(() => 0)
    const first: unknown[] = []
    const second: unknown[] = []
    logger.info('one')
    logger.open(recorder(first, logger.at))
    logger.open(recorder(second, logger.at))
    logger.info('two')
    expect([first.length, second.length]).toEqual([2, 0])
  })
})
