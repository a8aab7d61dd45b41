import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { CodecCompressor } from '../../../src/adapters/compression/codec-compressor.ts'
import { xxhash32 } from '../../../src/adapters/compression/xxhash32.ts'
import { ZstdWasm } from '../../../src/adapters/compression/zstd-wasm.ts'
import { CorruptCompressedData, type CompressionCodec } from '../../../src/application/ports/compressor.ts'
import { RecordBatchView, batchBytesAt } from '../../../src/domain/log/record-batch.ts'
import { scanRecords } from '../../../src/domain/log/record.ts'

const codecs: readonly CompressionCodec[] = ['gzip', 'snappy', 'lz4', 'zstd']
const compressor = new CodecCompressor()
const MEGABYTE = 1 << 20
const text = (bytes: number) => Buffer.alloc(bytes, 'a thread on a star-shaped spool, ')

function* goldenBatches(folder: string): Generator<RecordBatchView> {
  const bytes = readFileSync(`test/fixtures/golden/basic-clean/data/${folder}/00000000000000000000.log`)
  const view = new RecordBatchView(bytes)
  for (let size = batchBytesAt(view); size > 0; size = batchBytesAt(view)) {
    yield new RecordBatchView(bytes.subarray(view.at, view.at + size))
    view.at += size
  }
}

function refusal(work: () => unknown): CorruptCompressedData {
  try {
    work()
  } catch (error) {
    if (error instanceof CorruptCompressedData) return error
    throw error
  }
  throw new Error('nothing was refused')
}

describe.each(codecs)('%s', (codec) => {
  it('reads what a real broker stored', () => {
    let batches = 0
    for (const batch of goldenBatches(`codec-${codec}-0`)) {
      if (batch.codec !== codec) continue
      batches++
      const plain = compressor.decompress(codec, batch.records(), MEGABYTE)
      expect(scanRecords(plain, batch.count).problem).toBeNull()
    }
    expect(batches).toBeGreaterThan(0)
  })

  it('gives back what it took', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.integer({ min: 1, max: 900 }), (bytes, times) => {
        const plain = Buffer.concat(Array.from({ length: times }, () => bytes))
        const compressed = compressor.compress(codec, plain)
        expect(Buffer.compare(compressor.decompress(codec, compressed, MEGABYTE), plain)).toBe(0)
      }),
      { numRuns: 50 },
    )
  })

  it('answers random bytes with one kind of error or with bytes within the bound', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        try {
          expect(compressor.decompress(codec, bytes, 1000).length).toBeLessThanOrEqual(1000)
        } catch (error) {
          expect(error).toBeInstanceOf(CorruptCompressedData)
        }
      }),
    )
  })

  it('never crashes on a damaged stream', () => {
    const stream = compressor.compress(codec, text(100_000))
    fc.assert(
      fc.property(fc.nat(stream.length - 1), fc.nat(255), (at, byte) => {
        const damaged = Uint8Array.from(stream)
        damaged[at] = byte
        try {
          compressor.decompress(codec, damaged, MEGABYTE)
        } catch (error) {
          expect(error).toBeInstanceOf(CorruptCompressedData)
        }
      }),
    )
    const cut = stream.subarray(0, stream.length - 3)
    expect(refusal(() => compressor.decompress(codec, cut, MEGABYTE)).tooLarge).toBe(false)
  })

  it('stops at the bound, and says so', () => {
    const stream = compressor.compress(codec, text(MEGABYTE))
    expect(refusal(() => compressor.decompress(codec, stream, MEGABYTE - 1)).tooLarge).toBe(true)
    expect(compressor.decompress(codec, stream, MEGABYTE)).toHaveLength(MEGABYTE)
  })
})

describe('gzip', () => {
  it('reads several members, as Java does', () => {
    const members = Buffer.concat([gzipSync('one '), gzipSync('two')])
    expect(Buffer.from(compressor.decompress('gzip', members, 100)).toString()).toBe('one two')
  })

  it('takes levels', () => {
    const plain = text(100_000)
    expect(compressor.compress('gzip', plain, 9).length).toBeLessThan(compressor.compress('gzip', plain, 1).length)
  })
})

describe('snappy', () => {
  const framed = compressor.compress('snappy', text(100_000))

  it('writes the framing of xerial in blocks of 32 KB', () => {
    expect(Buffer.from(framed.subarray(0, 16)).toString('hex')).toBe('82534e41505059000000000100000001')
  })

  it('reads one raw block, and streams that were joined', () => {
    const short = compressor.compress('snappy', text(1000))
    expect(compressor.decompress('snappy', short.subarray(20), MEGABYTE)).toHaveLength(1000)
    expect(compressor.decompress('snappy', Buffer.concat([short, short]), MEGABYTE)).toHaveLength(2000)
  })

  it('refuses a block that claims more than it can hold, before taking memory for it', () => {
    const claim = Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0x07, 0, 0)
    expect(refusal(() => compressor.decompress('snappy', claim, 2 ** 31)).tooLarge).toBe(false)
  })

  it('refuses the framing of Google', () => {
    const stream = Buffer.from('ff060000734e61507059', 'hex')
    expect(refusal(() => compressor.decompress('snappy', stream, MEGABYTE)).tooLarge).toBe(false)
  })
})

describe('lz4', () => {
  const hello = 'hello hello hello hello'

  /** A frame of stored blocks, put together by hand. */
  function frame(flags: number, sizes: number, options: { content?: boolean; checksum?: number } = {}): Uint8Array {
    const descriptor = Buffer.from([flags, sizes, ...(options.content === true ? [23, 0, 0, 0, 0, 0, 0, 0] : [])])
    const block = Buffer.from(hello)
    const head = Buffer.alloc(4)
    head.writeUInt32LE((block.length | 0x80000000) >>> 0)
    const checksum = Buffer.alloc((flags & 0x10) === 0 ? 0 : 4)
    if (checksum.length > 0) checksum.writeUInt32LE(options.checksum ?? xxhash32(block))
    const hc = (xxhash32(descriptor) >>> 8) & 0xff
    return Buffer.concat([
      Buffer.from('04224d18', 'hex'),
      descriptor,
      Buffer.from([hc]),
      head,
      block,
      checksum,
      Buffer.alloc(4),
    ])
  }
  const read = (bytes: Uint8Array) => Buffer.from(compressor.decompress('lz4', bytes, MEGABYTE)).toString()

  it('writes the frame of the Java writer', () => {
    expect(Buffer.from(compressor.compress('lz4', text(10)).subarray(0, 7)).toString('hex')).toBe('04224d18604082')
  })

  it.each([
    ['64 KB blocks', frame(0x60, 0x40)],
    ['4 MB blocks', frame(0x60, 0x70)],
    ['a content size', frame(0x68, 0x40, { content: true })],
    ['block checksums', frame(0x70, 0x40)],
    ['a second frame, which is ignored', Buffer.concat([frame(0x60, 0x40), frame(0x60, 0x40)])],
  ])('reads %s', (_, bytes) => {
    expect(read(bytes)).toBe(hello)
  })

  it.each([
    ['dependent blocks', frame(0x40, 0x40)],
    ['another version', frame(0xa0, 0x40)],
    ['a block size that does not exist', frame(0x60, 0x30)],
    ['a wrong block checksum', frame(0x70, 0x40, { checksum: 1 })],
    [
      'a wrong descriptor checksum',
      Buffer.from(Buffer.from(frame(0x60, 0x40)).toString('hex').replace('6040', '6050'), 'hex'),
    ],
    ['a frame without end', frame(0x60, 0x40).subarray(0, -4)],
  ])('refuses %s', (_, bytes) => {
    expect(refusal(() => read(bytes)).tooLarge).toBe(false)
  })

  it.each([
    ['', 0x02cc5d05],
    ['a', 0x550d7456],
    ['abc', 0x32d153ff],
    ['Nobody inspects the spammish repetition', 0xe2293b2f],
  ])('hashes %j', (input, hash) => {
    expect(xxhash32(Buffer.from(input))).toBe(hash)
  })
})

describe('zstd', () => {
  it('gives memory back after a large batch, and goes on', () => {
    const zstd = new ZstdWasm()
    const plain = text(40 << 20)
    const stream = zstd.compress(plain, 1)
    expect(Buffer.compare(zstd.decompress(stream, 64 << 20), plain)).toBe(0)
    expect(zstd.decompress(zstd.compress(text(100)), 1000)).toHaveLength(100)
  })

  it('reads frames without a content size, as Java writes them, through WebAssembly too', () => {
    for (const batch of goldenBatches('codec-zstd-0')) {
      if (batch.codec !== 'zstd') continue
      expect(scanRecords(new ZstdWasm().decompress(batch.records(), MEGABYTE), batch.count).problem).toBeNull()
    }
  })
})
