/** The legal basis for recognising a new person. The last choice is offered again while the window is open. */

import type { Basis } from '../api/peopleApi'
import type { Texts } from '../lib/i18n'

const KEPT = 'people.basis'
export const BASES = ['own_consent', 'family', 'contract', 'guardian'] as const satisfies readonly Basis[]

export const WORDS: Readonly<Record<Basis, string>> = {
  own_consent: 'ui.people.basis.own_consent',
  family: 'ui.people.basis.family',
  contract: 'ui.people.basis.contract',
  guardian: 'ui.people.basis.guardian',
}

export class LegalBases {
  chosen = $state<Basis>('family')

  constructor(private readonly kept: Pick<Storage, 'getItem' | 'setItem'>) {
    this.chosen = BASES.find((basis) => basis === kept.getItem(KEPT)) ?? this.chosen
  }

  choose = (value: string): void => {
    this.chosen = BASES.find((basis) => basis === value) ?? this.chosen
    this.kept.setItem(KEPT, this.chosen)
  }
}

/** Words for all of them, to choose from. */
export function basisChoices(t: Texts): readonly { readonly value: Basis; readonly title: string }[] {
  return BASES.map((value) => {
    const title = t(WORDS[value])
    // In a sentence they stand small.
    return { value, title: title.charAt(0).toUpperCase() + title.slice(1) }
  })
}

export const legalBases = new LegalBases(globalThis.sessionStorage ?? { getItem: () => null, setItem: () => undefined })
