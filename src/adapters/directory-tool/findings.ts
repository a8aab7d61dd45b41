/** What the tool found and what it means: the one vocabulary of the listing and of the check. */

/**
 * `note`: expected or mended by the next start; `problem`: damage, or what a broker would refuse or lose;
 * `unreadable`: the file system gave an error instead of the bytes.
 */
export type Severity = 'note' | 'problem' | 'unreadable'

export interface Finding {
  readonly severity: Severity
  /** A file or folder. */
  readonly path: string
  readonly text: string
}

/** Collects findings and hands each on at once. */
export class Findings {
  readonly #tell: (finding: Finding) => void
  readonly counts: Record<Severity, number> = { note: 0, problem: 0, unreadable: 0 }

  constructor(tell: (finding: Finding) => void) {
    this.#tell = tell
  }

  add(severity: Severity, path: string, text: string): void {
    this.counts[severity]++
    this.#tell({ severity, path, text })
  }

  note(path: string, text: string): void {
    this.add('note', path, text)
  }

  problem(path: string, text: string): void {
    this.add('problem', path, text)
  }

  /** For what a file operation threw. A file that was there a moment ago and is gone belongs to a running broker. */
  failure(path: string, error: unknown): void {
    if (codeOf(error) === 'ENOENT') this.note(path, 'went away while it was looked at')
    else this.add('unreadable', path, `cannot be read: ${messageOf(error)}`)
  }

  /** Runs `work`; what it throws becomes a finding about `path`. */
  async guard(path: string, work: () => Promise<void>): Promise<void> {
    try {
      await work()
    } catch (error) {
      this.failure(path, error)
    }
  }
}

function codeOf(error: unknown): unknown {
  return typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined
}

/** One line of whatever was thrown. */
export function messageOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error)
  return text.split('\n', 1)[0]!
}
