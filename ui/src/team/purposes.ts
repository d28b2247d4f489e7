/** What a person can agree to, in words. */

import type { Purpose } from '../api/teamApi'
import type { Texts } from '../lib/i18n'

export const PURPOSES: readonly Purpose[] = ['recognise', 'show_inside', 'publish']

export function purposeText(purpose: Purpose, t: Texts): string {
  switch (purpose) {
    case 'recognise':
      return t('team_page.consent.recognise')
    case 'show_inside':
      return t('team_page.consent.show_inside')
    case 'publish':
      return t('team_page.consent.publish')
  }
}
