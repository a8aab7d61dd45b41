import { describe, expect, it } from '@jest/globals'
import { ZstdWasm } from '../../../src/adapters/compression/zstd-wasm.ts'
import { plainBytesMax } from '../../../src/adapters/compression/zstd-frames.ts'
import { CorruptCompressedData } from '../../../src/application/ports/compressor.ts'

const frame = new ZstdWasm().compress(Buffer.alloc(300_000, 'a thread on a star-shaped spool, '))
const skippable = Buffer.from('5a2a4d1803000000aabbcc', 'hex')

describe('the frames of a zstd stream', () => {
  it('hold at least what was put in, one or more of them', () => {
    const one = plainBytesMax(frame)
    expect(one).toBeGreaterThanOrEqual(300_000)
    expect(plainBytesMax(Buffer.concat([frame, skippable, frame]))).toBe(2 * one)
  })

  it('are refused wherever they are cut off', () => {
    for (let bytes = 0; bytes < frame.length; bytes++) {
      expect(() => plainBytesMax(frame.subarray(0, bytes))).toThrow(CorruptCompressedData)
    }
    for (let bytes = 1; bytes < skippable.length; bytes++) {
      expect(() => plainBytesMax(Buffer.concat([frame, skippable.subarray(0, bytes)]))).toThrow(CorruptCompressedData)
    }
  })

  it('are refused with something else behind them', () => {
    expect(() => plainBytesMax(Buffer.concat([frame, Buffer.from('something else')]))).toThrow(CorruptCompressedData)
  })
})
