import type { Isolation } from '../../partition.ts'

/** The isolation that an `isolationLevel` on the wire means, or null when it means none. */
export function isolationOf(level: number): Isolation | null {
  if (level === 0) return 'read uncommitted'
  return level === 1 ? 'read committed' : null
}
