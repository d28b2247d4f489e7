import { describe, expect, it } from 'vitest'

import { strengthOf } from '../../src/team/passwordStrength'

describe('a password’s strength', () => {
  it.each([
    ['', 'short'],
    ['Kx7#q', 'short'],
    ['aaaaaaaaaaaaaaaa', 'weak'],
    ['abcdefghijklmnop', 'weak'],
    ['123456789012345', 'weak'],
    ['abababababababab', 'weak'],
    ['plain winter wood', 'fair'],
    ['correct horse battery staple', 'strong'],
    ['vR8!kq2%Zt5&Lw9', 'strong'],
    ['春眠不觉晓处处闻啼鸟夜来', 'strong'],
  ])('of %s is %s', (password, strength) => {
    expect(strengthOf(password, [])).toBe(strength)
  })

  it('says what the server refuses: the person’s own name', () => {
    expect(strengthOf('featherstonehaugh', [])).toBe('fair')
    expect(strengthOf('featherstonehaugh', ['Featherstonehaugh'])).toBe('named')
    expect(strengthOf('Grace Hopper likes 47 maple rivers!', ['', 'grace hopper'])).toBe('named')
    expect(strengthOf('ＧＲＡＣＥ likes 47 maple rivers!', ['grace'])).toBe('named')
    expect(strengthOf('liliLILI-lili 2026', ['lili'])).toBe('named')
    expect(strengthOf('Bo Bo Bo Bo Bo 2026!', ['Bo'])).toBe('named')
    expect(strengthOf('maple river stone 47', ['ma'])).toBe(strengthOf('maple river stone 47', []))
  })
})
