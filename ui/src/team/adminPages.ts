/** The pages that run the server, which most members never open, see `lazyAdmin.ts`, and their texts. */

import * as alerts from 'virtual:texts/alerts,alerts_page'
import * as buckets from 'virtual:texts/buckets'
import * as incidents from 'virtual:texts/incidents,backups,members_page,desks'
import * as record from 'virtual:texts/record'

import { extend } from '../lib/i18n'

extend(record)
extend(incidents)
extend(buckets)
extend(alerts)

export { default as AdminPage } from './AdminPage.svelte'
