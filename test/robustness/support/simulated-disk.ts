/**
 * A disk in memory that knows what has reached the platter. Killing it ends the process: no operation that is under
 * way answers any more, and a write under way is torn. `revive` makes the disk that the next process finds: all that
 * was written, or, after a power loss, what was synced and some of the rest: the first writes to a file and a part of
 * the next, or any of them, as a disk that writes in an order of its own. Names are a journal: they come in order.
 * It fails operations and runs full when it is told to.
 */
import type { FileSystem } from '../../../src/adapters/storage-fs/file-system.ts'
import { ioError } from './faulty-file-system.ts'

interface Change {
  readonly position: number
  /** null = the file is cut, or extended by zeros, to `position`. */
  readonly bytes: Uint8Array | null
}

interface SimulatedFile {
  data: Buffer
  durable: Buffer
  pending: Change[]
}

type Names = Map<string, SimulatedFile | 'directory'>
type NameChange = (names: Names) => void

function apply(data: Buffer, { position, bytes }: Change): Buffer {
  const size = bytes === null ? position : Math.max(data.length, position + bytes.length)
  const changed = Buffer.alloc(size)
  data.copy(changed, 0, 0, size)
  if (bytes !== null) changed.set(bytes, position)
  return changed
}

export class SimulatedDisk {
  readonly system: FileSystem & { modifiedMs(path: string): Promise<bigint> }
  /** Resolves when the process is dead. */
  readonly died: Promise<'died'>
  readonly #below: (below: number) => number
  #names: Names
  #durableNames: Names
  #nameChanges: NameChange[] = []
  readonly #open = new Map<number, SimulatedFile>()
  #descriptors = 2
  #operationsLeft = Infinity
  #dead = false
  #faultAfter = Infinity
  #faults = 0
  /** Bytes that may still be written. */
  #room = Infinity
  #die: (how: 'died') => void = () => undefined

  constructor(below: (below: number) => number, names: Names = new Map()) {
    this.#below = below
    this.#names = names
    this.#durableNames = new Map(names)
    this.died = new Promise((resolve) => (this.#die = resolve))
    this.system = this.#operations()
  }

  get isDead(): boolean {
    return this.#dead
  }

  /** Whether it is told to fail, or to be full. */
  get isWorn(): boolean {
    return this.#faultAfter < Infinity || this.#room < Infinity
  }

  /** The process ends with the operation that comes after so many others. */
  killAfter(operations: number): void {
    this.#operationsLeft = operations
  }

  /** So many operations that change something fail, after so many others. */
  failAfter(operations: number, faults: number): void {
    this.#faultAfter = operations
    this.#faults = faults
  }

  /** Only so many bytes more can be written. */
  fill(room: number): void {
    this.#room = room
  }

  kill(): void {
    this.#dead = true
    this.#die('died')
  }

  revive(powerLoss: boolean): SimulatedDisk {
    const below = this.#below
    if (powerLoss) {
      const kept = below(this.#nameChanges.length + 1)
      for (const change of this.#nameChanges.slice(0, kept)) change(this.#durableNames)
    }
    const names: Names = new Map()
    for (const [path, file] of powerLoss ? this.#durableNames : this.#names) {
      if (file === 'directory') names.set(path, file)
      else {
        const data = powerLoss ? this.#afterPowerLoss(file) : file.data
        names.set(path, { data, durable: data, pending: [] })
      }
    }
    return new SimulatedDisk(below, names)
  }

  #afterPowerLoss({ durable, pending }: SimulatedFile): Buffer {
    const below = this.#below
    let data = durable
    if (below(3) === 0) {
      for (const change of pending) if (below(2) === 0) data = apply(data, change)
      return data
    }
    const kept = below(pending.length + 1)
    for (const change of pending.slice(0, kept)) data = apply(data, change)
    const torn = pending[kept]
    if (torn?.bytes && below(2) === 0) {
      const bytes = Buffer.from(torn.bytes)
      const from = below(bytes.length + 1)
      if (below(2) === 0) bytes.fill(0, from)
      data = apply(data, { position: torn.position, bytes: below(2) === 0 ? bytes : bytes.subarray(0, from) })
    }
    return data
  }

  #fails(): boolean {
    if (this.#faults === 0 || this.#faultAfter-- > 0) return false
    this.#faults--
    return true
  }

  /** One operation: takes a while, may fail when it changes something, and may be the last. */
  async #run<T>(work: () => T, changes = false, torn: () => void = () => undefined): Promise<T> {
    for (let turns = this.#below(3); turns > 0; turns--) await Promise.resolve()
    if (!this.#dead && this.#operationsLeft-- <= 0) {
      torn()
      this.kill()
    }
    if (this.#dead) return await new Promise<T>(() => undefined)
    if (changes && this.#fails()) throw ioError('EIO')
    const result = work()
    await Promise.resolve()
    return this.isDead ? await new Promise<T>(() => undefined) : result
  }

  #change(change: NameChange): void {
    change(this.#names)
    this.#nameChanges.push(change)
  }

  #file(path: string): SimulatedFile {
    const file = this.#names.get(path)
    if (file === undefined || file === 'directory') throw ioError('ENOENT')
    return file
  }

  #write(fd: number, change: Change): void {
    const file = this.#open.get(fd)!
    file.data = apply(file.data, change)
    file.pending.push(change)
  }

  /** All of the bytes, or fewer, as far as there is room. */
  #writeSome(fd: number, bytes: Uint8Array, position: number): number {
    const wanted = this.#below(10) === 0 ? 1 + this.#below(bytes.length) : bytes.length
    if (this.#room === 0 && wanted > 0) throw ioError('ENOSPC')
    const written = Math.min(wanted, this.#room)
    this.#room -= written
    this.#write(fd, { position, bytes: bytes.subarray(0, written) })
    return written
  }

  /** The process dies in the middle of a write. */
  #tear(fd: number, bytes: Uint8Array, position: number): void {
    this.#write(fd, { position, bytes: bytes.subarray(0, this.#below(bytes.length + 1)) })
  }

  #openFile(path: string, flags: string): number {
    const found = this.#names.get(path)
    if (flags === 'wx' && found !== undefined) throw ioError('EEXIST')
    if (found === undefined) {
      if (flags.startsWith('r')) throw ioError('ENOENT')
      const file: SimulatedFile = { data: Buffer.alloc(0), durable: Buffer.alloc(0), pending: [] }
      this.#change((names) => void names.set(path, file))
    }
    const fd = ++this.#descriptors
    this.#open.set(fd, this.#file(path))
    if (flags === 'w' && found !== undefined) this.#write(fd, { position: 0, bytes: null })
    return fd
  }

  #rename(from: string, to: string): void {
    if (!this.#names.has(from)) throw ioError('ENOENT')
    this.#change((names) => {
      for (const [path, file] of [...names]) {
        if (path !== from && !path.startsWith(`${from}/`)) continue
        names.delete(path)
        names.set(to + path.slice(from.length), file)
      }
    })
  }

  #operations(): SimulatedDisk['system'] {
    const joined = (chunks: readonly Uint8Array[]) => Buffer.concat(chunks)
    return {
      open: (path, flags) => this.#run(() => this.#openFile(path, flags), !flags.startsWith('r')),
      close: (fd) => this.#run(() => void this.#open.delete(fd)),
      read: (fd, buffer, at, length, position) =>
        this.#run(() => this.#open.get(fd)!.data.copy(buffer, at, position, position + length)),
      writev: (fd, chunks, position) =>
        this.#run(
          () => this.#writeSome(fd, joined(chunks), position),
          true,
          () => this.#tear(fd, joined(chunks), position),
        ),
      writevNow: (fd, chunks, position) => {
        // the other half goes the longer way, as large writes and those on a slow disk do
        if (this.#dead || this.#below(2) === 0) return null
        if (this.#operationsLeft-- <= 0) {
          this.#tear(fd, joined(chunks), position)
          this.kill()
        }
        return this.isDead || this.#fails() || this.#room === 0 ? null : this.#writeSome(fd, joined(chunks), position)
      },
      truncate: (fd, bytes) => this.#run(() => this.#write(fd, { position: bytes, bytes: null }), true),
      sync: (fd) =>
        this.#run(() => {
          const file = this.#open.get(fd)!
          file.durable = file.data
          file.pending = []
        }, true),
      // as a journal: whatever happened to names before is on the disk with it
      syncDirectory: () =>
        this.#run(() => {
          for (const change of this.#nameChanges.splice(0)) change(this.#durableNames)
        }, true),
      sizeOf: (path) => this.#run(() => this.#file(path).data.length),
      list: (path) =>
        this.#run(() => {
          const inside = [...this.#names].filter(([name]) => name.slice(0, name.lastIndexOf('/')) === path)
          return inside.map(([name, file]) => ({
            name: name.slice(path.length + 1),
            directory: file === 'directory',
          }))
        }),
      readFile: (path) =>
        this.#run(() => {
          const file = this.#names.get(path)
          return file === undefined || file === 'directory' ? null : Buffer.from(file.data)
        }),
      makeDirectory: (path) =>
        this.#run(() => {
          if (!this.#names.has(path)) this.#change((names) => void names.set(path, 'directory'))
        }, true),
      rename: (from, to) => this.#run(() => this.#rename(from, to), true),
      remove: (path) =>
        this.#run(() => {
          this.#change((names) => {
            for (const name of [...names.keys()]) if (name === path || name.startsWith(`${path}/`)) names.delete(name)
          })
        }, true),
      space: () => this.#run(() => ({ totalBytes: 1n << 40n, usableBytes: 1n << 39n })),
      lock: () => this.#run(() => () => Promise.resolve()),
      modifiedMs: () => this.#run(() => 1_700_000_000_000n),
    }
  }
}
