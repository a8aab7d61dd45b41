/**
 * How far a check is, on standard error: a bar that is drawn over itself on a terminal, else a line now and then, so
 * that a log of it stays short.
 */
export interface ProgressTarget {
  write(text: string): void
  readonly isTerminal: boolean
}

const BAR_CHARS = 30
const BAR_EVERY_MS = 100
const LINE_EVERY_MS = 10_000

export class Progress {
  readonly #target: ProgressTarget
  readonly #nowMs: () => number
  readonly #totalBytes: number
  readonly #beganMs: number
  #toldMs: number
  #bytes = 0
  #drawn = false

  constructor(target: ProgressTarget, nowMs: () => number, totalBytes: number) {
    this.#target = target
    this.#nowMs = nowMs
    this.#totalBytes = totalBytes
    this.#beganMs = this.#toldMs = nowMs()
  }

  add(bytes: number): void {
    this.#bytes += bytes
    const now = this.#nowMs()
    if (now - this.#toldMs < (this.#target.isTerminal ? BAR_EVERY_MS : LINE_EVERY_MS)) return
    this.#toldMs = now
    if (!this.#target.isTerminal) this.#target.write(`${this.#text(now)}\n`)
    else {
      const done = Math.min(BAR_CHARS, Math.round((this.#bytes / Math.max(1, this.#totalBytes)) * BAR_CHARS))
      this.#target.write(`\r[${'#'.repeat(done)}${'.'.repeat(BAR_CHARS - done)}] ${this.#text(now)}\u001b[K`)
      this.#drawn = true
    }
  }

  /** Takes the bar away, so that something else can be printed. */
  clear(): void {
    if (this.#drawn) this.#target.write('\r\u001b[K')
    this.#drawn = false
  }

  #text(now: number): string {
    const seconds = (now - this.#beganMs) / 1000
    const percent = Math.min(100, Math.floor((this.#bytes / Math.max(1, this.#totalBytes)) * 100))
    const rate = seconds > 0 ? `, ${sizeText(this.#bytes / seconds)}/s` : ''
    return `${percent} % of ${sizeText(this.#totalBytes)} checked${rate}`
  }
}

const units = ['B', 'kB', 'MB', 'GB', 'TB']

/** `1.5 MB`, in powers of 1000. */
export function sizeText(bytes: number): string {
  let unit = 0
  let value = bytes
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000
    unit++
  }
  return `${unit === 0 ? Math.round(value) : value.toFixed(value < 10 ? 1 : 0)} ${units[unit]!}`
}
