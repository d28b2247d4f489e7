import { describe, expect, it } from 'vitest'

import type { AccountOut } from '../../src/api/types'
import { AccountState } from '../../src/lib/account.svelte'
import { isRemote } from '../../src/lib/remote'
import { homePage, NEEDED } from '../../src/lib/route'

const member = (over: Partial<AccountOut> = {}): AccountOut => ({
  kind: 'member',
  id: 'm',
  name: 'mei',
  display_name: 'Mei',
  role: 'viewer',
  scopes: ['self', 'photos.read'],
  second_factor: false,
  recovery_codes: 0,
  password: true,
  password_changed_at: null,
  ...over,
})

describe('an account', () => {
  it('may do everything on the desktop, from the start', () => {
    const account = new AccountState(false)
    expect([account.known, account.team, account.can('settings.write')]).toEqual([true, false, true])
    account.value = member({ kind: 'local', role: null, scopes: [] })
    expect([account.team, account.can('desktop')]).toEqual([false, true])
  })

  it('may do nothing on a server until it is known, then what its scopes say', () => {
    const account = new AccountState(true)
    expect([account.known, account.team, account.can('photos.read')]).toEqual([false, true, false])
    account.value = member()
    expect([account.known, account.team, account.can('photos.read'), account.can('people.write')]).toEqual([true, true, true, false])
  })

  it('is on a server where the page came by HTTPS', () => {
    expect([isRemote('https:'), isRemote('http:')]).toEqual([true, false])
  })
})

describe('without an address', () => {
  it.each([
    [['photos.read', 'record.read', 'self'], 'photos'],
    [['record.read', 'self'], 'record'],
    [['self'], 'account'],
    [[], 'help'],
  ] as const)('one with %j is taken to %s', (scopes, page) => {
    expect(homePage((scope) => (scopes as readonly string[]).includes(scope))).toBe(page)
    expect(NEEDED[page] === null || (scopes as readonly string[]).includes(NEEDED[page])).toBe(true)
  })
})
