/** Regular expressions in the syntax of RE2 by the package re2js, which is loaded when the first one is compiled. */
import { createRequire } from 'node:module'
import type * as Re2 from 're2js'
import type { CompilePattern } from '../../domain/groups/topic-pattern.ts'

const require = createRequire(import.meta.url)

export function re2Patterns(): CompilePattern {
  let engine: typeof Re2 | null = null
  return (pattern) => {
    engine ??= require('re2js') as typeof Re2
    try {
      const compiled = engine.RE2JS.compile(pattern)
      return { matches: (topicName) => compiled.matches(topicName) }
    } catch (error) {
      if (!(error instanceof engine.RE2JSSyntaxException)) throw error
      return { error: error.getDescription() }
    }
  }
}
