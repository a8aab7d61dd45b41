import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { formatProperties, parseProperties } from '../../../src/domain/config/properties.ts'

const pairs = (text: string) => parseProperties(text).entries?.map(({ key, value }) => [key, value])

describe('parseProperties', () => {
  it.each<[string, string, [string, string][]]>([
    ['equals', 'a=b', [['a', 'b']]],
    ['colon', 'a:b', [['a', 'b']]],
    ['blank', 'a b c', [['a', 'b c']]],
    ['blanks around the separator', '  a \t=  b  ', [['a', 'b  ']]],
    ['only the first separator', 'a = =b', [['a', '=b']]],
    ['blank, then separator', 'listeners : PLAINTEXT://:9092', [['listeners', 'PLAINTEXT://:9092']]],
    ['no value', 'a\nb=\nc:', [['a', ''], ['b', ''], ['c', '']]], // prettier-ignore
    ['no key', '=x', [['', 'x']]],
    ['comments', '# a=b\n  ! c=d\n\n \t\ne=#f', [['e', '#f']]],
    ['continuation drops leading blanks', 'a=b,\\\n   c,\\\n\td', [['a', 'b,c,d']]],
    ['continuation into a comment sign', 'a=b\\\n#c', [['a', 'b#c']]],
    ['continuation of nothing into a comment', ' \\\n #x=y', []],
    ['continuation of nothing', '\\\na=b', [['a', 'b']]],
    ['two backslashes do not continue', 'a=b\\\\\nc=d', [['a', 'b\\'], ['c', 'd']]], // prettier-ignore
    ['a last line that would go on', 'a=b\\', [['a', 'b']]],
    ['escaped separators in keys', 'a\\:b\\ c\\=d=e', [['a:b c=d', 'e']]],
    ['letters', 'a=\\t\\n\\r\\f\\q\\\\', [['a', '\t\n\r\fq\\']]],
    ['unicode', 'a=\\u00e9\\u20AC', [['a', 'é€']]],
    ['windows and old mac lines', 'a=b\r\nc=d\re=f', [['a', 'b'], ['c', 'd'], ['e', 'f']]], // prettier-ignore
    ['repeated keys in order', 'a=1\na=2', [['a', '1'], ['a', '2']]], // prettier-ignore
  ])('%s', (_what, text, expected) => {
    expect(pairs(text)).toEqual(expected)
  })

  it('tells the line of an entry and of a broken escape', () => {
    expect(parseProperties('#\na=\\\nb\nc=d').entries?.map((entry) => entry.line)).toEqual([2, 4])
    expect(parseProperties('a=b\nc=\\u12').error).toEqual({ line: 2, message: 'Malformed \\uxxxx encoding.' })
  })

  it('reads back what formatProperties wrote', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }))), (entries) => {
        expect(pairs(formatProperties(entries))).toEqual(entries)
      }),
    )
  })

  it('reads any text without a throw', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => void parseProperties(text)))
  })
})
