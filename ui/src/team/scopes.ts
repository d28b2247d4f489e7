/** What a token may be allowed, in words. */

import type { Texts } from '../lib/i18n'

/** Null for what no token can have. */
export function scopeText(scope: string, t: Texts): string | null {
  switch (scope) {
    case 'status.read':
      return t('team_page.scopes.status_read')
    case 'system.read':
      return t('team_page.scopes.system_read')
    case 'metrics.read':
      return t('team_page.scopes.metrics_read')
    case 'photos.read':
      return t('team_page.scopes.photos_read')
    case 'photos.write':
      return t('team_page.scopes.photos_write')
    case 'photos.upload':
      return t('team_page.scopes.photos_upload')
    case 'photos.export':
      return t('team_page.scopes.photos_export')
    case 'people.read':
      return t('team_page.scopes.people_read')
    case 'people.write':
      return t('team_page.scopes.people_write')
    case 'people.search':
      return t('team_page.scopes.people_search')
    case 'people.erase':
      return t('team_page.scopes.people_erase')
    case 'people.recognise':
      return t('team_page.scopes.people_recognise')
    case 'consent.read':
      return t('team_page.scopes.consent_read')
    case 'consent.write':
      return t('team_page.scopes.consent_write')
    case 'redaction.read':
      return t('team_page.scopes.redaction_read')
    case 'redaction.write':
      return t('team_page.scopes.redaction_write')
    case 'settings.read':
      return t('team_page.scopes.settings_read')
    case 'settings.write':
      return t('team_page.scopes.settings_write')
    case 'backups.manage':
      return t('team_page.scopes.backups_manage')
    case 'workers.manage':
      return t('team_page.scopes.workers_manage')
    case 'record.read':
      return t('team_page.scopes.record_read')
    case 'incidents.read':
      return t('team_page.scopes.incidents_read')
    case 'alerts.read':
      return t('team_page.scopes.alerts_read')
    case 'alerts.write':
      return t('team_page.scopes.alerts_write')
    default:
      return null
  }
}
