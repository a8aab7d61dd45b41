/**
 * zstd in WebAssembly, from the binary of @bokuweb/zstd-wasm, for a Node without zstd of its own.
 *
 * The package's own loader is asynchronous and keeps one instance for the whole process; here the binary is
 * instantiated directly: synchronously, one instance an object, and a new one after a batch that made its memory large
 * (WebAssembly memory never shrinks). The names of its exports are those of version 0.0.27, which package.json pins.
 */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { CorruptCompressedData } from '../../application/ports/compressor.ts'
import { tooLarge, type FramedCodec } from './framed-codec.ts'
import { plainBytesMax } from './zstd-frames.ts'

const require = createRequire(import.meta.url)

const DEFAULT_LEVEL = 3
/** Where a first guess at the plain size begins. */
const GUESS_BYTES_MIN = 1 << 18
/** Memory above this is given back after use. */
const KEPT_BYTES_MAX = 32 << 20
const PAGE_BYTES = 65_536

/** The part of WebAssembly's API that is used: its types are part of the DOM's, which a server does not have. */
interface WasmMemory {
  readonly buffer: ArrayBuffer
  grow(pages: number): number
}
type WasmModule = object
interface WebAssemblyApi {
  readonly Module: new (binary: Uint8Array) => WasmModule
  readonly Instance: new (
    module: WasmModule,
    imports: object,
  ) => { readonly exports: Readonly<Record<string, unknown>> }
}
const { WebAssembly } = globalThis as unknown as { readonly WebAssembly: WebAssemblyApi }

interface Zstd {
  readonly memory: WasmMemory
  readonly isError: (code: number) => number
  readonly compressBound: (bytes: number) => number
  readonly compress: (to: number, capacity: number, from: number, bytes: number, level: number) => number
  readonly decompress: (to: number, capacity: number, from: number, bytes: number) => number
  readonly malloc: (bytes: number) => number
  readonly free: (at: number) => void
}

export class ZstdWasm implements FramedCodec {
  readonly #module: WasmModule
  #zstd: Zstd | null = null

  constructor() {
    const folder = dirname(require.resolve('@bokuweb/zstd-wasm'))
    this.#module = new WebAssembly.Module(readFileSync(join(folder, 'zstd.wasm')))
  }

  compress(bytes: Uint8Array, level = DEFAULT_LEVEL): Uint8Array {
    const zstd = this.#instance()
    const capacity = zstd.compressBound(bytes.length)
    const compressed = this.#run(bytes, capacity, (to, from) => zstd.compress(to, capacity, from, bytes.length, level))
    if (compressed === null) throw new Error('zstd did not compress')
    return compressed
  }

  decompress(bytes: Uint8Array, bytesMax: number): Uint8Array {
    const bound = plainBytesMax(bytes)
    const limit = Math.min(bound, bytesMax)
    let capacity = Math.min(limit, Math.max(GUESS_BYTES_MIN, bytes.length * 4))
    for (;;) {
      const zstd = this.#instance()
      const plain = this.#run(bytes, capacity, (to, from) => zstd.decompress(to, capacity, from, bytes.length))
      if (plain !== null) return plain
      // Which error it was the binary does not tell; with all the room there can be it is not a lack of room.
      if (capacity === bound) throw new CorruptCompressedData('Not a zstd stream')
      if (capacity === limit) throw tooLarge('zstd', bytesMax)
      capacity = Math.min(limit, capacity * 4)
    }
  }

  /** Copies `bytes` in, calls `work`, copies out what it wrote; null = an error. */
  #run(bytes: Uint8Array, capacity: number, work: (to: number, from: number) => number): Uint8Array | null {
    const zstd = this.#instance()
    const from = zstd.malloc(Math.max(bytes.length, 1))
    const to = zstd.malloc(Math.max(capacity, 1))
    try {
      if (from === 0 || to === 0) throw new CorruptCompressedData('No memory for a zstd stream', { tooLarge: true })
      new Uint8Array(zstd.memory.buffer).set(bytes, from)
      const written = work(to, from)
      return zstd.isError(written) === 0 ? new Uint8Array(zstd.memory.buffer, to, written).slice() : null
    } finally {
      if (zstd.memory.buffer.byteLength > KEPT_BYTES_MAX) this.#zstd = null
      else {
        zstd.free(from)
        zstd.free(to)
      }
    }
  }

  #instance(): Zstd {
    return (this.#zstd ??= instantiate(this.#module))
  }
}

function instantiate(module: WasmModule): Zstd {
  const stop = (): never => {
    throw new Error('zstd gave up')
  }
  let memory: WasmMemory | null = null
  const grow = (bytes: number): number => {
    try {
      memory!.grow(Math.ceil(((bytes >>> 0) - memory!.buffer.byteLength) / PAGE_BYTES))
      return 1
    } catch {
      // The allocator inside answers with a null pointer, which `#run` reports.
      return 0
    }
  }
  const { exports } = new WebAssembly.Instance(module, { a: { a: stop, b: stop, c: stop, d: () => 0, e: grow } })
  memory = exports['f'] as WasmMemory
  ;(exports['g'] as () => void)()
  return {
    memory,
    isError: exports['h'] as Zstd['isError'],
    compressBound: exports['i'] as Zstd['compressBound'],
    compress: exports['m'] as Zstd['compress'],
    decompress: exports['r'] as Zstd['decompress'],
    malloc: exports['s'] as Zstd['malloc'],
    free: exports['t'] as Zstd['free'],
  }
}
