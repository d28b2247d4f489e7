import { describe, expect, it } from 'vitest'

import { reader, spelled } from '../../src/lib/pinyin'

describe('a character', () => {
  it('is read as pinyin has it, and also as a surname has it', () => {
    const read = reader()
    expect([...'小梅爷林悦李伟陈欧阳赵婷喆女'].map((character) => read(character)[0])).toEqual(
      ['xiao', 'mei', 'ye', 'lin', 'yue', 'li', 'wei', 'chen', 'ou', 'yang', 'zhao', 'ting', 'zhe', 'nv'],
    )
    expect(read('曾')).toContain('zeng')
    expect(read('单')).toEqual(['dan', 'shan'])
  })

  it('has no reading where its order says nothing of pinyin', () => {
    expect(reader('ja')('梅')).toEqual([])
  })
})

describe('a name', () => {
  it('is found by the reading in the program’s own name, which browsers sort elsewhere', () => {
    expect(spelled('显示弹窗', 'tanchuang')).toBe(2)
  })

  it('is found by initials, by whole syllables and by a mixture', () => {
    for (const typed of ['xm', 'x', 'xiaomei', 'xiaom', 'XMei', 'xiao mei']) expect(spelled('小梅', typed), typed).toBe(1)
    expect(spelled('小梅', 'mei')).toBe(2)
    expect(spelled('欧阳建国', 'oyjg')).toBe(1)
    expect(spelled('小梅', 'xl')).toBe(3)
  })

  it('is found by the initials of its Latin words, and without accents', () => {
    expect(spelled('Mei Lin', 'ml')).toBe(1)
    expect(spelled('Tomás', 'tomas')).toBe(1)
    expect(spelled('Anna 小梅', 'xm')).toBe(2)
    expect(spelled('Mei Lin', 'mi')).toBe(3)
  })

  it('is not found by nothing, nor by characters', () => {
    expect(spelled('小梅', ' ')).toBe(3)
    expect(spelled('小梅', '梅')).toBe(3)
  })
})
