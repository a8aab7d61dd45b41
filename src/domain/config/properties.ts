/**
 * The text of Java properties files ↔ entries, by the rules of `java.util.Properties`: comments (`#`, `!`), `=`, `:`
 * or blanks between key and value, lines continued by a backslash (with the next line's blanks dropped), the escapes
 * `\t \n \r \f \uXXXX`; a backslash before anything else disappears. Of several entries with one key the last counts.
 *
 * Text, not bytes: Java reads files as ISO-8859-1, where letters beyond ASCII must be escaped; reading them as UTF-8
 * gives the same for ASCII and what was meant for the rest.
 */

export interface PropertiesEntry {
  readonly key: string
  readonly value: string
  /** From 1: the line that the entry begins on. */
  readonly line: number
}

export type ParsedProperties =
  | { readonly entries: readonly PropertiesEntry[]; readonly error: null }
  /** An escape that is none; Java throws there too. */
  | { readonly entries?: never; readonly error: { readonly line: number; readonly message: string } }

/** All entries in the order of the file, repeated keys included. */
export function parseProperties(text: string): ParsedProperties {
  const entries: PropertiesEntry[] = []
  for (const { line, text: logical } of logicalLines(text)) {
    const { key, value } = splitEntry(logical)
    const unescapedKey = unescape(key)
    const unescapedValue = unescape(value)
    if (unescapedKey === null || unescapedValue === null) {
      return { error: { line, message: 'Malformed \\uxxxx encoding.' } }
    }
    entries.push({ key: unescapedKey, value: unescapedValue, line })
  }
  return { entries, error: null }
}

/** Entries as lines that `parseProperties`, and Java, read back to the same; only ASCII. */
export function formatProperties(entries: Iterable<readonly [key: string, value: string]>): string {
  let text = ''
  for (const [key, value] of entries) text += `${escape(key, true)}=${escape(value, false)}\n`
  return text
}

interface LogicalLine {
  readonly line: number
  readonly text: string
}

function* logicalLines(text: string): Generator<LogicalLine> {
  const lines = text.split(/\r\n|\r|\n/)
  for (let index = 0; index < lines.length; index++) {
    const line = index + 1
    let logical = dropBlanks(lines[index] ?? '')
    if (logical === '' || logical.startsWith('#') || logical.startsWith('!')) continue
    while (isContinued(logical)) {
      logical = logical.slice(0, -1)
      if (index + 1 >= lines.length) break
      index += 1
      const next = dropBlanks(lines[index] ?? '')
      // As long as nothing but a backslash has come, the entry has not begun: this may still be a comment.
      if (logical === '' && /^[#!]/.test(next)) break
      logical += next
    }
    if (logical !== '') yield { line, text: logical }
  }
}

function dropBlanks(text: string): string {
  return text.replace(/^[ \t\f]+/, '')
}

/** An odd number of backslashes at the end. */
function isContinued(text: string): boolean {
  const backslashes = /\\*$/.exec(text)?.[0].length ?? 0
  return backslashes % 2 === 1
}

function splitEntry(line: string): { readonly key: string; readonly value: string } {
  let end = 0
  while (end < line.length && !/[=: \t\f]/.test(line.charAt(end))) end += line.charAt(end) === '\\' ? 2 : 1
  const rest = dropBlanks(line.slice(end))
  const value = /^[=:]/.test(rest) ? dropBlanks(rest.slice(1)) : rest
  return { key: line.slice(0, end), value }
}

const escapes: Readonly<Record<string, string>> = { t: '\t', n: '\n', r: '\r', f: '\f' }

function unescape(text: string): string | null {
  if (!text.includes('\\')) return text
  let out = ''
  for (let index = 0; index < text.length; index++) {
    const char = text.charAt(index)
    if (char !== '\\') {
      out += char
      continue
    }
    index += 1
    const escaped = text.charAt(index)
    if (escaped !== 'u') {
      out += escapes[escaped] ?? escaped
      continue
    }
    const code = text.slice(index + 1, index + 5)
    if (!/^[0-9a-fA-F]{4}$/.test(code)) return null
    out += String.fromCharCode(parseInt(code, 16))
    index += 4
  }
  return out
}

const written: Readonly<Record<string, string>> = { '\t': '\\t', '\n': '\\n', '\r': '\\r', '\f': '\\f' }

function escape(text: string, isKey: boolean): string {
  let out = ''
  for (let index = 0; index < text.length; index++) {
    const char = text.charAt(index)
    const code = text.charCodeAt(index)
    if (written[char] !== undefined) out += written[char]
    else if ('\\=:#!'.includes(char) || (char === ' ' && (isKey || index === 0))) out += `\\${char}`
    else if (code < 0x20 || code > 0x7e) out += `\\u${code.toString(16).padStart(4, '0')}`
    else out += char
  }
  return out
}
