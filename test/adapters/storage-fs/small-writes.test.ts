import { describe, expect, it } from '@jest/globals'
import { SmallWrites } from '../../../src/adapters/storage-fs/small-writes.ts'

const small = [new Uint8Array(16_000), new Uint8Array(384)]

describe('blocking writes', () => {
  it('are small', () => {
    const writes = new SmallWrites(() => 0)
    expect(writes.run(small, () => 7)).toBe(7)
    const tooMuch = () => {
      throw new Error('a large write blocked')
    }
    expect(writes.run([...small, new Uint8Array(1)], tooMuch)).toBeNull()
  })

  it.each([
    ['that ends', () => 1],
    [
      'that fails',
      () => {
        throw new Error('EIO')
      },
    ],
  ])('rest for a hundred times as long as a slow one took %s', (_, outcome) => {
    let nowMs = 1000
    const writes = new SmallWrites(() => nowMs)
    const slowly = (tookMs: number) => {
      try {
        writes.run(small, () => {
          nowMs += tookMs
          return outcome()
        })
      } catch {
        // the failure is told to whoever writes; what counts here is the time
      }
    }
    slowly(1)
    expect(writes.run(small, () => 1)).toBe(1)
    slowly(20)
    nowMs += 1999
    expect(writes.run(small, () => 1)).toBeNull()
    nowMs += 1
    expect(writes.run(small, () => 1)).toBe(1)
  })
})
