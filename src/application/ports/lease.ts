/**
 * A reference-counted hold on pooled memory (a request frame). Whoever keeps a slice past the current turn retains
 * it first and releases it exactly once afterwards. A forgotten release costs reuse of one buffer, never
 * correctness (the garbage collector takes it); a release too many is a bug and throws.
 */
export interface Lease {
  retain(): void
  release(): void
}
