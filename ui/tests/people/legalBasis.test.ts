import { expect, it } from 'vitest'

import { texts } from '../../src/lib/i18n'
import { LegalBases, basisChoices } from '../../src/people/legalBasis.svelte'

it('what was chosen last is offered for the next one, as long as the window is open', () => {
  const kept = new Map<string, string>()
  const storage = { getItem: (key: string) => kept.get(key) ?? null, setItem: (key: string, value: string) => void kept.set(key, value) }
  const bases = new LegalBases(storage)
  expect(bases.chosen).toBe('family')
  bases.choose('guardian')
  bases.choose('nonsense')
  expect(new LegalBases(storage).chosen).toBe('guardian')
})

it('all can be chosen, in words of their own', () => {
  expect(basisChoices(texts('en'))[0]).toEqual({ value: 'own_consent', title: 'Their own consent' })
  expect(new Set(basisChoices(texts('zh-CN')).map(({ title }) => title)).size).toBe(4)
})
