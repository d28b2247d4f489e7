/** The roles of a team's members, in words. */

import type { Role } from '../api/types'
import type { Texts } from '../lib/i18n'

export const ROLES: readonly Role[] = ['administrator', 'curator', 'editor', 'viewer', 'auditor']

export function roleText(role: Role, t: Texts): string {
  switch (role) {
    case 'administrator':
      return t('team_page.roles.administrator')
    case 'curator':
      return t('team_page.roles.curator')
    case 'editor':
      return t('team_page.roles.editor')
    case 'viewer':
      return t('team_page.roles.viewer')
    case 'auditor':
      return t('team_page.roles.auditor')
  }
}

/** What a role may do, in a sentence. */
export function roleHelp(role: Role, t: Texts): string {
  switch (role) {
    case 'administrator':
      return t('team_page.roles.administrator_help')
    case 'curator':
      return t('team_page.roles.curator_help')
    case 'editor':
      return t('team_page.roles.editor_help')
    case 'viewer':
      return t('team_page.roles.viewer_help')
    case 'auditor':
      return t('team_page.roles.auditor_help')
  }
}
