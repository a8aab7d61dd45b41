/** Regular expressions over topic names, in the syntax of RE2 (KIP-848). The domain is given the engine. */

export interface TopicPattern {
  /** Whether the whole name matches. */
  matches(topicName: string): boolean
}

/** Compiles a pattern, or says in RE2's words what is wrong with it. */
export type CompilePattern = (pattern: string) => TopicPattern | { readonly error: string }
