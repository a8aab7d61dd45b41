import { describe, expect, it } from '@jest/globals'
import { re2Patterns } from '../../../src/adapters/system/re2-patterns.ts'

const compile = re2Patterns()

describe('patterns in the syntax of RE2', () => {
  it.each([
    ['al.*', 'alpha', true],
    ['alp', 'alpha', false],
    ['a|beta', 'beta', true],
    ['(?i)ALPHA', 'alpha', true],
    ['\\Qa.b\\E', 'a.b', true],
    ['\\Qa.b\\E', 'axb', false],
  ])('%s and %s: %p', (pattern, name, matches) => {
    expect(compile(pattern)).toMatchObject({ matches: expect.any(Function) })
    expect((compile(pattern) as { matches(name: string): boolean }).matches(name)).toBe(matches)
  })

  // The words of 4.3.1 for the same patterns.
  it.each([
    ['[a', 'missing closing ]'],
    ['(a', 'missing closing )'],
    ['(?=a)b', 'invalid or unsupported Perl syntax'],
    ['a**', 'invalid nested repetition operator'],
    ['\\1', 'invalid escape sequence'],
    ['a{1001}', 'invalid repeat count'],
    ['[z-a]', 'invalid character class range'],
    ['*a', 'missing argument to repetition operator'],
    ['a\\', 'trailing backslash at end of expression'],
    ['(?P<n>a)(?P<n>b)', 'duplicate capture group name'],
  ])('%s is none: %s', (pattern, error) => {
    expect(compile(pattern)).toEqual({ error })
  })

  it('cannot be made to run for ever', () => {
    const pattern = compile('(a*)*(a*)*b') as { matches(name: string): boolean }
    expect(pattern.matches('a'.repeat(249))).toBe(false)
  })
})
