import * as incidents from 'virtual:texts/incidents,record,team_page'
import { describe, expect, it } from 'vitest'

import { extend, texts } from '../../src/lib/i18n'
import { detailTexts } from '../../src/team/recordDetails'

extend(incidents)
const t = texts('en')
const told = (action: string, detail: string, named: readonly number[] = []): readonly string[] => detailTexts({ action, detail }, named, t)

describe('the details of the record', () => {
  it.each([
    ['role_changed', 'curator', ['Curator']],
    ['incident_raised', 'raised_role', ['New administrator or raised role']],
    ['incident_closed', 'mass_export 12', ['Many photos taken away', '12']],
    ['consent_given', 'publish', [t('team_page.consent.publish')]],
    ['prints_deleted', 'consent', ['no valid consent']],
    ['bucket_added', 'publish', ['publish']],
    ['access_granted', '2 viewer', ['2', 'Viewer']],
    ['incident_raised', 'of_a_later_version', ['of_a_later_version']],
    ['named', '', []],
  ])('of %s, %s, are in words', (action, detail, words) => {
    expect(told(action, detail)).toEqual(words)
  })

  it('leave out the number of a library that is named beside them', () => {
    expect(told('access_granted', '2 viewer', [2])).toEqual(['Viewer'])
    expect(told('bucket_added', '2', [2])).toEqual(['2'])
  })
})
