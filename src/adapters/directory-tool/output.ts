/**
 * Where the tool prints: whole lines, gathered into larger writes, no faster than the reader takes them. A reader that
 * goes away (`| head`) ends the tool quietly: `closed` says so.
 */
import type { Writable } from 'node:stream'

const GATHERED_CHARS = 64 * 1024

export class Output {
  readonly #stream: Writable
  #text = ''
  closed = false

  constructor(stream: Writable) {
    this.#stream = stream
    stream.on('error', () => {
      this.closed = true
    })
  }

  /** Wait for what it answers, if anything, before the next line. */
  line(text: string): Promise<void> | undefined {
    this.#text += `${text}\n`
    return this.#text.length >= GATHERED_CHARS ? this.flush() : undefined
  }

  async flush(): Promise<void> {
    const text = this.#text
    this.#text = ''
    if (text === '' || this.closed) return
    await new Promise<void>((resolve) => {
      this.#stream.write(text, () => resolve())
    })
  }
}
