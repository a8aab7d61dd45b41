/**
 * Descriptors of segment files, opened on demand and kept up to a bound, so that thousands of partitions do not need
 * thousands of descriptors. The one least recently used is closed first; one in use is never closed under its user.
 */
import type { FileSystem } from './file-system.ts'

interface OpenFile {
  readonly fd: number | Promise<number>
  users: number
  /** To be closed as soon as nobody uses it. */
  forgotten: boolean
}

export class OpenFiles {
  readonly #fs: FileSystem
  readonly #max: number
  readonly #files = new Map<string, OpenFile>()
  readonly #closing = new Set<Promise<void>>()

  constructor(fs: FileSystem, max: number) {
    this.#fs = fs
    this.#max = max
  }

  /** Runs `work` with a descriptor for reading and writing of an existing file. */
  use<T>(path: string, work: (fd: number) => Promise<T>): Promise<T> {
    const file = this.#files.get(path)
    if (file === undefined || typeof file.fd !== 'number') return this.#useOpening(path, file, work)
    this.#touch(path, file)
    file.users++
    const result = work(file.fd)
    const done = () => this.#done(file)
    result.then(done, done)
    return result
  }

  /** The descriptor for use in this turn only; null when the file is not open yet. */
  peek(path: string): number | null {
    const file = this.#files.get(path)
    if (file === undefined || typeof file.fd !== 'number') return null
    this.#touch(path, file)
    return file.fd
  }

  /** In the order of their use, which matters once there are nearly as many as may be. */
  #touch(path: string, file: OpenFile): void {
    if (this.#files.size * 2 <= this.#max) return
    this.#files.delete(path)
    this.#files.set(path, file)
  }

  async #useOpening<T>(path: string, opening: OpenFile | undefined, work: (fd: number) => Promise<T>): Promise<T> {
    const file = opening ?? { fd: this.#fs.open(path, 'r+'), users: 0, forgotten: false }
    this.#files.delete(path)
    this.#files.set(path, file)
    file.users++
    try {
      const fd = await Promise.resolve(file.fd).catch((error: unknown) => {
        if (this.#files.get(path) === file) this.#files.delete(path)
        throw error
      })
      ;(file as { fd: number | Promise<number> }).fd = fd
      return await work(fd)
    } finally {
      this.#done(file)
    }
  }

  #done(file: OpenFile): void {
    file.users--
    if (file.forgotten) this.#closeUnused(file)
    else if (this.#files.size > this.#max) this.#evict()
  }

  /** Closes the file once nobody uses it any more: it is about to be renamed or removed. */
  forget(path: string): void {
    const file = this.#files.get(path)
    if (file === undefined) return
    this.#files.delete(path)
    file.forgotten = true
    this.#closeUnused(file)
  }

  /** Closes what is not in use; resolves when all that this object ever closed is closed. */
  async close(): Promise<void> {
    for (const path of [...this.#files.keys()]) this.forget(path)
    await Promise.all(this.#closing)
  }

  #evict(): void {
    for (const [path, file] of this.#files) {
      if (this.#files.size <= this.#max) return
      if (file.users > 0) continue
      this.#files.delete(path)
      file.forgotten = true
      this.#closeUnused(file)
    }
  }

  #closeUnused(file: OpenFile): void {
    if (file.users > 0 || typeof file.fd !== 'number') return
    // an error of close has nobody to tell: what must be on the disk was synced before
    const closing = this.#fs.close(file.fd).catch(() => undefined)
    this.#closing.add(closing)
    void closing.then(() => this.#closing.delete(closing))
  }
}
