/**
 * The `<offset>.snapshot` files of one log: producer states up to an offset. What is in them is the domain's; here
 * only the frame is checked (version, CRC, length), so that a torn file goes, and an older one is taken.
 */
import type { Checksum } from '../../application/ports/checksum.ts'
import type { LogSnapshot } from '../../application/ports/log-store.ts'
import { offsetName, SNAPSHOT_SUFFIX } from './file-names.ts'
import type { FileSystem } from './file-system.ts'
import { withFile, writeFully } from './whole-files.ts'

const VERSION = 1
const AT_CRC = 2
const CRC_COVERS_FROM = 6
const HEADER_BYTES = 10
const ENTRY_BYTES = 46

export class ProducerSnapshots {
  readonly #fs: FileSystem
  readonly #checksum: Checksum
  readonly #folder: string
  /** Ascending. */
  #offsets: bigint[]

  constructor(fs: FileSystem, checksum: Checksum, folder: string, offsets: readonly bigint[]) {
    this.#fs = fs
    this.#checksum = checksum
    this.#folder = folder
    this.#offsets = [...offsets].sort((a, b) => (a < b ? -1 : 1))
  }

  /** The newest intact one at or below `atOrBelow`. */
  async load(atOrBelow: bigint): Promise<LogSnapshot | null> {
    for (const offset of this.#offsets.filter((known) => known <= atOrBelow).reverse()) {
      const bytes = await this.#fs.readFile(this.#path(offset))
      if (bytes !== null && this.#isIntact(bytes)) return { offset, bytes: new Uint8Array(bytes) }
      // Kafka removes it too: nobody can use it
      if (bytes !== null) await this.removeWhere((known) => known === offset)
    }
    return null
  }

  /** Keeps it, and of those that are not at a segment's base (in `bases`) only it. */
  async save(snapshot: LogSnapshot, bases: ReadonlySet<bigint>, sync: boolean): Promise<void> {
    await withFile(this.#fs, this.#path(snapshot.offset), 'w', async (fd) => {
      await writeFully(this.#fs, fd, [snapshot.bytes], 0)
      if (sync) await this.#fs.sync(fd)
    })
    const others = this.#offsets.filter((offset) => offset !== snapshot.offset)
    this.#offsets = [...others, snapshot.offset].sort((a, b) => (a < b ? -1 : 1))
    await this.removeWhere((offset) => offset !== snapshot.offset && !bases.has(offset))
  }

  async removeWhere(condition: (offset: bigint) => boolean): Promise<void> {
    const gone = this.#offsets.filter(condition)
    this.#offsets = this.#offsets.filter((offset) => !condition(offset))
    for (const offset of gone) await this.#fs.remove(this.#path(offset))
  }

  #path(offset: bigint): string {
    return `${this.#folder}/${offsetName(offset)}${SNAPSHOT_SUFFIX}`
  }

  #isIntact(bytes: Uint8Array): boolean {
    if (bytes.byteLength < HEADER_BYTES) return false
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    if (view.getInt16(0) !== VERSION) return false
    if (view.getInt32(CRC_COVERS_FROM) * ENTRY_BYTES !== bytes.byteLength - HEADER_BYTES) return false
    return view.getUint32(AT_CRC) === this.#checksum.crc32c(bytes.subarray(CRC_COVERS_FROM))
  }
}
