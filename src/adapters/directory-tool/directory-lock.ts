/**
 * Whether a running broker holds a log directory, told without touching its lock: Linux lists the locks of all files.
 * Elsewhere, and for a broker in a container that cannot be seen from here, the answer is what the file says by being
 * there.
 */
import { readFile, stat } from 'node:fs/promises'

/** `left behind`: the file is there and nobody visible holds it; a broker was killed, or runs where we cannot see it. */
export type LockState = 'free' | 'held' | 'left behind' | 'unknown'

const LOCKS_OF_ALL = '/proc/locks'

export async function lockStateOf(lockFile: string, locksOfAll = LOCKS_OF_ALL): Promise<LockState> {
  const found = await stat(lockFile, { bigint: true }).catch(() => null)
  if (found === null) return 'free'
  const locks = await readFile(locksOfAll, 'utf8').catch(() => null)
  if (locks === null) return 'unknown'
  const { dev, ino } = found
  const major = ((dev >> 8n) & 0xfffn) | ((dev >> 32n) & ~0xfffn)
  const minor = (dev & 0xffn) | ((dev >> 12n) & ~0xffn)
  const hex = (value: bigint): string => value.toString(16).padStart(2, '0')
  return locks.includes(` ${hex(major)}:${hex(minor)}:${ino} `) ? 'held' : 'left behind'
}
