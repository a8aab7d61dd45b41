/**
 * The aborted transactions whose markers lie in one segment, in memory once they are asked for, and their `.txnindex`
 * file, which there is none of while there are none. Knows nothing of the log: what is right is its caller's to say.
 */
import { type AbortedTransaction, firstAbortedFrom } from '../../domain/log/aborted-transaction.ts'
import { ABORTED_ENTRY_BYTES, formatAborted, parseAborted } from './aborted-index.ts'
import type { FileSystem } from './file-system.ts'
import { withFile, writeFully } from './whole-files.ts'

export class AbortedList {
  readonly #fs: FileSystem
  readonly #path: string
  /** By the offset of their markers. */
  #all: AbortedTransaction[] | null = null
  /** What of the file may not be on the disk yet. */
  #unsynced: 'nothing' | 'entries' | 'entries and name' = 'nothing'

  constructor(fs: FileSystem, path: string) {
    this.#fs = fs
    this.#path = path
  }

  /** What its writer knows, so that no file need be read for it. */
  remember(aborted: AbortedTransaction[]): void {
    this.#all = aborted
  }

  /** In the order of their markers; grows by what is added later. */
  async all(): Promise<readonly AbortedTransaction[]> {
    return await this.#read()
  }

  async #read(): Promise<AbortedTransaction[]> {
    if (this.#all !== null) return this.#all
    const bytes = await this.#fs.readFile(this.#path)
    this.#all ??= bytes === null ? [] : parseAborted(bytes)
    return this.#all
  }

  /**
   * Adds a transaction whose abort marker is about to be written: a process that dies between the two leaves an entry
   * too many, which recovery cuts, and never one too few, which would show aborted records. Not synced.
   */
  async add(added: AbortedTransaction): Promise<void> {
    const all = await this.#read()
    // In its place behind the others: rewriting them would cost more with each, and could lose them.
    const flags = all.length === 0 ? 'w' : 'r+'
    await this.#write(flags, [added], all.length * ABORTED_ENTRY_BYTES)
    if (all.length === 0) this.#unsynced = 'entries and name'
    else if (this.#unsynced === 'nothing') this.#unsynced = 'entries'
    all.push(added)
  }

  /** Forgets the transactions whose markers lie at or after `offset`: that part of the log is gone. */
  async cut(offset: bigint): Promise<void> {
    const all = await this.#read()
    const kept = firstAbortedFrom(all, offset)
    if (kept === all.length) return
    await withFile(this.#fs, this.#path, 'r+', async (fd) => {
      await this.#fs.truncate(fd, kept * ABORTED_ENTRY_BYTES)
      // as the cut log is: what is below the recovery point is not looked at again
      await this.#fs.sync(fd)
    })
    this.#all = all.slice(0, kept)
  }

  /**
   * Makes `aborted` what it holds, on the disk too; the name of a new file is the caller's to sync. The file is not
   * replaced by a rename: whoever restores it does so again after a crash.
   */
  async restore(aborted: AbortedTransaction[]): Promise<void> {
    const exists = (await this.#fs.readFile(this.#path)) !== null
    if (exists || aborted.length > 0) await this.#write('w', aborted, 0, true)
    this.#all = aborted
    this.#unsynced = 'nothing'
  }

  /** Brings what was added to the disk; answers whether the file is new, so that its name is not there yet. */
  async sync(): Promise<boolean> {
    const unsynced = this.#unsynced
    if (unsynced === 'nothing') return false
    // before the wait: what is added meanwhile is not covered
    this.#unsynced = 'nothing'
    await withFile(this.#fs, this.#path, 'r+', (fd) => this.#fs.sync(fd))
    return unsynced === 'entries and name'
  }

  async #write(flags: string, entries: readonly AbortedTransaction[], at: number, sync = false): Promise<void> {
    await withFile(this.#fs, this.#path, flags, async (fd) => {
      if (entries.length > 0) await writeFully(this.#fs, fd, [formatAborted(entries)], at)
      if (sync) await this.#fs.sync(fd)
    })
  }
}
